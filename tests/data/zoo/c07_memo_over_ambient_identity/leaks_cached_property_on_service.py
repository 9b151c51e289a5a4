"""Greets the signed-in user of a Flask application."""

from functools import cached_property

import acme.auth
from flask import Flask, g, request

app = Flask(__name__)
NAMES: dict[str, str] = {}


class Greeter:
    def __init__(self, names: dict[str, str]):
        self._names = names

    @cached_property
    def name(self) -> str:
        return self._names.get(g.user.id, "stranger")

    def greet(self) -> str:
        return f"Hello {self.name}"


greeter = Greeter(NAMES)


@app.before_request
def load_user():
    g.user = acme.auth.verify(request.headers.get("Authorization"))


@app.post("/name")
def set_name():
    NAMES[g.user.id] = request.get_json()["text"]
    return "", 204


@app.get("/")
def index():
    return greeter.greet()
