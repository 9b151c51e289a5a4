"""The vendored libraries are what their README says."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import carrel.server

VENDOR = Path(carrel.server.__file__).parent / "page" / "vendor"


def test_each_library_has_the_hash_that_is_written_down():
    rows = re.findall(r"^\| `([a-z]+\.js)` .*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    assert {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name, _ in rows} == dict(rows)
    assert {name for name, _ in rows} == {path.name for path in VENDOR.glob("*.js")}


def test_each_library_comes_with_its_licence():
    for path in VENDOR.glob("*.js"):
        assert path.with_suffix(".LICENSE").stat().st_size > 1000
