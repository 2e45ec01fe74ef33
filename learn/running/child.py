"""Runs in a process of its own: load one file, serve its `app` on a free port, say which.

Usage: child.py FILE PORT_FILE PORT. The port (0: any free one) is taken first, since an app may
know its origin when it starts (FLASK_ORIGIN), and written to PORT_FILE once the app is loaded. The
process ends when its standard input closes, so it can't outlive the one who started it, however
that one ends. Nothing of the workbench is imported here: a lesson knows nobody.
"""

import importlib.util
import os
import socket
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


def give_templates(app):
    """Let a file that lies elsewhere find its lesson's templates, after its own."""
    folder = os.environ.get("LEARN_TEMPLATES")
    if folder and hasattr(app, "jinja_loader"):
        from jinja2 import ChoiceLoader, FileSystemLoader

        loaders = [app.jinja_loader, FileSystemLoader(folder)]
        app.jinja_loader = ChoiceLoader([one for one in loaders if one])


def end_with_parent():
    while os.read(0, 1024):  # not sys.stdin: its lock would be held while Python ends
        pass
    os._exit(0)


def main():
    path, port_file, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        taken = socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        sys.exit(f"Port {port} can't be used: {error.strerror}.")
    port = taken.getsockname()[1]
    os.environ.setdefault("FLASK_ORIGIN", f"http://localhost:{port}")
    app = load(path)
    give_templates(app)
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", port, app, threaded=True, fd=taken.fileno())
    draft = port_file.with_suffix(".draft")
    draft.write_text(str(server.port))
    draft.replace(port_file)  # whoever sees the file sees the whole number
    server.serve_forever()


if __name__ == "__main__":
    main()
