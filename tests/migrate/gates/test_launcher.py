"""The script that runs and measures one command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carrel.migrate.gates import launcher


def launched(tmp_path: Path, command: str) -> dict[str, float]:
    result = tmp_path / "result.json"
    script = (sys.executable, "-I", "-S", launcher.__file__, str(result), command)
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        process.wait()
    found: dict[str, float] = json.loads(result.read_text())
    return found


@pytest.mark.parametrize(("command", "code"), [("true", 0), ("exit 7", 7), ("kill -9 $$", -9)])
def test_the_exit_code_is_that_of_the_command(tmp_path: Path, command: str, code: int) -> None:
    assert launched(tmp_path, command)["exit_code"] == code


def test_memory_is_that_of_the_command_and_not_of_whoever_started_it(tmp_path: Path) -> None:
    ours = bytearray(200_000_000)
    small = launched(tmp_path, "true")["peak_bytes"]
    large = launched(tmp_path, f"{sys.executable} -c 'x = bytearray(80_000_000)'")["peak_bytes"]
    assert small < 60_000_000 < 80_000_000 < large < 160_000_000
    del ours


def test_time_is_wall_time(tmp_path: Path) -> None:
    assert launched(tmp_path, "sleep 0.2")["seconds"] >= 0.2


def test_the_command_reads_nothing(tmp_path: Path) -> None:
    assert launched(tmp_path, "read line")["exit_code"] == 1


def test_what_the_command_leaves_in_the_background_is_ended(tmp_path: Path) -> None:
    launched(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid")
    assert _ends(int((tmp_path / "pid").read_text()))


def test_the_command_is_ended_when_the_pipe_is_closed(tmp_path: Path) -> None:
    script = (sys.executable, "-I", "-S", launcher.__file__, str(tmp_path / "r"), f"echo $$ > {tmp_path}/pid; sleep 60")
    with subprocess.Popen(script, stdin=subprocess.PIPE) as process:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
    assert json.loads((tmp_path / "r").read_text())["exit_code"] == -9
    assert _ends(int((tmp_path / "pid").read_text()))


def _ends(process: int) -> bool:
    for _ in range(500):
        state = Path(f"/proc/{process}/status")
        try:
            if "State:\tZ" in state.read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False
