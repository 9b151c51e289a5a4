from __future__ import annotations

from typing import Any

import pytest

from carrel.errors import InputError
from carrel.runtime.run_request import RunRequest, title_of


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("input", {"input": ""}),
        ("input", {"input": " \n\t"}),
        ("input", {"input": "x" * 32_769}),
        ("input", {"input": "a\0b"}),
        ("input", {"input": "half \ud800"}),
        ("input", {"input": 3}),
        ("if_busy", {"input": "x", "if_busy": "panic"}),
        ("idempotency_key", {"input": "x", "idempotency_key": ""}),
        ("idempotency_key", {"input": "x", "idempotency_key": "k" * 129}),
        ("idempotency_key", {"input": "x", "idempotency_key": "a\nb"}),
    ],
)
def test_what_is_not_accepted_is_named(field: str, given: dict[str, Any]):
    with pytest.raises(InputError) as caught:
        RunRequest(**given)
    assert caught.value.field == field


def test_the_longest_input_is_accepted():
    request = RunRequest(input="x" * 32_768)
    assert (request.agent, request.if_busy, request.thread_id) == ("supervisor", "enqueue", None)


@pytest.mark.parametrize(
    ("input", "title"),
    [
        ("Where can I cut my AI bill?", "Where can I cut my AI bill?"),
        ("  two\n\nlines\tand tabs ", "two lines and tabs"),
        ("word " * 30, "word " * 10 + "word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
    ],
)
def test_a_title_is_the_beginning_on_one_line(input: str, title: str):
    assert title_of(input) == title
    assert len(title_of(input)) <= 60
