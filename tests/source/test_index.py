"""Tests of carrel.source.index."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from carrel.source.files import SourceTree
from carrel.source.index import Index


def count(path: str, data: bytes) -> int | None:
    """The facts of these tests: how often the letter is there; a module-level function, as workers need it."""
    return data.count(b"x") or None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    code.mkdir()
    for number in range(200):
        (code / f"m{number:03}.py").write_text("x" * (number % 3), encoding="utf-8")
    return code


def index(root: Path, *, version: str = "1", kept: bool = True, jobs: int = 2) -> Index[int]:
    directory = root.parent / "cache" if kept else None
    return Index(SourceTree(root), count, int, version=version, directory=directory, jobs=jobs)


def facts(root: Path, **options: object) -> tuple[dict[str, int], int]:
    """The facts, and how many files were read for them."""
    made = index(root, **options)  # type: ignore[arg-type]
    return made.facts(SourceTree(root).files()), made.read_count


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_without_facts_are_left_out(root, jobs):
    found, read = facts(root, jobs=jobs)
    assert found == {f"m{number:03}.py": number % 3 for number in range(200) if number % 3}
    assert read == 200


def test_a_second_time_nothing_is_read(root):
    assert facts(root)[1] == 200
    found, read = facts(root)
    assert (len(found), read) == (133, 0)


def test_what_changed_is_read_again(root):
    facts(root)
    (root / "m000.py").write_text("xxxx", encoding="utf-8")
    (root / "new.py").write_text("xxxxx", encoding="utf-8")
    (root / "m001.py").unlink()
    found, read = facts(root)
    assert (found["m000.py"], found["new.py"], read) == (4, 5, 2)
    assert "m001.py" not in found


def test_a_change_that_keeps_the_size_is_seen(root):
    facts(root)
    file = root / "m001.py"
    before = file.stat()
    file.write_text("y", encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert "m001.py" not in facts(root)[0]


def test_another_version_reads_anew(root):
    facts(root)
    assert facts(root, version="2")[1] == 200


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81\xa1a\x01", os.urandom(100)])
def test_a_damaged_cache_is_as_good_as_none(root, damage):
    facts(root)
    (kept,) = (file for file in (root.parent / "cache").iterdir() if file.name != ".gitignore")
    kept.write_bytes(damage)
    found, read = facts(root)
    assert (len(found), read) == (133, 200)


def test_a_cache_that_cannot_be_written_is_no_error(root):
    (root.parent / "cache").write_text("in the way", encoding="utf-8")
    assert facts(root)[1] == 200


def test_nothing_is_kept_when_nothing_is_to_be_kept(root):
    facts(root, kept=False)
    assert not (root.parent / "cache").exists()


def test_git_leaves_the_cache_alone(root):
    facts(root)
    assert (root.parent / "cache" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_progress_ends_with_all_files(root):
    seen: list[tuple[int, int]] = []
    index(root).facts(SourceTree(root).files(), lambda done, of: seen.append((done, of)))
    assert seen[0] == (0, 200)
    assert seen[-1] == (200, 200)
    assert seen == sorted(seen)


def test_a_file_that_went_away_meanwhile_has_no_facts(root):
    files = SourceTree(root).files()
    (root / "m001.py").unlink()
    assert "m001.py" not in index(root).facts(files)


def name(path: str, data: bytes) -> int:
    return len(path)


def test_a_copy_of_a_file_has_facts_of_its_own(root):
    def named() -> dict[str, int]:
        tree = SourceTree(root)
        made = Index(tree, name, int, version="named", directory=root.parent / "cache", jobs=1)
        return made.facts(tree.files())

    named()
    (root / "longer_name.py").write_bytes((root / "m001.py").read_bytes())
    assert named()["longer_name.py"] == len("longer_name.py")


def test_an_empty_file_can_be_all_that_changed(root):
    facts(root)
    (root / "m001.py").write_bytes(b"")
    found, read = facts(root)
    assert ("m001.py" in found, read) == (False, 1)


class Cyclic:
    """What only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def cyclic(path: str, data: bytes) -> int:
    Cyclic()
    return 1


@contextmanager
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read_cyclic(root: Path) -> None:
    tree = SourceTree(root)
    Index(tree, cyclic, int, version="1", directory=None, jobs=1).facts(tree.files())


def test_nothing_that_was_read_stays_where_the_collector_is_off(root):
    for name in ("large.py", "larger.py"):
        (root / name).write_text("#" * (1 << 20), encoding="utf-8")
    with uncollected():
        read_cyclic(root)
        assert not any(isinstance(one, Cyclic) for one in gc.get_objects())


def test_a_few_small_files_are_not_worth_a_collection(root):
    """In a process with much else, one costs a second."""
    with uncollected():
        before = gc.get_stats()[2]["collections"]
        read_cyclic(root)
        assert gc.get_stats()[2]["collections"] == before


def when(path: str, data: bytes) -> int:
    return time.perf_counter_ns()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_with_another_time_and_the_same_bytes_keeps_its_facts(root, jobs):
    def told() -> dict[str, int]:
        tree = SourceTree(root)
        return Index(tree, when, int, version="when", directory=root.parent / "cache", jobs=jobs).facts(tree.files())

    before = told()
    for path in root.iterdir():
        os.utime(path, (1, 1))
    (root / "m001.py").write_text("y", encoding="utf-8")
    after = told()
    assert {path for path in before if before[path] != after[path]} == {"m001.py"}
