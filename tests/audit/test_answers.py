"""What becomes of what functions give."""

from __future__ import annotations

import pytest

from tests.audit.checking import program

SOURCE = """
    import redis
    store = redis.Redis()
    def keep(key, value): store.set(key, value)
    def once(key, make):
        if key not in KEPT:
            KEPT[key] = make()
        return KEPT[key]
    KEPT = {}
    def send(response): response.headers["Cache-Control"] = "public"
    def cached(view):
        def inner(response): response.headers["Cache-Control"] = "public"
        return inner
    class Base:
        def prepare(self): ...
    class Page(Base):
        def get(self): return self.request.user
    """


def test_what_is_kept_and_under_which_argument() -> None:
    answers = program(SOURCE).answers
    assert answers.stores_under("app.keep", "0", "1") is not None
    assert answers.stores_under("app.keep", "1", "0") is None
    assert answers.keeps_by_key("app.once", "0", "1") is not None
    assert answers.keeps_by_key("app.keep", "0", "1") is None


@pytest.mark.parametrize(("desk", "kept"), [("desk = Desk()", True), ("def desk():\n    return Desk()", False)])
def test_what_is_kept_on_an_object(desk: str, *, kept: bool) -> None:
    source = f"class Desk:\n    def keep(self, name, value):\n        self.values[name] = value\n{desk}\n"
    assert (program(source).answers.stores_under("app.Desk().keep", "0", "1") is not None) is kept


def test_what_caches_on_the_way_may_keep() -> None:
    answers = program(SOURCE).answers
    assert answers.sends_cacheable("app.send") is not None
    assert answers.sends_cacheable("app.cached") is not None
    assert answers.sends_cacheable("app.keep") is None


def test_the_handlers_below_a_class_that_ask_who_it_is() -> None:
    assert program(SOURCE).answers.answers_users("app.Base") is not None
    assert program(SOURCE.replace("request.user", "request.path")).answers.answers_users("app.Base") is None
