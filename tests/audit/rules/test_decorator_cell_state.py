"""What decorators keep in their closures, and what their wrappers keep for one call."""

from __future__ import annotations

import pytest

from carrel.audit.rules.decorator_cell_state import DecoratorCellState
from tests.audit.checking import findings, finds, quiet

RULE = DecoratorCellState()


def decorator(cell: str, body: str, parameters: str = "request") -> str:
    return (
        f"import functools\ndef decorate(view):\n    {cell}\n    @functools.wraps(view)\n"
        f"    async def wrapper({parameters}):\n"
        f"        {body}\n    return wrapper\n"
    )


def test_the_user_of_one_call() -> None:
    body = (
        "nonlocal user\n        user = verify(request.headers.get('Authorization'))\n"
        "        return menu(user), await view(request)"
    )
    finds(RULE, decorator("user = None", body), "error", on="user = verify")


@pytest.mark.parametrize(
    "body",
    [
        "call.update(args=args)\n        return await view(*call['args'])",
        "call['args'] = args\n        return await view(*call['args'])",
        "call.setdefault('args', args)\n        call['all'] = args\n        return await view(*call['all'])",
    ],
)
def test_the_arguments_of_one_call(body: str) -> None:
    finds(RULE, decorator("call = {}", body, "*args") + "@decorate\ndef view(text): ...\n", "warning")


@pytest.mark.parametrize(
    ("decorated", "severity"),
    [
        ("@decorate\ndef front(): ...", "info"),
        ("@decorate\ndef front(text): ...", "warning"),
        ("class Page:\n    @decorate\n    def front(self): ...", "warning"),
        ("", "info"),
    ],
    ids=["all calls are the same", "a function with arguments", "a method", "nothing is decorated"],
)
def test_what_is_the_same_for_every_call_is_only_mentioned(decorated: str, severity: str) -> None:
    body = "kept['last'] = kept.get('last') or await view(*args)\n        return kept['last']"
    source = decorator("kept = {}", body, "*args")
    finds(RULE, {"keep.py": source, "app.py": f"from keep import decorate\n{decorated}\n"}, severity)


LAST = """
def last(function):
    asked = None
    given = None
    def wrapper(text):
        nonlocal asked, given
        if text == asked:
            return given
        given = function(text)
        asked = text
        return {0}
    return wrapper
"""


def test_value_and_arguments_that_are_kept_one_after_the_other_are_one_finding() -> None:
    code = LAST.format("given")
    finds(RULE, code + "@last\ndef shout(text): ...\n", "warning", on="given = function")
    # Put around nothing, it may be no decorator: what reports the progress of one upload.
    finds(RULE, code, "info")


def test_what_is_only_compared_is_given_to_nobody() -> None:
    quiet(RULE, LAST.format("1").replace("return given", "return 1"))


ENTRIES = """
def entries(function):
    kept = []
    def wrapper(*args, **kwargs):
        for asked, given in kept:
            if asked == args:
                return given
        given = function(*args, **kwargs)
        kept.append({0})
        return given
    return wrapper
@entries
def read(text): ...
"""


def test_an_entry_that_says_what_it_was_asked_with() -> None:
    quiet(RULE, ENTRIES.format("(args, given)"))
    finds(RULE, ENTRIES.format("(1, given)"), "warning")
    finds(RULE, ENTRIES.format("(args, kwargs)"), "warning")


def test_what_the_object_of_a_method_is() -> None:
    body = "nonlocal place\n        place = self.place\n        return await view(self, {0}, place)"
    quiet(RULE, decorator("place = None", body.format("text"), "self, text"))
    finds(RULE, decorator("place = None", body.replace("self.place", "text").format("1"), "self, text"), "warning")


def test_a_module_that_the_decorator_imports() -> None:
    body = "page.append(text)\n        return await view(page)"
    quiet(RULE, decorator("from shop import page", body, "text"))
    finds(RULE, decorator("page = []", body, "text"), "warning")


def test_the_last_result_for_any_caller() -> None:
    body = "nonlocal last\n        if stale():\n            last = await view(user_id)\n        return last"
    finds(RULE, decorator("last = None", body, "user_id"), "error")


def test_without_wraps_it_is_known_by_what_it_returns() -> None:
    finds(
        RULE,
        (
            "def decorate(view):\n    user = None\n    def wrapper(user_id):\n        nonlocal user\n"
            "        user = user_id\n        return view(user)\n    return wrapper\n"
        ),
        "error",
    )


@pytest.mark.parametrize(
    ("cell", "body"),
    [
        ("count = 0", "nonlocal count\n        count += 1\n        return await view(request, count)"),
        ("started = None", "nonlocal started\n        started = now()\n        return await view(request, started)"),
        ("last = {}", "last[request.user.id] = await view(request)\n        return last[request.user.id]"),
        ("seen = []", "seen.append(request.user)\n        return await view(request)"),
        ("seen = []", "seen.append(1)\n        return await view(request), seen"),
        ("user = None", "user = request.user\n        return await view(user)"),
        ("call = {}", "call.clear()\n        return await view(call)"),
        ("call = {}", "own = {}\n        own['request'] = request\n        return await view(own)"),
    ],
)
def test_what_is_the_calls_own_or_nobodys(cell: str, body: str) -> None:
    quiet(RULE, decorator(cell, body))


def test_an_inner_function_that_is_no_wrapper_is_quiet() -> None:
    quiet(
        RULE,
        (
            "def walk(tree):\n    found = None\n    def visit(user):\n        nonlocal found\n"
            "        found = user\n        return found\n    visit(tree)\n    return found\n"
        ),
    )


def test_what_was_said_when_the_wrapper_was_made() -> None:
    code = (
        "def checker({outer}):\n    gone = False\n    def is_gone({inner}):\n        nonlocal gone\n"
        "        gone = user_id not in load()\n        return gone\n    return is_gone\n"
    )
    quiet(RULE, code.format(outer="user_id, load", inner=""))
    finds(RULE, code.format(outer="load", inner="user_id"), "error")


def test_a_container_that_the_caller_hands_over_is_quiet() -> None:
    quiet(
        RULE,
        (
            "def decorate(view, kept):\n    def wrapper(user):\n        kept['user'] = user\n"
            "        return view(kept['user'])\n    return wrapper\n"
        ),
    )


BALANCED = """
    from functools import wraps

    def guarded(call):
        running = set()

        @wraps(call)
        def wrapper(user_id):
            if user_id in running:
                raise RuntimeError
            running.add(user_id)
            try:
                return call(user_id)
            finally:
                running.{end}

        return wrapper
    """


def test_what_the_same_call_takes_out_again() -> None:
    quiet(RULE, BALANCED.format(end="discard(user_id)"))
    finds(RULE, BALANCED.format(end="discard(0)"), "error")


def test_a_variable_of_the_wrapper_itself() -> None:
    quiet(
        RULE,
        """
        from functools import wraps

        def patched(call):
            @wraps(call)
            async def wrapper(user):
                result = None

                @wraps(call)
                async def original(user):
                    nonlocal result
                    result = await call(user)
                    return result

                return await run(original, user)

            return wrapper
        """,
    )


def test_what_wraps_the_send_of_one_request() -> None:
    code = """
        class Validator:
            def wrap(self, %(given)s):
                messages = []
                async def inner(message):
                    messages.append(message)
                    while messages:
                        await %(given)s(messages.pop(0))
                return inner
        """
    quiet(RULE, code % {"given": "send"})
    finds(RULE, code % {"given": "function"})


@pytest.mark.parametrize(
    ("ends", "severity"),
    [("return [guarded(one) for one in tools]", "info"), ("return guarded", "error"), ("@app.get('/x')\n{}", "error")],
    ids=["a task's own tools", "what makes decorators", "an application"],
)
def test_whose_the_variable_is(ends: str, severity: str) -> None:
    code = """
def build(tools):
    acted = []
    def guarded(tool):
        async def wrapper(user_id):
            acted[:] = [user_id]
            return await tool(acted)
        return wrapper
    """
    finds(RULE, code + ends.format("    @guarded\n    def front(): ..."), severity)


@pytest.mark.parametrize(
    ("asks", "is_found"),
    [("await g.user.menu()", True), ("load(current_user.id)", True), ("await load_dishes()", False)],
)
def test_a_memo_over_a_function_that_asks_who_it_is(asks: str, *, is_found: bool) -> None:
    files = {
        "memo.py": "import functools\ndef kept(view):\n    last = None\n    @functools.wraps(view)\n"
        "    async def inner():\n        nonlocal last\n        if last is None:\n            last = await view()\n"
        "        return last\n    return inner\n",
        "app.py": "from quart import Quart, g\nfrom flask_login import current_user\nfrom memo import kept\n"
        f"app = Quart(__name__)\n@app.get('/menu')\n@kept\nasync def menu():\n    return {asks}\n",
    }
    if is_found:
        finds(RULE, files, "error", on="last = await view()")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("kept", "asks", "severity"),
    [
        ("self.value", "load(request['user'].id)", "error"),
        ("self.value", "load(1)", "error"),
        ("request.value", "load(request['user'].id)", ""),
    ],
)
def test_a_decorator_that_is_an_object(kept: str, asks: str, severity: str) -> None:
    files = {
        "memo.py": "class cached_for:\n    def __init__(self, seconds):\n        self.value = None\n"
        "    def __call__(self, fn):\n        async def wrapper(request):\n            if self.value is None:\n"
        f"                {kept} = await fn(request)\n            return self.value\n        return wrapper\n",
        "app.py": f"from memo import cached_for\n@cached_for(30)\nasync def profile(request):\n    return {asks}\n",
    }
    if severity:
        finds(RULE, files, severity, on=f"{kept} = await fn(request)")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("kept", "severity"),
    [("self.form.update(request.json)", "error"), ("form = dict(request.json)", None), ("self.calls += 1", None)],
)
def test_an_object_that_stands_in_place_of_a_function(kept: str, severity: str | None) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\nclass Step:\n    def __init__(self, work):\n"
        "        self.work = work\n"
        f"        self.form = {{}}\n    def __call__(self, request):\n        {kept}\n"
        "        return self.work(request, self.form)\n@app.post('/x')\n@Step\ndef income(request, form):\n"
        "    return form\n"
    )
    if severity is not None:
        finds(RULE, source, severity, on=kept)
        quiet(RULE, source.replace("self.work(request, self.form)", "count(request, self.form)"))
    else:
        quiet(RULE, source)


def test_what_all_calls_wait_for_together() -> None:
    source = """
        import asyncio, functools
        def batched(work):
            waiting = []
            @functools.wraps(work)
            async def wrapper(text, user_id):
                waiting.append((user_id.upper(), text))
                await asyncio.sleep(1)
                batch = list(waiting)
                return await work(batch)
            return wrapper
        """
    finds(RULE, source, "error", on="waiting.append")


@pytest.mark.parametrize(
    ("handed", "given", "is_found"),
    [("granted", "return grant", True), ("other", "return grant", False), ("granted", "return 1", False)],
)
def test_a_function_that_reads_the_cell_and_is_handed_on(handed: str, given: str, *, is_found: bool) -> None:
    source = (
        "import functools\nfrom acme import claims_of, other\ndef needs(scope):\n    def decorate(method):\n"
        f"        grant = None\n        def granted():\n            {given}\n        @functools.wraps(method)\n"
        "        async def guarded(handler):\n            nonlocal grant\n"
        "            claims = await claims_of(handler.request.headers['authorization'])\n"
        f"            grant = claims['tenant']\n            return await method(handler, {handed})\n"
        "        return guarded\n    return decorate\n"
    )
    if is_found:
        finds(RULE, source, "error", on="grant = claims")
    else:
        quiet(RULE, source)


KEYS = """
def memoized(func):
    order = deque()
    results = {{}}
    @wraps(func)
    def wrapper(*args):
        key = Key(*args)
        if key not in results:
            results[key] = func(*args)
            order.append({0})
        while len(order) > 9:
            del results[order.popleft()]
        return results[key]
    return wrapper
"""


@pytest.mark.parametrize(("kept", "is_found"), [("Entry(key, 9)", False), ("Entry(key, args)", True)])
def test_the_order_of_the_keys_of_a_cache(kept: str, *, is_found: bool) -> None:
    assert bool(findings(RULE, KEYS.format(kept))) is is_found
