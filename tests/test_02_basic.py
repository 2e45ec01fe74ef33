"""Lesson 02: HTTP Basic (RFC 7617). In the order in which you build it."""

import base64
import statistics
import time

USER1, USER2 = ("user1", "pass1"), ("user2", "pass2")


def basic(text, scheme="Basic"):
    """An Authorization header for these exact bytes."""
    return f"{scheme} {base64.b64encode(text).decode()}"


def seconds(app, credentials):
    begin = time.perf_counter()
    answer = app.get("/", basic=credentials)
    return time.perf_counter() - begin, answer.status


def test_it_works_right_password(app):
    """The right password is answered with a greeting."""
    for name, password in (USER1, USER2):
        answer = app.get("/", basic=(name, password))
        assert (answer.status, answer.text.strip()) == (200, f"Hello, {name}!")


def test_it_works_no_credentials(app):
    """Without credentials comes 401 with a Basic challenge."""
    answer = app.get("/")
    assert answer.status == 401
    assert answer.challenge().type == "basic" and answer.challenge().realm


def test_it_works_wrong_password(app):
    """A wrong password and a missing one are refused with a challenge."""
    for credentials in [("user1", "wrong"), ("user1", ""), ("user1", "pass2"), ("nobody", "pass1")]:
        answer = app.get("/", basic=credentials)
        assert answer.status == 401 and answer.challenge()


def test_it_works_scheme_in_any_case(app):
    """The scheme's name counts in any case (RFC 9110 11.1)."""
    for scheme in ("Basic", "basic", "BASIC", "bAsIc"):
        assert app.get("/", authorization=basic(b"user1:pass1", scheme)).status == 200


def test_challenge_names_the_charset(app):
    """The challenge says that user name and password come in UTF-8 (RFC 7617 2.1)."""
    assert app.get("/").challenge().get("charset") == "UTF-8"


def test_only_the_scheme_basic_counts(app):
    """Credentials under another scheme's name are refused."""
    for scheme in ("Foo", "Digest", "Bearer", "Basi"):
        assert app.get("/", authorization=basic(b"user1:pass1", scheme)).status == 401


def test_malformed_credentials_are_401(app):
    """Whatever is not base64 of name, colon and password in UTF-8 is refused with 401."""
    good = base64.b64encode(b"user1:pass1").decode()
    for bad in [
        "Basic", "Basic !", f"Basic {good[:4]} {good[4:]}", f"Basic *{good}", f"Basic {good}, x",
        'Basic user="user1", password="pass1"', f"Basic {good}, Basic {good}", good,
        basic(b"user1"), basic(b":"), basic(b"\xff:\xff"), basic(b"user1:pass1\xff"),
    ]:  # fmt: skip
        answer = app.get("/", authorization=bad)
        assert answer.status == 401 and answer.challenge(), bad


def test_public_page_is_open(app):
    """A public page needs no credentials."""
    assert app.get("/public").status == 200


def test_admin_page_tells_401_from_403(app):
    """Nobody gets 401, a user who may not gets 403, the admin gets in."""
    assert app.get("/admin").status == 401
    assert app.get("/admin", basic=USER2).status == 403
    assert app.get("/admin", basic=USER1).status == 200


def test_admin_adds_a_user(app):
    """An admin adds a user, who can log in at once."""
    form = {"username": "new", "password": "a password"}
    assert app.post("/users", basic=USER1, form=form).status == 201
    assert app.get("/", basic=("new", "a password")).status == 200
    assert app.get("/admin", basic=("new", "a password")).status == 403


def test_only_admins_add_users(app):
    """Others can't add users."""
    form = {"username": "mine", "password": "a password"}
    assert app.post("/users", form=form).status == 401
    assert app.post("/users", basic=USER2, form=form).status == 403
    assert app.get("/", basic=("mine", "a password")).status == 401


def test_bad_new_users_are_refused(app):
    """A taken name is 409; a missing field, or a name with a colon, is 400."""
    assert (
        app.post("/users", basic=USER1, form={"username": "user2", "password": "x"}).status == 409
    )
    for form in [
        {}, {"username": "a"}, {"password": "b"}, {"username": "a:b", "password": "b"},
        {"username": "nul", "password": "a\0b"}, {"username": "long", "password": "x" * 1025},
    ]:  # fmt: skip
        assert app.post("/users", basic=USER1, form=form).status == 400, form


def test_new_password_replaces_the_old(start):
    """A changed password counts at once and the old one no longer, even if it was just used."""
    app = start()
    assert app.get("/", basic=USER2).status == 200
    assert app.post("/password", basic=USER2, form={"password": "better"}).status == 204
    assert app.get("/", basic=USER2).status == 401
    assert app.get("/", basic=("user2", "better")).status == 200
    assert app.post("/password", form={"password": "x"}).status == 401


def test_changes_survive_a_restart(start):
    """Added users and changed passwords are still there after a restart."""
    app = start()
    assert app.post("/password", basic=USER2, form={"password": "better"}).status == 204
    form = {"username": "kept", "password": "still mine"}
    assert app.post("/users", basic=USER1, form=form).status == 201
    app.restart()
    assert app.get("/", basic=("user2", "better")).status == 200
    assert app.get("/", basic=USER2).status == 401
    assert app.get("/", basic=("kept", "still mine")).status == 200


def test_unknown_user_takes_the_same_time(app):
    """A wrong password and an unknown user take the same time."""
    times = {"user1": [], "nobody": []}
    for name in list(times) * 7:
        took, status = seconds(app, (name, "wrong"))
        times[name].append(took)
        assert status == 401
    ratio = statistics.median(times["nobody"]) / statistics.median(times["user1"])
    assert 0.5 < ratio < 2


def test_nul_after_the_password_is_refused(app):
    """`pass1` with a NUL behind it is not `pass1`."""
    assert app.get("/", authorization=basic(b"user1:pass1")).status == 200
    assert app.get("/", authorization=basic(b"user1:pass1\0")).status == 401


def test_accents_typed_two_ways_are_one_password(app):
    """An é is the same password whether the keyboard sends one character or two (NFC)."""
    app.post("/users", basic=USER1, form={"username": "accent", "password": "caf\u00e9:\u20ac"})
    for password in ("caf\u00e9:\u20ac", "cafe\u0301:\u20ac"):
        assert app.get("/", basic=("accent", password)).status == 200


def test_right_pair_is_not_hashed_every_time(app):
    """A right pair is remembered for a minute; a wrong password is hashed every time."""
    assert seconds(app, USER1)[1] == 200
    times = {USER1: [], ("user1", "wrong"): []}
    for pair in list(times) * 7:
        times[pair].append(seconds(app, pair)[0])
    right, wrong = (statistics.median(t) for t in times.values())
    assert right < wrong / 2


def test_form_from_another_site_is_refused(start):
    """A form that another site made the browser send is refused (CSRF)."""
    app = start()
    for site in ("cross-site", "same-site"):
        answer = app.post(
            "/password", basic=USER1, form={"password": "x"}, headers={"Sec-Fetch-Site": site}
        )
        assert answer.status == 403
    own = {"Sec-Fetch-Site": "same-origin"}
    assert app.post("/password", basic=USER1, form={"password": "x"}, headers=own).status == 204
