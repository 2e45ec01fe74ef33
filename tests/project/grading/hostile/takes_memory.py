"""Takes memory in several processes."""

import os
import time

for _ in range(12):
    if not os.fork():
        kept = bytearray(b"x") * (400 << 20)
        time.sleep(60)
        os._exit(len(kept) == 0)
time.sleep(60)
