"""Read a QR code out of an SVG picture, as a phone would: dark on light, with a border around it.

What a picture shows is found by painting its rectangles, in order, on the grid of all their edges.
The squares (ISO/IEC 18004 calls them modules) are then read without correcting any error, as a
picture that was drawn by a program has none. The standard's tables are segno's.
"""

from __future__ import annotations

import bisect
import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote_to_bytes

from segno.consts import ALIGNMENT_POS, ECC

BORDER, LARGEST = 4, 177  # modules (ISO/IEC 18004, 6.3.8 and 5.3.1)
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
DARK = {"": True, "black": True, "white": False, "none": None, "transparent": None}
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Unknown(Exception):
    """The picture is drawn in a way that this reader does not understand."""


def read(svg: str) -> str:
    """Return the text of the QR code in an SVG picture.

    Raises ValueError with a phrase if a phone would find none, Unknown if only this reader can't.
    """
    try:
        return _text(_modules(*_painted(svg)))
    except (LookupError, ArithmeticError, RecursionError):
        raise ValueError("a picture that is damaged") from None


def svg_of(data: str) -> str:
    """Return the SVG in a data: address, or the text itself if it is none."""
    if not data.startswith("data:"):
        return data
    head, _, body = data.partition(",")
    raw = unquote_to_bytes(body)
    if head.endswith(";base64"):
        import base64

        raw = base64.b64decode(raw)
    return raw.decode()


def _painted(svg):
    """Return the edges of all rectangles, x and y, and which cells between them are dark."""
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise ValueError(f"no SVG: {error}") from None
    box = [float(n) for n in re.findall(NUMBER, root.get("viewBox", ""))]
    if len(box) != 4:
        sides = [re.match(NUMBER, root.get(name, "")) for name in ("width", "height")]
        if not all(sides):
            raise Unknown
        box = [0, 0, *(float(side[0]) for side in sides)]
    left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
    shapes = [(left, top, right, bottom, False), *_shapes(root, (1, 1, 0, 0), {}, box)]
    if len(shapes) < 20:
        raise ValueError("a picture without the squares of a QR code")
    xs, ys = ({round(v, 6) for s in shapes for v in (s[i], s[i + 2])} for i in (0, 1))
    xs, ys = (
        sorted(x for x in xs if left <= x <= right),
        sorted(y for y in ys if top <= y <= bottom),
    )
    if max(len(xs), len(ys)) > 4 * LARGEST:
        raise ValueError("a picture with more squares than any QR code has")
    cells = [[False] * (len(xs) - 1) for _ in ys[1:]]
    for x0, y0, x1, y1, dark in shapes:
        columns = range(*(bisect.bisect_left(xs, round(x, 6)) for x in (x0, x1)))
        for row in cells[slice(*(bisect.bisect_left(ys, round(y, 6)) for y in (y0, y1)))]:
            for column in columns:
                row[column] = dark
    return xs, ys, cells


def _shapes(element, moved, style, box):
    """Yield the rectangles that an element paints: left, top, right, bottom, whether dark."""
    tag = element.tag.rpartition("}")[2]
    if tag in ("defs", "title", "desc", "metadata", "text"):
        return
    if tag in ("use", "image", "circle", "ellipse", "polygon", "polyline", "style"):
        raise Unknown
    given = dict(re.findall(r"([\w-]+)\s*:\s*([^;]+)", element.get("style", "")))
    style = {**style, **element.attrib, **given}
    moved = _moved(moved, element.get("transform", ""))
    found = []
    if tag == "rect":
        sides = [(_length(element.get(n, "0"), box[2 + i % 2])) for i, n in enumerate(
            ("x", "y", "width", "height"))]  # fmt: skip
        x, y, width, height = sides
        found = [(x, y, x + width, y + height, _dark(style.get("fill", "")))]
    elif tag == "path":
        found = _path(element.get("d", ""), style)
    a, b, c, d = moved
    for x0, y0, x1, y1, dark in found:
        if dark is not None:
            yield a * x0 + c, b * y0 + d, a * x1 + c, b * y1 + d, dark
    for child in element:
        yield from _shapes(child, moved, {k: v for k, v in style.items() if k != "transform"}, box)


def _length(text, whole):
    number = re.match(NUMBER, text)
    if not number or not re.fullmatch(rf"{NUMBER}(px|mm|%)?", text):
        raise Unknown
    return float(number[0]) * (whole / 100 if text.endswith("%") else 1)


def _moved(moved, text):
    a, b, c, d = moved
    for name, numbers in re.findall(r"(\w+)\(([^)]*)\)", text):
        n = [float(one) for one in re.findall(NUMBER, numbers)]
        if name == "scale":
            a, b = a * n[0], b * n[-1]
        elif name == "translate":
            c, d = c + a * n[0], d + b * (n[1] if len(n) > 1 else 0)
        else:
            raise Unknown
    return a, b, c, d


def _dark(colour):
    colour = colour.strip().lower()
    if colour in DARK:
        return DARK[colour]
    if not re.fullmatch("#(?:[0-9a-f]{3}|[0-9a-f]{6})", colour):
        raise Unknown
    parts = colour[1:] if len(colour) == 4 else colour[1::2]
    return sum(int(part, 16) for part in parts) < 3 * 8


def _path(d, style):
    """Yield the rectangles of a path: filled ones, or level strokes of a width."""
    stroke = _dark(style.get("stroke", "none"))
    half = _length(style.get("stroke-width", "1"), 0) / 2
    x = y = x0 = y0 = 0.0
    points: list = []
    for letter, numbers in [*re.findall(r"([a-zA-Z])([^a-zA-Z]*)", d), ("M", "0 0")]:
        n = [float(one) for one in re.findall(NUMBER, numbers)]
        kind, near = letter.upper(), letter.islower()
        if kind not in "MHVLZ":
            raise Unknown
        if kind in "MZ":
            if len(points) > 2 and stroke is None:
                xs, ys = ({round(p[i], 6) for p in points} for i in (0, 1))
                if len(xs) != 2 or len(ys) != 2:
                    raise Unknown
                yield min(xs), min(ys), max(xs), max(ys), _dark(style.get("fill", ""))
            points = []
        if kind == "Z":
            x, y = x0, y0
            points = [(x, y)]
            continue
        steps = [(n[i], n[i + 1]) for i in range(0, len(n) - 1, 2)] if kind in "ML" else n
        for step in steps:
            old = x, y
            if kind in "ML":
                x, y = (x + step[0], y + step[1]) if near else step
            elif kind == "H":
                x = x + step if near else step
            else:
                y = y + step if near else step
            if kind == "M":
                x0, y0, kind = x, y, "L"  # more pairs after the first are lines
                points = [(x, y)]
                continue
            if stroke is not None:
                if y != old[1]:
                    raise Unknown
                yield min(x, old[0]), y - half, max(x, old[0]), y + half, stroke
            points.append((x, y))


def _modules(xs, ys, cells):
    """Return the squares of the code, row by row. Raises ValueError if a phone would not see it."""
    rows = [number for number, row in enumerate(cells) if any(row)]
    columns = [number for number in range(len(xs) - 1) if any(row[number] for row in cells)]
    if not rows:
        raise ValueError("nothing dark on a light ground")
    left, top = xs[columns[0]], ys[rows[0]]
    right, bottom = xs[columns[-1] + 1], ys[rows[-1] + 1]
    first = cells[rows[0]]
    end = next((n for n in range(columns[0], len(first)) if not first[n]), len(first))
    size = (xs[end] - left) / 7  # the mark in the corner is seven squares wide
    number = round((right - left) / size)
    square = abs((bottom - top) - (right - left)) <= size / 2
    if number % 4 != 1 or not 21 <= number <= LARGEST or not square:
        raise ValueError("no QR code that is dark on a light ground, with a light border")
    border = min(left - xs[0], top - ys[0], xs[-1] - right, ys[-1] - bottom) / size
    if border < BORDER - 0.01:
        raise ValueError(f"a QR code with a border of {border:.0f} squares")

    def at(row, column):
        x, y = left + (column + 0.5) * size, top + (row + 0.5) * size
        return cells[bisect.bisect(ys, y) - 1][bisect.bisect(xs, x) - 1]

    return [[at(row, column) for column in range(number)] for row in range(number)]


MASKS = [
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
]


def _text(modules):
    """Return the text of a code's squares (ISO/IEC 18004, chapter 7, backwards)."""
    n = len(modules)
    version = (n - 17) // 4
    near = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    form = int("".join("01"[modules[r][c]] for r, c in near), 2) ^ 0b101010000010010
    level, mask = form >> 13, MASKS[form >> 10 & 7]
    fixed = {(6, k) for k in range(n)} | {(k, 6) for k in range(n)}
    fixed |= {(r, c) for r in range(9) for c in [*range(9), *range(n - 8, n)]}
    fixed |= {(r, c) for r in range(n - 8, n) for c in range(9)}
    if version >= 7:
        fixed |= {p for a in range(6) for b in range(n - 11, n - 8) for p in [(a, b), (b, a)]}
    centres = ALIGNMENT_POS[version - 2] if version >= 2 else ()
    corners = {(6, 6), (6, n - 7), (n - 7, 6)}
    for centre in {(a, b) for a in centres for b in centres} - corners:
        fixed |= {(centre[0] + a, centre[1] + b) for a in range(-2, 3) for b in range(-2, 3)}
    bits = ""
    pairs = [right for right in range(n - 1, 0, -2)]
    for index, right in enumerate(right if right > 6 else right - 1 for right in pairs):
        for row in range(n - 1, -1, -1) if index % 2 == 0 else range(n):
            for column in (right, right - 1):
                if (row, column) not in fixed:
                    bits += "01"[modules[row][column] ^ (mask(row, column) == 0)]
    words = [int(bits[k : k + 8], 2) for k in range(0, len(bits) - 7, 8)]
    sizes = [kind.num_data for kind in ECC[version][level] for _ in range(kind.num_blocks)]
    blocks: list[list[int]] = [[] for _ in sizes]
    places = [b for k in range(max(sizes)) for b, size in enumerate(sizes) if k < size]
    for block, word in zip(places, words, strict=False):
        blocks[block].append(word)
    return _segments("".join(f"{word:08b}" for block in blocks for word in block), version)


def _segments(bits, version):
    at, text = 0, bytearray()

    def take(number):
        nonlocal at
        at += number
        return int(bits[at - number : at] or "0", 2)

    large = (version > 9) + (version > 26)
    while len(bits) - at >= 4 and (mode := take(4)):
        if mode == 4:
            text += bytes(take(8) for _ in range(take((8, 16, 16)[large])))
        elif mode == 2:
            count = take((9, 11, 13)[large])
            for _ in range(count // 2):
                text += "".join(LETTERS[k] for k in divmod(take(11), 45)).encode()
            text += LETTERS[take(6)].encode() if count % 2 else b""
        elif mode == 1:
            count = take((10, 12, 14)[large])
            for left in range(count, 0, -3):
                width = min(left, 3)
                text += f"{take((4, 7, 10)[width - 1]):0{width}}".encode()
        elif mode == 7:
            take(8)  # which character set: phones take UTF-8
        else:
            raise ValueError("a QR code that can't be read")
    return text.decode("utf-8", "replace")
