"""Tests of carrel.reporting.document."""

from __future__ import annotations

from carrel.reporting.document import SCHEMA_VERSION, document, storable
from tests.reporting.samples import EMPTY, FULL


def test_a_report_says_by_which_schema_it_is_written():
    assert document(EMPTY)["schema_version"] == SCHEMA_VERSION == 1


def test_a_finding_is_flat_and_counts_characters_from_one():
    finding = document(FULL)["findings"][2]
    where = {name: finding[name] for name in ("path", "line", "column", "end_line", "end_column")}
    # The line begins with an "ä": in bytes the range is 13 to 31.
    assert where == {"path": "app/service.py", "line": 6, "column": 13, "end_line": 6, "end_column": 31}
    assert finding["fix"] == "Keep the answers in `context.store`."
    assert finding["diff"].startswith("--- a/app/service.py\n")
    assert finding["reachable_from"] == ["POST /chat app.main.chat", "app.service.Service.run"]
    assert [place["note"] for place in finding["related"]] == [
        "the container is defined here",
        "a file that cannot be read",
    ]


def test_the_summary_counts_what_is_there():
    summary = document(FULL)["summary"]
    assert summary["counts"] == {"error": 2, "warning": 1, "info": 0}
    assert (summary["findings"], summary["files"], summary["lines"], summary["seconds"]) == (3, 3, 208, 0.432)
    assert (summary["score"], summary["score_details"]["previous"]) == (81.25, 78.0)
    assert summary["baseline"] == {"new": 1, "known": 1, "gone": 2}
    assert summary["details"] == [{"label": "Suppressed", "value": "3"}]


def test_what_was_not_computed_is_null():
    summary = document(EMPTY)["summary"]
    assert (summary["score"], summary["score_details"], summary["baseline"]) == (None, None, None)


def test_lone_surrogates_become_escapes_at_any_depth():
    assert storable({"a": ["\udc80", ("b", 1, None, True)]}) == {"a": ["\\udc80", ["b", 1, None, True]]}
