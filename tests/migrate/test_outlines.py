"""The outlines that several steps share."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.migrate.import_cycles import ImportCycles
from carrel.migrate.outlines import CACHE, read_outlines
from carrel.migrate.recipe import TreeRule
from carrel.migrate.references import read_import_graph
from carrel.migrate.snapshot import snapshot_now
from carrel.source import SourceTree
from tests.migrate.project import recipe, write


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    write(tmp_path, {"a.py": "import b\n", "b.py": "import a\n"})
    return SourceTree(tmp_path)


def test_every_file_has_one(tree: SourceTree) -> None:
    found = read_outlines(tree, jobs=1, cache=False)
    assert [site.module for site in found["a.py"].imports] == ["b"]
    assert not (tree.root / CACHE).exists()


def test_each_step_finds_what_another_has_read(tree: SourceTree) -> None:
    steps = (
        lambda: read_outlines(tree),
        lambda: ImportCycles(tree.root, TreeRule()).now(),
        lambda: read_import_graph(tree, recipe()),
        lambda: snapshot_now(tree.root, TreeRule(), frozenset()),
    )
    for step in steps:
        step()
        (kept,) = (file.name for file in (tree.root / CACHE).iterdir() if file.name != ".gitignore")
        assert kept.startswith("outlines-")


def test_a_file_that_changes_is_read_again(tree: SourceTree) -> None:
    read_outlines(tree)
    write(tree.root, {"a.py": "import json\n"})
    assert [site.module for site in read_outlines(tree)["a.py"].imports] == ["json"]
