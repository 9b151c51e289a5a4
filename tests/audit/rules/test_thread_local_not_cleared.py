"""Thread-locals that outlive their request, and those that are taken care of."""

from __future__ import annotations

import pytest

from carrel.audit.rules.thread_local_not_cleared import ThreadLocalNotCleared
from tests.audit.checking import findings, finds, quiet

RULE = ThreadLocalNotCleared()
HEAD = "import threading\nlocal = threading.local()\n"


def test_a_user_that_is_set_only_when_there_is_one() -> None:
    code = HEAD + "def middleware(request):\n    if request.user:\n        local.user = request.user\n    return 1\n"
    finds(RULE, code, "error", on="local.user")


EARLY = """
def identify(request):
    header = request.headers.get("Authorization")
    if not header:
        return
    local.user = decode(header)["sub"]
"""


def test_a_user_that_is_set_unless_somebody_without_one_leaves_before() -> None:
    finds(RULE, HEAD + EARLY, "error", on="local.user")
    finds(RULE, HEAD + EARLY.replace("not header", "header is None"), "error")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("        return", "        raise Unauthorized"),
        ("        return", "        local.user = None\n        return"),
        ("not header", "request.path == '/health'"),
        ("not header", "not app.ready"),
    ],
)
def test_a_user_that_is_set_whenever_somebody_gets_on(was: str, now: str) -> None:
    found = findings(RULE, HEAD + EARLY.replace(was, now))
    assert {one.severity for one in found} <= {"info"}


def test_a_value_that_a_caller_in_another_file_brings() -> None:
    finds(
        RULE,
        {
            "scope.py": HEAD + "def bind(headers):\n    if 'a' in headers:\n        local.a = headers['a']\n",
            "tasks.py": "from scope import bind\ndef work(request):\n    bind(request.headers)\n",
        },
        "error",
    )


def test_a_setter_that_is_always_called_is_only_mentioned() -> None:
    finds(RULE, HEAD + "def bind(user):\n    local.user = user\n", "info")


@pytest.mark.parametrize(
    "body",
    [
        "    if user:\n        local.user = user\n    try:\n        work()\n    finally:\n        local.user = None\n",
        "    if user:\n        local.user = user\n    try:\n        work()\n    finally:\n        del local.user\n",
        (
            "    old = local.user\n    if user:\n        local.user = user\n    try:\n        yield\n"
            "    finally:\n        local.user = old\n"
        ),
        "    if user:\n        local.user = user\ndef done():\n    local.__dict__.clear()\n",
        "    if user:\n        local.user = user\ndef signed_out():\n    local.user = None\n",
        "    if not hasattr(local, 'session'):\n        local.session = connect()\n",
        "    if user:\n        local.seen = 1\n",
        "    if user:\n        local.level = level\n",
    ],
)
def test_what_is_cleared_or_nobodys(body: str) -> None:
    quiet(RULE, HEAD + "def handle(user):\n" + body)


def test_what_coroutines_store_is_for_another_rule() -> None:
    quiet(RULE, HEAD + "async def handle(user):\n    if user:\n        local.user = user\n")


def test_a_scope_that_its_exit_restores() -> None:
    quiet(
        RULE,
        HEAD
        + """
class As:
    def __init__(self, user):
        self.user = user
    def __enter__(self):
        self.before = local.user
        if self.user:
            local.user = self.user
    def __exit__(self, *error):
        local.user = self.before
""",
    )


KEPT = """
import threading
{local}
class Desk:
    def __init__(self, token):
        self.token = token
        self.local = threading.local()
    def client(self, {parameter}):
        client = getattr({local_name}, "client", None)
        if client is None:
            {local_name}.client = Client({value})
        return {local_name}.client
def handle(request):
    Desk("t").client(request.form)
"""


def kept(name: str, parameter: str, value: str) -> str:
    return KEPT.format(local="local = threading.local()", local_name=name, parameter=parameter, value=value)


def test_what_the_object_makes_of_its_own() -> None:
    quiet(RULE, kept("self.local", "place=1", "self.token"))
    finds(RULE, kept("self.local", "token", "token"), "error")
    finds(RULE, kept("local", "place=1", "self.token"), "error")


def test_what_a_thread_is_given_once_under_a_name_that_says_nothing() -> None:
    quiet(RULE, kept("local", "place", "place"))
    finds(RULE, kept("local", "user_id", "user_id"), "error")


def test_a_setter_that_is_called_only_for_some_messages() -> None:
    files = {
        "scope.py": HEAD + "def enter(tenant_id):\n    local.tenant = tenant_id\n",
        "worker.py": "import scope\ndef handle(message):\n    if 'tenant' in message:\n"
        "        scope.enter(message['tenant'])\n    export()\n",
    }
    found = finds(RULE, files, "error", on="local.tenant")
    assert ("worker.py", 4) in [(place.path, place.line) for place in found[0].related]
    always = files["worker.py"].replace("    export()", "    scope.enter('nobody')")
    finds(RULE, {**files, "worker.py": always}, "info")


PRINTS = {
    "jobs.py": """
        import threading
        _job = threading.local()
        def enter(account, discount=None):
            _job.account = account
            if discount is not None:
                _job.discount = discount
        def discount():
            return getattr(_job, "discount", 0)
        """,
    "worker.py": """
        from concurrent.futures import ThreadPoolExecutor
        import jobs
        def work(job):
            jobs.enter(job["account"], job.get("discount"))
            return job["net"] - jobs.discount()
        def main(queue):
            pool = ThreadPoolExecutor(8)
            while True:
                pool.submit(work, queue.get())
        """,
}


def test_what_only_some_jobs_of_a_pool_have() -> None:
    found = findings(RULE, PRINTS)
    assert [(one.severity, one.location.line) for one in found if one.severity == "error"] == [("error", 7)]
    alone = PRINTS["worker.py"].replace("pool.submit(work, queue.get())", "work(queue.get())")
    assert all(one.severity == "info" for one in findings(RULE, {**PRINTS, "worker.py": alone}))


CURRENT = {
    "current.py": """
        from threading import local
        _thread = local()
        def set_company(company):
            _thread.company = company
        def get_company():
            return getattr(_thread, "company", None)
        def clear():
            _thread.company = None
        """,
    "middleware.py": """
        from current import set_company
        class Middleware:
            def __init__(self, get_response):
                self.get_response = get_response
            def __call__(self, request):
                if request.user.is_authenticated:
                    set_company(request.user.company)
                return self.get_response(request)
        """,
}


def test_what_nobody_calls_clears_nothing() -> None:
    finds(RULE, CURRENT, "error", on="_thread.company = company")
    quiet(RULE, {**CURRENT, "tasks.py": "from current import clear\nclear()\n"})
    quiet(
        RULE,
        {**CURRENT, "current.py": CURRENT["current.py"].replace('return getattr(_thread, "company", None)', "...")},
    )


WORKER = """
import queue, threading
jobs = queue.Queue()
ctx = threading.local()
def worker():
    while True:
        job = jobs.get()
        if "user" in job:
            ctx.user = job["user"]
        send(ctx.user, job)
"""


def test_what_only_some_messages_have() -> None:
    finds(RULE, WORKER, "error", on="ctx.user = ")
    quiet(RULE, WORKER.replace('if "user" in job:', "if True:\n            del ctx.user"))
    quiet(RULE, WORKER.replace("user", "size"))


WRITTEN = """
import threading
from io import StringIO
from flask import Flask
app = Flask(__name__)
scratch = threading.local()
def buffer():
    if not hasattr(scratch, "out"):
        scratch.out = StringIO()
    return scratch.out
@app.get("/slip/<name>")
def slip(name):
    out = buffer()
    out.write(f"for {name}")
    return out.getvalue()
"""


def test_a_file_of_the_thread_that_keeps_what_every_request_has_written() -> None:
    finds(RULE, WRITTEN, "error", on="getvalue")
    finds(RULE, WRITTEN.replace('@app.get("/slip/<name>")\n', ""), "info")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("    return scratch.out", "    scratch.out.seek(0)\n    scratch.out.truncate()\n    return scratch.out"),
        ('    if not hasattr(scratch, "out"):\n        scratch.out', "    scratch.out"),
        ("return scratch.out", "return StringIO()"),
        ("{name}", "you"),
        ("return out.getvalue()", "return 'written'"),
        ("out = buffer()", "out = StringIO()"),
    ],
)
def test_a_file_that_is_emptied_or_made_anew(was: str, now: str) -> None:
    assert was in WRITTEN
    quiet(RULE, WRITTEN.replace(was, now))
