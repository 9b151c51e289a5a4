"""Files of usage records: read, checked row by row, and stored all or not at all."""

from __future__ import annotations

from carrel.optimizer.imports.importer import UsageImports

__all__ = ["UsageImports"]
