"""What a phase edits and what it leaves; test_runner and test_resume carry phases out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from carrel.migrate.outcome import Edited, FileOutcome, LeftReference, Refused, Unchanged
from carrel.migrate.phase import edited_files
from carrel.migrate.references import Reference
from tests.migrate.project import FILES, find, rewrite, write


def test_only_references_of_the_phases_are_edited_and_all_are_known(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    seen = []

    def noted(root: Path, references: Sequence[Reference], every: Sequence[Reference]) -> Iterator[FileOutcome]:
        seen.append((len(references), len(every)))
        return rewrite(root, references)

    files, left = edited_files(tmp_path, noted, tuple(find(tmp_path)), ("second",))
    assert ([file.path for file in files], left) == (["pkg/b.py"], ())
    assert seen == [(2, 4)]


def test_what_is_left_is_told_by_file_or_by_line(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "bad\nname.py": "Old"})
    (tmp_path / "link.py").symlink_to("pkg/a.py")
    references = tuple(find(tmp_path))

    def odd(root: Path, some: Sequence[Reference], every: Sequence[Reference]) -> Iterator[FileOutcome]:
        yield Refused(path="r.py", reason="odd", references=references[:1])
        yield Unchanged(path="pkg/a.py", left=(LeftReference(reference=references[1], reason="look"),))
        for path in ("bad\nname.py", "link.py"):
            yield Edited(path=path, before=b"", after=b"x", edits=1)

    files, left = edited_files(tmp_path, odd, references, ("first", "second"))
    assert files == []
    assert [(one.path, one.line, one.references) for one in left] == [
        ("r.py", 0, 1), ("pkg/a.py", 3, 1), ("bad\nname.py", 0, 0), ("link.py", 0, 0),
    ]  # fmt: skip
    assert "cannot be printed" in left[2].reason
    assert "symbolic link" in left[3].reason
