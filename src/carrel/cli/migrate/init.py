"""`carrel migrate init`: write a recipe from two classes."""

from __future__ import annotations

from pathlib import Path

import click

from carrel.cli.migrate.options import recipe_option, root_option
from carrel.cli.output import deliver, say
from carrel.errors import InputError

__all__ = ["init"]


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@recipe_option
@root_option
@click.option("--force", is_flag=True, help="Write over a recipe that is there.")
def init(old: str, new: str, recipe: Path, root: Path, force: bool) -> None:
    """Write a recipe that moves OLD to NEW. Reads both signatures; what it cannot know it writes as a comment.

    \b
    carrel migrate init shop.cart.Cart shop.basket.Basket

    Exits with 0 when it is written, 2 when it could not be.
    """
    from carrel.migrate.draft import draft_recipe
    from carrel.migrate.recipe import parse_recipe

    if recipe.exists() and not force:
        raise InputError("--recipe", f"{recipe} exists; name another file, or write over it with --force")
    text = draft_recipe(root, old, new)
    parse_recipe(text, str(recipe))
    deliver(text, recipe)
    say(f"{recipe} is written. Next: carrel migrate scan")
