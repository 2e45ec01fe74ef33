"""httpbin, which many use to try a client: /basic-auth and /digest-auth."""

from httpbin import app  # noqa: F401
