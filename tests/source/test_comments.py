"""Tests of carrel.source.comments."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from carrel.source.comments import comment_ranges, tokenized_comments


def texts(source: str) -> list[str]:
    utf8 = source.encode()
    return [utf8[start:end].decode() for start, end in comment_ranges(utf8)]


@pytest.mark.parametrize(
    ("source", "comments"),
    [
        ("x = 1", []),
        ("x = '#'  # a", ["# a"]),
        ("#!a\r\nx  # b\r\n#c", ["#!a", "# b", "#c"]),
        ("x = '''\n# no\n'''  # yes", ["# yes"]),
        ('x = """a"#\\""" # no"""  # yes', ["# yes"]),
        ("x = 'a\\'# no'  # yes", ["# yes"]),
        ("x = r'a\\'  # no'\n# yes", ["# yes"]),
        ("x = ''  # 'a'\ny = \"\"  # b", ["# 'a'", "# b"]),
        ("x = ''''a'''  # '''\n", ["# '''"]),
        ("x = 'a\\\n# no'  # yes", ["# yes"]),
        ("x = 'a\\\r\n# no'  # yes", ["# yes"]),
        ("x = f'{a:#x}'  # ü", ["# ü"]),
        ("x = rb'#' b'#'  # é\ny = (  # it's\n)", ["# é", "# it's"]),
    ],
)
def test_strings_hold_none(source, comments):
    assert texts(source) == comments


FILES = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))


@pytest.mark.parametrize("letter", sorted({file.name[0] for file in FILES}))
def test_the_tokenizer_finds_the_same_in_the_standard_library(letter):
    for file in FILES:
        data = file.read_bytes()
        if file.name.startswith(letter) and b"coding:" not in data[:200]:
            assert list(comment_ranges(data)) == list(tokenized_comments(data)), file
