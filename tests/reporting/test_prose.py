"""Tests of carrel.reporting.prose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.reporting.prose import counted, encodable, is_address, one_line, pieces, signed, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü 漢字 \U0001f600", "plain äöü 漢字 \U0001f600"),
        ("a\x1b[2Jb\x07", "a\\x1b[2Jb\\x07"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\r\n\t\x85\u2028", "\\r\\n\\t\\x85\\u2028"),
        ("\ud800 \ufffe \U0001ffff", "\\ud800 \\ufffe \\U0001ffff"),
        ("no\u00a0break e\u0301", "no\u00a0break e\u0301"),
    ],
)
def test_what_acts_is_shown_as_an_escape(text: str, shown: str):
    assert visible(text) == shown


def test_what_is_to_be_kept_is_kept():
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


def test_a_sentence_is_one_line():
    assert one_line("  one\n\ttwo  \x00 ") == "one two \\x00"


@given(st.text(st.characters()))
def test_every_text_can_be_encoded_and_sound_text_is_not_touched(text: str):
    encodable(text).encode("utf-8")
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert encodable(text) == text


def test_code_stands_between_backticks():
    assert list(pieces("`a` and `b c`.")) == [("a", True), (" and ", False), ("b c", True), (".", False)]
    assert list(pieces("a ` b")) == [("a ` b", False)]
    assert list(pieces("``a``")) == [("``a``", False)]
    assert list(pieces("")) == []


@given(st.text("`ab \n"))
def test_no_piece_of_a_sentence_is_lost(text: str):
    assert "".join(f"`{piece.text}`" if piece.code else piece.text for piece in pieces(text)) == text


def test_counts_read_as_words():
    assert [counted(number, "file") for number in (0, 1, 2_000)] == ["0 files", "1 file", "2,000 files"]


def test_differences_carry_their_sign():
    assert [signed(number) for number in (3.25, -0.14, -0.01, 0)] == ["+3.2", "-0.1", "0.0", "0.0"]


@pytest.mark.parametrize(
    "text", ["", "javascript:alert(1)", "http://", "https://a b", "https://a/)", "x https://a", "https://a/\n"]
)
def test_what_is_no_plain_address(text: str):
    assert not is_address(text)


@pytest.mark.parametrize("text", ["https://carrel.example", "http://localhost:8000/rules/x/#y?z=1"])
def test_what_is_one(text: str):
    assert is_address(text)
