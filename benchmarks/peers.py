"""Peers are installed in environments of their own, at pinned versions, so that carrel's stays as users have it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["PEERS", "PeerMissingError", "peer_directory", "peer_environment"]

PEERS: dict[str, tuple[str, ...]] = {
    "agno": (
        "agno[os]==3.1.10",
        "aiosqlite==0.22.1",
        "fastapi==0.165.0",
        "greenlet==3.5.6",
        "httptools==0.9.0",
        "sqlalchemy==2.1.9",
        "starlette==1.10.0",
        "uvicorn==0.54.0",
        "uvloop==0.23.0",
    ),
    "langgraph": (
        "langgraph==1.2.22",
        "langgraph-api==0.16.7",
        "langgraph-cli[inmem]==0.4.40",
        "langgraph-runtime-inmem==0.36.7",
        "pyjwt==2.15.1",
        "uvicorn==0.54.0",
        "uvloop==0.23.0",
    ),
    "libcst": ("libcst==1.9.0",),
    "ruff": ("ruff==0.17.6",),
    "semgrep": ("semgrep==1.182.0",),
}
_HERE = Path(__file__).parent
_ROOT = _HERE.parent


class PeerMissingError(Exception):
    """Raised when a peer cannot be installed; what is measured without it is still worth reading."""


def peer_directory(name: str) -> Path:
    return _HERE / ".peers" / name


def peer_environment(name: str) -> Path:
    """The directory of the peer's environment; installs it when it is not there at these versions."""
    home = peer_directory(name)
    wanted = "\n".join(PEERS[name])
    stamp = home / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return home
    uv = _uv()
    print(f"installing {name} into {home.relative_to(_ROOT)} (once)", file=sys.stderr)
    for command in (
        (uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)),
        (uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), *PEERS[name]),
    ):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise PeerMissingError(f"{name} could not be installed: {result.stderr.strip()[-800:]}")
    stamp.write_text(wanted, encoding="utf-8")
    return home


def _uv() -> str:
    ours = _ROOT / ".uv" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise PeerMissingError("uv is missing; run `make bench`, which fetches it")
    return found
