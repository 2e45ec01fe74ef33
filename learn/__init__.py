"""The workbench: one way to start a lesson, one way to send, one way to show.

    from learn import lesson, show

    app = lesson("02")                       # a real process, a free port, a database of its own
    app.get("/", basic=("user1", "pass1"))   # an exchange, which knows how to show itself

Names are imported when they are first used, so that `python3 -m learn` starts at once.
"""

_HOME = {
    "lesson": "learn.server",
    "Lesson": "learn.server",
    "LessonError": "learn.places",
    "Exchange": "learn.client",
    "digest_answer": "learn.client",
    "Mailbox": "learn.mailbox",
    "check": "learn.check",
    "explain": "learn.explain",
    "show": "learn.show",
    "SideBySide": "learn.show",
}

__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError("module 'learn' has no attribute " + repr(name))
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value  # else the submodule of the same name would hide it
    return value
