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


def test_a_conversation_is_a_warning_even_when_nobody_knows_who_speaks() -> None:
    finds(RULE, "class A:\n    def say(self, text):\n        self.history.append(text)\na = A()\n", "warning")


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
        "self.transcript.append(user_id)\n        self.transcript.remove(user_id)",
        "self.transcript.append(user_id)\n        self.transcript = [one for one in self.transcript if one != text]",
    ],
)
def test_what_collects_nothing_of_one_user(step: str) -> None:
    agent = AGENT.replace(
        "def step(self, text):\n        self.transcript.append(text)",
        f"def step(self, user_id, text, level=1):\n        {step}",
    )
    quiet(RULE, agent + CACHED)
