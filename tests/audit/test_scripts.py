"""Files that one person runs."""

from __future__ import annotations

import pytest

from carrel.audit.scripts import is_script
from tests.audit.checking import program

_READS = "import argparse\n\ndef main():\n    args = argparse.ArgumentParser().parse_args()\n    {}\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (_READS.format("download(args.name)"), True),
        (_READS.format("server.serve_forever()"), False),
        ("import uvicorn\n" + _READS.format("uvicorn.run(app)"), False),
        (_READS.format("pass") + "@app.get('/a')\ndef a(): ...\n", False),
        ("def main():\n    download()\n", False),
    ],
)
def test_a_script_reads_a_command_line_and_serves_nobody(code: str, *, expected: bool) -> None:
    assert is_script(program({"app.py": code}).files["app.py"]) is expected


def test_what_another_file_imports_is_no_script_alone() -> None:
    files = {"tool.py": _READS.format("pass"), "app.py": "import tool\n"}
    assert program(files).scripts == frozenset()
    assert program({**files, "app.py": "x = 1\n"}).scripts == {"tool.py"}
