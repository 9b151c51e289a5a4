"""What calls write to files, and where."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.file_writes import commanded, removed, written
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("text", "place", "data"),
    [
        ("path.write_text(page)", "path", ["page"]),
        ("path.open('w')", "path", []),
        ("open(path, mode='ab')", "path", []),
        ("open(path)", None, None),
        ("table.to_csv(path)", "path", ["table"]),
        ("download_file(url, path)", "path", []),
        ("image.save('a.png', 'PNG')", "'a.png'", ["image", "'PNG'"]),
        ("path.mkdir()", "path", None),
        ("path.read_text()", None, None),
    ],
)
def test_where_a_call_writes_what(text: str, place: str | None, data: list[str] | None) -> None:
    path, values = written(_call(text))
    assert (path and ast.unparse(path)) == place
    assert (values is not None and list(map(ast.unparse, values))) == (data if data is not None else False)


def test_where_a_command_puts_its_result() -> None:
    seen = view("import subprocess\ndef f(scan, text):\n    subprocess.run(['ocr', scan, '-o', text, '--fast'])\n")
    (call,) = (one for one in seen.functions[0].nodes(ast.Call))
    assert [ast.unparse(path) for path, _ in commanded(seen, call)] == ["text"]


@pytest.mark.parametrize(
    ("text", "names"), [("os.remove(path)", {"path"}), ("path.unlink()", {"path"}), ("f(path)", set())]
)
def test_what_a_call_removes(text: str, names: set[str]) -> None:
    assert removed(_call(text)) == names


def _call(text: str) -> ast.Call:
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Call)
    return node
