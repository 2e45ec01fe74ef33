"""The workbench: one way to start a lesson, one way to send, one way to show.

    from learn import lesson, show

    app = lesson("02")                       # a real process, a free port, a database of its own
    app.get("/", basic=("user1", "pass1"))   # an exchange, which knows how to show itself

Each folder here is a room with one task, and imports run one way, from the last to the first:
install, layout.py, explain, showing, running, practice, measure, site, commands.

Names are imported when they are first used, so that `python3 -m learn` starts at once.
"""

_HOME = {
    "lesson": "learn.running.lesson",
    "Lesson": "learn.running.lesson",
    "LessonError": "learn.layout",
    "Exchange": "learn.showing.exchange",
    "digest_answer": "learn.running.client",
    "Browser": "learn.running.browser",
    "Mailbox": "learn.running.mailbox",
    "Authenticator": "learn.running.authenticator",
    "Provider": "learn.running.provider",
    "check": "learn.practice.check",
    "explain": "learn.explain",
    "show": "learn.showing.console",
    "SideBySide": "learn.showing.tables",
    "Table": "learn.showing.tables",
    "QRCode": "learn.showing.pictures",
    "Chart": "learn.showing.pictures",
}

__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError("module 'learn' has no attribute " + repr(name))
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value  # else the submodule of the same name would hide it
    return value
