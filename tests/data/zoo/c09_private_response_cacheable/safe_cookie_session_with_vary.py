"""Flask views whose user comes from a session cookie."""

from flask import Flask, jsonify, make_response, request

app = Flask(__name__)
PROFILES: dict[str, str] = {}


@app.put("/profile")
def save():
    PROFILES[request.cookies["session"]] = request.get_json()["text"]
    return "", 204


@app.get("/profile")
def profile():
    response = make_response(jsonify(profile=PROFILES.get(request.cookies.get("session"))))
    response.headers["Cache-Control"] = "max-age=120"
    response.headers["Vary"] = "Cookie"
    return response
