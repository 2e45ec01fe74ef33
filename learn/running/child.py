"""Runs in a process of its own: load one file and serve its `app`.

Usage: child.py FILE PORT, or child.py FILE PORT LISTENER READY, where LISTENER is the number of a
socket that already listens on this port and READY that of a pipe, into which a byte is written once
the app is loaded. The process ends when its standard input closes, so it can't outlive the one who
started it, however that one ends. Nothing of the workbench is imported here: a lesson knows nobody.
"""

import importlib.util
import os
import sys
import threading
import traceback
from pathlib import Path


def load(path):
    """Run the file and return its Flask application; SystemExit with a sentence without one."""
    sys.path[0] = str(path.parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # Flask finds the instance folder through it
    try:
        spec.loader.exec_module(module)
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


def end_with_parent():
    while os.read(0, 1024):  # not sys.stdin: its lock would be held while Python ends
        pass
    os._exit(0)


def serve(path, port, listener=None, ready=None):
    """Load the file and serve it for good."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    app = load(path)
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", port, app, threaded=True, fd=listener)
    if ready is not None:
        os.write(ready, b"!")
        os.close(ready)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), *map(int, sys.argv[2:]))
