"""Tests of carrel.migrate.edits.documentation."""

from __future__ import annotations

from carrel.migrate.outcome import Edited
from carrel.migrate.recipe import parse_recipe
from tests.migrate.edits.changing import SYMBOL, outcomes

DOCUMENTED = parse_recipe(
    f'schema_version = 1\nname = "t"\n{SYMBOL}[[phases]]\nname = "docs"\npaths = ["**"]\ndocumentation = true\n'
)


def after(path: str, text: str) -> str:
    outcome = outcomes({path: text}, DOCUMENTED).get(path)
    return outcome.after.decode() if isinstance(outcome, Edited) else text


def test_docstrings_and_comments_get_the_new_name():
    assert (
        after("a.py", '"""Makes an Old."""\n# Old things\nx = "Old"\n')
        == '"""Makes an New."""\n# New things\nx = "Old"\n'
    )


def test_text_files_get_the_new_name():
    assert after("docs/read.md", "`pkg.old.Old` and Old, not Older\n") == "`pkg.new.New` and New, not Older\n"


def test_without_such_a_phase_documentation_stays():
    assert "docs/read.md" not in outcomes({"docs/read.md": "Old\n"})
