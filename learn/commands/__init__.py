"""What `python3 -m learn` can do. Each command is short; the work is done in the other rooms.

Each module adds its commands to main, and help lists them in this order: that of use.
"""

# isort: off
from .group import main
from . import walk, exercises, grading, tools, site  # noqa: F401

__all__ = ["main"]
