"""A lesson inside of this process: what stands in for process.py in a web page.

Its file is loaded as a module and served by Werkzeug's own handler, on a network that is as much
inside (loopback.py); so it gets and gives the bytes that it would get and give elsewhere. While it
runs, the modules of its folder, the environment, the folder, the clock and the output are its own:
an `app` or `store` of another lesson, or of another start of this one, is another module.

LEARN_INSIDE=1 chooses it anywhere. What only a process can do raises MachineOnly, with a sentence.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import logging
import os
import socket
import sys
import threading
import traceback

from ..layout import LessonError, MachineOnly
from ..showing.console import printable
from . import child, loopback

# Compiled packages that no web page can load, and what is built upon them.
COMPILED = {"cryptography", "webauthn", "authlib", "joserfc", "bcrypt", "gevent", "nacl"}
_AHEAD = [0.0]  # seconds by which the clock is ahead: of who runs now, last


class Inside:
    """What of a lesson is about how it runs; the rest is in lesson.py."""

    def _place(self) -> tuple[int, int]:
        """Return a port for the lesson, and one for its provider."""
        return self.port or loopback.free_port(), loopback.free_port()

    def set_clock(self, seconds: float):
        """Let the lesson's time be so many seconds ahead of ours, if it was started with a clock.

        It moves what Python's time and datetime tell; a database's own clock stays as it is.
        """
        self._ahead = seconds

    @property
    def would_serve(self) -> dict | None:
        """Where a file that was started as a script would serve: host, port, debug; else None."""
        if "script" not in self.modes:
            raise LessonError("It is not known where it would serve.")
        return self._would_serve

    def _start(self):
        """Load the file and serve it; what went wrong is kept for `_wait`."""
        if self.box or self.workers or self.python != sys.executable:
            raise MachineOnly("A web page has no other processes: workers, for example.")
        self.port = self.port or loopback.free_port()
        self._refused = None
        folders = [self.path.parent, *([self.given] if self.given else [])]
        entries = [entry for folder in folders for entry in folder.iterdir()]
        self._names = {e.stem for e in entries if e.suffix == ".py" or e.is_dir()}
        self._names |= {"__main__"} if "script" in self.modes else set()
        self._paths = [str(folder) for folder in folders]
        self._modules, self._loggers = {}, {}
        for name in self._names:
            logging.root.manager.loggerDict.pop(name, None)
        with self._within():
            try:
                importlib.invalidate_caches()
                app = self._load()
                child.give_templates(app)
            except SystemExit as error:
                code = error.code if isinstance(error.code, str) else traceback.format_exc()
                self._log.write(code + "\n")
                self._refused = printable(self.log.strip())
                return
            except MachineOnly:
                raise
            except Exception:
                self._refused = printable(traceback.format_exc())
                return
        loopback.serve(self.port, loopback.http(functools.partial(self._answer, app)))

    def _load(self):
        try:
            return self._load_script() if "script" in self.modes else child.load(self.path)
        except SystemExit as error:
            cause = error.__context__
            name = getattr(cause, "name", None) if isinstance(cause, ModuleNotFoundError) else None
            if name and name.partition(".")[0] in COMPILED:
                raise MachineOnly(
                    f"{self.path.name} imports {name}, which is compiled code that these pages"
                    " don't bring. It runs on your own machine."
                ) from None
            raise

    def _load_script(self):
        """Run the file as a script, up to the point at which it would serve, and note where."""
        from werkzeug import serving

        real, seen = serving.run_simple, {"debug": False}

        def run_simple(host, port, app, *more, **options):
            seen["debug"] = bool(options.get("use_debugger"))
            return real(host, port, app, *more, **options)

        def bind(self, address):
            seen["host"], seen["port"] = address[:2]
            raise child.Served

        serving.run_simple, socket.socket.bind = run_simple, bind
        try:
            app = child.load(self.path, "__main__")
        finally:
            serving.run_simple = real
            del socket.socket.bind
        seen["debug"] |= bool(getattr(app, "debug", False))
        self._would_serve = seen if "port" in seen else None
        return app

    def _wait(self):
        """Raise LessonError if it did not start, with what it said."""
        if self._refused is not None:
            said = self._refused or "(it printed nothing)"
            raise LessonError(f"{self.path.name} stopped before it answered. It said:\n\n{said}")
        if self.provider:
            self.provider.wait()

    def _halt(self):
        loopback.end(self.port)
        self._modules = {}

    def restart(self):
        """Load the file anew, on the same port with the same database."""
        self._halt()
        self._start()
        self._wait()

    def command(self, *arguments: str) -> str:
        """Run one of the app's own Flask commands on its database and return what it prints.

        Raises LessonError when it fails.
        """
        from flask import Flask
        from flask.cli import FlaskGroup

        with self._within():
            app = child.load(self.path)
            if not isinstance(app, Flask):
                raise LessonError(f"{self.path.name} has no Flask commands.")
            group = FlaskGroup(create_app=lambda: app, load_dotenv=False)
            done = app.test_cli_runner().invoke(group, arguments, prog_name="flask")
        if done.exit_code:
            raise LessonError(f"flask {' '.join(arguments)} failed:\n\n{done.output.strip()}")
        return done.output

    def run(self, *arguments: str):
        """Raise MachineOnly: this starts another Python."""
        raise MachineOnly("A web page can't start another Python beside this one.")

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._refused is None

    @property
    def pid(self) -> int:
        """Raise MachineOnly: it has no process of its own."""
        raise MachineOnly("In a web page, a lesson has no process of its own.")

    def _answer(self, app, far, address):
        """Answer a request as Werkzeug's server does."""
        handler = _handler()
        with self._within():
            try:
                handler(far, address, _Server(app, self.port))
            except (Exception, SystemExit):  # there, this thread would end and nothing else
                self._log.write(traceback.format_exc())

    @contextlib.contextmanager
    def _within(self):
        """Let this process be the lesson's own, as far as it can tell, for a `with`."""
        path, folder, environment = sys.path[:], os.getcwd(), dict(os.environ)
        arguments, loggers = sys.argv, _handlers()
        others = _take(self._names)
        sys.modules.update(self._modules)
        sys.path[:] = [*self._paths, *path]
        sys.argv = [str(self.path)]
        os.environ.clear()
        os.environ.update(self.environment)
        os.chdir(self.path.parent)
        _AHEAD.append(self._ahead if "clock" in self.modes else 0.0)
        _set_handlers(self._loggers)
        try:
            with contextlib.redirect_stdout(self._log), contextlib.redirect_stderr(self._log):
                yield
        finally:
            self._loggers = _handlers()
            _set_handlers(loggers)
            _AHEAD.pop()
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv, sys.path[:] = arguments, path
            self._modules = _take(self._names)
            sys.modules.update(others)


class _Server:
    """What Werkzeug's handler asks of its server."""

    ssl_context, multithread, multiprocess, passthrough_errors = None, True, False, False

    def __init__(self, app, port):
        self.app, self.server_address = app, ("127.0.0.1", port)

    def log(self, kind, message, *arguments):
        logging.getLogger("werkzeug").log(getattr(logging, kind.upper()), message, *arguments)


@functools.cache
def _handler():
    from werkzeug.serving import WSGIRequestHandler

    class Handler(WSGIRequestHandler):
        server_version = f"Werkzeug/{importlib.metadata.version('werkzeug')}"

        def log(self, kind, message, *arguments):
            line = f"{self.address_string()} - - [{self.log_date_time_string()}] {message}"
            self.server.log(kind, line, *arguments)

    return Handler


class _Said(logging.StreamHandler):
    """Write to whatever is standard error now."""

    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        return sys.stderr


def _handlers() -> dict:
    """Return how the loggers are set that all lessons share."""
    found = {}
    for name in (None, "werkzeug"):
        logger = logging.getLogger(name)
        found[name] = (logger.handlers[:], logger.level, logger.propagate, logger.disabled)
    return found


def _set_handlers(kept: dict):
    usual = {None: ([], logging.WARNING), "werkzeug": ([_Said()], logging.INFO)}
    usual = {name: (*how, True, False) for name, how in usual.items()}
    for name, how in {**usual, **kept}.items():
        logger = logging.getLogger(name)
        logger.handlers[:], logger.level, logger.propagate, logger.disabled = how
    logging.root.manager._clear_cache()


def _take(names: set[str]) -> dict:
    """Take the modules of these names, and what is below them, out of Python's list."""
    found = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in found}


def begin():
    """Let this process be one in which lessons are loaded. Call it before Flask is imported."""
    if threading.Thread.start is not _no_thread:
        sys.dont_write_bytecode = True  # of a file that is changed twice in a second
        loopback.begin()
        child.set_clock(lambda: _AHEAD[-1])
        threading.Thread.start = _no_thread


def _no_thread(self):
    raise MachineOnly("A web page can't do several things at the same time.")
