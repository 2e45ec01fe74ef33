"""A right answer without the library: client data, authenticator data and signatures by hand.

Only CBOR and the cryptography are other people's.
"""

import base64
import hashlib
import json
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from flask import Flask, Response, jsonify, make_response, request
from passlib.hash import argon2

app = Flask(__name__)
app.config.from_mapping(DATABASE="passkeys.db", ORIGIN="http://localhost:5007")
app.config.from_mapping(CHALLENGE_LIFETIME=300, IDLE_TIMEOUT=1800, ABSOLUTE_TIMEOUT=43200)
app.config.from_prefixed_env()
ORIGIN = app.config["ORIGIN"]
RP_ID = urlsplit(ORIGIN).hostname
TLS = ORIGIN.startswith("https:")
COOKIE = "__Host-by-hand" if TLS else "by-hand"
OFFERED = (-7, -8, -257)
argon2id = argon2.using(type="ID", memory_cost=19456, rounds=2, parallelism=1)
NOBODY = argon2id.hash(secrets.token_hex())
TABLES = """
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, hash TEXT, handle TEXT);
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, name TEXT, cose BLOB, count INTEGER,
    be INTEGER, bs INTEGER, made TEXT, used TEXT, alarm TEXT);
CREATE TABLE IF NOT EXISTS asked (challenge TEXT PRIMARY KEY, browser TEXT, what TEXT, name TEXT,
    at REAL);
CREATE TABLE IF NOT EXISTS sessions (hash TEXT PRIMARY KEY, name TEXT, begun REAL, used REAL)
"""


class Refused(Exception):
    """A status and a sentence."""


def sql(text, *values):
    with sqlite3.connect(app.config["DATABASE"], timeout=20) as db:
        db.row_factory = sqlite3.Row
        done = db.execute(text, values)
        return done.rowcount if done.description is None else done.fetchall()


def b64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True)


def sha256(raw):
    return hashlib.sha256(raw).digest()


def kept(id):
    return sha256(id.encode("utf-8", "replace")).hex()


@app.errorhandler(Refused)
def refused(error):
    status, sentence, *headers = error.args
    return Response(sentence + "\n", status, *headers, mimetype="text/plain")


# Who sends this?


def cookie():
    return request.cookies.get(COOKIE, "")


def with_cookie(answer, id):
    response = make_response(answer)
    response.set_cookie(COOKIE, id, httponly=True, samesite="Lax", secure=TLS)
    return response


def current():
    now = time.time()
    rows = sql("SELECT * FROM sessions WHERE hash = ?", kept(cookie()))
    if not rows or now - rows[0]["used"] > app.config["IDLE_TIMEOUT"]:
        return None
    if now - rows[0]["begun"] > app.config["ABSOLUTE_TIMEOUT"]:
        return None
    sql("UPDATE sessions SET used = ? WHERE hash = ?", now, kept(cookie()))
    return rows[0]["name"]


def somebody():
    name = current()
    if name is None:
        raise Refused(403, "Nobody is logged in here.")
    return name


def from_password():
    try:
        sent = request.authorization
    except ValueError:
        sent = None
    if sent and sent.type == "basic" and "\0" not in sent.password:
        rows = sql("SELECT * FROM users WHERE name = ?", sent.username)
        right = argon2id.verify(sent.password[:1024], rows[0]["hash"] if rows else NOBODY)
        if rows and right:
            return sent.username
    challenge = {"WWW-Authenticate": 'Basic realm="Lesson 07", charset="UTF-8"'}
    raise Refused(401, "Send a right user name and password.", challenge)


# Asking


def ask(what, name):
    browser, challenge = cookie() or secrets.token_urlsafe(), b64(secrets.token_bytes(32))
    sql(
        "INSERT INTO asked VALUES (?, ?, ?, ?, ?)",
        challenge,
        kept(browser),
        what,
        name,
        time.time(),
    )
    sql("DELETE FROM asked WHERE at < ?", time.time() - app.config["CHALLENGE_LIFETIME"])
    return browser, challenge


@app.post("/register/options")
def creation_options():
    name = current() or from_password()
    browser, challenge = ask("webauthn.create", name)
    handle = sql("SELECT handle FROM users WHERE name = ?", name)[0]["handle"]
    known = sql("SELECT id FROM keys WHERE name = ?", name)
    options = {
        "challenge": challenge,
        "rp": {"id": RP_ID, "name": "Lesson 07"},
        "user": {"id": handle, "name": name, "displayName": name},
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in OFFERED],
        "excludeCredentials": [{"type": "public-key", "id": row["id"]} for row in known],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
    }
    return with_cookie(options, browser)


@app.post("/login/options")
def request_options():
    browser, challenge = ask("webauthn.get", None)
    options = {"challenge": challenge, "rpId": RP_ID, "userVerification": "required"}
    return with_cookie(options, browser)


# Looking at what comes back


def answer(what, status):
    """Return the id, the response, the client data's bytes and whom they were asked for."""
    try:
        body = request.get_json()
        id, response, kind = body["id"], body["response"], body["type"]
        raw = unb64(response["clientDataJSON"])
        said = json.loads(raw.decode())
        challenge, origin = unb64(said["challenge"]), said["origin"]
        assert unb64(id) and kind == "public-key" and b64(challenge) == said["challenge"]
    except Exception:
        raise Refused(400, "This is no public key credential in JSON.") from None
    rows = sql("SELECT * FROM asked WHERE challenge = ?", b64(challenge))
    mine = [r for r in rows if r["browser"] == kept(cookie()) and r["what"] == what]
    alive = [r for r in mine if time.time() - r["at"] < app.config["CHALLENGE_LIFETIME"]]
    if not alive or not sql("DELETE FROM asked WHERE challenge = ?", b64(challenge)):
        raise Refused(status, "This challenge does not count here, or no more.")
    if said.get("type") != what:
        raise Refused(status, "This is the answer to something else.")
    if origin != ORIGIN:
        raise Refused(status, f"This comes from {origin}, not from {ORIGIN}.")
    if said.get("crossOrigin", False) is not False or "topOrigin" in said:
        raise Refused(status, "This comes out of a frame.")
    return id, response, raw, alive[0]["name"]


def flags_and_count(data, status):
    if len(data) < 37 or data[:32] != sha256(RP_ID.encode()):
        raise Refused(status, "This was made for another site.")
    flags = data[32]
    present, verified, can, is_ = (bool(flags & bit) for bit in (1, 4, 8, 16))
    if not (present and verified):
        raise Refused(status, "The device must know you: use its PIN, finger or face.")
    if is_ and not can:
        raise Refused(status, "A key that can't be synced says that it is.")
    return flags, int.from_bytes(data[33:37], "big")


def public_key(cose):
    """Return the key and its algorithm; ValueError, KeyError or TypeError when it is none."""
    kind, alg = cose[1], cose[3]
    if (kind, alg) == (2, -7) and cose[-1] == 1:
        point = b"\4" + cose[-2] + cose[-3]
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), alg
    if (kind, alg) == (1, -8) and cose[-1] == 6:
        return ed25519.Ed25519PublicKey.from_public_bytes(cose[-2]), alg
    if (kind, alg) == (3, -257):
        n, e = (int.from_bytes(cose[part], "big") for part in (-1, -2))
        return rsa.RSAPublicNumbers(e, n).public_key(), alg
    raise ValueError("not offered")


@app.post("/register")
def register():
    id, response, _, name = answer("webauthn.create", 400)
    try:
        data = cbor2.loads(unb64(response["attestationObject"]))["authData"]
        flags, count = flags_and_count(data, 400)
        assert flags & 64
        end = 55 + int.from_bytes(data[53:55], "big")
        attested, cose = data[55:end], cbor2.loads(data[end:])
        public_key(cose)
        assert b64(attested) == id and 1 <= len(attested) <= 1023
    except Refused:
        raise
    except Exception:
        raise Refused(400, "This is no new passkey of a kind that was asked for.") from None
    row = [id, name, cbor2.dumps(cose), count, bool(flags & 8), bool(flags & 16), moment()]
    if not sql("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)", *row):
        raise Refused(400, "This passkey is known already.")
    return {"id": id}, 201


@app.post("/login")
def login():
    id, response, client_data, _ = answer("webauthn.get", 403)
    rows = sql("SELECT * FROM keys JOIN users USING (name) WHERE id = ?", id)
    if not rows or response.get("userHandle") != rows[0]["handle"]:
        raise Refused(403, "Nobody has this passkey.")
    row = rows[0]
    try:
        data, signature = unb64(response["authenticatorData"]), unb64(response["signature"])
    except Exception:
        raise Refused(400, "authenticatorData or signature is missing or broken.") from None
    flags, count = flags_and_count(data, 403)
    key, alg = public_key(cbor2.loads(row["cose"]))
    how = {
        -7: (ec.ECDSA(hashes.SHA256()),),
        -8: (),
        -257: (padding.PKCS1v15(), hashes.SHA256()),
    }[alg]
    try:
        key.verify(signature, data + sha256(client_data), *how)
    except InvalidSignature:
        raise Refused(403, "The signature does not hold.") from None
    if bool(flags & 8) != bool(row["be"]):
        raise Refused(403, "This passkey has changed its nature.")
    use = "UPDATE keys SET count = ?, bs = ?, used = ? WHERE id = ?"
    use += " AND (count < ? OR ? + count = 0)"
    if not sql(use, count, bool(flags & 16), moment(), id, count, count):
        sql("UPDATE keys SET alarm = ? WHERE id = ?", moment(), id)
        raise Refused(403, "There seem to be two of this passkey.")
    sql("DELETE FROM sessions WHERE hash = ?", kept(cookie()))
    session, now = secrets.token_urlsafe(), time.time()
    sql("INSERT INTO sessions VALUES (?, ?, ?, ?)", kept(session), row["name"], now, now)
    return with_cookie({"name": row["name"]}, session)


def moment():
    return datetime.now(UTC).isoformat(timespec="seconds")


# Everything else


@app.get("/secured")
def secured():
    return Response(f"Hello, {somebody()}!\n", mimetype="text/plain")


@app.get("/passkeys")
def passkeys():
    rows = sql("SELECT * FROM keys WHERE name = ? ORDER BY made", somebody())
    shown = ("id", "made", "used", "alarm")
    return jsonify([{**{n: row[n] for n in shown}, "synced": bool(row["bs"])} for row in rows])


@app.delete("/passkeys/<id>")
def remove(id):
    if not sql("DELETE FROM keys WHERE id = ? AND name = ?", id, somebody()):
        raise Refused(404, "No passkey of yours has this id.")
    return "", 204


@app.post("/logout")
def logout():
    sql("DELETE FROM sessions WHERE hash = ?", kept(cookie()))
    sql("DELETE FROM asked WHERE browser = ?", kept(cookie()))
    return "", 204


@app.get("/")
def page():
    return PAGE


@app.get("/page.js")
def script():
    return Response(SCRIPT, mimetype="text/javascript")


PAGE = """<!doctype html><title>Passkeys</title><script src="page.js" defer></script>
<p id="said" role="status"></p>
<button id="in">Log in</button>
<form id="new"><label for="name">Name</label> <input id="name" autocomplete="username">
<label for="password">Password</label> <input id="password" type="password">
<button>Add a passkey</button></form>
"""
SCRIPT = """
const $ = (id) => document.getElementById(id), K = PublicKeyCredential;
const post = (path, json, headers = {}) => fetch(path, {method: "POST",
  headers: {...headers, "Content-Type": "application/json"}, body: json && JSON.stringify(json)});
const say = async (answer) => { $("said").textContent = await (await answer).text(); };
$("in").onclick = async () => {
  const options = await (await post("login/options")).json();
  const publicKey = K.parseRequestOptionsFromJSON(options);
  say(post("login", (await navigator.credentials.get({publicKey})).toJSON()));
};
$("new").onsubmit = async (event) => {
  event.preventDefault();
  const pair = btoa($("name").value + ":" + $("password").value);
  const basic = {Authorization: "Basic " + pair};
  const options = await (await post("register/options", null, basic)).json();
  const publicKey = K.parseCreationOptionsFromJSON(options);
  say(post("register", (await navigator.credentials.create({publicKey})).toJSON()));
};
"""


@app.before_request
def own_pages_only():
    origin, site = request.headers.get("Origin", ORIGIN), request.headers.get("Sec-Fetch-Site")
    if request.method in ("POST", "DELETE"):
        if origin != ORIGIN or site not in (None, "none", "same-origin"):
            raise Refused(403, "Only pages of this site may do that.")


@app.after_request
def fence(response):
    policy = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    return response


with sqlite3.connect(app.config["DATABASE"]) as first:
    first.execute("PRAGMA journal_mode = WAL")
    first.executescript(TABLES)
    for pair in ("user1:pass1", "user2:pass2"):
        name, _, password = pair.partition(":")
        made = (name, argon2id.hash(password), b64(secrets.token_bytes(48)))
        first.execute("INSERT OR IGNORE INTO users VALUES (?, ?, ?)", made)
