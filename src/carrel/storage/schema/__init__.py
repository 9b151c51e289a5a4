"""The database schema: its tables, and the migrations that lead to them."""

from __future__ import annotations

# Imported for its tables: what is not on the metadata, the migrations' comparison does not see.
from carrel.storage.schema import limits, usage
from carrel.storage.schema.tables import metadata

__all__ = ["limits", "metadata", "usage"]
