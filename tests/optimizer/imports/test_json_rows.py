"""JSON lines, lists and pages, each row with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from carrel.optimizer.imports.json_rows import LARGEST_DOCUMENT, JsonRows
from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.storage.usage import RejectedRow
from tests.optimizer.imports.reading import data

PAGE = {
    "object": "page",
    "data": [
        {"object": "bucket", "start_time": 1, "results": [{"input_tokens": 10}, {"input_tokens": 20}]},
        {"object": "bucket", "start_time": 2, "results": []},
        "no bucket",
        {"object": "bucket", "start_time": 3, "results": [{"input_tokens": 30}, "no result"]},
    ],
}


def rows(content: str) -> list[Any]:
    return list(JsonRows(data(content)))


def test_each_line_is_a_row() -> None:
    assert rows('{"a": 1}\n\n{"a": 2}\n') == [(1, {"a": 1}), (3, {"a": 2})]


def test_a_line_that_is_no_object_is_rejected_with_its_number() -> None:
    found = rows('{"a": 1}\n[2]\n{"a":\nnull\n{"a": 3}')
    assert [one.row for one in found if isinstance(one, RejectedRow)] == [2, 3, 4]
    assert found[-1] == (5, {"a": 3})


def test_a_bad_first_line_does_not_spoil_the_others() -> None:
    assert isinstance(rows('{"a": \n{"a": 2}')[0], RejectedRow)


def test_a_list_is_a_row_for_each_object_with_the_line_it_begins_on() -> None:
    assert rows('[\n {"a": 1},\n\n {"a":\n 2}, 7\n]') == [
        (2, {"a": 1}),
        (4, {"a": 2}),
        RejectedRow(4, "", "is not a JSON object"),
    ]


def test_a_list_on_one_line() -> None:
    assert rows('[{"a": 1}, {"a": 2}]') == [(1, {"a": 1}), (1, {"a": 2})]


@pytest.mark.parametrize("indent", [None, 2])
def test_pages_of_openai_are_taken_apart(indent: int | None) -> None:
    found = rows(json.dumps(PAGE, indent=indent))
    assert [(row["start_time"], row["input_tokens"]) for _, row in found] == [(1, 10), (1, 20), (3, 30)]
    assert [line for line, _ in found] == ([1, 1, 1] if indent is None else [8, 11, 26])


def test_pages_one_after_the_other_are_lines() -> None:
    page = json.dumps(PAGE)
    assert [line for line, _ in rows(f"{page}\n{page}\n")] == [1, 1, 1, 2, 2, 2]


def test_the_columns_are_those_of_the_first_row() -> None:
    assert JsonRows(data("[]")).columns == ()
    assert JsonRows(data('"x"\n{"b": 1, "a": 2}')).columns == ("b", "a")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[\n{"a": 1},\n{"a" 2}]', "line 3 is not JSON"),
        ("{\n", "line 1 is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 5000 + "]", "is not JSON"),
    ],
)
def test_a_document_that_is_no_json_is_refused(content: str, says: str) -> None:
    with pytest.raises(FileRefusedError, match=says) as caught:
        rows(content)
    assert caught.value.failure.code == "bad_json"


def test_a_document_may_be_one_long_line() -> None:
    found = rows(json.dumps([{"a": "x" * 100_000}] * 20))
    assert len(found) == 20


def test_a_document_that_is_too_large_is_refused() -> None:
    with pytest.raises(FileRefusedError, match="JSON lines"):
        rows("[" + " " * LARGEST_DOCUMENT + "]")
