"""Tests of carrel.migrate.burn_down."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from carrel.errors import MigrationError
from carrel.migrate.burn_down import Sample, burn_down, burn_down_svg
from tests.migrate.project import commit, git
from tests.migrate.tree import recipe, write


def history(root: Path, counts: list[int]) -> Path:
    """A repository with so many references at each commit."""
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for number, count in enumerate(counts):
        write(root, {f"lib/m{n}.py": f"# {number}\n" for n in range(4)})
        write(root, {f"lib/m{n}.py": f"from pkg.engine import Engine  # {number}\n" for n in range(count)})
        commit(root, f"Step {number}")
    return root


def test_references_are_counted_at_commits_of_the_history(tmp_path: Path):
    root = history(tmp_path / "code", [4, 4, 3, 2, 0])
    (root / "dirty.py").write_text("from pkg.engine import Engine\n")
    told: list[tuple[int, int]] = []
    samples = burn_down(root, recipe(), samples=3, jobs=1, progress=lambda done, of: told.append((done, of)))
    assert [(one.subject, one.references) for one in samples] == [("Step 0", 4), ("Step 2", 3), ("Step 4", 0)]
    assert samples[0].by_phase == {"rest": 4}
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert git(root, "worktree", "list").count("\n") <= 1
    assert git(root, "status", "--porcelain").strip() == "?? dirty.py"


def test_a_directory_of_the_repository_is_counted_alone(tmp_path: Path):
    root = history(tmp_path / "code", [2, 1])
    samples = burn_down(root / "lib", recipe(), jobs=1)
    assert [one.references for one in samples] == [2, 1]
    assert [one.references for one in burn_down(root, recipe(), samples=1, jobs=1)] == [1]


def test_without_git_there_is_no_history(tmp_path: Path):
    with pytest.raises(MigrationError):
        burn_down(write(tmp_path, {}), recipe())


def sample(time: int, references: int, subject: str = "x") -> Sample:
    return Sample(commit="c" * 40, time=time, subject=subject, references=references, by_phase={})


def test_the_picture_is_valid_and_falls_to_the_ground():
    text = burn_down_svg([sample(0, 10, "<b> & more"), sample(86400, 5), sample(172800, 0)])
    root = ET.fromstring(text)
    points = [tuple(map(float, one.split(","))) for one in root.find("{*}polyline").get("points").split()]  # type: ignore[union-attr]
    assert points[0] == (40.0, 40.0)
    assert points[-1] == (680.0, 200.0)
    assert [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")] == [
        "10",
        "0",
        "1970-01-01",
        "1970-01-03",
    ]
    assert "10 references. <b> & more" in [one.text for one in root.iter("{http://www.w3.org/2000/svg}title")][1]  # type: ignore[operator]


def test_one_sample_and_none_can_be_drawn():
    assert burn_down_svg([]) == ""
    ET.fromstring(burn_down_svg([sample(5, 0)]))
