"""Tests of carrel.migrate.recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import RecipeError
from carrel.migrate.recipe import parse_recipe, read_recipe

MINIMAL = """schema_version = 1
name = "x"
[[symbols]]
old = "a.b.C"
new = "a.d.E"
"""
CONSTRUCTOR = """[[constructors]]
symbol = "a.b.C"
signature = "(r, b=None)"
"""
CALL = """[[constructors.calls]]
call = "{new}"
"""


def test_a_minimal_recipe_has_defaults():
    recipe = parse_recipe(MINIMAL)
    symbol = recipe.symbols[0]
    assert (symbol.old_module, symbol.old_name, symbol.new_module, symbol.new_name) == ("a.b", "C", "a.d", "E")
    assert (symbol.alias, recipe.gates.slower_at_most, recipe.gates.runs) == ("rename", 1.2, 3)
    assert recipe.symbol("a.b.C") is symbol
    assert recipe.symbol("a.b.D") is None
    assert recipe.constructor("a.b.C") is None
    assert recipe.renamed("a.b.C") == {}


def test_everything_that_a_recipe_can_say_is_read():
    recipe = parse_recipe(
        MINIMAL
        + CONSTRUCTOR
        + """[[constructors.calls]]
where = "async"
call = "await {new}.make"
signature = "(first, /, second, third=None)"
parameters = { first = "{r}", second = "wrap({b})", third = "1" }
requires = ["b"]
optional = ["third"]
imports = ["from x import wrap"]
[[symbols]]
old = "a.b.thing"
new = "a.d.get_thing"
call = { sync = "{new}()", async = "await {new}()" }
[[modules]]
old = "a.old"
new = "a.new"
[[attributes]]
symbol = "a.b.C"
rename = { stop = "close" }
[[phases]]
name = "one"
paths = ["**"]
documentation = true
[gates]
triggers = ["failed_test"]
[[gates.commands]]
name = "tests"
run = "pytest"
phases = ["one"]
[[shims]]
old = "a.b.C"
new = "a.d.E"
[cleanup]
remove = ["a.b"]
[tree]
exclude = ["vendor"]
roots = ["src"]
"""
    )
    constructor = recipe.constructor("a.b.C")
    assert constructor is not None
    assert constructor.old_signature.parameters["b"].default == "None"
    call = constructor.calls[0]
    assert call.positional == ("first",)
    assert call.new_signature is not None
    assert recipe.renamed("a.b.C") == {"stop": "close"}
    assert recipe.symbols[1].call is not None
    assert recipe.symbols[1].call.async_ == "await {new}()"
    assert recipe.gates.commands[0].phases == ("one",)
    assert recipe.tree.roots == ("src",)


WRONG = {
    "no TOML": ("schema_version = \n", 1, "", "Invalid value"),
    "unknown key": (MINIMAL + 'aliass = "keep"\n', 6, "symbols[0].aliass", "unknown field"),
    "unknown policy": (MINIMAL + 'alias = "drop"\n', 6, "symbols[0].alias", "Invalid enum value 'drop'"),
    "wrong type": (MINIMAL + "alias = 1\n", 6, "symbols[0].alias", "Expected `str`"),
    "missing key": ('schema_version = 1\nname = "x"\n[[symbols]]\nold = "a.b"\n', 3, "symbols[0]", "required field `new`"),  # noqa: E501
    "later version": (MINIMAL.replace("= 1", "= 2"), 0, "", "this version reads 1"),
    "nothing moves": ('schema_version = 1\nname = "x"\n', 0, "", "moves nothing"),
    "no module": (MINIMAL.replace("a.d.E", "E"), 3, "symbols[0]", "must be package.module.Name"),
    "no name": (MINIMAL.replace("a.b.C", "a.b-c.C"), 3, "symbols[0]", "must be package.module.Name"),
    "twice": (MINIMAL + MINIMAL.partition("\n")[2].partition("\n")[2], 0, "", "`symbols` has 'a.b.C' twice"),
    "unknown symbol": (MINIMAL + CONSTRUCTOR.replace("a.b.C", "a.b.D") + CALL, 0, "", "'a.b.D' is not the `old`"),
    "no call": (MINIMAL + CONSTRUCTOR + "calls = []\n", 6, "constructors[0]", "has no `calls`"),
    "no signature": (MINIMAL + CONSTRUCTOR.replace("(r, b=None)", "r, b") + CALL, 6, "constructors[0]", "no parameter list"),  # noqa: E501
    "unknown parameter": (MINIMAL + CONSTRUCTOR + CALL + 'parameters = { x = "{q}" }\n', 6, "constructors[0]", "uses {q}"),  # noqa: E501
    "unknown requirement": (MINIMAL + CONSTRUCTOR + CALL + 'requires = ["q"]\n', 6, "constructors[0]", "'q'"),
    "parameters that do not fit": (
        MINIMAL + CONSTRUCTOR + CALL + 'signature = "(x)"\nparameters = { y = "1" }\n',
        9, "constructors[0].calls[0]", "do not fit",
    ),
    "optional without parameter": (MINIMAL + CONSTRUCTOR + CALL + 'optional = ["y"]\n', 9, "constructors[0].calls[0]", "'y'"),  # noqa: E501
    "no import": (MINIMAL + CONSTRUCTOR + CALL + 'imports = ["x"]\n', 9, "constructors[0].calls[0]", "no import"),
    "open brace": (MINIMAL + CONSTRUCTOR + CALL.replace("{new}", "{new"), 9, "constructors[0].calls[0]", "write a brace as"),  # noqa: E501
    "empty use": (MINIMAL + "call = {}\n", 6, "symbols[0].call", "neither `sync` nor `async`"),
    "kept and called": (MINIMAL + 'alias = "keep"\ncall = { sync = "{new}()" }\n', 3, "symbols[0]", "must be"),
    "attribute with a dot": (
        MINIMAL + '[[attributes]]\nsymbol = "a.b.C"\nrename = { a = "b.c" }\n', 6, "attributes[0]", "must be one name"
    ),
    "gate of no phase": (
        MINIMAL + '[[gates.commands]]\nname = "t"\nrun = "x"\nphases = ["p"]\n', 0, "", "names the phase 'p'"
    ),
    "no runs": (MINIMAL + "[gates]\nruns = 0\n", 6, "gates", "must be positive"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str, line: int, key: str, problem: str):
    with pytest.raises(RecipeError) as raised:
        parse_recipe(text, "m.toml")
    error = raised.value
    assert problem in error.problem
    assert (error.line, error.key) == (line, key)
    assert str(error).startswith(f"m.toml:{line}: " if line else "m.toml: ")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    with pytest.raises(RecipeError, match="cannot be read: No such file.*migrate init"):
        read_recipe(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(RecipeError, match="is not UTF-8"):
        read_recipe(tmp_path / "bad.toml")
    (tmp_path / "good.toml").write_text(MINIMAL)
    assert read_recipe(tmp_path / "good.toml").name == "x"
