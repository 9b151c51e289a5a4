"""Takes a code base off a class, function or module: finds every reference, plans, edits, verifies."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carrel.migrate.burn_down import burn_down
    from carrel.migrate.claims import check_claims
    from carrel.migrate.cleanup import Absent, Needed, Removal, clean_up
    from carrel.migrate.draft import draft_recipe
    from carrel.migrate.outcome import Edited, Refused, Unchanged
    from carrel.migrate.phase import PhaseApplied, PhaseReverted
    from carrel.migrate.plan import MigrationPlan, plan_migration
    from carrel.migrate.progress import MigrationStatus, migration_status
    from carrel.migrate.recipe import Recipe, parse_recipe, read_recipe
    from carrel.migrate.references import Reference, Scan, find_references
    from carrel.migrate.rewrite import Rewriter
    from carrel.migrate.runner import Migration
    from carrel.migrate.scan_report import scan_report
    from carrel.migrate.shim import make_shims
    from carrel.migrate.verify import Verification, verify_migration

__all__ = [
    "Absent",
    "Edited",
    "Migration",
    "MigrationPlan",
    "MigrationStatus",
    "Needed",
    "PhaseApplied",
    "PhaseReverted",
    "Recipe",
    "Reference",
    "Refused",
    "Removal",
    "Rewriter",
    "Scan",
    "Unchanged",
    "Verification",
    "burn_down",
    "check_claims",
    "clean_up",
    "draft_recipe",
    "find_references",
    "make_shims",
    "migration_status",
    "parse_recipe",
    "plan_migration",
    "read_recipe",
    "scan_report",
    "verify_migration",
]

if not TYPE_CHECKING:  # type checkers read the imports above and refuse names that are not among them
    from types import MappingProxyType

    _HOMES = MappingProxyType(
        {
            "burn_down": ("burn_down",),
            "claims": ("check_claims",),
            "cleanup": ("Absent", "Needed", "Removal", "clean_up"),
            "draft": ("draft_recipe",),
            "outcome": ("Edited", "Refused", "Unchanged"),
            "phase": ("PhaseApplied", "PhaseReverted"),
            "plan": ("MigrationPlan", "plan_migration"),
            "progress": ("MigrationStatus", "migration_status"),
            "recipe": ("Recipe", "parse_recipe", "read_recipe"),
            "references": ("Reference", "Scan", "find_references"),
            "rewrite": ("Rewriter",),
            "runner": ("Migration",),
            "scan_report": ("scan_report",),
            "shim": ("make_shims",),
            "verify": ("Verification", "verify_migration"),
        }
    )

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used, so that each step costs only what it needs."""
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"carrel.migrate.{module}"), name)
        raise AttributeError(f"module 'carrel.migrate' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted((*globals(), *__all__))
