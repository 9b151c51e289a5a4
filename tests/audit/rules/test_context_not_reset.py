"""Workers that keep the last message's identity, and workers that clean up."""

from __future__ import annotations

import pytest

from carrel.audit.rules.context_not_reset import ContextNotReset
from tests.audit.checking import finds, quiet

RULE = ContextNotReset()
HEAD = "import structlog\nfrom contextvars import ContextVar\nsender = ContextVar('sender', default=None)\n"


@pytest.mark.parametrize(
    "code",
    [
        (
            "async def work(queue):\n    while True:\n        job = await queue.get()\n"
            "        if job.get('user'):\n            sender.set(job['user'])\n        await handle(job)\n"
        ),
        "async def work(queue):\n    async for job in queue:\n        if job.user:\n            sender.set(job.user)\n",
        (
            "async def work(queue):\n    async for job in queue:\n"
            "        structlog.contextvars.bind_contextvars(**{k: job[k] for k in ('user', 'account') if k in job})\n"
        ),
        (
            "def work(queue):\n    while (job := queue.get()):\n        who = {'user_id': job['user_id']}\n"
            "        structlog.contextvars.bind_contextvars(**who)\n"
        ),
        (
            "def work(queue):\n    while (job := queue.get()):\n        if job.user:\n"
            "            structlog.contextvars.bind_contextvars(user=job.user)\n"
        ),
        (
            "from celery import shared_task\n@shared_task\ndef send(user_id=None):\n    if user_id:\n"
            "        sender.set(user_id)\n    deliver()\n"
        ),
        (
            "from celery import shared_task\n@shared_task\ndef send(user_id: str | None):\n"
            "    if user_id is not None:\n        sender.set(user_id)\n    deliver()\n"
        ),
    ],
)
def test_what_the_next_message_inherits(code: str) -> None:
    finds(RULE, HEAD + code, "error")


def test_nobodys_data_is_only_mentioned() -> None:
    head = HEAD.replace("sender", "level")
    finds(RULE, head + "def work(q):\n    while True:\n        if q:\n            level.set(q)\n",
          "info")  # fmt: skip


def test_a_variable_of_another_file() -> None:
    code = (
        "from scope import sender\ndef work(q):\n    while True:\n        if q.user:\n            sender.set(q.user)\n"
    )
    finds(RULE, {"scope.py": HEAD, "work.py": code}, "error")
    quiet(RULE, {"scope.py": "sender = Gauge()\n", "work.py": code})


@pytest.mark.parametrize(
    "code",
    [
        (
            "async def work(queue):\n    async for job in queue:\n"
            "        token = sender.set(job.user)\n        sender.reset(token)\n"
        ),
        "async def work(queue):\n    async for job in queue:\n        sender.set(job.user)\n",
        (
            "async def work(queue):\n    async for job in queue:\n"
            "        if job.user:\n            sender.set(job.user)\n"
            "        else:\n            sender.set(None)\n"
        ),
        (
            "async def work(queue):\n    async for job in queue:\n        structlog.contextvars.clear_contextvars()\n"
            "        structlog.contextvars.bind_contextvars(**job.who)\n"
        ),
        (
            "async def work(queue):\n    async for job in queue:\n"
            "        structlog.contextvars.bind_contextvars(user=job.user)\n"
        ),
        (
            "async def work(queue):\n    async for job in queue:\n"
            "        with structlog.contextvars.bound_contextvars(**job.who):\n"
            "            await handle(job)\n"
        ),
        "def handle(job):\n    if job.user:\n        sender.set(job.user)\n",
        (
            "from celery import shared_task\n@shared_task\ndef send(user_id: str):\n    if user_id is not None:\n"
            "        sender.set(user_id)\n    deliver()\n"
        ),
        "def handle(jobs):\n    for job in jobs:\n        if job.user:\n            sender.set(job.user)\n",
        "def handle(event, jobs):\n    while jobs:\n        if jobs.pop():\n            event.set()\n",
    ],
)
def test_what_is_reset_or_no_worker(code: str) -> None:
    quiet(RULE, HEAD + code)


MIDDLEWARE = """
from contextvars import ContextVar
current_merchant = ContextVar("current_merchant", default="platform")
class Merchants(dramatiq.Middleware):
    def before_process_message(self, broker, message):
        merchant = message.options.get("merchant")
        if merchant:
            current_merchant.set(merchant)
"""


def test_a_middleware_of_a_worker() -> None:
    finds(RULE, MIDDLEWARE, "warning", on="current_merchant.set")
    finds(RULE, MIDDLEWARE.replace("merchant", "user"), "error")


def test_a_middleware_that_resets_it_after_the_message() -> None:
    kept = MIDDLEWARE.replace("current_merchant.set(merchant)", "self.was = current_merchant.set(merchant)")
    after = "    def after_process_message(self, broker, message, **_):\n        current_merchant.reset(self.was)\n"
    quiet(RULE, kept + after)
    quiet(RULE, MIDDLEWARE.replace("        if merchant:\n    ", ""))


def test_a_setter_in_another_file_that_a_loop_calls_for_some_messages() -> None:
    files = {
        "scope.py": HEAD + "def enter(user):\n    sender.set(user)\n",
        "worker.py": "from scope import enter\ndef run(consumer):\n    for message in consumer:\n"
        "        if message.user:\n            enter(message.user)\n        handle(message)\n",
    }
    found = finds(RULE, files, "error", on="sender.set")
    assert ("worker.py", 5) in [(place.path, place.line) for place in found[0].related]
    quiet(
        RULE,
        {**files, "worker.py": files["worker.py"].replace("        handle", "        enter(None)\n        handle")},
    )
    quiet(RULE, {**files, "worker.py": files["worker.py"].replace("for message in consumer:", "for message in batch:")})
    files["scope.py"] += "def leave(token):\n    sender.reset(token)\n"
    finds(RULE, files, "error")
    quiet(RULE, {**files, "tasks.py": "from scope import leave\n"})


def test_a_signal_before_each_task() -> None:
    code = HEAD + "from celery.signals import task_postrun, task_prerun\n@task_prerun.connect\ndef before(task, **_):\n"
    code += "    if task.request.user:\n        sender.set(task.request.user)\n"
    finds(RULE, code, "error", on="sender.set")
    quiet(RULE, code.replace("    if task.request.user:\n    ", ""))
    quiet(RULE, code + "@task_postrun.connect\ndef after(task, **_):\n    sender.reset(task.token)\n")
    quiet(RULE, code + "@task_postrun.connect\ndef after(task, **_):\n    sender.set(None)\n")


def test_which_request_it_is_says_nothing_of_whom_it_is_for() -> None:
    work = "def work(q):\n    while True:\n        if q.request_id:\n            sender.set(q.request_id)\n"
    finds(RULE, HEAD + work, "error")
    finds(RULE, (HEAD + work).replace("sender", "_request_id"), "info")
    finds(RULE, (HEAD + work).replace("sender", "_current_event").replace("q.request_id", "q.one"), "info")


def test_a_callback_that_a_queue_calls_for_each_message() -> None:
    code = HEAD + "def on_message(channel, method, properties, body):\n    if 'user' in properties.headers:\n"
    code += "        sender.set(properties.headers['user'])\n    handle(body)\n"
    code += "def main(channel):\n    channel.basic_consume('jobs', on_message_callback=on_message)\n"
    finds(RULE, code, "error", on="sender.set")
    quiet(RULE, code.replace("    handle(body)", "    handle(body)\n    sender.reset(None)"))


BOOKINGS = {
    "scope.py": """
        from contextvars import ContextVar
        school = ContextVar("school", default=None)
        def load(headers):
            for name, value in headers or ():
                if name == "school":
                    school.set(value)
        """,
    "worker.py": """
        from kafka import KafkaConsumer
        from scope import load, school
        def handle(event):
            write(school.get(), event)
        def main():
            consumer = KafkaConsumer("bookings")
            for message in consumer:
                load(message.headers)
                handle(message.value)
        """,
}


def test_a_helper_in_another_file_that_sets_what_a_message_has() -> None:
    finds(RULE, BOOKINGS, "error", on="school.set")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("write(school.get(), event)", "write(event)"),
        ("for name, value", "school.set(None)\n            for name, value"),
        ("handle(message.value)\n", "handle(message.value)\n                school.set(None)\n"),
        ("load(message.headers)", "copy_context().run(load, message.headers)"),
        ("for message in consumer:", "for message in history:"),
    ],
)
def test_a_helper_that_leaves_nothing_for_the_next_message(old: str, new: str) -> None:
    assert any(old in text for text in BOOKINGS.values())
    quiet(RULE, {path: text.replace(old, new) for path, text in BOOKINGS.items()})


def test_a_word_of_its_own_that_decides_whose_rows_are_read() -> None:
    text = (
        "from contextvars import ContextVar\nschool = ContextVar('school')\n"
        "def rows():\n    return query(school.get())\n"
        "def worker(queue):\n    while True:\n        job = queue.get()\n"
        "        if job.get('school'):\n            school.set(job['school'])\n        rows()\n"
    )
    finds(RULE, text, "error", on="school.set")
    finds(RULE, text.replace("query(school.get())", "query()"), "info")
    finds(RULE, text.replace("school", "trace"), "info")


MISSING = """
from contextvars import ContextVar
tenant = ContextVar("tenant")
def handle(job):
    try:
        tenant.set(job["tenant"])
    except KeyError:
        pass
    save(tenant.get(), job)
def main(queue):
    while True:
        handle(queue.brpop())
"""


def test_a_key_that_a_message_may_not_have() -> None:
    finds(RULE, MISSING, "error", on="tenant.set")
    quiet(RULE, MISSING.replace("        pass", "        tenant.set('')"))
    quiet(RULE, MISSING.replace("        pass", "        return"))
    shop = MISSING.replace("tenant", "shop_id")
    finds(RULE, shop, "error", on="shop_id.set")
    quiet(RULE, MISSING.replace("tenant", "message_id"))
