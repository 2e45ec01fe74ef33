"""The reader of QR codes reads what phones read, and says of the rest what is wrong with it."""

import io
import random

import pytest
import segno

from learn.practice import qr

ADDRESS = (
    "otpauth://totp/Lesson%2005:user1?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Lesson%2005"
)
OTHERS = [ADDRESS.replace("JBSW", "JBSX"), ADDRESS.replace("user1", "user2")]


def svg_of(text=ADDRESS, **how):
    """Return segno's picture of a text."""
    kinds = {k: how.pop(k) for k in ("error", "version", "mask", "mode") if k in how}
    out = io.BytesIO()
    segno.make_qr(text, **kinds).save(out, kind="svg", **how)
    return out.getvalue().decode()


GROUND = '<rect width="100%" height="100%" fill="{}"/>'
RECT = '<rect x="{x}" y="{y}" width="1" height="1"/>'


def svg(body, size=9):
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">{body}</svg>'


def by_hand(square=RECT, border=4, ground=""):
    """Return a picture with one shape for each dark square."""
    matrix = segno.make_qr(ADDRESS).matrix
    places = [(x, y) for y, row in enumerate(matrix) for x, on in enumerate(row) if on]
    body = "".join(square.format(x=x + border, y=y + border) for x, y in places)
    return svg(ground + body, len(matrix) + 2 * border)


@pytest.mark.parametrize("text", [ADDRESS, *OTHERS])
def test_each_address_is_read_as_it_is(text):
    """Another secret and another user come out as what they are, so that a check can see them."""
    assert qr.read(svg_of(text)) == text


@pytest.mark.parametrize("error", "LMQH")
@pytest.mark.parametrize("mask", range(8))
def test_every_level_and_mask(error, mask):
    """All four levels of correction and all eight masks are read."""
    assert qr.read(svg_of(error=error, mask=mask)) == ADDRESS


@pytest.mark.parametrize(
    "text",
    ["0123456789012", "AB: 12*/3", "Grüße, 日本", "x" * 300, "7" * 900, "A" * 600, ADDRESS * 9],
    ids=["digits", "letters", "UTF-8", "x", "many digits", "many letters", "large"],
)
def test_every_way_to_write_a_text(text):
    """Digits, letters, bytes, and codes so large that they tell their version."""
    assert qr.read(svg_of(text)) == text


@pytest.mark.parametrize(
    "picture",
    [
        svg_of(scale=6, light="white"),
        svg_of(border=10, unit="mm", dark="#123", light="#fff"),
        svg_of(omitsize=True, svgclass=None, lineclass=None, xmldecl=False),
        by_hand(),
        by_hand('<path d="M{x} {y}h1v1h-1z"/>', ground=GROUND.format("white")),
        by_hand('<path d="M{x},{y}l1,0 0,1 -1,0z" style="fill:#000000"/>'),
        by_hand('<g transform="translate({x} {y})"><rect width="1" height="1"/></g>'),
        qr.svg_of(segno.make_qr(ADDRESS).svg_data_uri(scale=3)),
    ],
    ids=["scaled", "millimetres", "bare", "rect", "path", "style", "moved", "data"],
)  # fmt: skip
def test_every_way_to_draw(picture):
    """Rectangles, filled paths, strokes, scaled, moved, coloured, or in an address data:."""
    assert qr.read(picture) == ADDRESS


@pytest.mark.parametrize(
    "picture, why",
    [
        (svg_of(dark="white", light="black"), "dark on a light ground"),
        (by_hand('<rect x="{x}" y="{y}" width="1" height="1" fill="#fff"/>',
                 ground=GROUND.format("black")), "dark on a light ground"),
        (svg_of(border=0), "border of 0"),
        (svg_of(border=2, light="#fff"), "border of 2"),
        (by_hand(border=3), "border of 3"),
        (svg(f"<text>{ADDRESS.replace('&', '&amp;')}</text>"), "without the squares"),
        (svg(""), "without the squares"),
        (by_hand('<rect x="{x}" y="{y}" width=".5" height="1"/>'), "no QR code"),
        (svg_of()[:-20], "no SVG"),
        (ADDRESS, "no SVG"),
        ("", "no SVG"),
    ],
    ids=["inverted", "inverted by hand", "no border", "two", "three", "text", "empty", "half",
         "cut", "address", "nothing"],
)  # fmt: skip
def test_what_a_phone_does_not_read(picture, why):
    """Inverted, without its border, as text, or damaged: a ValueError says so in a phrase."""
    with pytest.raises(ValueError, match=why):
        assert qr.read(picture) == ADDRESS


@pytest.mark.parametrize(
    "shape", ['<circle r="9"/>', '<use href="#a"/>', '<path d="M0 0C1 1 2 2 3 3"/>']
)
def test_other_shapes_are_left_to_the_eye(shape):
    """A picture that a phone might read, and this reader can't judge, is Unknown, not wrong."""
    with pytest.raises(qr.Unknown):
        qr.read(by_hand().replace("</svg>", f"{shape}</svg>"))


@pytest.mark.rest
def test_a_damaged_picture_is_no_error_of_the_reader():
    """Whatever stands in a picture, ValueError or Unknown is all that comes of it, and soon."""
    dice, picture = random.Random(5), svg_of(scale=2, light="#fff")
    shapes = by_hand('<path transform="translate({x} {y})" d="M0 0h1v1h-1z"/>')
    for round_ in range(300):
        text = list((picture, shapes)[round_ % 2])
        for _ in range(dice.choice([1, 3, 9])):
            at = dice.randrange(len(text))
            text[at] = dice.choice(["", "0", "9", ".", "-", "e", "M", "z", '"', "(", ")", "<", " "])
        with_it = "".join(text)
        try:
            assert isinstance(qr.read(with_it), str)
        except (ValueError, qr.Unknown):
            continue


@pytest.mark.parametrize(
    "picture",
    [
        svg("".join(RECT.format(x=n / 7, y=n / 7) for n in range(10_000)), 2000),
        svg("<g>" * 50_000 + "</g>" * 50_000),
        by_hand('<rect x="{x}" y="{y}" width="1e999" height="nan"/>'),
        by_hand('<path transform="scale()" d="M{x} {y}h1v1h-1z"/>'),
        by_hand('<path d="M{x}h1v1h-1z" stroke-width="x" stroke="#000"/>'),
    ],
    ids=["10,000 places", "deep", "endless", "no number", "no place"],
)  # fmt: skip
def test_a_picture_that_is_meant_to_harm(picture):
    """Too many places, too deep a nesting, numbers that are none: refused like any other."""
    with pytest.raises((ValueError, qr.Unknown)):
        assert qr.read(picture) == ADDRESS
