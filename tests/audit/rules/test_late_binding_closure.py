"""Functions made in loops: those that outlast their round, and those that do not."""

from __future__ import annotations

import pytest

from carrel.audit.rules.late_binding_closure import LateBindingClosure
from tests.audit.checking import finds, quiet

RULE = LateBindingClosure()


def loop(body: str, after: str = "pass", head: str = "for user_id, text in texts.items():") -> str:
    return f"import asyncio\nasync def send_all(texts, jobs, group):\n    {head}\n        {body}\n    {after}\n"


@pytest.mark.parametrize(
    "body",
    [
        "jobs.append(lambda: send(text))",
        "jobs.append((user_id, lambda to: send(to, text)))",
        "jobs[user_id] = lambda: send(text)",
        "asyncio.get_running_loop().call_later(1, lambda: send(text))",
        "async def work():\n            await send(text)\n        group.create_task(work())",
        "def work():\n            send(text)\n        jobs.append(work)",
        "yield lambda: send(text)",
    ],
)
def test_a_function_that_outlasts_its_round(body: str) -> None:
    finds(RULE, loop(body), "error")


def test_a_variable_of_the_rounds_body() -> None:
    finds(RULE, loop("line = f'{user_id}: {text}'\n        jobs.append(lambda: send(line))"), "error", on="lambda")


def test_a_loop_over_nobody() -> None:
    finds(RULE, loop("jobs.append(lambda: show(size))", head="for size in (1, 2):"), "warning")
    finds(RULE, loop("yield lambda: show(size)", head="for size in (1, 2):"), "info")
    body = "scale = size_of(1)\n        jobs.append(lambda: show(scale))"
    finds(RULE, loop(body, head="for size in (1, 2):"), "info")


def test_what_only_one_round_binds() -> None:
    body = "if {}:\n            user_box = open_box(size)\n            jobs[size] = lambda: show(user_box)"
    quiet(RULE, loop(body.format("size == 2"), head="for size in (1, 2):"))
    finds(RULE, loop(body.format("fits(size)"), head="for size in (1, 2):"), "error")
    again = "user_box = None\n        " + body.format("size == 2")
    finds(RULE, loop(again, head="for size in (1, 2):"), "error")


def test_what_only_the_log_is_told() -> None:
    body = "jobs.append(lambda: (self.logger.info('%s', size), {}))"
    quiet(RULE, loop(body.format("send()"), head="for size in (1, 2):"))
    finds(RULE, loop(body.format("send(size)"), head="for size in (1, 2):"), "warning")


def test_what_each_round_replaces() -> None:
    head = "for size in (1, 2):"
    quiet(RULE, loop("window.show = lambda: show(size)\n        window.open()", head=head))
    finds(RULE, loop("if fits(size):\n            window.show = lambda: show(size)", head=head), "warning")
    finds(RULE, loop("window[size] = lambda: show(size)", head=head), "warning")


def test_a_round_that_waits_for_several() -> None:
    body = "started = [pool.submit(lambda: show(size)) for _ in range(3)]"
    finds(RULE, loop(body, head="for size in (1, 2):"), "warning")
    quiet(RULE, loop(f"{body}\n        wait(started)", head="for size in (1, 2):"))


@pytest.mark.parametrize("ends", ["break", "return jobs", "raise Found(size)"])
def test_a_function_of_the_last_round(ends: str) -> None:
    body = "if fits(size):\n            jobs.append(lambda: show(size))\n            {}"
    quiet(RULE, loop(body.format(ends), head="for size in (1, 2):"))
    finds(RULE, loop(body.format("count()"), head="for size in (1, 2):"), "warning")


@pytest.mark.parametrize(
    "body",
    [
        "jobs.append(lambda text=text: send(text))",
        "jobs.append(partial(send, text))",
        "jobs.append(lambda: send(fixed))",
        "(lambda: send(text))()",
        "best = max(texts, key=lambda one: text.count(one))",
        "jobs.append(max(texts, key=lambda one: text.count(one)))",
        "def work():\n            return text\n        jobs.append(work())",
        "async def work():\n            await send(text)\n        await work()",
        (
            "async def work():\n            await send(text)\n"
            "        await asyncio.wait_for(asyncio.create_task(work()), 1)"
        ),
        (
            "async def work():\n            await send(text)\n        task = asyncio.create_task(work())\n"
            "        await task"
        ),
        "own = []\n        own.append(lambda: send(text))\n        run(own)",
        "show = lambda: send(text)\n        show()",
        "jobs.append(lambda: send(text))\n        break",
        "async def work(text):\n            await send(text)\n        group.create_task(work(text))",
        "def work():\n            text = 1\n            return text\n        jobs.append(work)",
    ],
)
def test_what_is_used_up_in_its_round(body: str) -> None:
    quiet(RULE, loop(body))


def test_a_function_around_the_loop_body_has_its_own_variable() -> None:
    quiet(
        RULE,
        (
            "def make(text):\n    return lambda: send(text)\ndef all(texts, jobs):\n    for text in texts:\n"
            "        jobs.append(make(text))\n"
        ),
    )


PART = """
async def send_all(rows):
    jobs = []
    for row in rows:
        async def deliver(address):
            await send(address, row.{0})
        jobs.append(deliver(row.address))
    await gather(*jobs)
"""


def test_a_variable_of_which_the_function_reads_whose_it_is() -> None:
    finds(RULE, PART.format("account_id"), "error", on="async def deliver")
    finds(RULE, PART.format("title"), "warning")
    quiet(RULE, PART.format("account_id").replace("row.account_id", "summary"))


def test_a_helper_that_puts_the_function_aside() -> None:
    text = "def all(accounts):\n    for account in accounts:\n        {0}\n"
    finds(RULE, text.format("every_morning(lambda device: push(device, account.inbox), account.id)"), "error")
    quiet(RULE, text.format("every_morning(lambda device, inbox=account.inbox: push(device, inbox))"))
    quiet(RULE, text.format("rows = every_row(lambda device: push(device, account.inbox))"))
    quiet(RULE, text.format("show_all(lambda device: push(device, account.inbox))"))


def test_an_element_that_the_loop_knows_to_be_somebodys() -> None:
    source = """
        def plan(scheduler, subscribers):
            for one in subscribers:
                scheduler.add_job(deliver, args=[{0}, lambda: render(one)])
        """
    finds(RULE, source.replace("{0}", "one.email"), "error", on="lambda")
    finds(RULE, source.replace("{0}", "one.colour"), "warning")


@pytest.mark.parametrize(
    ("made", "severity"),
    [
        ("[lambda: send(user.email) for user in users]", "error"),
        ("{one.id: lambda: send(one.email) for one in rows}", "error"),
        ("[Tool(name=one.name, func=lambda q: one.run(q)) for one in rows]", "warning"),
        ("[lambda user=user: send(user.email) for user in users]", ""),
        ("[sorted(user.rows, key=lambda row: row.at) for user in users]", ""),
        ("[min(rows, key=lambda row: row.at - user.at) for user in users]", ""),
        ("[partial(send, user.email) for user in users]", ""),
    ],
)
def test_functions_of_a_comprehension(made: str, severity: str) -> None:
    source = f"from functools import partial\ndef plan(users, rows):\n    jobs = {made}\n    return jobs\n"
    if severity:
        finds(RULE, source, severity, on="lambda")
    else:
        quiet(RULE, source)


def test_what_only_a_person_has() -> None:
    source = """
        async def remind(group, rows):
            for visit in rows:
                async def one():
                    await send(visit.phone, visit.{0})
                group.create_task(one())
        """
    finds(RULE, source.replace("{0}", "patient"), "error", on="async def one")
    finds(RULE, source.replace("visit.phone", "visit.title").replace("{0}", "client"), "warning")
    quiet(RULE, source.replace("{0}", "patient").replace("one():", "one(visit=visit):"))


@pytest.mark.parametrize(
    ("kept", "after", "is_found"),
    [
        ("pending.append(asyncio.create_task(push()))", "pass", True),
        ("pending.append(asyncio.create_task(push()))", "await asyncio.gather(*pending)", False),
        ("task = asyncio.create_task(push())", "await asyncio.wait([task])", False),
        ("pending.append(asyncio.create_task(push()))", "await asyncio.gather(*others)", True),
    ],
)
def test_a_task_that_reads_after_it_has_waited(kept: str, after: str, *, is_found: bool) -> None:
    source = (
        "import asyncio\nasync def round(app, pending, others):\n"
        "    for ws, patient_ids in list(app['nurses'].values()):\n        charts = await load(patient_ids)\n"
        "        async def push({0}):\n            await asyncio.sleep(1)\n            await ws.send_json(charts)\n"
        f"        {kept}\n        {after}\n"
    )
    if is_found:
        finds(RULE, source.replace("{0}", ""), "error", on="async def push")
    else:
        quiet(RULE, source.replace("{0}", ""))
    quiet(RULE, source.replace("{0}", "ws=ws, charts=charts"))


@pytest.mark.parametrize(
    ("helper", "is_found"),
    [
        ("    def job():\n        send(address, render())\n    return job\n", True),
        ("    return lambda: send(address, render())\n", True),
        ("    text = render()\n    def job():\n        send(address, text)\n    return job\n", False),
    ],
)
def test_a_helper_that_makes_the_job_of_it(helper: str, *, is_found: bool) -> None:
    source = (
        "def handle(scheduler):\n    for investor in investors():\n        summary = holdings(investor)\n"
        f"        scheduler.add_job(job_for(investor.email, {{0}}))\ndef job_for(address, render):\n{helper}"
    )
    if is_found:
        finds(RULE, source.replace("{0}", "lambda: summary"), "error", on="lambda: summary")
        finds(RULE, source.replace("{0}", "render=lambda: summary"), "error", on="lambda: summary")
    else:
        quiet(RULE, source.replace("{0}", "lambda: summary"))
    quiet(RULE, source.replace("{0}", "lambda summary=summary: summary"))


@pytest.mark.parametrize(("around", "is_found"), [("with transaction.atomic():", False), ("with lock:", True)])
def test_a_transaction_that_ends_in_its_round(around: str, *, is_found: bool) -> None:
    body = f"{around}\n            transaction.on_commit(lambda: send(text))"
    if is_found:
        finds(RULE, loop(body), "error")
    else:
        quiet(RULE, loop(body))


@pytest.mark.parametrize(
    ("kept", "severity"),
    [
        ("app.add_handler(Command(customer.name, work))", "error"),
        ("tools.append(Tool.from_function(work))", "error"),
        ("task = start(customer)\n        task.add_done_callback(work)\n        running.append(task)", "error"),
        ("task = start(customer)\n        task.add_done_callback(work)", None),
        ("task = start(customer)\n        task.add_done_callback(work)\n        await task", None),
        ("app.use(Command(customer.name, work))", None),
    ],
)
def test_a_function_in_an_object_that_stays(kept: str, severity: str | None) -> None:
    source = (
        "async def serve(app, customers, tools, running):\n    for customer in customers:\n"
        f"        def work(update):\n            return send(customer.email, update)\n        {kept}\n"
    )
    if severity is not None:
        finds(RULE, source, severity, on="def work")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("jobs.append(Job(user.email, lambda: send(user)))", True),
        ("job = Job(user.email, run=lambda: send(user))\n        jobs.append(job)", True),
        ("jobs += [Job(lambda: send(user))]", True),
        ("app.router.add_get('/x', lambda request: page(user))", True),
        ("page = guard('x')(lambda request: send(user))\n        jobs.append(Route('/', page))", True),
        ("job = Job(lambda: send(user))\n        jobs.append(job.run())", False),
        ("job = Job(lambda: send(user))\n        jobs.append(job.total)", False),
        ("mail(Job(lambda: send(user)))", False),
        ("table.add_column(user.name, lambda: size_of(user))", False),
        ("jobs.append(Job(max(rows, key=lambda row: row[user])))", False),
        ("mine = []\n        mine += [Job(lambda: send(user))]\n        run(mine)", False),
    ],
)
def test_an_object_that_has_the_function(body: str, *, is_found: bool) -> None:
    source = f"def plan(users, jobs):\n    for user in users:\n        {body}\n"
    if is_found:
        finds(RULE, source, "error", on="lambda")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("async def work():\n            await send(clerk, job)\n        running.add(create_task(work()))", True),
        ("async def work(job):\n            await send(job)\n        running.add(create_task(work(job)))", False),
        ("async def work():\n            await send(clerk, job)\n        await create_task(work())", False),
        ("running.add(create_task(send(clerk, job)))", False),
    ],
)
@pytest.mark.parametrize(("taken", "takes"), [("await queue.get()", True), ("settings.read('job')", False)])
def test_a_worker_that_takes_the_next_one(body: str, taken: str, *, is_found: bool, takes: bool) -> None:
    source = (
        "from asyncio import create_task\nasync def drain(queue, running):\n    while True:\n"
        f"        job = {taken}\n        clerk = job['clerk']\n        {body}\n"
    )
    if is_found and takes:
        finds(RULE, source, "warning", on="async def work")
    else:
        quiet(RULE, source)


def test_a_process_that_its_round_starts_has_the_variables_as_they_are() -> None:
    code = """
        def run(users):
            jobs = []
            for user in users:
                job = Process(target=lambda: work(user))
                jobs.append(job)
                {}
            {}
        """
    quiet(RULE, code.format("job.start()", "pass"))
    finds(RULE, code.format("pass", "[one.start() for one in jobs]"), "error")


@pytest.mark.parametrize(
    ("made", "differs"),
    [
        ("page = {'of': order}", True),
        ("page = [order, 1]", True),
        ("page = {'of': jobs}", False),
        ("page = place_of(order)", False),
        ("page = [order]; page = jobs", False),
    ],
)
def test_what_is_written_of_what_the_loop_goes_through_differs_in_each_round(made: str, *, differs: bool) -> None:
    body = f"{made}\n        jobs.append(lambda: send(page))"
    finds(RULE, loop(body, head="for order in texts:"), "warning" if differs else "info")
