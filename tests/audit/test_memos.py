"""Tests of carrel.audit.memos."""

from __future__ import annotations

import pytest

from carrel.audit.memos import memo_of
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("KEPT[key] = make()", ("key", "make")),
        ("KEPT[key] = value = make()", ("key", "make")),
        ("value = make()\n    KEPT[key] = (now(), value)", ("key", "make")),
        ("value = KEPT.get(key) or KEPT.setdefault(key, make())", ("key", "make")),
        ("KEPT.__setitem__(key, make())", ("key", "make")),
        ("KEPT.setdefault(key, load(key))", ("", "")),
        ("KEPT.pop(key, make())", ("", "")),
        ("KEPT[key] = load(key)", ("", "")),
        ("KEPT['one'] = make()", ("", "")),
        ("KEPT[key.id] = make()", ("", "")),
        ("KEPT[key] = make.one()", ("", "")),
        ("KEPT[key] = key()", ("", "")),
        ("kept = KEPT if key else {}\n    kept[key] = make()", ("key", "make")),
        ("kept = {}\n    kept[key] = make()", ("", "")),
    ],
)
def test_what_keeps_what_a_callable_gives(body: str, found: tuple[str, str]) -> None:
    read = view(f"KEPT = {{}}\ndef once(key, make):\n    {body}\n")
    assert memo_of(read, read.functions[0]) == found


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ("MAKERS[kind](**context)", ("kind", "**context")),
        ("MAKERS[kind](context=context)", ("", "")),
        ("MAKERS[kind](**SETTINGS)", ("", "")),
        ("context", ("", "")),
    ],
)
def test_what_keeps_what_it_makes_of_what_it_is_handed(made: str, found: tuple[str, str]) -> None:
    text = "KEPT = {{}}\ndef resolve(kind, **context):\n    {0}\n        KEPT[kind] = {1}\n"
    read = view(text.format("if kind not in KEPT:", made))
    assert memo_of(read, read.functions[0]) == found
    read = view(text.format("with LOCK:", made))
    assert memo_of(read, read.functions[0]) == ("", "")
    read = view(text.replace("**context", "context").format("if kind not in KEPT:", made))
    assert memo_of(read, read.functions[0]) == ("", "")
