"""References beside pyright's: it marks every use of a class that is deprecated.

Runs where `pyright` is on the path (`pip install pyright` in an environment of its own); with `CARREL_CASE` set to the
tree of the first case, that is compared as well, which takes pyright minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from carrel.migrate.recipe import Recipe, read_recipe
from carrel.migrate.references import Reference, find_references
from tests.migrate.test_references import FOUND, NOTHING
from tests.migrate.tree import recipe, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed"),
]
BY_NAME = ("import", "call", "base", "annotation", "string_annotation", "name")
Place = tuple[str, int]


def marked(root: Path, home: str, name: str) -> Counter[Place]:
    """The lines in which pyright sees the class used; `home` defines it, and is edited to say that it is deprecated."""
    path = root / home
    text = path.read_text(encoding="utf-8")
    mark = f"from typing_extensions import deprecated as _deprecated\n@_deprecated('x')\nclass {name}"
    path.write_text(text.replace(f"class {name}", mark, 1), encoding="utf-8")
    files = [str(one.relative_to(root)) for one in root.rglob("*.py") if name in one.read_text(errors="replace")]
    settings = {
        "include": files,
        "typeCheckingMode": "off",
        "reportDeprecated": "error",
        "reportMissingImports": "none",
    }
    (root / "pyrightconfig.json").write_text(json.dumps(settings))
    ended = subprocess.run(["pyright", "--outputjson", "-p", str(root)], capture_output=True, text=True, check=False)
    found = [one for one in json.loads(ended.stdout)["generalDiagnostics"] if one.get("rule") == "reportDeprecated"]
    return Counter(
        (str(Path(one["file"]).relative_to(root)), one["range"]["start"]["line"] + 1)
        for one in found
        if f'"{name}"' in one["message"] and Path(one["file"]) != path
    )


def places(root: Path, read: Recipe, name: str) -> tuple[Counter[Place], Counter[Place]]:
    """The lines of all references that pyright could see, and of those that spell the class's own name."""
    found = find_references(root, read, cache=False).references
    seen = [one for one in found if one.kind in BY_NAME]

    def spelled(one: Reference) -> bool:
        return one.bound == name and one.certainty == "certain" and one.text.split(" as ")[0].endswith(name)

    return Counter((one.path, one.line) for one in seen), Counter((one.path, one.line) for one in seen if spelled(one))


def test_the_corpus_is_seen_as_pyright_sees_it(tmp_path: Path):
    texts = [text for text, _ in FOUND.values()] + list(NOTHING.values())
    write(tmp_path, {f"m{number}.py": text for number, text in enumerate(texts)})
    ours, spelled = places(tmp_path, recipe(), "Engine")
    theirs = marked(tmp_path, "pkg/engine.py", "Engine")
    assert theirs
    assert theirs - ours == Counter()
    # Where a handler defines a class of the name, pyright takes the name for that one.
    stand_in = f"m{list(FOUND).index('fallback class')}.py"
    assert {path for path, _ in spelled - theirs} == {stand_in}


@pytest.mark.skipif("CARREL_CASE" not in os.environ, reason="CARREL_CASE is not set")
def test_the_case_is_seen_as_pyright_sees_it(tmp_path: Path):
    case = Path(os.environ["CARREL_CASE"])
    read = read_recipe(Path(__file__).parents[2] / "recipes" / "execution_engine.toml")
    root = tmp_path / "case"
    subprocess.run(["git", "clone", "-q", "--shared", str(case), str(root)], check=True)
    ours, spelled = places(root, read, "ExecutionEngine")
    theirs = marked(root, "netra_backend/app/agents/supervisor/execution_engine.py", "ExecutionEngine")
    assert theirs - ours == Counter()
    assert spelled - theirs == Counter()
