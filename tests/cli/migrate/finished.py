"""A code base after its migration, with a recipe that has a shim and a clean-up."""

from __future__ import annotations

from pathlib import Path

from tests.migrate.project import repository

__all__ = ["RECIPE", "finished"]

RECIPE = """
schema_version = 1
name = "old to new"
[[symbols]]
old = "pkg.old.Old"
new = "pkg.new.New"
[[phases]]
name = "all"
paths = ["**"]
[[shims]]
old = "pkg.old.Old"
new = "pkg.new.New"
[cleanup]
remove = ["pkg.old"]
"""


def finished(root: Path, **files: str) -> Path:
    more = {path.replace("__", "/") + ".py": text for path, text in files.items()}
    package = {"pkg/__init__.py": "", "pkg/old.py": "class Old: ...\n", "pkg/new.py": "class New: ...\n"}
    return repository(root, {**package, "migration.toml": RECIPE, **more})
