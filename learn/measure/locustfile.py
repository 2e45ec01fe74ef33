"""What locust sends in `learn bench` where wrk is missing: the same requests as load.lua."""

import itertools
import os
from pathlib import Path

from locust import FastHttpUser, task

REQUESTS = []
for raw in Path(os.environ["LEARN_REQUESTS"]).read_bytes().split(b"\0")[:-1]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    del headers["Host"]
    REQUESTS.append((method, target, headers, body))
SENT = itertools.cycle(REQUESTS)
EXPECTED = int(os.environ["LEARN_STATUS"])


class Client(FastHttpUser):
    @task
    def send(self):
        method, target, headers, body = next(SENT)
        with self.client.request(
            method, target, headers=headers, data=body, name="all", catch_response=True
        ) as answer:
            if answer.status_code == EXPECTED:
                answer.success()
            else:
                answer.failure(f"status {answer.status_code}")
