"""Every rule, one file each; a rule counts when it stands in `RULES`."""

from typing import Final

from carrel.audit.rule import Rule
from carrel.audit.rules.mutable_default import MutableDefault
from carrel.audit.rules.shared_object_stores_argument import SharedObjectStoresArgument

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (
    MutableDefault(),
    SharedObjectStoresArgument(),
)
"""In the order of their codes."""
