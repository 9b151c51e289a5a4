"""Tests of carrel.reporting.html_findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrel.reporting.html_findings import finding_card, sentence
from tests.reporting.page import Reader
from tests.reporting.samples import ARGUMENT, CONTAINER, FULL


def card(finding=CONTAINER, page: str = "") -> Reader:
    return Reader(finding_card(finding, FULL.sources, open_=True, page=page))


def test_the_places_that_meet_are_marked_in_their_source():
    made = finding_card(CONTAINER, FULL.sources, open_=True, page="")
    assert "ä = <mark>SESSIONS[question]</mark> = await" in made
    assert "<mark>SESSIONS</mark>: dict[str, str] = {}" in made
    assert "the container is defined here" in card().text
    assert "a file that cannot be read" in card().text


def test_the_filter_finds_what_it_reads():
    (details,) = card(ARGUMENT).all("details")
    assert details == {
        "class": "finding",
        "open": None,
        "data-severity": "warning",
        "data-rule": "CAR005",
        "data-path": "app/service.py",
        "data-known": "yes",
    }
    assert "in the baseline" in card(ARGUMENT).text


def test_the_way_there_is_a_list():
    assert len(card().all("li")) == 2


def test_lines_of_a_change_say_what_they_are():
    classes = [have["class"] for have in card().all("span") if (have.get("class") or "").startswith("line ")]
    assert classes[-5:] == ["line hunk", "line hunk", "line hunk", "line removed", "line added"]
    unchanged = replace(CONTAINER, fix=replace(CONTAINER.fix, diff=" same"))
    assert card(unchanged).all("span", **{"class": "line same"})


@pytest.mark.parametrize("page", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", ""])
def test_only_addresses_of_the_web_become_links(page: str):
    assert card(page=page).all("a") == []
    assert card(page="https://carrel.example/CAR001").all("a") == [
        {"href": "https://carrel.example/CAR001", "rel": "noreferrer"}
    ]


def test_a_finding_with_nothing_more_to_say_is_short():
    bare = replace(
        CONTAINER, why="", fix=replace(CONTAINER.fix, description="", diff=""), related=(), reachable_from=()
    )
    assert [label for label in ("Why", "Reachable", "Fix") if label in card(bare).text] == []


def test_code_in_a_sentence_is_code():
    assert sentence("`a<b` is <new>") == "<code>a&lt;b</code> is &lt;new&gt;"
