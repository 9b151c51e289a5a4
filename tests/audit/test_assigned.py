"""What functions set on the objects of the current request."""

from __future__ import annotations

from carrel.audit.assigned import assigned, in_session
from tests.audit.checking import view


def test_what_a_handler_sets_is_named_by_the_framework() -> None:
    file = view("import flask\n\ndef sign_in(user):\n    flask.g.user = user\n    user.seen = True\n")
    assert assigned(file) == (("flask.g.user", 4),)


def test_a_default_is_the_object_too() -> None:
    file = view("from flask import session\n\ndef keep(session=session):\n    session.permanent = True\n")
    assert assigned(file) == (("flask.session.permanent", 4),)


def test_a_hook_and_what_takes_back_are_left_out() -> None:
    file = view(
        "from flask import session\n\n@app.before_request\ndef hook():\n    session.permanent = True\n\n"
        "def forget():\n    session.permanent = False\n"
    )
    assert assigned(file) == ()


def test_who_has_signed_in_is_looked_up_in_the_session() -> None:
    file = view(
        "from flask import g\nfrom flask_login import current_user\n\ndef who():\n    return current_user.id\n\n"
        "def find():\n    return g.user\n"
    )
    assert in_session(file) == ("app.who",)
