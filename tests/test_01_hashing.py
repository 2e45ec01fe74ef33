"""Lesson 01: keep a password without keeping the password. In the order in which you build it."""

import statistics
import time

GOOD = {"username": "user1", "password": "pass1"}


def test_it_works_front_page(app):
    """The front page is open to everybody."""
    assert app.get("/").status == 200


def test_it_works_right_password(app):
    """The right password is answered with a greeting."""
    answer = app.post("/login", form=GOOD)
    assert (answer.status, answer.text.strip()) == (200, "Hello, user1!")


def test_wrong_password_is_403(app):
    """A wrong password is refused with status 403, which a program can tell from a success."""
    assert app.post("/login", form={"username": "user1", "password": "wrong"}).status == 403


def test_each_user_has_a_password_of_their_own(app):
    """The password of one user opens no other user's account."""
    assert app.post("/login", form={"username": "user2", "password": "pass2"}).status == 200
    for name, password in [("user1", "pass2"), ("user2", "pass1"), ("nobody", "pass1")]:
        assert app.post("/login", form={"username": name, "password": password}).status == 403


def test_register_then_login(app):
    """A new user registers while the app runs and can log in at once."""
    new = {"username": "new", "password": "a password"}
    assert app.post("/register", form=new).status == 201
    answer = app.post("/login", form=new)
    assert (answer.status, answer.text.strip()) == (200, "Hello, new!")


def test_taken_name_is_409(app):
    """A name that is taken can't be registered again, and its password stays what it was."""
    assert app.post("/register", form={"username": "user1", "password": "mine now"}).status == 409
    assert app.post("/login", form=GOOD).status == 200


def test_missing_field_is_400(app):
    """A registration without a user name or a password is refused with status 400."""
    for form in [{}, {"username": "a"}, {"password": "b"}, {"username": "", "password": ""}]:
        assert app.post("/register", form=form).status == 400, form


def test_half_a_login_is_403(app):
    """A login without a user name or a password is refused like a wrong one."""
    for form in [{}, {"username": "user1"}, {"password": "pass1"}]:
        assert app.post("/login", form=form).status == 403, form


def test_users_survive_a_restart(start):
    """Who registered is still there after a restart."""
    app = start()
    kept = {"username": "kept", "password": "still mine"}
    assert app.post("/register", form=kept).status == 201
    app.restart()
    assert app.post("/login", form=kept).status == 200


def test_unknown_user_gets_the_same_answer(app):
    """A wrong password and an unknown user get the same answer, so nobody can list the users."""
    wrong = app.post("/login", form={"username": "user1", "password": "wrong"})
    unknown = app.post("/login", form={"username": "nobody", "password": "wrong"})
    assert wrong.status == unknown.status == 403
    assert wrong.text == unknown.text


def test_unknown_user_takes_the_same_time(app):
    """A wrong password and an unknown user take the same time."""
    times = {"user1": [], "nobody": []}
    for name in list(times) * 7:
        begin = time.perf_counter()
        answer = app.post("/login", form={"username": name, "password": "wrong"})
        times[name].append(time.perf_counter() - begin)
        assert answer.status == 403
    ratio = statistics.median(times["nobody"]) / statistics.median(times["user1"])
    assert 0.5 < ratio < 2


def test_accents_typed_two_ways_are_one_password(app):
    """An é is the same password whether the keyboard sends one character or two (NFC)."""
    new = {"username": "accent", "password": "caf\u00e9"}
    assert app.post("/register", form=new).status == 201
    answer = app.post("/login", form={"username": "accent", "password": "cafe\u0301"})
    assert answer.status == 200


def test_nul_and_endless_passwords_are_refused(app):
    """A password with a NUL, or one of more than 1024 bytes, is refused; 1024 bytes are fine."""
    for password in ["a\0b", "x" * 1025, "é" * 513]:
        answer = app.post("/register", form={"username": "odd", "password": password})
        assert answer.status == 400
    assert app.post("/login", form={"username": "user1", "password": "pass1\0"}).status == 403
    longest = {"username": "long", "password": "x" * 1024}
    assert app.post("/register", form=longest).status == 201
    assert app.post("/login", form={**longest, "password": "x" * 1023 + "y"}).status == 403


def test_stored_with_argon2(app):
    """The command `users` lists names with the schemes of their hashes, and never a password."""
    listed = app.command("users")
    assert "user1" in listed and "argon2" in listed
    assert "pass1" not in listed and "$" not in listed


def test_old_hash_is_replaced_at_login(start):
    """user2 comes with a hash of the older kind; the first good login replaces it by Argon2id."""
    app = start()
    scheme = lambda: dict(line.split() for line in app.command("users").splitlines())["user2"]  # noqa: E731
    assert scheme() == "sha512_crypt"
    app.post("/login", form={"username": "user2", "password": "wrong"})
    assert scheme() == "sha512_crypt"
    for _ in range(2):
        assert app.post("/login", form={"username": "user2", "password": "pass2"}).status == 200
        assert scheme() == "argon2"
