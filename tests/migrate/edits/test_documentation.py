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


def test_docstrings_and_comments_of_a_file_that_names_it_get_the_new_name():
    before = '"""Makes an Old, see `pkg.old.Old`."""\n# Old things\nx = "Old"\n'
    assert after("a.py", before) == '"""Makes an New, see `pkg.new.New`."""\n# New things\nx = "Old"\n'


def test_code_and_comments_of_one_file_are_edited_together():
    before = "from pkg.old import Old  # an Old of pkg.old.Old\n"
    assert after("a.py", before) == "from pkg.new import New  # an New of pkg.new.New\n"


def test_text_files_get_the_new_name():
    assert after("docs/read.md", "`pkg.old.Old` and Old, not Older\n") == "`pkg.new.New` and New, not Older\n"


def test_the_bare_word_alone_may_mean_anything():
    assert after("docs/read.md", "Old habits\n") == "Old habits\n"


def test_without_such_a_phase_documentation_stays():
    assert "docs/read.md" not in outcomes({"docs/read.md": "pkg.old.Old\n"})
