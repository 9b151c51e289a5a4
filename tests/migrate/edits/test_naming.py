"""Tests of carrel.migrate.edits.naming; how names are chosen is seen in whole files in test_imports."""

from __future__ import annotations

import pytest

from carrel.migrate.edits.naming import LocalName
from carrel.migrate.recipe import MovedSymbol

SYMBOL = MovedSymbol(old="pkg.old.Old", new="pkg.new.New")


@pytest.mark.parametrize(("after", "imported"), [("New", "New"), ("Old", "New as Old")])
def test_the_import_says_as_where_the_name_is_another(after, imported):
    assert LocalName(SYMBOL, "Old", after).imported == imported
