"""Chaos that takes minutes runs only when it is asked for, with `-m chaos`."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `make chaos` is for, and say so in the number of deselected tests."""
    if "chaos" in config.option.markexpr:
        return
    minutes = [item for item in items if item.get_closest_marker("chaos")]
    config.hook.pytest_deselected(items=minutes)
    items[:] = [item for item in items if not item.get_closest_marker("chaos")]
