"""Tests of carrel.migrate.edits."""

from __future__ import annotations

from typing import get_args

from carrel.migrate.edits import EDITS
from carrel.migrate.references import Kind


def test_every_kind_of_reference_has_its_edit():
    edited = {kind for edit in EDITS for kind in edit.kinds}
    assert edited | {"doc", "comment", "data", "pickle"} == set(get_args(Kind))
