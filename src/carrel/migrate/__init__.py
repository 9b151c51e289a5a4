"""Takes a code base off a class, function or module: finds every reference, plans, edits, verifies."""

from __future__ import annotations
