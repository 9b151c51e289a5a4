"""The lines of a journal."""

from __future__ import annotations

import json

import msgspec
import pytest

from carrel.migrate.records import Record
from tests.migrate.records import ALL


@pytest.mark.parametrize("record", ALL, ids=lambda record: type(record).__name__)
def test_a_record_is_one_line_with_its_step_and_its_time(record: Record) -> None:
    line = msgspec.json.encode(record)
    assert b"\n" not in line
    found = json.loads(line)
    assert found["step"]
    assert found["time"] > 1_700_000_000
    assert msgspec.json.decode(line, type=Record) == record


def test_every_step_has_a_word_of_its_own():
    steps = [
        json.loads(msgspec.json.encode(record))["step"] for record in ALL if record.__class__.__name__ != "GateMeasured"
    ]
    assert len(steps) == len(set(steps)) == 10
