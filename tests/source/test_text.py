"""Tests of carrel.source.text."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.errors import SourceError
from carrel.source.text import SourceText


@pytest.mark.parametrize(
    "data",
    [
        b"a = 1\n",
        b"\xef\xbb\xbfa = 1\r\n",
        "# -*- coding: latin-1 -*-\na = 'é'\n".encode("latin-1"),
        "# coding: cp1252\nprice = '€'\r\n".encode("cp1252"),
        "# vim: set fileencoding=utf-8 :\nx = 'ü'\n".encode(),
        b"\x0cdef f():\n\tpass\n\x0c\n",
        b"a = 1\rb = 2\r",
        b"",
    ],
)
def test_a_text_that_is_not_edited_gives_back_its_bytes(data):
    text = SourceText(data)
    text.parse()
    assert text.encode(text.utf8) == data


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"# coding: no-such-codec\n", "unknown encoding"),
        (b"a = '\xff'\n", "cannot be decoded"),
        (b"a = (\n", "cannot be parsed"),
        (b"a = '\x00'\n", "cannot be parsed"),
        (b"x = " + b"(" * 5_000 + b")" * 5_000, "cannot be parsed"),
        (b"x = " + b"-" * 200_000 + b"1", "cannot be parsed"),
    ],
)
def test_what_python_cannot_read_is_refused_with_a_reason(data, problem):
    with pytest.raises(SourceError, match=problem):
        SourceText(data).parse()


def test_a_syntax_error_names_its_line():
    with pytest.raises(SourceError) as caught:
        SourceText(b"a = 1\nb = = 2\n").parse()
    assert caught.value.line == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_positions_are_those_of_ast(end):
    source = end.join(["größe = 1", "f(größe,", "  'ä', other)", ""])
    text = SourceText(source.encode())
    for node in ast.walk(text.parse()):
        if isinstance(node, ast.Name | ast.Constant):
            assert (
                ast.literal_eval(text.segment(node)) == node.value
                if isinstance(node, ast.Constant)
                else (text.segment(node) == node.id)
            )
    assert text.line(1) == "größe = 1"
    assert text.line(3) == "  'ä', other)"
    assert text.line(9) == ""


def test_a_form_feed_ends_no_line():
    text = SourceText(b"a = 1\n\x0cb = 2\nc = 3\n")
    (name,) = (node for node in ast.walk(text.parse()) if isinstance(node, ast.Name) and node.id == "c")
    assert text.segment(name) == "c"


@given(st.lists(st.text(alphabet="aé漢🙂 \t\x0c", max_size=12), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_lines_are_what_was_joined(lines, end):
    text = SourceText(end.join(lines).encode())
    assert [text.line(number + 1) for number in range(len(lines))] == lines
