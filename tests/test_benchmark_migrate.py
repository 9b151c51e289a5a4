"""The benchmark of migrations works on a small code base, and yields what documents quote; nothing asserts on time."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from benchmarks.migrate import main, measured
from rich.console import Console

from tests.cli.migrate.finished import finished

PROMISED = (
    "carrel: find, cold",
    "carrel: find, warm",
    "carrel: find + edit + verify, cold",
    "carrel: whole index, cold",
    "carrel: whole index, warm",
)


def test_it_measures_time_processor_and_memory(tmp_path: Path) -> None:
    tree = finished(tmp_path / "tree", app="from pkg.old import Old\nOld()\n")
    result = tmp_path / "figures.json"
    arguments = [str(tree), "--recipe", str(tree / "migration.toml"), "--rounds", "1", "--no-peers"]
    console = Console(file=io.StringIO(), width=120)
    assert main([*arguments, "--json", str(result)], console=console) in (0, 1)
    data = json.loads(result.read_text())
    assert data["machine"]["cpu"]
    assert data["notes"] == ["4 Python files; 2 references in 1 of them; 5 mentions in 3 files"]
    figures = {figure["name"]: figure["median"] for figure in data["figures"]}
    for name in PROMISED:
        assert figures[name] > 0
        assert figures[f"{name}: processor"] > 0
        assert figures[f"{name}: memory"] > 5
    assert not (tree / ".carrel").exists()


def test_a_command_that_cannot_run_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3: no"):
        measured((sys.executable, "-c", "import sys; print('no', file=sys.stderr); sys.exit(3)"), tmp_path)


def test_memory_of_children_counts_together(tmp_path: Path) -> None:
    child = "held = b'y' * 60_000_000; time.sleep(.5)"
    code = f"import os, time\nheld = b'x' * 40_000_000\nif os.fork(): os.wait()\nelse: {child}"
    run = measured((sys.executable, "-c", code), tmp_path)
    assert run.peak_bytes > 90e6
