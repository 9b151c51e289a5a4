"""How many references were left at points of a repository's history."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final

from carrel.errors import MigrationError
from carrel.migrate.git import Git
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import find_references
from carrel.migrate.scan_report import counts

__all__ = ["Sample", "burn_down", "burn_down_svg", "checked_out"]

_WIDTH: Final = 720
_HEIGHT: Final = 240
_MARGIN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was left at one commit."""

    commit: str
    time: int
    """Seconds since 1970."""
    subject: str
    references: int
    by_phase: dict[str, int]


def burn_down(
    root: Path,
    recipe: Recipe,
    *,
    samples: int = 20,
    jobs: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Sample, ...]:
    """The references at up to `samples` commits of the current branch, the first and the last among them.

    The commits are checked out one after the other into a directory of their own; the checkout stays as it is.
    Raises `MigrationError` where there is no git repository.
    """
    git = Git(root)
    log = git.run("log", "--first-parent", "--format=%H%x00%ct%x00%s", "HEAD").decode(errors="replace").splitlines()
    chosen = _spread(log[::-1], samples)
    found = []
    with checked_out(root) as (check_out, directory):
        for number, line in enumerate(chosen, 1):
            commit, time, subject = line.split("\0", 2)
            check_out(commit)
            references = find_references(directory, recipe, jobs=jobs).references if directory.is_dir() else ()
            found.append(
                Sample(
                    commit=commit,
                    time=int(time),
                    subject=subject,
                    references=len(references),
                    by_phase=counts(references, "phase"),
                )
            )
            if progress is not None:
                progress(number, len(chosen))
    return tuple(found)


@contextmanager
def checked_out(root: Path) -> Iterator[tuple[Callable[[str], None], Path]]:
    """A worktree of its own: a function that checks a commit out there, and the directory that `root` is in it."""
    git = Git(root)
    prefix = git.line("rev-parse", "--show-prefix")
    place = Path(tempfile.mkdtemp(prefix="carrel-history-"))
    tree = place / "tree"
    git.run("worktree", "add", "--quiet", "--detach", "--no-checkout", str(tree), "HEAD")
    inner = git.at(tree)

    def check_out(commit: str) -> None:
        inner.run("checkout", "--quiet", "--force", "--detach", commit)

    try:
        yield check_out, tree / prefix if prefix else tree
    finally:
        try:
            git.run("worktree", "remove", "--force", str(tree))
        except MigrationError:
            shutil.rmtree(tree, ignore_errors=True)
            git.run("worktree", "prune")
        shutil.rmtree(place, ignore_errors=True)


def burn_down_svg(samples: Sequence[Sample]) -> str:
    """A step line of the references left, as an SVG element that stands alone; empty without samples."""
    if not samples:
        return ""
    first, last = samples[0].time, samples[-1].time
    most = max(1, *(sample.references for sample in samples))

    def x(time: int) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * ((time - first) / (last - first) if last > first else 1.0)

    def y(references: int) -> float:
        return _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * references / most

    points = []
    for before, sample in zip((samples[0], *samples), samples, strict=False):
        points += [
            f"{x(sample.time):.1f},{y(before.references):.1f}",
            f"{x(sample.time):.1f},{y(sample.references):.1f}",
        ]
    marks = "".join(
        f'<circle cx="{x(one.time):.1f}" cy="{y(one.references):.1f}" r="3"><title>{one.commit[:9]} {_day(one.time)}: '
        f"{one.references} references. {escape(one.subject)}</title></circle>"
        for one in samples
    )
    bottom = _HEIGHT - _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" fill="currentColor" '
        f'font-family="sans-serif" font-size="12"><title>References left, from {samples[0].references} to '
        f"{samples[-1].references}</title>"
        f'<path d="M{_MARGIN},{_MARGIN}V{bottom}H{_WIDTH - _MARGIN}" fill="none" stroke="currentColor"/>'
        f'<polyline points="{" ".join(points)}" fill="none" stroke="currentColor" stroke-width="2"/>{marks}'
        f'<text x="{_MARGIN - 6}" y="{_MARGIN + 4}" text-anchor="end">{most}</text>'
        f'<text x="{_MARGIN - 6}" y="{bottom}" text-anchor="end">0</text>'
        f'<text x="{_MARGIN}" y="{bottom + 18}">{_day(first)}</text>'
        f'<text x="{_WIDTH - _MARGIN}" y="{bottom + 18}" text-anchor="end">{_day(last)}</text></svg>'
    )


def _spread(lines: Sequence[str], wanted: int) -> list[str]:
    """At most `wanted` of the lines, evenly, with the first and the last."""
    if len(lines) <= wanted:
        return list(lines)
    if wanted < 2:
        return [lines[-1]]
    step = (len(lines) - 1) / (wanted - 1)
    return [lines[round(number * step)] for number in range(wanted)]


def _day(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
