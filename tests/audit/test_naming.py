"""Which files use a name."""

from __future__ import annotations

from tests.audit.checking import program

FILES = {
    "desk.py": "def open_it(): ...\ndef close_it(): ...\ndef trace(view): ...\n",
    "app.py": "from desk import open_it, trace\nopen_it()\n@trace\ndef show(page): ...\n",
    "tests/test_desk.py": "from desk import close_it\n",
}


def test_what_another_file_asks_for() -> None:
    naming = program(FILES).naming
    assert naming.named_elsewhere("desk.open_it")
    assert not naming.named_elsewhere("desk.close_it")


def test_what_a_decorator_is_put_around() -> None:
    naming = program(FILES).naming
    assert naming.wraps_arguments("desk.trace") is not None
    assert naming.wraps_arguments("desk.open_it") is None
