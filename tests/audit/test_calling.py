"""The calls in a function."""

from __future__ import annotations

import pytest

from carrel.audit.calling import call_facts
from carrel.audit.reading import function_facts
from tests.audit.checking import view


def test_calls_with_what_they_pass() -> None:
    one = view("""
        from acme import save
        def f(user_id, text, n):
            save(user_id, 1, text, key=n + 1)
            n.put_it(*text)
            print(user_id)
            user_id.strip()
        """)
    calls = [(call.path, call.passes) for call in call_facts(one, one.functions[0])]
    assert calls == [
        ("acme.save", (("0", ""), ("2", "text"), ("key", "n"))),
        ("app.f:n.put_it", (("*", "text"),)),
        ("app.f:user_id.strip", ()),
    ]


@pytest.mark.parametrize(
    "made",
    [
        "executor.submit(work, user_id, n=1)",
        "asyncio.to_thread(work, user_id, n=1)",
        "run_in_threadpool(work, user_id, n=1)",
        "loop.run_in_executor(None, work, user_id, 1)",
    ],
)
def test_a_call_that_an_executor_makes(made: str) -> None:
    one = view(f"import asyncio\ndef work(job, n): ...\ndef start(executor, loop, user_id):\n    {made}\n")
    calls = call_facts(one, one.functions[1])
    assert [(call.path, call.passes, call.in_thread) for call in calls if call.path == "app.work"] == [
        ("app.work", (("0", ""),), True)
    ]


def test_a_call_on_the_object_itself() -> None:
    facts = function_facts(view("class Desk:\n    def f(self):\n        self.g()\n        Desk().g()\n"))
    assert {(call.path, call.on_self) for call in facts[0].calls} >= {("app.Desk().g", True), ("app.Desk().g", False)}


@pytest.mark.parametrize(
    ("argument", "tells"),
    [
        ("request.headers['x-student']", True),
        ("request.query['dealer_id']", True),
        ("request.token", True),
        ("store.subject(request.headers['Authorization'])", True),
        ("store.find(request.headers['accept'])", False),
        ("request.query['page']", False),
        ("settings.token", False),
        ("request.user.id", True),
        ("request.user.desk", True),
        ("request.user.language", False),
        ("request.user.preference.hidden if request.user else None", False),
    ],
)
@pytest.mark.parametrize("direct", [True, False])
def test_what_tells_a_user_from_all_others(argument: str, *, tells: bool, direct: bool) -> None:
    head = "from acme import store, settings, enter\n@app.get('/x')\ndef f(request: Request):"
    one = view(f"{head}\n    told = {argument}\n    enter({argument if direct else 'told'})")
    told = [call.tells for call in call_facts(one, one.functions[0]) if call.path == "acme.enter"]
    assert told == [(("0", ""),) if tells else ()]


@pytest.mark.parametrize(("argument", "tells"), [("task", True), ("task.user_id", True), ("task.comment", False)])
def test_what_a_parameter_that_tells_a_user_passes_on(argument: str, *, tells: bool) -> None:
    one = view(f"from acme import enter\ndef f(task):\n    enter({argument})")
    told = [call.tells for call in call_facts(one, one.functions[0]) if call.path == "acme.enter"]
    assert told == [(("0", "task"),) if tells else ()]


def test_what_the_client_sent_and_what_is_handed_on() -> None:
    seen = view(
        """
        from aiohttp import web
        async def quotes(request):
            ws = web.WebSocketResponse()
            async for message in ws:
                link.ask(json.loads(message.data)["id"], request.query.get("n"), uuid4().hex, request.app)
        def relay(tag, body):
            link.ask(tag, 1)
        """
    )
    asked = [one.sends for function in function_facts(seen) for one in function.calls if one.path.endswith(".ask")]
    assert asked == [(("0", ""), ("1", "")), (("0", "tag"),)]


@pytest.mark.parametrize(
    ("ref", "is_sent"),
    [
        ("message.get('id') or link.next_ref()", True),
        ("named(message)", True),
        ("link.next_ref()", False),
        ("link.next_ref() or message.get('id')", False),
        ("numbered(message)", False),
    ],
)
def test_what_the_client_sent_by_way_of_a_helper_or_else_a_number_of_the_servers(ref: str, *, is_sent: bool) -> None:
    seen = view(
        f"""
        from aiohttp import web
        def named(given):
            return given["ref"]
        def numbered(given):
            return [given["ref"], link.node]
        async def quotes(request):
            ws = web.WebSocketResponse()
            async for one in ws:
                message = json.loads(one.data)
                ref = {ref}
                link.ask(ref)
        """
    )
    asked = [one.sends for function in function_facts(seen) for one in function.calls if one.path.endswith(".ask")]
    assert asked == [(("0", ""),) if is_sent else ()]
