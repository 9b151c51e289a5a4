"""Functions that take old arguments: written where the recipe wants them, and what they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from carrel.errors import MigrationError
from carrel.migrate.outcome import Edited, FileOutcome
from carrel.migrate.phase import PhaseApplied
from carrel.migrate.recipe import Recipe, parse_recipe
from carrel.migrate.references import find_references
from carrel.migrate.rewrite import Rewriter
from carrel.migrate.runner import Migration
from tests.migrate.project import content, repository, write
from tests.migrate.shimmed import NEW, importable, run

OLD = "class Old:\n    def __init__(self, registry, bridge, context=None): ...\n"
CALLER = "from shop.old import Old\n\nmade = Old({})\n"


def recipe(way: str, *, maker: str = "shop.new.make_old", more: str = "") -> Recipe:
    return parse_recipe(
        f"""
        schema_version = 1
        name = "shop"
        [[symbols]]
        old = "shop.old.Old"
        new = "shop.new.New"
        [[constructors]]
        symbol = "shop.old.Old"
        signature = "(registry, bridge, context=None)"
        maker = "{maker}"
        [[constructors.calls]]
        where = "async"
        {way}
        {more}
        [[phases]]
        name = "first"
        paths = ["first/**"]
        [[phases]]
        name = "rest"
        paths = ["**"]
        """
    )


CREATED = recipe('call = "await {new}.create"\nparameters = { registry = "{registry}", bridge = "{bridge}" }')


def edit(root: Path, used: Recipe, files: Mapping[str, str | bytes]) -> dict[str, FileOutcome]:
    """Edit a package and write what comes of it."""
    write(root, {"shop/__init__.py": "", "shop/old.py": OLD, "shop/new.py": NEW, **files})
    found = find_references(root, used, jobs=1, cache=False).references
    outcomes = {one.path: one for one in Rewriter(used, jobs=1)(root, found)}
    for outcome in outcomes.values():
        if isinstance(outcome, Edited):
            write(root, {outcome.path: outcome.after})
    assert find_references(root, used, jobs=1, cache=False).references == ()
    return outcomes


def called(root: Path, used: Recipe, arguments: str) -> ModuleType:
    """What a caller with these arguments makes when it has moved."""
    edit(root, used, {"app.py": CALLER.format(arguments)})
    with importable(root):
        return run(root, (root / "app.py").read_text())


@pytest.mark.parametrize("arguments", ["1, 2", "*[1, 2]", "1, **{'bridge': 2}", "bridge=2, registry=1"])
def test_a_coroutine_that_need_not_wait_is_finished(tmp_path, arguments):
    made = called(tmp_path, CREATED, arguments).made
    assert (type(made).__name__, made.context, made.emitter, made.note) == ("New", 1, 2, "created")


def test_one_that_has_to_wait_says_so(tmp_path):
    waiting = recipe('call = "await {new}.wait"\nparameters = { registry = "{registry}", bridge = "{bridge}" }')
    with pytest.raises(RuntimeError, match="has to wait for something; await it instead of calling `make_old`"):
        called(tmp_path, waiting, "1, 2")


def test_the_first_way_that_fits_is_taken(tmp_path):
    used = recipe(
        'call = "{new}"\nrequires = ["context"]\nparameters = { context = "{context}", emitter = "[{bridge}]" }',
        more="""
        [[constructors.calls]]
        where = "async"
        call = "{new}.named"
        imports = ["from os.path import basename"]
        parameters = { name = "basename({registry})" }
        """,
    )
    assert called(tmp_path / "one", used, "'/a/r', 2, 3").made.emitter == [2]
    assert called(tmp_path / "two", used, "'/a/r', 2").made.context == "r"


def test_what_was_never_right_is_the_new_constructors_to_judge(tmp_path):
    with pytest.raises(TypeError, match="positional argument"):
        called(tmp_path, CREATED, "*[1, 2, 3, 4]")


def test_one_that_exists_is_used_as_it_is(tmp_path):
    own = NEW + "\n\ndef make_old(*given):\n    return given\n"
    outcomes = edit(tmp_path, CREATED, {"app.py": CALLER.format("1, 2"), "shop/new.py": own})
    assert list(outcomes) == ["app.py"]


def test_one_that_nobody_needs_is_not_written(tmp_path):
    outcomes = edit(tmp_path, CREATED, {"app.py": "from shop.old import Old\n\nmade = Old()\n"})
    assert list(outcomes) == ["app.py"]


def test_it_can_be_in_a_module_of_its_own(tmp_path):
    used = recipe('call = "{new}.named"\nparameters = { name = "{registry}" }', maker="shop.before.make_old")
    edit(tmp_path, used, {"app.py": CALLER.format("1, 2"), "shop/before.py": b""})
    assert (tmp_path / "shop/before.py").read_text().startswith("def make_old(*args, **kwargs):\n")
    with importable(tmp_path):
        assert run(tmp_path, (tmp_path / "app.py").read_text()).made.context == 1


def test_the_file_keeps_its_line_ends_and_encoding(tmp_path):
    before = b"# coding: latin-1\r\nname = '\xe9'\r\nclass New: ..."
    outcomes = edit(tmp_path, CREATED, {"app.py": CALLER.format("1, 2"), "shop/new.py": before})
    new = outcomes["shop/new.py"]
    assert isinstance(new, Edited)
    assert new.after.startswith(before + b"\r\n\r\n\r\ndef make_old(*args, **kwargs):\r\n")
    assert new.after.count(b"\n") == new.after.count(b"\r\n")


def test_a_file_that_is_edited_anyway_gets_it_too(tmp_path):
    user = NEW + "\n\ndef before():\n    from shop.old import Old\n\n    return Old\n"
    outcomes = edit(tmp_path, CREATED, {"app.py": CALLER.format("1, 2"), "shop/new.py": user})
    new = outcomes["shop/new.py"]
    assert isinstance(new, Edited)
    assert (new.edits, new.before) == (3, user.encode())
    assert b"return Old\n\n\ndef make_old" in new.after


def test_what_a_caller_awaits_it_still_awaits(tmp_path):
    used = recipe('call = "{new}"\nparameters = { one = "{registry}" }')
    code = "import asyncio\nfrom shop.old import Old\n\nasync def main(*given):\n    return await Old(*given)\n\n"
    edit(
        tmp_path,
        used,
        {
            "shop/old.py": "async def Old(registry, bridge, context=None): ...\n",
            "shop/new.py": "async def New(one):\n    import asyncio\n    await asyncio.sleep(0)\n    return one\n",
            "app.py": code + "made = asyncio.run(main(1, 2))\n",
        },
    )
    with importable(tmp_path):
        assert run(tmp_path, (tmp_path / "app.py").read_text()).made == 1


@pytest.mark.parametrize(
    ("used", "message"),
    [
        (recipe('call = "{new}"', maker="shop.gone.make_old"), "shop.gone.make_old` is not in this code base"),
        (recipe('call = "{new}"\nparameters = { a = "unknown({registry})" }'), "nothing binds `unknown`"),
    ],
)
def test_one_that_cannot_be_written_is_the_recipes_fault(tmp_path, used, message):
    with pytest.raises(MigrationError, match=message):
        edit(tmp_path, used, {"app.py": CALLER.format("1, 2")})


def test_it_comes_with_the_first_phase_that_needs_it_and_goes_with_it(tmp_path):
    root = repository(
        tmp_path / "shop",
        {
            "shop/__init__.py": "", "shop/old.py": OLD, "shop/new.py": NEW,
            "first/a.py": "from shop.old import Old\n\nx: Old\n", "b.py": CALLER.format("1, 2"),
        },
    )  # fmt: skip
    before = content(root)
    migration = Migration(
        CREATED,
        root,
        find=lambda place: find_references(place, CREATED, jobs=1).references,
        rewrite=Rewriter(CREATED, jobs=1),
        in_place=True,
    )
    first, rest = migration.apply()
    assert isinstance(first, PhaseApplied)
    assert isinstance(rest, PhaseApplied)
    assert (first.files, rest.files) == (1, 2)
    assert "goes through `shop.new.make_old`" in rest.left[0].reason
    assert find_references(root, CREATED, jobs=1, cache=False).references == ()
    migration.roll_back("first")
    assert "make_old" not in (root / "shop/new.py").read_text()
    migration.roll_back()
    assert content(root) == before
