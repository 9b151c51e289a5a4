"""Tests of carrel.reporting.product."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import pytest

from carrel.reporting import product
from carrel.reporting.product import product_version, title
from tests.reporting.samples import EMPTY


def test_the_version_is_the_installed_one():
    assert product_version() == version("carrel")


def test_files_that_were_never_installed_have_no_version(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(product, "version", missing)
    assert product_version() == "0"


def test_a_report_is_named_after_its_command():
    titles = [title(replace(EMPTY, tool=tool)) for tool in ("audit", "probe", "migrate")]
    assert titles == ["carrel audit", "carrel probe", "carrel migrate scan"]
