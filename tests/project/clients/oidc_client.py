"""Python's requests-oauth2client as a client of lesson 08's provider.

    python oidc_client.py ISSUER ID SECRET CALLBACK

takes questions on its standard input, one JSON object a line, and answers each by one:

    {"ask": "discover"}                 {}
    {"ask": "begin"}                    {"url": where the browser shall go}
    {"ask": "finish", "url": callback}  {"sub": of the ID token, "person": what /userinfo says}
    {"ask": "grow_old"}                 {}, and a minute has passed for the keys that it has
    {"ask": "logout", "back": address}  {"url": where the browser shall go}

or by {"error": what went wrong}. node/oidc_client.mjs does the same with openid-client.
"""

import json
import sys

from requests_oauth2client import AuthorizationResponse, ClientSecretBasic, OAuth2Client

ISSUER, ID, SECRET, CALLBACK = sys.argv[1:]


class Questions:
    """Each method is a question."""

    def discover(self):
        self.client = OAuth2Client.from_discovery_endpoint(
            issuer=ISSUER,
            auth=ClientSecretBasic(ID, SECRET),  # by itself it sends the secret in the form
            redirect_uri=CALLBACK,
            testing=True,  # http, on this machine
        )
        return {}

    def begin(self):
        self.asked = self.client.authorization_request(scope="openid profile email")
        return {"url": self.asked.uri}

    def finish(self, url):
        answer = self.asked.validate_callback(url)
        assert isinstance(answer, AuthorizationResponse)
        token = self.client.authorization_code(answer)
        return {"sub": token.id_token.subject, "person": self.client.userinfo(token)}

    def grow_old(self):
        return {}  # it keeps no time: what it has, it has

    def logout(self, back):
        raise NotImplementedError("it has nothing for this")


questions = Questions()
for line in sys.stdin:
    asked = json.loads(line)
    try:
        said = getattr(questions, asked.pop("ask"))(**asked)
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {getattr(error, 'error', error)}"}
    print(json.dumps(said), flush=True)
