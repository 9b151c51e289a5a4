"""Tests of carrel.migrate.toml_lines."""

from __future__ import annotations

from carrel.migrate.toml_lines import key_lines

TEXT = '''name = "x"
"quoted key" = 1

[[symbols]]
old = "a"   # not [[symbols]]

[[ symbols ]]
old.inner = "b"

[symbols.more]
text = """
[not.a.table]
no = 1
"""
after = 2

[gates]
runs = 3

[[gates.commands]]
[[gates.commands]]
run = "x"
'''


def test_each_key_has_its_line():
    assert key_lines(TEXT) == {
        "name": 1,
        "quoted key": 2,
        "symbols[0]": 4,
        "symbols[0].old": 5,
        "symbols[1]": 7,
        "symbols[1].old.inner": 8,
        "symbols[1].more": 10,
        "symbols[1].more.text": 11,
        "symbols[1].more.after": 15,
        "gates": 17,
        "gates.runs": 18,
        "gates.commands[0]": 20,
        "gates.commands[1]": 21,
        "gates.commands[1].run": 22,
    }
