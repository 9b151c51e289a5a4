"""Tests of carrel.migrate.mentions."""

from __future__ import annotations

from pathlib import Path

from carrel.migrate.mentions import with_mentions
from carrel.migrate.references import find_references
from tests.migrate.tree import lines, recipe, scan, write

PHASES = """
[[phases]]
name = "code"
paths = ["**/*.py"]

[[phases]]
name = "docs"
paths = ["**"]
exclude = ["old.md"]
documentation = true
"""
FILES = {
    "app.py": '"""Uses pkg.engine.Engine, so an Engine."""\nx = "Engine of pkg.engine"  # an Engine, no UserEngine\n# é pkg.engine.Engine.run\n',  # noqa: E501
    "other.py": '"""Another Engine."""\n# Engine\n',
    "a.md": "from pkg.engine import Engine\n\nSee `pkg.engine.Engine`; not my.pkg.engine.Engine, not pkg.engine.EngineX.\n",  # noqa: E501
    "b.md": "An Engine of something else.\n",
    "old.md": "pkg.engine.Engine\n",
    "bad.py": "# pkg.engine.Engine\ndef (\n",
}  # fmt: skip


def test_mentions_that_surely_mean_it_are_found(tmp_path: Path):
    found = with_mentions(tmp_path, recipe(PHASES), scan(tmp_path, dict(FILES), PHASES))
    assert lines(found) == [
        "a.md:1 doc mention Engine",
        "a.md:3 doc mention pkg.engine.Engine",
        "1 doc mention pkg.engine.Engine",
        "1 doc mention Engine",
        "2 comment mention Engine",
        "3 comment mention pkg.engine.Engine",
    ]
    assert {one.phase for one in found.references} == {"docs"}
    third = found.references[5]
    assert (third.column, FILES["app.py"].encode()[third.start : third.end]) == (5, b"pkg.engine.Engine")


def test_nothing_is_added_without_a_phase_for_documentation(tmp_path: Path):
    write(tmp_path, dict(FILES))
    found = find_references(tmp_path, recipe(), jobs=1, cache=False)
    assert with_mentions(tmp_path, recipe(), found) is found


def test_a_module_that_moves_is_mentioned_by_its_name(tmp_path: Path):
    more = PHASES + '[[modules]]\nold = "pkg.decoy"\nnew = "pkg.new"\n'
    found = with_mentions(tmp_path, recipe(more), scan(tmp_path, {"a.md": "See pkg.decoy.\n"}, more))
    assert [(one.text, one.symbol) for one in found.references] == [("pkg.decoy", "pkg.decoy")]
