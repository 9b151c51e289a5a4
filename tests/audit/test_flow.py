"""Where functions run: in coroutines, in somebody's context, in forked processes."""

from __future__ import annotations

from carrel.audit.conditions import Proof
from tests.audit.checking import program

CODE = {
    "context.py": (
        "from contextvars import ContextVar\nuser = ContextVar('user')\ndef current():\n    return user.get()\n"
    ),
    "app.py": """
        import asyncio, context
        from context import user
        def store(): pass
        def inner(): store()
        async def outer(): inner()
        def threaded(): pass
        async def hands_over(): await asyncio.to_thread(threaded)
        def by_lambda(): pass
        async def hands_over_a_lambda(): await asyncio.to_thread(lambda: by_lambda())
        def enter(): user.set(1)
        def begin():
            enter()
            launch()
        def launch(): pass
        def loop(): context.current()
        def round_and_round(): round_and_round()
        def careful():
            user.set(2)
            context.current()
        """,
}


def notes(proof: Proof | None) -> list[str] | None:
    return None if proof is None else [place.note for place in proof]


def test_what_coroutines_call_runs_in_the_event_loop() -> None:
    flow = program(CODE).flow
    assert notes(flow.runs_in_async("app.store")) == ["runs in the event loop's thread"]
    assert notes(flow.runs_in_async("app.outer")) == []
    assert flow.runs_in_async("app.threaded") is None
    assert flow.runs_in_async("app.by_lambda") is None
    assert flow.runs_in_async("app.launch") is None


def test_context_variables_under_every_name() -> None:
    flow = program(CODE).flow
    assert flow.is_context_variable("app.user")
    assert not flow.is_context_variable("app.store")


def test_who_reads_the_context_and_who_starts_in_one() -> None:
    flow = program(CODE).flow
    assert notes(flow.reads_context("app.loop")) == ["reads the context"]
    assert notes(flow.reads_context("app.loop", "app.launch")) == ["reads the context", "sets the context"]
    assert flow.reads_context("app.loop", "app.store") is None
    assert flow.reads_context("app.careful") is None
    assert flow.reads_context("app.store") is None
    assert flow.reads_context("elsewhere.f") is None
    assert notes(flow.started_in_context("app.launch")) == ["sets the context"]
    assert flow.started_in_context("app.store") is None
    assert flow.started_in_context("elsewhere.f") is None
    assert flow.reads_context("app.round_and_round") is None


def test_a_name_says_less_the_farther_away_it_is() -> None:
    calls = "".join(f"def f{number}(): f{number + 1}()\n" for number in range(5))
    code = "from contextvars import ContextVar\nuser = ContextVar('user')\n" + calls + "def f5(): user.get()\n"
    flow = program(code).flow
    assert flow.reads_context("app.f0") is None
    assert notes(flow.reads_context("app.f1")) == ["reads the context"]


def test_the_context_of_structlog() -> None:
    flow = program(
        "from structlog.contextvars import bind_contextvars, get_contextvars\n"
        "def begin(user):\n    bind_contextvars(user=user)\n    loop()\ndef loop():\n    get_contextvars()\n"
    ).flow
    assert notes(flow.reads_context("app.loop", "app.begin")) == ["reads the context", "sets the context"]


def test_what_a_forked_process_uses() -> None:
    code = """
        import os
        connection = make()
        connection_pool = make()
        def unrelated(): pass
        def parent(): connection_pool.send(connection.size())
        def getter(): return connect()
        def child(): getter(); connection.send(1)
        def fork():
            os.fork()
            child()
        print(1)
        unrelated()
        """
    flow = program(code).flow
    assert notes(flow.forked_with("app.connection")) == ["used in the forked process"]
    assert flow.forked_with("app.getter", "app.getter") is None
    flow = program(code.replace("unrelated()", "getter()")).flow
    assert notes(flow.forked_with("app.getter", "app.getter")) == ["used before the fork", "used in the forked process"]


def test_who_uses_a_global() -> None:
    flow = program({"db.py": "session = make()\n", "a.py": "import db\nasync def f():\n    db.session.add(1)\n"}).flow
    assert notes(flow.used_by("db.session", "async")) == ["used here"]
    assert notes(flow.used_by("db.session", "function")) == ["used here"]
    assert flow.used_by("db.session", "request") is None
    assert flow.used_by("db.other", "function") is None


def test_what_is_taken_beside_who_asks_does_not_tell() -> None:
    code = "from contextvars import ContextVar\ntenant = ContextVar('u')\ndef f():\n    return tenant.get().{}\n"
    for taken, told in (("language", False), ("user_id", True), ("student", True)):
        flow = program({"app.py": code.format(taken)}).flow
        assert (flow.reads_identity("app.f", itself=True) is not None) is told
