"""When functions run, as conditions ask it of a whole program."""

from __future__ import annotations

import pytest

from carrel.audit.conditions import Condition
from carrel.audit.run_conditions import CalledForEvery, ContextVariable, RunsInAsync, ThreadLocal, UsedBy, WrapsIdentity
from tests.audit.checking import program

SOURCE = """
    from contextvars import ContextVar
    who = ContextVar("who")
    desk = Desk()
    import threading
    class Mine(threading.local): ...
    mine = Mine()
    ours = threading.local()
    @app.get("/x")
    async def ask(text): helper(text)
    def helper(text): desk.answer(text)
    def alone(): ...
    app.after_request(alone)
    """


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (RunsInAsync("app.ask"), True),
        (RunsInAsync("app.helper"), True),
        (RunsInAsync("app.alone"), False),
        (ContextVariable("app.who"), True),
        (ContextVariable("app.desk"), False),
        (UsedBy("app.desk", "request"), True),
        (UsedBy("app.who", "request"), False),
        (CalledForEvery("app.alone"), True),
        (CalledForEvery("app.ask"), False),
        (CalledForEvery("app.helper"), False),
        (ThreadLocal("app.mine"), True),
        (ThreadLocal("app.ours"), True),
        (ThreadLocal("app.desk"), False),
        (ThreadLocal("app.none"), False),
    ],
)
def test_when_functions_run(condition: Condition, *, holds: bool) -> None:
    assert (condition.proof(program(SOURCE)) is not None) is holds


def test_a_decorator_of_what_is_one_users() -> None:
    seen = program(
        """
        from flask import g
        @kept
        def mine():
            return load(g.user)
        @once
        def dishes():
            return load()
        @told
        def rights(user): ...
        def kept(f): ...
        def once(f): ...
        def told(f): ...
        """
    )
    for name, holds in (("kept", True), ("told", True), ("once", False)):
        assert (WrapsIdentity(f"app.{name}").proof(seen) is not None) is holds
