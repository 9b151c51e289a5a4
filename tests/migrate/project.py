"""A small code base on the move, with a scan and an edit that are as simple as can be."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from carrel.migrate.git import clean_environment
from carrel.migrate.outcome import Edited, FileOutcome
from carrel.migrate.phase import Rewrite
from carrel.migrate.recipe import Recipe, parse_recipe
from carrel.migrate.references import Reference
from carrel.migrate.runner import Migration

PYTHON = sys.executable
FILES: Mapping[str, str] = {
    "pkg/__init__.py": "",
    "pkg/old.py": "class Old: ...\n",
    "pkg/new.py": "class New: ...\n",
    "pkg/a.py": "from pkg.old import Old\n\nmade = Old()\n",
    "pkg/b.py": "from pkg.old import Old  # why\r\nmade = Old()\r\n",
    "docs/read.md": "Old things\n",
}
PHASES = ("first", "second")
# Without time and memory: a test must not depend on how busy the machine is.
QUICK = 'triggers = ["failed_test", "failed_command", "unparsable", "import_cycle", "references"]'


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())


def git(root: Path, *arguments: str) -> str:
    ended = subprocess.run(
        ("git", "-c", "protocol.file.allow=always", *arguments),
        cwd=root, env={**clean_environment(), "GIT_CONFIG_GLOBAL": "/dev/null"}, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.rstrip("\n")


def commit(root: Path, message: str = "Begin") -> str:
    git(root, "add", "-A")
    git(root, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")


def repository(root: Path, files: Mapping[str, str | bytes] = FILES) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    write(root, files)
    commit(root)
    return root


def recipe(*, gates: str = "", triggers: str = QUICK, name: str = "old to new") -> Recipe:
    """`first` takes pkg/a.py, `second` takes pkg/b.py."""
    return parse_recipe(
        f"""
        schema_version = 1
        name = "{name}"
        [[symbols]]
        old = "pkg.old.Old"
        new = "pkg.new.New"
        [[phases]]
        name = "first"
        paths = ["pkg/a.py"]
        [[phases]]
        name = "second"
        paths = ["pkg/b.py"]
        [gates]
        runs = 1
        {triggers}
        {gates}
        """
    )


def gate(name: str, run: str) -> str:
    return f"[[gates.commands]]\nname = '{name}'\nrun = '''{run}'''\n"


def find(root: Path) -> Iterator[Reference]:
    """The word `Old` in the two files that are to move."""
    for phase, path in zip(PHASES, ("pkg/a.py", "pkg/b.py"), strict=True):
        file = root / path
        data = file.read_bytes() if file.is_file() else b""
        for match in re.finditer(rb"\bOld\b", data):
            yield reference(path, phase, data, match.start(), match.end())


def reference(path: str, phase: str, data: bytes, start: int, end: int) -> Reference:
    line, column = data.count(b"\n", 0, start) + 1, start - (data.rfind(b"\n", 0, start) + 1)
    return Reference(
        path=path, line=line, column=column, end_line=line, end_column=column + end - start, kind="name",
        certainty="certain", symbol="pkg.old.Old", resolved_to="pkg.old.Old", phase=phase, text="Old",
        start=start, end=end,
    )  # fmt: skip


def moved(data: bytes) -> bytes:
    return re.sub(rb"\bOld\b", b"New", data).replace(b"pkg.old", b"pkg.new")


def rewrite(root: Path, references: Sequence[Reference], every: Sequence[Reference] = ()) -> Iterator[FileOutcome]:
    for path in sorted({one.path for one in references}):
        before = (root / path).read_bytes()
        count = sum(one.path == path for one in references)
        yield Edited(path=path, before=before, after=moved(before), edits=count)


@dataclass
class Said:
    """Remembers what a migration says that it does."""

    steps: list[str] = field(default_factory=list)

    def __call__(self, step: str) -> None:
        self.steps.append(step)


def migration(
    root: Path,
    recipe: Recipe,
    *,
    rewrite: Rewrite = rewrite,
    in_place: bool = False,
    place: Path | None = None,
) -> Migration:
    return Migration(recipe, root, find=find, rewrite=rewrite, in_place=in_place, place=place, progress=Said())


def worktree_of(root: Path) -> Path:
    return root.with_name(f"{root.name}.old-to-new")


def content(root: Path) -> dict[str, bytes]:
    """Every file outside of the state of git and carrel."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".git", ".carrel"} & set(path.relative_to(root).parts)
    }
