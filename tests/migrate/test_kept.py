"""What is kept from one step to the next gives the same as reading everything anew."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrel.migrate.mentions import with_mentions
from carrel.migrate.outlines import CACHE
from carrel.migrate.phase import PhaseApplied, PhaseOutcome
from carrel.migrate.recipe import parse_recipe
from carrel.migrate.references import Reference, find_references
from carrel.migrate.rewrite import Rewriter
from carrel.migrate.runner import Migration
from tests.migrate.project import content, write

RECIPE = parse_recipe(
    """
    schema_version = 1
    name = "trial"
    [[symbols]]
    old = "pkg.old.Old"
    new = "pkg.new.New"
    [[constructors]]
    symbol = "pkg.old.Old"
    signature = "(a=None)"
    maker = "pkg.new.make_old"
    [[constructors.calls]]
    call = "{new}"
    parameters = { a = "{a}" }
    [[phases]]
    name = "one"
    paths = ["a*.py"]
    [[phases]]
    name = "two"
    paths = ["b*.py", "pkg/__init__.py"]
    [[phases]]
    name = "words"
    paths = ["**"]
    documentation = true
    """
)
PATHS = ("a1.py", "a2.py", "b1.py", "b2.py", "pkg/__init__.py", "read.md")
TEXTS = (
    "", "from pkg.old import Old\nx = Old()\n", "from pkg import Old\nx = Old(1)\n",
    "import a1\nfrom pkg.old import Old\n",
    "import b1\n", "from pkg.old import Old as E\nE(*[1])\n", '"""About pkg.old.Old, the Old."""\n# Old\n',
    "from .old import Old\n__all__ = ['Old']\n", "See pkg.old.Old and Old.\n", "def (\n",
)  # fmt: skip
FILES = {
    "pkg/__init__.py": "",
    "pkg/old.py": "class Old:\n    def __init__(self, a=None): ...\n",
    "pkg/new.py": "class New:\n    def __init__(self, a=None): ...\n",
}
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def found(root: Path, *, cache: bool) -> tuple[Reference, ...]:
    scan = find_references(root, RECIPE, jobs=1, cache=cache)
    return with_mentions(root, RECIPE, scan, jobs=1, cache=cache).references


@FEW
@given(st.lists(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(TEXTS), min_size=1), min_size=1, max_size=4))
def test_references_and_mentions_of_files_that_change(tmp_path_factory, steps) -> None:
    root = tmp_path_factory.mktemp("code")
    write(root, FILES)
    clock = itertools.count(1_000_000_000)
    for step in steps:
        write(root, step)
        for path in step:
            os.utime(root / path, (next(clock),) * 2)
        assert found(root, cache=True) == found(root, cache=False)


@pytest.mark.parametrize("seed", range(6))
def test_phases_one_after_the_other_in_one_process_and_each_by_itself(tmp_path, seed) -> None:
    chosen = random.Random(seed)
    files = {path: chosen.choice(TEXTS) for path in PATHS}
    whole, single = tmp_path / "whole", tmp_path / "single"
    for root in (whole, single):
        write(root, {**FILES, **files})
    kept = list(migration(whole).apply())
    anew: list[PhaseOutcome] = []
    for phase in ("one", "two", "words"):
        for file in (single / CACHE).glob("*-*"):
            file.unlink()
        if not anew or isinstance(anew[-1], PhaseApplied):
            anew += migration(single).apply([phase])
    assert content(whole) == content(single)
    assert [told(one) for one in kept] == [told(one) for one in anew]


def migration(root: Path) -> Migration:
    return Migration(
        RECIPE, root, find=lambda place: found(place, cache=True), rewrite=Rewriter(RECIPE, jobs=1), in_place=True
    )


def told(outcome: PhaseOutcome) -> tuple[object, ...]:
    """What is the same however often it is done."""
    if isinstance(outcome, PhaseApplied):
        return (outcome.phase, outcome.files, outcome.edits, outcome.left)
    return (outcome.phase, outcome.fired)
