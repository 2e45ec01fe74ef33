"""`python3 -m learn`: see to the environment, then run the command in it.

Plain syntax that even an old Python can read, so that it can say that it is too old.
"""

import os
import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "This tutorial needs Python 3.11 or newer; this is Python %d.%d.\n"
        "Install a newer one and start again with it, for example: python3.13 -m learn\n"
        % sys.version_info[:2]
    )
    folders = os.environ.get("PATH", "").split(os.pathsep)
    if any(
        os.path.isfile(os.path.join(folder, uv)) for folder in folders for uv in ("uv", "uv.exe")
    ):
        sys.stderr.write("You have uv, which finds one itself: uv run --python 3.13 -m learn\n")
    sys.exit(1)

if __name__ == "__main__":
    from learn.install.door import enter

    enter()  # returns only in an environment that has all that is needed

    try:
        from learn.commands import main

        main(prog_name="python3 -m learn")
    except KeyboardInterrupt:  # while it was being imported
        sys.exit(130)
