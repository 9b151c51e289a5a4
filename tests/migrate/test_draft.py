"""Tests of carrel.migrate.draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import MigrationError
from carrel.migrate.draft import draft_recipe
from carrel.migrate.recipe import Recipe, parse_recipe
from tests.migrate.tree import write


def draft(root: Path, files: dict[str, str | bytes], old: str = "pkg.engine.Engine") -> tuple[str, Recipe]:
    text = draft_recipe(write(root, files), old, "pkg.user_engine.UserEngine")
    return text, parse_recipe(text)


def test_parameters_of_the_same_name_are_mapped(tmp_path: Path):
    files: dict[str, str | bytes] = {
        "pkg/engine.py": "class Engine:\n    def __init__(self, a, b=1, *args): ...\n",
        "pkg/user_engine.py": "class UserEngine:\n    def __init__(self, b, /, *, a, c=None): ...\n",
    }
    _, recipe = draft(tmp_path, files)
    constructor = recipe.constructors[0]
    assert (constructor.signature, constructor.calls[0].signature) == ("(a, b=1, *args)", "(b, /, *, a, c=None)")
    assert constructor.calls[0].parameters == {"b": "{b}", "a": "{a}"}
    assert constructor.calls[0].positional == ("b",)
    assert constructor.maker == "pkg.user_engine.user_engine_from_engine"


def test_what_cannot_be_known_is_left_to_fill_in(tmp_path: Path):
    files: dict[str, str | bytes] = {
        "pkg/engine.py": "class Engine:\n    def __init__(self, a): ...\n    def stop(self): ...\n",
        "pkg/user_engine.py": "class UserEngine:\n    def __init__(self, user, *, a): ...\n",
    }
    text, recipe = draft(tmp_path, files)
    assert recipe.constructors == ()
    assert "# No old parameter is called user: say how to make it from {a}, then uncomment." in text
    assert '# parameters.user = "…"' in text
    assert '# rename = { stop = "…" }' in text
    filled = text.replace("…", "x").replace("\n# ", "\n").replace("The new class", "#").replace("No old", "#")
    assert parse_recipe(filled).constructors[0].calls[0].parameters == {"user": "x", "a": "{a}"}


def test_equal_signatures_need_no_constructor(tmp_path: Path):
    text, recipe = draft(tmp_path, {"pkg/engine.py": "class Engine: ...\n"})
    assert recipe.constructors == ()
    assert "onstructors" not in text


def test_fields_of_a_dataclass_are_its_parameters(tmp_path: Path):
    files: dict[str, str | bytes] = {"pkg/engine.py": "@dataclass\nclass Engine:\n    a: int\n    b: int = 2\n"}
    _, recipe = draft(tmp_path, files)
    assert recipe.constructors[0].signature == "(a, b=2)"
    assert recipe.constructors[0].calls[0].parameters == {}


def test_an_inherited_signature_is_said_to_be(tmp_path: Path):
    text, _ = draft(tmp_path, {"pkg/engine.py": "class Engine(Base): ...\n"})
    assert "is inherited" in text


def test_a_function_moves_without_constructor(tmp_path: Path):
    _, recipe = draft(tmp_path, {"pkg/engine.py": "def make(): ...\n"}, "pkg.engine.make")
    assert recipe.symbols[0].old == "pkg.engine.make"


def test_phases_are_those_that_the_code_base_has_files_for(tmp_path: Path):
    text, recipe = draft(tmp_path, {"tests/e2e/test_a.py": "", "tests/test_b.py": ""})
    assert [phase.name for phase in recipe.phases] == ["code", "end-to-end", "unit"]
    assert [command.run for command in recipe.gates.commands] == ["python -m pytest -q"]
    assert recipe.phases[0].exclude[0] == "**/e2e/**"
    assert "mission" not in text


def test_an_old_name_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(MigrationError, match="pkg.engine.Gone is not defined below"):
        draft(tmp_path, {}, "pkg.engine.Gone")
