from unittest.mock import patch

from shop.desk import answer


def test_the_user_is_greeted():
    assert answer({"greeter": lambda user: f"Hello {user}"}, None, "ann") == "Hello ann"


def test_the_engine_is_asked():
    with patch("shop.desk.Engine") as engine:
        answer({}, None, "ann")
    assert engine.called
