"""What the tests of each way to save share."""

from __future__ import annotations

from tests.optimizer.savings.evidence import find

__all__ = ["find"]
