"""Tests of carrel.reporting.risk_map."""

from __future__ import annotations

import re

from hypothesis import given, settings

from carrel.findings import Report
from carrel.reporting.risk_map import file_risks, risk_map
from tests.reporting.page import Reader
from tests.reporting.samples import FULL, large
from tests.reporting.strategies import reports


def drawn(report: Report, width: float = 1040, height: float = 360) -> Reader:
    return Reader(risk_map(file_risks(report.findings), width=width, height=height))


def number(attributes: dict[str, str | None], name: str) -> float:
    return float(attributes[name] or "nan")


def test_a_files_weight_is_the_sum_of_its_findings():
    endpoint, service = file_risks(FULL.findings)
    assert (service.path, service.weight, service.worst, service.findings) == ("app/service.py", 13, "error", 2)
    assert (service.directory, service.file) == ("app", "service.py")
    assert (endpoint.directory, endpoint.file) == ("endpoints", "GET /threads/{id}")
    assert [one.anchor for one in (endpoint, service)] == ["file-1", "file-2"]


def test_areas_follow_the_weights():
    cells = drawn(FULL).all("rect", **{"class": "map-cell error"})
    service, endpoint = (number(cell, "width") * number(cell, "height") for cell in cells)
    assert 1.1 < service / endpoint < 1.5


def test_every_cell_leads_to_its_file():
    links = drawn(FULL).all("a")
    assert [(link["href"], link["data-path"]) for link in links] == [
        ("#file-2", "app/service.py"),
        ("#file-1", "GET /threads/{id}"),
    ]


def test_a_name_that_does_not_fit_keeps_its_beginning_and_its_end():
    labels = drawn(large(200)).text
    assert "src/shop/agents" in labels
    assert re.search(r"mo…\d|mod…\d\d|mod…_\d", labels)


def test_of_very_many_files_the_riskiest_are_drawn():
    report = large(200)
    assert len(file_risks(report.findings)) > 120
    assert len(drawn(report).all("a")) == 120


def test_labels_stay_within_their_rectangles():
    reader = drawn(large(200), width=360, height=420)
    boxes = reader.all("rect")
    assert boxes
    for label in reader.all("text"):
        x, y = number(label, "x"), number(label, "y")
        assert any(
            number(box, "x") <= x <= number(box, "x") + number(box, "width")
            and number(box, "y") <= y <= number(box, "y") + number(box, "height")
            for box in boxes
        )


@settings(max_examples=40)
@given(reports())
def test_any_path_can_be_drawn(report: Report):
    reader = drawn(report)
    assert {tag for tag, _ in reader.tags} <= {"svg", "a", "title", "rect", "text"}
    for box in reader.all("rect"):
        assert number(box, "width") >= 0
        assert number(box, "height") >= 0
