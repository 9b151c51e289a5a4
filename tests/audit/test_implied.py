"""What a cache's key need not say."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.implied import is_checked, is_made_of, is_of_the_same, whole_parameters
from carrel.audit.origins import telling
from tests.audit.checking import view

CLIENT = """
class Client:
    def __init__(self, token):
        self.token = token
    def rows(self, name, user_id):
        kept = self.cache.get(name)
        answer = fetch({0})
        if {1}:
            return kept[1]
        self.cache[name] = (self.token, answer.token, user_id)
"""


def seen(source: str = "name", test: str = "kept") -> tuple[FileView, Block]:
    looked = view(CLIENT.format(source, test))
    return looked, next(one for one in looked.functions if one.name == "rows")


def stored(function: Block) -> ast.expr:
    (assign,) = (one for one in function.nodes(ast.Assign) if isinstance(one.targets[0], ast.Subscript))
    return assign.value


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("name", ["name"]),
        ("key_of(name, user_id)", ["name", "user_id"]),
        ("name.text", []),
        ("name['text']", []),
        ("key_of(request)", []),
        ("key_of(asked)", []),
        ("self.key()", ["self"]),
        ("self.name", []),
        ("key_of(self.name)", []),
    ],
)
def test_what_a_key_is_made_of_as_it_is(key: str, expected: list[str]) -> None:
    looked = view(
        "from fastapi import Request\nclass A:\n    def rows(self, name, user_id, request, asked: Request):\n"
        f"        return CACHE[{key}]\n"
    )
    (function,) = looked.functions
    item = next(one for one in function.nodes(ast.Subscript) if ast.unparse(one.value) == "CACHE")
    assert sorted(whole_parameters(looked, item.slice, function)) == expected


@pytest.mark.parametrize(("source", "expected"), [("name", True), ("URL", True), ("user_id", False)])
def test_a_result_of_what_is_in_the_key(source: str, expected: bool) -> None:
    looked, function = seen(source)
    leaf = next(one for one in function.nodes(ast.Attribute) if ast.unparse(one) == "answer.token")
    assert is_made_of(looked, leaf, function, {"name"}) is expected


def test_a_parameter_is_no_result() -> None:
    looked, function = seen()
    leaf = next(one for one in function.nodes(ast.Name) if one.id == "user_id")
    assert not is_made_of(looked, leaf, function, {"name", "user_id"})


def test_what_the_object_that_holds_the_cache_was_made_with() -> None:
    looked, function = seen()
    told = {ast.unparse(leaf): leaf for leaf, _ in telling(looked, stored(function), function)}
    found = [text for text, leaf in told.items() if is_of_the_same(looked, leaf, "self.cache", function)]
    assert found == ["self.token"]
    assert not is_of_the_same(looked, told["self.token"], "CACHE", function)
    (itself, *_) = (one for one in function.nodes(ast.Name) if one.id == "self")
    assert not is_of_the_same(looked, itself, "self.cache", function)


@pytest.mark.parametrize(
    ("test", "expected"),
    [("kept[0] == user_id", True), ("user_id != kept[0]", True), ("kept[0] == name", False), ("kept is None", False)],
)
def test_what_is_compared_with_who_asks(test: str, expected: bool) -> None:
    looked, function = seen(test=test)
    assert is_checked(looked, "user_id", "self.cache", function) is expected
