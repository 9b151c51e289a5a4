"""Small code bases for the tests of migrate, written to disk or scanned in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from carrel.migrate.recipe import Recipe, parse_recipe
from carrel.migrate.references import Reference, Scan, find_references

__all__ = ["OLD", "RECIPE", "lines", "recipe", "scan", "write"]

OLD = "pkg.engine.Engine"
RECIPE = """
schema_version = 1
name = "engine"

[[symbols]]
old = "pkg.engine.Engine"
new = "pkg.user_engine.UserEngine"
"""
PACKAGE = {
    "pkg/__init__.py": "",
    "pkg/engine.py": "class Engine:\n    def run(self): ...\n    def stop(self): ...\n\n\nclass Other: ...\n",
    "pkg/user_engine.py": "class UserEngine: ...\n",
    "pkg/decoy.py": "class Engine: ...\n\n\nclass UserEngine: ...\n",
}


def recipe(more: str = "") -> Recipe:
    return parse_recipe(RECIPE + dedent(more))


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the package and further files."""
    for path, text in {**PACKAGE, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
    return root


def scan(root: Path, files: Mapping[str, str | bytes] | str, more: str = "") -> Scan:
    """What is found in further files beside the package; a text is the file `app.py`."""
    write(root, {"app.py": files} if isinstance(files, str) else files)
    return find_references(root, recipe(more), jobs=1, cache=False)


def lines(found: Scan | tuple[Reference, ...]) -> list[str]:
    """Each reference in one line: `app.py:1 import certain Engine as E`; the path is left out for `app.py`."""
    references = found.references if isinstance(found, Scan) else found
    return [
        f"{'' if one.path == 'app.py' else one.path + ':'}{one.line} {one.kind} "
        f"{'' if one.certainty == 'certain' else one.certainty + ' '}{one.text}"
        for one in references
    ]
