"""Tests of carrel.source.neighbours."""

from __future__ import annotations

import pytest

from carrel.source.neighbours import neighbours
from carrel.source.outline import read_outline


def found(files: dict[str, str]) -> dict[str, str]:
    return neighbours({path: read_outline(text.encode()) for path, text in files.items()}, {"app"}.__contains__)


def test_a_script_names_the_file_beside_it() -> None:
    assert found({"tool/run.py": "from store import get\nimport app\n", "tool/store.py": ""}) == {
        "store": "tool/store.py"
    }


@pytest.mark.parametrize(
    "others",
    [
        {"web/run.py": "import store", "web/store.py": ""},
        {"other.py": "import store"},
        {"tool/store.py": "import store"},
        {"tool/__init__.py": ""},
    ],
)
def test_a_name_that_may_mean_something_else_means_nothing(others: dict[str, str]) -> None:
    assert found({"tool/run.py": "import store\n", "tool/store.py": "", **others}) == {}
