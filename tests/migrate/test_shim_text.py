"""What a shim's text consists of."""

from __future__ import annotations

import ast

import pytest

from carrel.migrate.recipe import Shim, UseCall
from carrel.migrate.shim_text import HEADING, ShimText, module_redirect, names_in_module
from tests.migrate.shimmed import CREATED, MAPPED, recipe

SHIM = Shim(old="shop.old.Old", new="shop.new.New")


def text(more: str = "", *, kind: str = "class", renamed: dict[str, str] | None = None, call: str = "") -> ShimText:
    return ShimText(
        shim=SHIM,
        kind=kind,  # type: ignore[arg-type]
        new_is_class=kind == "class",
        constructor=recipe(more).constructor("shop.old.Old"),
        renamed=renamed or {},
        call=UseCall(sync=call) if call else None,
    )


@pytest.mark.parametrize(
    "made",
    [
        text(),
        text(MAPPED),
        text(CREATED),
        text(renamed={"a": "b"}),
        text(MAPPED, kind="function"),
        text(call="{new}()"),
    ],
)
def test_a_definition_is_one_function_that_imports_only_what_it_redirects_to(made: ShimText) -> None:
    tree = ast.parse(made.definition())
    assert [type(one) for one in tree.body] == [ast.FunctionDef]
    imported = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"inspect", "warnings", "shop.new"}


def test_what_need_not_be_mapped_is_the_new_object() -> None:
    assert text().is_identity
    assert not text(MAPPED).is_identity
    assert len(text().definition().splitlines()) == 5


def test_only_what_has_to_be_awaited_is_finished() -> None:
    assert "def finished" in text(CREATED).definition()
    assert "def finished" not in text(MAPPED).definition()
    assert "def finished" not in text(CREATED, kind="async function").definition()


@pytest.mark.parametrize("kind", ["class", "async function"])
@pytest.mark.parametrize("more", [MAPPED, CREATED])
def test_a_maker_is_one_function_that_imports_the_new_one_where_it_is_elsewhere(more: str, kind: str) -> None:
    made = text(more, kind=kind)
    here, elsewhere = ast.parse(made.maker("make", "shop.new")), ast.parse(made.maker("make", "shop.other"))
    assert [type(one) for one in (*here.body, *elsewhere.body)] == [ast.FunctionDef, ast.FunctionDef]
    imports = [node.module for node in ast.walk(elsewhere) if isinstance(node, ast.ImportFrom)]
    assert imports == ["shop.new"]
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(here))
    assert ("def finished" in ast.unparse(here)) == (more == CREATED and kind == "class")


def test_the_message_names_both() -> None:
    assert text().message == "`shop.old.Old` is deprecated; use `shop.new.New`"


def test_the_end_of_a_module_asks_what_was_there_before() -> None:
    plain = names_in_module([text()], dynamic=False, public=False, checking=True)
    assert plain.startswith(HEADING)
    assert "__all__" not in plain
    assert "from typing" not in plain
    dynamic = names_in_module([text()], dynamic=True, public=True, checking=False)
    assert "_other_names = __getattr__" in dynamic
    assert "__all__ = " in dynamic
    assert "from typing import TYPE_CHECKING" in dynamic
    ast.parse(plain)
    ast.parse(dynamic)


def test_a_module_redirects_as_a_whole() -> None:
    ast.parse(module_redirect(Shim(old="shop.old", new="shop.new", message='say "this"')))
