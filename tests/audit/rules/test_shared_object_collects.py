"""Objects that a getter gives to everybody, with and without a conversation in them."""

from __future__ import annotations

import pytest

from carrel.audit.rules.shared_object_collects import SharedObjectCollects
from tests.audit.checking import finds, quiet

RULE = SharedObjectCollects()
AGENT = """
class Agent:
    def __init__(self):
        self.transcript = []
        self.by_user = {}
    def step(self, text):
        self.transcript.append(text)
        return complete(self.transcript)
"""
ROUTE = """
from fastapi import Depends, FastAPI
app = FastAPI()
@app.post("/chat")
def chat(text: str, agent: Agent = Depends(get_agent)):
    return agent.step(text)
"""
CACHED = "from functools import cache\n@cache\ndef get_agent():\n    return Agent()\n"


@pytest.mark.parametrize(
    "getter",
    [
        CACHED,
        (
            "_agent = None\ndef get_agent():\n    global _agent\n    if _agent is None:\n"
            "        _agent = Agent()\n    return _agent\n"
        ),
        "import streamlit as st\n@st.cache_resource\ndef get_agent():\n    return Agent()\n",
    ],
)
def test_every_way_to_keep_one(getter: str) -> None:
    (found,) = finds(RULE, AGENT + getter + ROUTE, "error", on="self.transcript.append")
    assert found.related


def test_a_slot_of_a_shared_object() -> None:
    finds(
        RULE,
        (
            "class A:\n    def __init__(self):\n        self.options = {}\n    def say(self, page):\n"
            "        self.options['page'] = page\na = A()\n"
        ),
        "info",
    )


@pytest.mark.parametrize(("place", "severity"), [("state", "error"), ("config", "info"), ("desk.app_config", "info"),
                                                  ("config['desk']", "info")])  # fmt: skip
def test_settings_for_all_are_only_mentioned(place: str, severity: str) -> None:
    text = f"class A:\n    def refresh(self, profile):\n        self.{place}['now'] = profile\n"
    text += f"        return self.{place}\na = A()\n"
    finds(RULE, text + "@app.get('/me')\ndef me(user):\n    a.refresh(user)\n", severity)


def test_a_name_alone_says_little_in_a_library() -> None:
    text = "class A:\n    def refresh(self, profile):\n        self.state['now'] = profile\n"
    text += "        return self.state\na = A()\n"
    finds(RULE, text, "info")
    finds(RULE, text + "@app.get('/me')\ndef me(user):\n    a.refresh(user)\n", "error")


def test_a_conversation_is_a_warning_even_when_nobody_knows_who_speaks() -> None:
    text = "class A:\n    def say(self, text):\n        self.history.append(text)\n{0}a = A()\n"
    finds(RULE, text.format("        return complete(self.history)\n"), "warning")
    finds(RULE, text.format("        return len(self.history)\n"), "info")


@pytest.mark.parametrize(
    "getter",
    [
        "def get_agent():\n    return Agent()\n",
        (
            "from functools import cache\n@cache\ndef get_model():\n    return object()\ndef get_agent():\n"
            "    get_model()\n    return Agent()\n"
        ),
        "from functools import cache\n@cache\ndef get_agent(user_id):\n    return Agent()\n",
    ],
)
def test_one_for_each_request_is_quiet(getter: str) -> None:
    quiet(RULE, AGENT + getter + ROUTE)


@pytest.mark.parametrize(
    "step",
    [
        "self.by_user[user_id] = text",
        "self.by_user.setdefault(user_id, []).append(text)",
        "transcript = [*self.transcript, text]",
        "self.transcript.pop()",
        "self.transcript.append('started')",
        "self.parts.append(level)",
        "self.scheduler.runs_to_do.append({'user': user_id, 'text': text})",
        "self.messages.insert(session=user_id, text=text)",
        "self.transcript.append(user_id)\n        self.transcript.remove(user_id)",
        "self.transcript.append(user_id)\n        self.transcript = [one for one in self.transcript if one != text]",
        "self.transcript.append(user_id)\n        self.transcript = list(filter(f, self.transcript))",
        "self.kept['all'] = [user_id]\n        self.kept['all'] = [one for one in self.kept['all'] if one != text]",
        "self.transcript[:] = [user_id]",
    ],
)
def test_what_collects_nothing_of_one_user(step: str) -> None:
    agent = AGENT.replace(
        "def step(self, text):\n        self.transcript.append(text)\n        return complete(self.transcript)",
        f"def step(self, user_id, text, level=1):\n        {step}",
    )
    quiet(RULE, agent + CACHED)


SLOT = """
from fastapi import FastAPI, Request
app = FastAPI()
class Desk:
    def use(self, request: Request):
        with self._lock:
            self.slots["user"] = request.state.user
        return dict(self.slots)
desk = Desk()
@app.get("/")
def index(request: Request):
    desk.use(request)
"""


def test_a_slot_that_one_at_a_time_has() -> None:
    finds(RULE, SLOT, "info")
    finds(RULE, SLOT.replace("_lock", "_span"), "error")
    # What is added stays when the lock is let go.
    finds(RULE, SLOT.replace('["user"] = request.state.user', ".append(request.state.user)"), "error")


def test_a_stream_that_others_subscribe_to() -> None:
    stream = SLOT.replace("_lock", "_span").replace('["user"] = request.state.user', ".append(request.state.user)")
    finds(RULE, stream, "error")
    finds(RULE, stream.replace("desk = ", "    def subscribe(self, listener): ...\ndesk = "), "info")


def test_what_is_taken_as_a_whole_is_only_mentioned() -> None:
    text = (
        "class A:\n    def keep(self, user):\n        self.rows.append(user)\n    def run(self):\n        {}\na = A()\n"
    )
    text += "@app.get('/me')\ndef me(user):\n    a.keep(user)\n    a.run()\n"
    finds(RULE, text.format("return self.rows"), "error")
    finds(RULE, text.format("rows, self.rows = self.rows, []"), "info")


def test_only_new_objects_collect() -> None:
    finds(RULE, SLOT.replace("_lock", "_span").replace("    desk.use", "    Desk().use"), "info")


def test_a_history_that_no_request_gets_to() -> None:
    unserved = AGENT + "agent = Agent()\n"
    finds(RULE, unserved, "warning", on="transcript.append")
    finds(RULE, unserved + "@app.get('/')\ndef index():\n    return 1\n", "info")


GETTER = """
from functools import cache
from fastapi import FastAPI
from langchain.chains import {0}
app = FastAPI()
@cache
def get_chain():
    return {0}(llm=model)
{1}
async def talk(text: str):
    return await get_chain().apredict(input=text)
"""


def test_a_getter_of_a_librarys_conversation() -> None:
    finds(RULE, GETTER.format("ConversationChain", "@app.post('/talk')"), "error", on="return ConversationChain")
    finds(RULE, GETTER.format("ConversationChain", ""), "info")
    quiet(RULE, GETTER.format("LLMChain", "@app.post('/talk')"))


WIZARD = {
    "form.py": """
        class Form:
            def __init__(self):
                self.answers = {}
            def merge(self, values):
                self.answers.update(values)
        form = Form()
        """,
    "views.py": """
        from flask import Blueprint, request
        from form import form
        bp = Blueprint("loan", __name__)
        @bp.post("/step")
        def step():
            form.merge(dict(request.form))
        @bp.get("/review")
        def review():
            return render("review.html", answers=form.answers)
        """,
}


def test_a_form_that_a_module_of_its_own_holds() -> None:
    found = finds(RULE, WIZARD, "warning", on="self.answers.update")
    assert ("views.py", 10) in [(place.path, place.line) for place in found[0].related]


def test_a_form_of_which_nobody_gives_out_the_whole() -> None:
    asked = WIZARD["views.py"].replace("answers=form.answers", "answer=form.answers.get(request.args['name'])")
    finds(RULE, {**WIZARD, "views.py": asked}, "info")
    quiet(RULE, {**WIZARD, "form.py": WIZARD["form.py"].replace("form = Form()", "")})


def test_a_backlog_of_which_each_is_given_their_own() -> None:
    source = """
        class Broker:
            def __init__(self):
                self.backlog = []
            def publish(self, user_id, event):
                self.backlog.append(Event(user_id, event))
            def replay(self, user_id):
                return [event for event in self.backlog if event.user_id {0} user_id]
        broker = Broker()
        @app.post("/say")
        def say(text, user=Depends(current_user)):
            broker.publish(user.id, text)
            return broker.replay(user.id)
        """
    quiet(RULE, source.replace("{0}", "=="))
    finds(RULE, source.replace("{0}", "!="), "error", on="append")


BUFFER = {
    "memory.py": """
        class Buffer:
            def __init__(self):
                self.items = []
            def save(self, text):
                self.items.append(text)
            def dump(self):
                return self.items
        """,
    "api.py": """
        from functools import lru_cache
        from memory import Buffer
        class Agent:
            def __init__(self):
                self.log = Buffer()
            def reply(self, text):
                self.log.save(text)
                return complete(self.log.dump())
        @lru_cache
        def agent():
            return Agent()
        @app.post("/chat")
        def chat(text: str):
            return agent().reply(text)
        """,
}


def test_what_users_said_in_an_object_of_another_file() -> None:
    finds(RULE, BUFFER, "warning", on="self.items.append")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return self.items", "batch, self.items = self.items, []\n                return batch"),
        ("return self.items", "return len(self.items)"),
        ("text", "metric"),
    ],
)
def test_what_is_emptied_not_given_out_or_not_said(old: str, new: str) -> None:
    finds(RULE, {**BUFFER, "memory.py": BUFFER["memory.py"].replace(old, new)}, "info")


def test_settings_are_meant_for_all() -> None:
    quiet(RULE, {path: text.replace("Form", "Settings") for path, text in WIZARD.items()})


PLANNER = """
from functools import cache
class Planner:
    def __init__(self):
        self.goals = []
    def add_goal(self, goal):
        self.goals.append(goal)
    def plan(self):
        return list(self.goals)
@cache
def planner():
    return Planner()
@app.post("/goal")
def add(text: str, one=Depends(planner)):
    one.add_goal(text)
    return one.plan()
"""


def test_what_a_request_brings_and_another_is_given() -> None:
    finds(RULE, PLANNER, "warning", on="self.goals.append")
    finds(RULE, PLANNER.replace("return list(self.goals)", "return len(self.goals)"), "info")
    finds(RULE, PLANNER.replace("Planner", "GoalStore"), "info")
    quiet(RULE, PLANNER.replace("@cache", ""))


RECORDER = """
import logging
from fastapi import FastAPI, Request
log = logging.getLogger("claims")
app = FastAPI()
class Trail:
    def __init__(self):
        self.entries = []
    def note(self, request: Request):
        self.entries.append(request.headers)
    def dump(self):
        return list(self.entries)
trail = Trail()
@app.exception_handler(Exception)
async def crashed(request: Request, error: Exception):
    found = trail.dump()
    log.error("crashed %s", json.dumps(found))
    return {"recent": len(found)}
@app.get("/")
async def index(request: Request):
    trail.note(request)
"""


def test_what_only_a_log_is_given() -> None:
    finds(RULE, RECORDER, "info", on="self.entries.append")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("len(found)", "found"),
        ("json.dumps(found)", "trail.dump(), keep(found)"),
        ("    return {", "    return {'all': trail.dump(), "),
        ("    return {", "    return {'all': trail.entries, "),
        ("    return {", "    return {'all': later(trail.dump), "),
    ],
)
def test_what_somebody_else_is_given_too(old: str, new: str) -> None:
    assert old in RECORDER
    finds(RULE, RECORDER.replace(old, new), "error", on="self.entries.append")


def test_what_another_file_may_give_out() -> None:
    finds(RULE, {"app.py": RECORDER, "other.py": "from app import trail\nprint(trail.dump())\n"}, "error")


RATER = """
import asyncio
from functools import cache
from fastapi import FastAPI
app = FastAPI()
class Rater:
    def __init__(self):
        self.essays = []
    def take(self, essay):
        self.essays.append(essay)
    async def rate(self):
        marks = await asyncio.gather(*[judge(one) for one in self.essays])
        self.essays = []
        return {"marks": marks}
@cache
def rater():
    return Rater()
@app.post("/essays")
def essays(essay: str):
    rater().take(essay)
@app.post("/marks")
async def marks():
    return await rater().rate()
"""


def test_what_is_emptied_after_a_caller_was_answered_with_all_of_it() -> None:
    finds(RULE, RATER, "warning", on="self.essays.append")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('return {"marks": marks}', "return len(self.essays)"),
        ('return {"marks": marks}', "await store(marks)"),
        ("await asyncio.gather(*[judge(one) for one in self.essays])", "[judge(one) for one in self.essays]"),
    ],
)
def test_what_is_emptied_and_nobody_waits_for_or_is_answered_with(old: str, new: str) -> None:
    finds(RULE, RATER.replace(old, new), "info")
