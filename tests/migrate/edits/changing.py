"""Two verbs for tests of edits: `changed(before, after)` and `unchanged(before)`, in a small code base of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from carrel.migrate.mentions import with_mentions
from carrel.migrate.outcome import Edited, FileOutcome, Refused
from carrel.migrate.recipe import Recipe, parse_recipe
from carrel.migrate.references import find_references
from carrel.migrate.rewrite import Rewriter
from tests.migrate.project import write

CODE: Mapping[str, str] = {
    "pkg/__init__.py": "",
    "pkg/old.py": (
        "class Old:\n    LIMIT = 1\n    def __init__(self, registry, bridge, context=None): ...\n"
        "    def shut(self): ...\nclass Other: ...\n"
    ),
    "pkg/new.py": (
        "class New:\n    LIMIT = 1\n    def close(self): ...\n    @classmethod\n"
        "    async def create(cls, registry, bridge, context=None): ...\n"
    ),
    "pkg/same.py": "class Old: ...\n",
}
SYMBOL = '[[symbols]]\nold = "pkg.old.Old"\nnew = "pkg.new.New"\n'


def recipe(more: str = "", symbols: str = SYMBOL) -> Recipe:
    phase = '[[phases]]\nname = "all"\npaths = ["**"]\n'
    return parse_recipe(f'schema_version = 1\nname = "trial"\n{symbols}{more}\n{phase}')


def outcomes(files: Mapping[str, str | bytes], used: Recipe | None = None) -> dict[str, FileOutcome]:
    """What becomes of each file that holds a reference."""
    used = used or recipe()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write(root, {**CODE, **files})
        scan = with_mentions(root, used, find_references(root, used, jobs=1, cache=False))
        return {outcome.path: outcome for outcome in Rewriter(used, jobs=1)(root, scan.references)}


def outcome_of(before: str | bytes, used: Recipe | None = None, **files: str) -> FileOutcome | None:
    """What becomes of the file `app.py`; `None` when it holds no reference."""
    data = dedent(before) if isinstance(before, str) else before
    return outcomes(
        {**{path.replace("__", "/") + ".py": text for path, text in files.items()}, "app.py": data}, used
    ).get("app.py")


def changed(before: str | bytes, after: str | bytes, used: Recipe | None = None, **files: str) -> tuple[str, ...]:
    """Ask that a file becomes another, byte for byte; gives the reasons of what was left in it."""
    outcome = outcome_of(before, used, **files)
    wanted = dedent(after).encode() if isinstance(after, str) else after
    assert isinstance(outcome, Edited), outcome
    assert outcome.after.decode(errors="replace") == wanted.decode(errors="replace")
    assert outcome.after == wanted
    return tuple(one.reason for one in outcome.left)


def unchanged(before: str | bytes, used: Recipe | None = None, **files: str) -> tuple[str, ...]:
    """Ask that a file stays as it is; gives the reasons of what was left in it, or of the refusal."""
    outcome = outcome_of(before, used, **files)
    assert not isinstance(outcome, Edited), outcome.after.decode()
    if outcome is None:
        return ()
    if isinstance(outcome, Refused):
        return (outcome.reason,)
    return tuple(one.reason for one in outcome.left)
