"""Serve the pages on this machine as GitHub Pages would: types, gzip, how long they are kept."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..layout import LessonError

# Written out, since Python's own table depends on the machine (on Windows, on its registry).
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".whl": "application/zip",
    ".txt": "text/plain; charset=utf-8",
}
PACKED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".wasm", ".txt"}
KEPT = "max-age=600"


def make(out: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of a folder, bound to a port of 127.0.0.1; 0 takes any free one.

    Raises LessonError when the port can't be had.
    """
    handler = type("Handler", (_Handler,), {"out": out})
    try:
        return _Server(("127.0.0.1", port), handler)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise LessonError(
                f"Port {port} is taken. Choose another with --port, or --port 0 for any free one."
            ) from None
        raise


def serve(server: ThreadingHTTPServer, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. Raises LessonError when the folder holds no pages."""
    if not (server.RequestHandlerClass.out / "index.html").is_file():
        server.server_close()
        raise LessonError("There are no pages yet. Make them with: python3 -m learn site")
    say(f"http://127.0.0.1:{server.server_port}/     Ctrl-C ends it.")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("\nEnded.")
    finally:
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would share a port that is taken


@lru_cache(maxsize=512)
def _read(path: Path, changed: int, size: int) -> tuple[bytes, bytes | None, str]:
    body = path.read_bytes()
    packed = gzip.compress(body, 6, mtime=0) if path.suffix in PACKED else None
    return body, packed, hashlib.sha256(body).hexdigest()[:20]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    out: Path

    def do_GET(self):
        path = self._file()
        if path is None:
            return
        about = path.stat()
        body, packed, tag = _read(path, about.st_mtime_ns, about.st_size)
        if packed and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = packed
        else:
            packed = None
        same = tag in self.headers.get("If-None-Match", "")
        self.send_response(HTTPStatus.NOT_MODIFIED if same else HTTPStatus.OK)
        self.send_header("Cache-Control", KEPT)
        self.send_header("ETag", f'W/"{tag}"' if packed else f'"{tag}"')
        self.send_header("Vary", "Accept-Encoding")
        if not same:
            self.send_header("Content-Type", TYPES.get(path.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(len(body)))
            if packed:
                self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if not same and self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def _file(self) -> Path | None:
        """Return the file that is asked for; else answer, and return None."""
        asked = unquote(urlsplit(self.path).path)
        try:
            path = (self.out / asked.lstrip("/")).resolve()
            inside = path.is_relative_to(self.out.resolve())
            if inside and path.is_dir() and not asked.endswith("/"):
                return self._say(HTTPStatus.MOVED_PERMANENTLY, f"{urlsplit(self.path).path}/")
            path = path / "index.html" if inside and path.is_dir() else path
            if inside and path.is_file():
                return path
        except (OSError, ValueError):  # a name that no file can have
            pass
        return self._say(HTTPStatus.NOT_FOUND)

    def _say(self, status: HTTPStatus, location: str = "") -> None:
        body = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        if location:
            self.send_header("Location", "/" + location.lstrip("/"))
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing: the browser's own tools show more."""
