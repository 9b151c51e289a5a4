"""Lines are numbered as an editor numbers them; what is no text is refused with its line."""

from __future__ import annotations

import io

import pytest

from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.optimizer.imports.text import LONGEST_LINE, first_character, numbered_lines, whole_text
from tests.optimizer.imports.reading import data


def lines(content: bytes) -> list[tuple[int, str]]:
    return list(numbered_lines(io.BytesIO(content)))


@pytest.mark.parametrize("content", [b"a\nb\n\nc", b"a\r\nb\r\n\r\nc\r\n", b"a\rb\r\rc", b"\xef\xbb\xbfa\nb\n\nc\n"])
def test_lines_are_numbered_whatever_ends_them(content: bytes) -> None:
    assert lines(content) == [(1, "a"), (2, "b"), (3, ""), (4, "c")]


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"a\n\xff\xfe", "not_utf8", "line 2"),
        (b"a\nb\ncaf\xe9\n", "not_utf8", "line 3"),
        (b"a\nb\0c\n", "nul_bytes", "line 2"),
        ("ä\nü\0".encode(), "nul_bytes", "line 2"),
        (b"PK\x03\x04rest", "not_text", "Excel"),
        (b"\x1f\x8brest", "not_text", "gzip"),
        ("time".encode("utf-16"), "not_text", "UTF-16"),
        (b"%PDF-1.7", "not_text", "PDF"),
        (b"x\n" + b"a" * (LONGEST_LINE + 1), "line_too_long", "line 2"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(content: bytes, code: str, says: str) -> None:
    with pytest.raises(FileRefusedError, match=says) as caught:
        lines(content)
    assert caught.value.failure.code == code


def test_a_line_of_the_greatest_length_is_fine() -> None:
    assert len(lines(b"a" * (LONGEST_LINE - 1) + b"\n")[0][1]) == LONGEST_LINE - 1


def test_the_first_character_is_the_first_that_is_seen() -> None:
    assert first_character(data("\n  \n\t{}")) == "{"
    assert first_character(data("")) == ""


def test_a_whole_text_has_a_limit() -> None:
    assert whole_text(data("a\r\nb"), 100) == "a\nb"
    with pytest.raises(FileRefusedError, match="JSON lines"):
        whole_text(data("a" * 101), 100)


def test_the_file_is_still_open_afterwards() -> None:
    file = data("a\nb")
    list(numbered_lines(file))
    assert not file.closed
