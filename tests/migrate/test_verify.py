"""`verify` finds what a migration can break, and nothing that was broken before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.recipe import parse_recipe
from carrel.migrate.verify import Check, verify_migration
from tests.migrate.project import repository, write

RECIPE = parse_recipe(
    'schema_version = 1\nname = "m"\n[[symbols]]\nold = "pkg.old.Old"\nnew = "pkg.new.New"\n'
    '[[phases]]\nname = "all"\npaths = ["**"]\n'
)
BEFORE = {
    "pkg/__init__.py": "",
    "pkg/old.py": "class Old: ...\n",
    "pkg/new.py": "class New: ...\n",
    "pkg/a.py": "from pkg.old import Old\nOld()\n",
    "pkg/broken.py": "def (:\n",
    "pkg/wrong.py": "from pkg.new import Nothing\nnowhere\n",
}
DONE = {"pkg/a.py": "from pkg.new import New\nNew()\n", "pkg/old.py": ""}


def checks(root: Path, changed: Mapping[str, str]) -> dict[str, Check]:
    repository(root, BEFORE)
    write(root, changed)
    found = verify_migration(root, RECIPE, against="HEAD", jobs=1, cache=False)
    assert found.holds == all(check.holds for check in found.checks)
    return {check.name: check for check in found.checks}


def test_a_finished_migration_holds(tmp_path: Path) -> None:
    found = checks(tmp_path, DONE)
    assert [name for name, check in found.items() if not check.holds] == []
    assert found["no reference left"].checked.startswith("6 Python files")
    assert found["nothing unparsable that was not"].checked == "2 changed files compiled"
    assert found["every import finds its name"].notes == ("1 imports found nothing before, too",)


BROKEN = {
    "a reference is left": (
        {"pkg/b.py": "from pkg.old import Old\n", "pkg/old.py": "class Old: ...\n"},
        "no reference left",
        "pkg/b.py:1: import Old",
    ),
    "a file does not parse": ({"pkg/a.py": "New(:\n"}, "nothing unparsable that was not", "pkg/a.py:1"),
    "return outside": ({"pkg/a.py": "return\n"}, "nothing unparsable that was not", "'return' outside function"),
    "a name is unbound": ({"pkg/a.py": "New()\n"}, "no new unbound name", "pkg/a.py: `New` is bound by nothing"),
    "a name does not exist": (
        {"pkg/a.py": "from pkg.new import Newer\n"},
        "every import finds its name",
        "pkg/a.py:1: `pkg.new.Newer` does not exist",
    ),
    "an untouched file loses its name": (
        {"pkg/new.py": ""},
        "one definition of what moved",
        "`pkg.new.New` does not exist",
    ),
    "a circle": (
        {"pkg/a.py": "import pkg.new\n", "pkg/new.py": "import pkg.a\nclass New: ...\n"},
        "no new import cycle",
        "pkg/a.py <-> pkg/new.py",
    ),
    "both implementations": (
        {"pkg/old.py": "class Old: ...\n"},
        "one definition of what moved",
        "pkg/old.py: `Old` is implemented beside `pkg.new.New`",
    ),
    "two definitions": (
        {"pkg/new.py": "if 1:\n    class New: ...\nelse:\n    from pkg.a import New\n", "pkg/a.py": "class New: ...\n"},
        "one definition of what moved",
        "2 definitions",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_found(tmp_path: Path, case: str) -> None:
    changed, name, problem = BROKEN[case]
    check = checks(tmp_path, {**DONE, **changed})[name]
    assert not check.holds
    assert any(problem in one for one in check.problems), check.problems


def test_what_was_broken_before_is_a_note(tmp_path: Path) -> None:
    found = checks(
        tmp_path, {**DONE, "pkg/broken.py": "def ((:\n", "pkg/wrong.py": "from pkg.new import Nothing\nnowhere, 1\n"}
    )
    assert all(check.holds for check in found.values())
    assert found["nothing unparsable that was not"].notes == ("pkg/broken.py: could not be compiled before",)


def test_strings_and_mentions_are_notes(tmp_path: Path) -> None:
    found = checks(tmp_path, {**DONE, "pkg/b.py": 'x = "pkg.old.Old"\n', "pkg/old.py": ""})["no reference left"]
    assert found.holds
    assert "pkg/b.py:1: a string names it: pkg.old.Old" in found.notes


def test_without_a_journal_a_revision_must_be_named(tmp_path: Path) -> None:
    repository(tmp_path, BEFORE)
    with pytest.raises(MigrationError, match="--against"):
        verify_migration(tmp_path, RECIPE)
