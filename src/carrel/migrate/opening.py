"""Makes the place where phases are applied, or finds it again."""

from __future__ import annotations

from pathlib import Path

from carrel.errors import MigrationError
from carrel.migrate.checkout import Checkout, slug
from carrel.migrate.in_place import InPlace
from carrel.migrate.ledger import Ledger
from carrel.migrate.outlines import CACHE, take_along
from carrel.migrate.records import MigrationOpened, MigrationOpening
from carrel.migrate.workspace import Workspace
from carrel.migrate.worktree import Worktree

__all__ = ["open_workspace"]


def open_workspace(
    checkout: Checkout, ledger: Ledger, recipe: str, *, in_place: bool, place: Path | None, anew: bool = False
) -> Workspace:
    """The workspace of a recipe: made when there is none, made again when that was interrupted.

    With `anew`, a branch that somebody has deleted is made again where it began, so that the rest can be taken back.
    """
    opening = ledger.history.opening
    if opening is not None:
        _check_same(opening, checkout, recipe, in_place=in_place, place=place)
    else:
        opening = _begin(checkout, recipe, in_place=in_place, place=place)
        ledger.append(opening)
    if opening.mode == "in place":
        workspace: Workspace = InPlace(checkout.root, checkout.directory(recipe), checkout.git)
    else:
        workspace = _worktree(opening, checkout, ledger, recipe, anew=anew)
    if ledger.history.opened is None:
        ledger.append(MigrationOpened(mark=workspace.mark()))
    return workspace


def _worktree(opening: MigrationOpening, checkout: Checkout, ledger: Ledger, recipe: str, *, anew: bool) -> Worktree:
    if checkout.git is None:
        raise MigrationError(f"{checkout.root} is in no git repository any more; bring its .git directory back")
    found = Worktree(checkout.git, Path(opening.place), opening.branch, checkout.prefix, checkout.directory(recipe))
    history = ledger.history
    if history.opened is None:
        found.make(opening.base, checkout.top)
        take_along(checkout.root / CACHE, found.root / CACHE)
    elif history.over is None:
        found.attach(checkout.top, anew_at=opening.base if anew else "")
        if history.open is not None or history.rollback is not None:
            found.clear_stale_lock()
    return found


def _begin(checkout: Checkout, recipe: str, *, in_place: bool, place: Path | None) -> MigrationOpening:
    root = str(checkout.root)
    if in_place:
        return MigrationOpening(mode="in place", root=root, recipe=recipe, place=root)
    base = checkout.base()
    branch = f"carrel/{slug(recipe)}"
    chosen = place.resolve() if place else checkout.top.with_name(f"{checkout.top.name}.{slug(recipe)}")
    checkout.check_free(branch, chosen)
    return MigrationOpening(mode="worktree", root=root, recipe=recipe, place=str(chosen), branch=branch, base=base)


def _check_same(
    opening: MigrationOpening, checkout: Checkout, recipe: str, *, in_place: bool, place: Path | None
) -> None:
    begun = f"the migration {opening.recipe!r} was begun"
    undo = "or take it back first with: carrel migrate rollback"
    if opening.recipe != recipe:
        raise MigrationError(f"{begun} under a name too like {recipe!r}; give one of the recipes another name")
    if opening.root != str(checkout.root):
        raise MigrationError(f"{begun} in {opening.root}; go on there with --root {opening.root}, {undo}")
    if (opening.mode == "in place") != in_place:
        how = "with" if opening.mode == "in place" else "without"
        raise MigrationError(f"{begun} {how} --in-place; go on {how} it, {undo}")
    if place is not None and not in_place and str(place.resolve()) != opening.place:
        raise MigrationError(f"{begun} in the worktree {opening.place}; go on without --worktree, {undo}")
