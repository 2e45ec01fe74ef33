"""Answers with a small body that is a large one when it is unpacked."""

import gzip

PACKED = gzip.compress(bytes(200_000_000))


def app(environ, start_response):
    start_response("200 OK", [("Content-Encoding", "gzip")])
    return [PACKED]
