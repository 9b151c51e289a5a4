"""Tests of carrel.migrate.search; what is found is tested with carrel.migrate.references."""

from __future__ import annotations

from pathlib import Path

from carrel.migrate.search import Search
from carrel.source import SourceTree
from tests.migrate.tree import recipe, write

FILES = {
    "pkg/api.py": "from .engine import Engine as Motor\n",
    "app.py": "from pkg.api import Motor\nMotor()\n",
    "other.py": "from elsewhere import Motor\n",
    "bad.py": "from pkg.engine import Engine\ndef (\n",
}


def searched(root: Path) -> Search:
    tree = SourceTree(write(root, FILES))
    search = Search(tree, tree.files(suffixes=("",)), recipe(), jobs=1, cache=False)
    search.run()
    return search


def test_names_found_in_one_round_are_looked_for_in_the_next(tmp_path: Path):
    search = searched(tmp_path)
    assert [(one.path, one.line, one.text) for one in search.references()] == [
        ("app.py", 1, "Motor"),
        ("app.py", 2, "Motor"),
        ("pkg/api.py", 1, "Engine as Motor"),
    ]


def test_only_files_are_parsed_that_can_refer_to_a_name(tmp_path: Path):
    parsed = {path for path, facts in searched(tmp_path).facts.items() if facts.outline is not None}
    assert parsed == {"app.py", "bad.py", "pkg/api.py"}


def test_what_could_not_be_parsed_is_told(tmp_path: Path):
    assert [(one.path, one.line) for one in searched(tmp_path).unparsable()] == [("bad.py", 2)]


def test_the_file_of_a_module_is_known(tmp_path: Path):
    search = searched(tmp_path)
    assert search.path_of("pkg.api") == "pkg/api.py"
    assert search.path_of("pkg.nothing") is None
