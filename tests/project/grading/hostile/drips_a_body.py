"""Answers with a byte now and then, so that no time-out between two bytes is ever reached."""

import time


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    while True:
        yield b"."
        time.sleep(1)
