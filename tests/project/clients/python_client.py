"""The HTTP clients of Python, each used as its documentation shows.

Run with the name of one of them. Each line on standard input is a request, as a form: method, url,
scheme (basic, digest, bearer, browse or none), user, password, token, otp, body. Each line on
standard output is its answer: status and body. To browse is to keep cookies from one request to the
next and to follow redirects. The clients in the other languages speak the same.
"""

import asyncio
import functools
import sys
import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlencode


@functools.cache
def kept(kind):
    """Return the one object of this kind, which keeps the cookies."""
    return kind()


def with_urllib(method, url, scheme, user, password, headers, body):
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, url, user, password)
    handlers = {
        "basic": [urllib.request.HTTPBasicAuthHandler(manager)],
        "digest": [urllib.request.HTTPDigestAuthHandler(manager)],
    }
    handlers["browse"] = [kept(urllib.request.HTTPCookieProcessor)]
    no_proxy = urllib.request.ProxyHandler({})
    opener = urllib.request.build_opener(no_proxy, *handlers.get(scheme, []))
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with opener.open(request, timeout=15) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def with_requests(method, url, scheme, user, password, headers, body):
    import requests
    from requests.auth import HTTPBasicAuth, HTTPDigestAuth

    auth = {"basic": HTTPBasicAuth, "digest": HTTPDigestAuth}.get(scheme)
    with kept(requests.Session) if scheme == "browse" else requests.Session() as session:
        session.trust_env = False
        answer = session.request(
            method,
            url,
            headers=headers,
            data=body,
            auth=auth and auth(user, password),
            timeout=15,
        )
    return answer.status_code, answer.text


def with_httpx2(method, url, scheme, user, password, headers, body):
    import httpx2

    auth = {"basic": httpx2.BasicAuth, "digest": httpx2.DigestAuth}.get(scheme)
    browse = scheme == "browse"
    cookies = kept(httpx2.Cookies) if browse else None
    with httpx2.Client(
        trust_env=False, timeout=15, cookies=cookies, follow_redirects=browse
    ) as client:
        answer = client.request(
            method, url, headers=headers, content=body, auth=auth and auth(user, password)
        )
        if browse:
            cookies.update(client.cookies)
    return answer.status_code, answer.text


def with_aiohttp(method, url, scheme, user, password, headers, body):
    import aiohttp

    auth = aiohttp.BasicAuth(user, password) if scheme == "basic" else None
    digest = [aiohttp.DigestAuthMiddleware(user, password)] if scheme == "digest" else []

    async def send():
        how = {"timeout": aiohttp.ClientTimeout(15), "middlewares": digest}
        if scheme == "browse":
            how["cookie_jar"] = kept(aiohttp.CookieJar)
        async with aiohttp.ClientSession(**how) as session:
            sending = session.request(method, url, headers=headers, data=body, auth=auth)
            async with sending as answer:
                return answer.status, await answer.text()

    return asyncio.run(send())


def main():
    send = globals()[f"with_{sys.argv[1]}"]
    if "--version" in sys.argv:
        from importlib.metadata import version

        print(sys.version.split()[0] if sys.argv[1] == "urllib" else version(sys.argv[1]))
        return
    for line in sys.stdin:
        asked = dict(parse_qsl(line.rstrip("\n"), keep_blank_values=True))
        headers = {}
        if asked["scheme"] == "bearer":
            headers["Authorization"] = f"Bearer {asked['token']}"
        if "otp" in asked:
            headers["OTP"] = asked["otp"]
        if "body" in asked:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            status, body = send(
                asked["method"],
                asked["url"],
                asked["scheme"],
                asked.get("user"),
                asked.get("password"),
                headers,
                asked.get("body"),
            )
        except Exception as error:  # what the client itself says is part of the matrix
            status, body = 0, f"{type(error).__name__}: {error}"
        print(urlencode({"status": status, "body": body}), flush=True)


if __name__ == "__main__":
    main()
