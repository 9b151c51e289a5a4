"""What is kept of a file can be kept."""

from __future__ import annotations

import msgspec

from carrel.audit.facts import FileFacts
from carrel.audit.file_facts import read_facts
from carrel.audit.rules import RULES

SOURCE = b"""
from functools import cache
class Desk:
    def __init__(self, memory: 'Memory'): self.memory = memory
    def answer(self, user): self.user = user; return self.memory
desk = Desk(1)
x = {}
@app.get('/x')
def ask(q, h=[]): h.append(q); return desk.answer(q)
y = 1  # carrel: ignore[a] b
"""


def test_facts_come_back_as_they_were() -> None:
    facts = read_facts("pkg/app.py", SOURCE, roots=(".",), rules=RULES)
    assert facts.candidates
    assert facts.suppressions
    assert facts.kept
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=FileFacts) == facts
