"""PyPI's oidc-provider-mock as the provider of lesson 08's app.

    python oidc_mock.py PORT

Each start makes a new key and forgets all that was.
"""

import logging
import sys

from oidc_provider_mock import User, app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
people = [User(sub="user1", claims={"name": "user1 of PyPI", "email": "user1@example.com"})]
server = make_server("127.0.0.1", int(sys.argv[1]), app(user_claims=people), threaded=True)
print("ready", flush=True)
server.serve_forever()
