"""Runs in a process of its own: load one file and serve its `app`.

Usage: child.py FILE PORT LISTENER READY FOLDER [script] [clock], where LISTENER is the number of a
socket that already listens on this port and READY that of a pipe, into which a byte is written once
the app is loaded; each is - where there is none. The process ends when its standard input closes,
so it can't outlive the one who started it, however that one ends. Nothing of the workbench is
imported here: a lesson knows nobody.

script: the file is run as `python FILE` does. Where it would serve is not taken but noted in
script.json in FOLDER. clock: the file `clock` there says how many seconds its time is ahead.
"""

import datetime
import importlib.util
import json
import mmap
import os
import socket
import sqlite3  # noqa: F401 (before the clock is set, as it looks at the real class datetime)
import struct
import sys
import threading
import time
import traceback
from functools import partial
from pathlib import Path


class Served(BaseException):
    """A script has come to the point at which it would serve."""


def load(path, name=None):
    """Run the file and return its Flask application; SystemExit with a sentence without one."""
    name = name or path.stem
    sys.path[0] = str(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Flask finds the instance folder through it
    try:
        spec.loader.exec_module(module)
    except Served:
        pass
    except SystemExit as error:
        if isinstance(error.code, str):  # a sentence of its own
            raise
        sys.exit(f"{place(error, path)}it called sys.exit(), so nothing is left to serve.")
    except SyntaxError as error:
        where = Path(error.filename or path).name
        where += f", line {error.lineno}" if error.lineno else ""
        sys.exit(f"{where}: {error.msg}\n    {(error.text or '').strip()}".rstrip())
    except ModuleNotFoundError as error:
        sys.exit(
            f"{place(error, path)}there is no module {error.name!r}. Is it spelt right?"
            " What is installed here stands in requirements.txt."
        )
    except Exception as error:
        sys.exit(f"{place(error, path)}{''.join(traceback.format_exception_only(error)).strip()}")
    app = getattr(module, "app", None)
    if not callable(app):
        factory = next((n for n in ("create_app", "make_app") if hasattr(module, n)), None)
        if factory:
            sys.exit(f"{path.name} has {factory} but no `app`. Add at its end: app = {factory}()")
        sys.exit(
            f"{path.name} has no `app`. Name your Flask application `app`: app = Flask(__name__)"
        )
    return app


def place(error, path):
    """Say where in the learner's own lines an error came from, with the line itself."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent == path.parent]
    if not own:
        return f"{path.name}: "
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}:\n    {own[-1].line}\n"


def give_templates(app):
    """Let a file that lies elsewhere find its lesson's templates, after its own."""
    folder = os.environ.get("LEARN_TEMPLATES")
    if folder and hasattr(app, "jinja_loader"):
        from jinja2 import ChoiceLoader, FileSystemLoader

        loaders = [app.jinja_loader, FileSystemLoader(folder)]
        app.jinja_loader = ChoiceLoader([one for one in loaders if one])


def load_script(path, notes):
    """Run the file as a script and return its application; note where it would serve.

    notes: the file for a JSON object of host, port and debug, or null if it would not serve.
    """
    from werkzeug import serving

    real, seen = serving.run_simple, {"debug": False}

    def run_simple(host, port, app, *more, **options):
        seen["debug"] = bool(options.get("use_debugger"))
        return real(host, port, app, *more, **options)

    def stop_at_bind(event, arguments):
        if event == "socket.bind" and "port" not in seen and type(arguments[1]) is tuple:
            seen["host"], seen["port"] = arguments[1][:2]
            raise Served

    serving.run_simple = run_simple
    sys.addaudithook(stop_at_bind)
    app = load(path, "__main__")
    serving.run_simple = real
    debug = seen["debug"] or bool(getattr(app, "debug", False))
    notes.write_text(json.dumps({**seen, "debug": debug} if "port" in seen else None))
    seen.setdefault("port", 0)  # from now on, binding is allowed
    return app


def set_clock_by(file):
    """Let this process's time be ahead by the seconds in a file: a double, which may change."""
    with file.open("r+b") as opened:
        shared = mmap.mmap(opened.fileno(), 8)
    set_clock(lambda: struct.unpack("d", shared[:8])[0])


def set_clock(ahead):
    """Let this process's time be ahead by the seconds that the function `ahead` returns."""
    real_datetime, real_date = datetime.datetime, datetime.date

    def later(real, unit):
        return real() + unit(ahead() * (10**9 if unit is int else 1))

    def of_now(real, seconds=None):
        return real(time.time() if seconds is None else seconds)

    def in_form(real, form, parts=None):
        return real(form, time.localtime() if parts is None else parts)

    for changed, names in [
        (lambda real: partial(later, real, float), ["time", "monotonic"]),
        (lambda real: partial(later, real, int), ["time_ns", "monotonic_ns"]),
        (lambda real: partial(of_now, real), ["localtime", "gmtime", "ctime"]),
        (lambda real: partial(in_form, real), ["strftime"]),
    ]:  # partial objects don't become methods of a class that keeps one, as logging's does
        for name in names:
            setattr(time, name, changed(getattr(time, name)))

    class Lookalike(type):
        def __instancecheck__(cls, value):
            return isinstance(value, cls.__mro__[1])

    class Datetime(real_datetime, metaclass=Lookalike):
        def __new__(cls, *parts, **more):
            return real_datetime(*parts, **more)

        @classmethod
        def now(cls, tz=None):
            return real_datetime.fromtimestamp(time.time(), tz)

        @classmethod
        def utcnow(cls):
            return cls.now(datetime.UTC).replace(tzinfo=None)

        today = now

    class Date(real_date, metaclass=Lookalike):
        def __new__(cls, *parts, **more):
            return real_date(*parts, **more)

        @classmethod
        def today(cls):
            return real_date.fromtimestamp(time.time())

    datetime.datetime, datetime.date = Datetime, Date


def end_with_parent():
    while os.read(0, 1024):  # not sys.stdin: its lock would be held while Python ends
        pass
    os._exit(0)


def serve(path, port, listener=None, ready=None, folder=None, modes=()):
    """Load the file and serve it for good."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    if listener is None:  # taken first: a script may not, and the app may want to know its origin
        try:
            listener = socket.create_server(("127.0.0.1", port), backlog=128).detach()
        except OSError as error:
            sys.exit(f"Port {port} can't be used: {error.strerror}.")
    if "clock" in modes:
        set_clock_by(folder / "clock")
    app = load_script(path, folder / "script.json") if "script" in modes else load(path)
    give_templates(app)
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", port, app, threaded=True, fd=listener)
    if ready is not None:
        os.write(ready, b"!")
        os.close(ready)
    server.serve_forever()


def main():
    file, port, listener, ready, folder, *modes = sys.argv[1:]
    numbers = [None if number == "-" else int(number) for number in (port, listener, ready)]
    serve(Path(file), *numbers, Path(folder), modes)


if __name__ == "__main__":
    main()
