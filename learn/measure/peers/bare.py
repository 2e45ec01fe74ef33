"""Flask and nothing else: the measure for all the rest."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "Hello, user1!\n", {"Content-Type": "text/plain; charset=utf-8"}
