"""Defaults that are changed, and those that only look like it."""

from __future__ import annotations

import pytest

from carrel.audit.rules.mutable_default import MutableDefault
from tests.audit.checking import finds, quiet

RULE = MutableDefault()


@pytest.mark.parametrize(
    "change",
    ["history.append(q)", "history += [q]", "history[0] = q", "h = history; h.extend([q])", "history.insert(0, q)"],
)
def test_a_default_that_is_changed(change: str) -> None:
    finds(RULE, f"def ask(q, history=[]):\n    {change}\n    return len(history)\n", "error", on="def ask")


def test_a_default_that_is_handed_out_is_only_mentioned() -> None:
    finds(RULE, "def ask(q, history=[]):\n    return history\n", "info")


def test_an_object_of_ours_that_its_method_changes() -> None:
    found = finds(
        RULE,
        {
            "memory.py": """
                class Memory:
                    def __init__(self):
                        self.lines = []
                    def add(self, line):
                        self.lines.append(line)
                """,
            "service.py": """
                from memory import Memory
                def ask(q, *, memory: Memory = Memory()):
                    memory.add(q)
                """,
        },
        "error",
    )
    assert [place.path for place in found[0].related] == ["service.py", "memory.py"]


@pytest.mark.parametrize(
    "code",
    [
        "def ask(q, history=()):\n    history += (q,)\n",
        "def ask(q, history=None):\n    history = history or []\n    history.append(q)\n",
        "def ask(q, history=[]):\n    return [*history, q]\n",
        "def ask(q, history=[]):\n    history = list(history)\n    history.append(q)\n    return len(history)\n",
        "def ask(q, options={}):\n    return options.get(q)\n",
        "class M:\n    def window(self):\n        return 1\ndef ask(q, m=M()):\n    m.window()\n",
        "from fastapi import Depends\nclass M:\n    def add(self, x): self.x = x\ndef ask(q, m=Depends(M)): m.add(q)\n",
    ],
)
def test_what_only_looks_like_it(code: str) -> None:
    quiet(RULE, code)
