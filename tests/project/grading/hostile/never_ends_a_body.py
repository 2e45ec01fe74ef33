"""Answers with a body that has no end."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    while True:
        yield b"Hello, user1!" * 5000
