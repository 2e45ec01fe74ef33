"""An answer to lesson 08 with classes: PyJWT, SQLAlchemy, and class-based views."""

import base64
import dataclasses
import hashlib
import secrets
import sys
import time

import jwt
import requests
from flask import Flask, redirect, render_template_string, request, url_for
from flask.views import MethodView
from sqlalchemy import create_engine, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable

app = Flask(__name__)
app.config.from_mapping(
    ISSUER="http://localhost:5018",
    CLIENT_ID="lesson-08",
    CLIENT_SECRET="pass8",
    IDLE_TIMEOUT=1800,
    ABSOLUTE_TIMEOUT=43200,
    DATABASE="lesson08.db",
)
app.config.from_prefixed_env()
if len(str(app.config["SECRET_KEY"] or "")) < 32:
    sys.exit("FLASK_SECRET_KEY must be 32 bytes long, or longer.")
engine = create_engine(f"sqlite:///{app.config['DATABASE']}")
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class Table(DeclarativeBase):
    pass


class Pending(Table):
    __tablename__ = "pending"
    key: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str]
    verifier: Mapped[str]
    until: Mapped[float]


class Login(Table):
    __tablename__ = "login"
    key: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    sid: Mapped[str | None]
    name: Mapped[str]
    begun: Mapped[float]
    used: Mapped[float]


Table.metadata.create_all(engine)


def run(statement):
    with Session(engine) as session, session.begin():
        return session.execute(statement).rowcount


def fingerprint(*parts):
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()


class Cookie:
    """One of our cookies."""

    def __init__(self, name):
        self.secure = app.config["SESSION_COOKIE_SECURE"]
        self.name = ("__Host-" if self.secure else "") + name

    def read(self):
        return request.cookies.get(self.name, "")

    def write(self, response, value):
        about = {"httponly": True, "samesite": "Lax", "path": "/", "secure": self.secure}
        response.set_cookie(self.name, value, **about)
        return response


BEFORE, LOGGED_IN = Cookie("oidc-begun"), Cookie("oidc-session")


@dataclasses.dataclass
class Relying:
    """What this site, the relying party, knows of its provider."""

    issuer: str
    id: str
    secret: str
    document: dict | None = None
    loaded: float = 0
    keys: list = dataclasses.field(default_factory=list)
    next_look: float = 0

    def ask(self, method, place, **how):
        try:
            answer = requests.request(method, place, timeout=(3, 3), **how)
            content = answer.json()
            if not isinstance(content, dict):
                raise ValueError("JSON, but no object")
        except (requests.RequestException, ValueError) as error:
            app.logger.error("provider: %s", type(error).__name__)
            raise ServiceUnavailable("The provider does not answer sensibly. Try later.") from None
        if content.get("error") == "invalid_grant":
            raise BadRequest("The provider refuses the code. Log in again.")
        if answer.status_code != 200:
            raise ServiceUnavailable("The provider has trouble. Try later.")
        return content

    def about(self, name):
        """Return an entry of the discovery document."""
        if not self.document or time.monotonic() > self.loaded + 300:
            place = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
            document = self.ask("GET", place)
            if document.get("issuer") != self.issuer:
                raise ServiceUnavailable("The provider says that it is another one.")
            self.document, self.loaded, self.keys = document, time.monotonic(), []
        try:
            return self.document[name]
        except KeyError:
            self.document = None
            raise ServiceUnavailable(f"The provider does not tell its {name}.") from None

    def look_for_keys(self):
        try:
            found = jwt.PyJWKSet.from_dict(self.ask("GET", self.about("jwks_uri")))
        except (jwt.PyJWTError, TypeError, ValueError, AttributeError):
            raise ServiceUnavailable("The provider has no usable keys.") from None
        self.keys = [key for key in found.keys if key.key_type == "RSA"]

    def key_for(self, token):
        kid = jwt.get_unverified_header(token).get("kid")
        for look in (not self.keys, True):
            if look:
                if self.keys and time.monotonic() < self.next_look:
                    break
                if self.keys:
                    self.next_look = time.monotonic() + 15
                self.look_for_keys()
            for key in self.keys:
                if kid is None or key.key_id == kid:
                    return key
        raise jwt.InvalidKeyError("nobody knows this key")

    def verify(self, token, nonce=None):
        needed = ["iss", "aud", "iat", "exp"] + (["nonce", "sub"] if nonce else ["jti", "events"])
        self.about("jwks_uri")
        if not self.keys:
            self.look_for_keys()
        try:
            claims = jwt.decode(
                token,
                self.key_for(token),
                algorithms=["RS256"],
                audience=self.id,
                issuer=self.issuer,
                leeway=10,
                options={"require": needed, "strict_aud": False},
            )
            if claims.get("azp", self.id) != self.id or claims["aud"] not in (self.id, [self.id]):
                raise jwt.InvalidTokenError("It was asked for by another client")
            if claims.get("nonce") != nonce:
                raise jwt.InvalidTokenError("It belongs to another login")
            for name in ("sub", "sid"):
                text = claims.get(name, "-")
                if not isinstance(text, str) or not text or not text.isascii():
                    raise jwt.InvalidTokenError(f"Its {name} is no text")
            if type(claims["iat"]) is not int or type(claims["exp"]) is not int:
                raise jwt.InvalidTokenError("Its times are no numbers")
        except HTTPException:
            raise
        except Exception as error:
            reason = error if isinstance(error, jwt.PyJWTError) else "It can't be read"
            raise BadRequest(f"The token is not good: {reason}.") from None
        return claims


provider = Relying(
    app.config["ISSUER"], str(app.config["CLIENT_ID"]), str(app.config["CLIENT_SECRET"])
)


class Begin(MethodView):
    def get(self):
        place = provider.about("authorization_endpoint")
        provider.about("token_endpoint")
        state, nonce, verifier = (secrets.token_hex(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        browser = BEFORE.read() or secrets.token_hex(16)
        key = fingerprint(state, browser)
        with Session(engine) as session, session.begin():
            about = {"nonce": nonce, "verifier": verifier, "until": time.time() + 600}
            session.add(Pending(key=key, **about))
        prepared = requests.Request(
            "GET",
            place,
            params={
                "response_type": "code",
                "client_id": provider.id,
                "redirect_uri": url_for("end", _external=True),
                "scope": "openid email profile",
                "state": state,
                "nonce": nonce,
                "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
                "code_challenge_method": "S256",
            },
        ).prepare()
        return BEFORE.write(redirect(prepared.url), browser)


class End(MethodView):
    def get(self):
        pending = self.pending(fingerprint(request.args.get("state"), BEFORE.read()))
        promised = provider.about("authorization_response_iss_parameter_supported")
        given = request.args.get("iss")
        if given != provider.issuer and (promised or given is not None):
            raise BadRequest("This comes from another provider. Log in again.")
        if request.args.get("error"):
            raise BadRequest(
                "The login was denied by you, or cancelled."
                if request.args["error"] == "access_denied"
                else "The provider reports an error. Log in again."
            )
        if not request.args.get("code"):
            raise BadRequest("There is no code in this answer.")
        claims, token = self.redeem(pending)
        headers = {"Authorization": f"Bearer {token}"}
        person = provider.ask("GET", provider.about("userinfo_endpoint"), headers=headers)
        if person.get("sub") != claims["sub"]:
            raise BadRequest("The provider speaks of two different users.")
        id, now = secrets.token_hex(32), time.time()
        name = ascii(person.get("name") or claims["sub"]) if self.odd(person) else None
        name = name or str(person.get("name") or claims["sub"])
        who = {"issuer": provider.issuer, "subject": claims["sub"], "sid": claims.get("sid")}
        with Session(engine) as session, session.begin():
            session.execute(delete(Login).where(Login.key == fingerprint(LOGGED_IN.read())))
            session.add(Login(key=fingerprint(id), name=name, begun=now, used=now, **who))
        return LOGGED_IN.write(redirect("/"), id)

    def odd(self, person):
        return not str(person.get("name")).isprintable()

    def pending(self, key):
        with Session(engine, expire_on_commit=False) as session:
            found = session.get(Pending, key)
        taken = run(delete(Pending).where(Pending.key == key))
        if not found or not taken or found.until < time.time():
            raise BadRequest("This login did not begin in this browser. Go to /login.")
        return found

    def redeem(self, pending):
        form = {"grant_type": "authorization_code", "code": request.args["code"]}
        form |= {"code_verifier": pending.verifier}
        form |= {"redirect_uri": url_for("end", _external=True)}
        place, pair = provider.about("token_endpoint"), (provider.id, provider.secret)
        answer = provider.ask("POST", place, data=form, auth=pair)
        if not {"id_token", "access_token"} <= set(answer):
            raise ServiceUnavailable("The provider sends no tokens. Try later.")
        return provider.verify(answer["id_token"], pending.nonce), answer["access_token"]


def who():
    now = time.time()
    alive = select(Login).where(
        Login.key == fingerprint(LOGGED_IN.read()),
        Login.used > now - app.config["IDLE_TIMEOUT"],
        Login.begun > now - app.config["ABSOLUTE_TIMEOUT"],
    )
    with Session(engine, expire_on_commit=False) as session, session.begin():
        found = session.scalars(alive).first()
        if found:
            session.execute(update(Login).where(Login.key == found.key).values(used=now))
        return found


class Home(MethodView):
    def get(self):
        login = who()
        if login is None:
            return redirect(url_for("begin"))
        return render_template_string(
            "Hello, {{ login.name }}!<form method=post action=/logout>"
            '<input type="hidden" name="proof" value="{{ proof }}"><button>Out</button></form>',
            login=login,
            proof=fingerprint(LOGGED_IN.read(), app.config["SECRET_KEY"]),
        )


class Leave(MethodView):
    def post(self):
        proof = fingerprint(LOGGED_IN.read(), app.config["SECRET_KEY"])
        if not secrets.compare_digest(request.form.get("proof", "").encode(), proof.encode()):
            raise BadRequest("The form is not ours.")
        run(delete(Login).where(Login.key == fingerprint(LOGGED_IN.read())))
        back = {"post_logout_redirect_uri": url_for("public", _external=True)}
        params = {"client_id": provider.id, **back}
        place = provider.about("end_session_endpoint")
        return redirect(requests.Request("GET", place, params=params).prepare().url)


class Ended(MethodView):
    def post(self):
        claims = provider.verify(request.form.get("logout_token", ""))
        events = claims["events"]
        event = events.get(LOGOUT) if isinstance(events, dict) else None
        if not isinstance(event, dict) or not ("sid" in claims or "sub" in claims):
            raise BadRequest("This token ends no session.")
        theirs = [Login.issuer == provider.issuer]
        if "sid" in claims:
            theirs.append(Login.sid == claims["sid"])
        if "sub" in claims:
            theirs.append(Login.subject == claims["sub"])
        run(delete(Login).where(*theirs))
        return ""


@app.errorhandler(HTTPException)
def plain(error):
    return f"{error.description}\n", error.code, {"Content-Type": "text/plain"}


@app.after_request
def fresh(response):
    response.headers["Cache-Control"] = "no-store"
    return response


app.add_url_rule("/", view_func=Home.as_view("home"))
app.add_url_rule("/login", view_func=Begin.as_view("begin"))
app.add_url_rule("/callback", view_func=End.as_view("end"))
app.add_url_rule("/logout", view_func=Leave.as_view("leave"))
app.add_url_rule("/backchannel-logout", view_func=Ended.as_view("ended"))
app.add_url_rule("/public", "public", lambda: "Welcome, everybody.\n")
