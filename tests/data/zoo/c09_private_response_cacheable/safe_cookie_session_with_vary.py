"""Flask views whose user comes from a signed session cookie."""

from acme.auth import verify
from flask import Flask, g, jsonify, make_response, request

app = Flask(__name__)
PROFILES: dict[str, str] = {}


@app.before_request
def signed_in():
    g.user = verify(request.cookies["session"])


@app.put("/profile")
def save():
    PROFILES[g.user.id] = request.get_json()["text"]
    return "", 204


@app.get("/profile")
def profile():
    response = make_response(jsonify(profile=PROFILES.get(g.user.id)))
    response.headers["Cache-Control"] = "max-age=120"
    response.headers["Vary"] = "Cookie"
    return response
