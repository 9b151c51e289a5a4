"""Diffs that git can apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.migrate.diff import unified_diff
from tests.migrate.project import git, repository


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\r\nb\r\n", b"a\r\nB\r\n"),
        (b"a\nb", b"a\nB"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"\xffold\x0c\x1d\rx\n", b"\xfenew\x0c\x1d\rx\n"),
    ],
    ids=["lines", "crlf", "no end", "end added", "end removed", "no text"],
)
def test_git_applies_it_and_gets_the_very_bytes(tmp_path: Path, before: bytes, after: bytes) -> None:
    root = repository(tmp_path / "code", {"päth/a b.py": before})
    (tmp_path / "diff").write_bytes(unified_diff("päth/a b.py", before, after))
    git(root, "apply", "../diff")
    assert (root / "päth" / "a b.py").read_bytes() == after


def test_nothing_changed_is_no_diff():
    assert unified_diff("a.py", b"x\n", b"x\n") == b""
