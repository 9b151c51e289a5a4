"""A shim serves old callers as the old class did, and warns each of them where it stands."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carrel.migrate.outcome import Refused, Unchanged
from carrel.migrate.references import find_references
from carrel.migrate.shim import make_shims
from tests.migrate.project import write
from tests.migrate.shimmed import CREATED, MAPPED, NEW, OLD, RENAMED, importable, make, outcomes, recipe, run


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with importable(tmp_path):
        yield tmp_path


def warned(root: Path, code: str) -> tuple[Any, list[int]]:
    """Run a caller; gives it, and the lines of it that were warned about."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = run(root, code)
    assert all(one.category is DeprecationWarning for one in caught)
    assert {Path(one.filename).name for one in caught} <= {"caller.py"}, [one.filename for one in caught]
    return module, [one.lineno for one in caught]


@pytest.mark.parametrize("more", ["", MAPPED, CREATED, RENAMED], ids=["same", "mapped", "created", "renamed"])
def test_import_attribute_and_star_warn_at_the_callers_line(root: Path, more: str) -> None:
    make(root, recipe(more))
    _, lines = warned(
        root, "import shop.old\nfrom shop.old import Old\nshop.old.Old\nfrom shop.old import *\nOld.LIMIT\n"
    )
    assert lines == [2, 3, 4]


def test_call_and_subclass_warn_at_the_callers_line(root: Path) -> None:
    make(root, recipe(MAPPED))
    _, lines = warned(
        root,
        """\
        from shop.old import Old

        def made():
            return Old(1, 2, 3)

        made()
        class Mine(Old): ...
        class Further(Mine): ...
        Mine(1, 2, 3)
        """,
    )
    assert lines == [1, 4, 7]


def test_an_unmapped_symbol_is_the_new_one_itself(root: Path) -> None:
    make(root, recipe())
    caller, _ = warned(root, "from shop.old import Old\nfrom shop.new import New\n")
    assert caller.Old is caller.New


def test_the_rest_of_the_module_stays_as_it_is(root: Path) -> None:
    text = make(root, recipe(MAPPED))
    caller, lines = warned(root, "import shop.old as old\nrest = old.REST, old.other(), old.__doc__\n")
    assert caller.rest == ("1", 2, "What was there before.")
    assert not lines
    assert text.startswith(OLD[: OLD.index("class Old")])
    assert "\n\ndef other():\n    return 2\n" in text


def test_a_missing_name_is_missing(root: Path) -> None:
    make(root, recipe(MAPPED))
    with pytest.raises(ImportError):
        run(root, "from shop.old import Nothing\n")


def test_old_arguments_are_mapped(root: Path) -> None:
    make(root, recipe(MAPPED))
    caller, _ = warned(
        root,
        """\
        from shop.old import Old
        plain = Old("r", "b", "c")
        named = Old(bridge="b", context="c", registry="r")
        """,
    )
    for made in (caller.plain, caller.named):
        assert (made.context, made.emitter, made.note) == ("c", ("r", "b"), "c")
        assert type(made).__name__ == "New"


def test_what_no_way_fits_is_refused_and_what_fits_the_new_signature_goes_through(root: Path) -> None:
    make(root, recipe(MAPPED))
    caller, _ = warned(
        root,
        """\
        from shop.old import Old
        new = Old("c", emitter="e")
        try:
            Old("r", "b")
        except TypeError as error:
            problem = str(error)
        """,
    )
    assert (caller.new.context, caller.new.emitter) == ("c", "e")
    assert "shop.new.New" in caller.problem


def test_an_asynchronous_way_is_finished_when_it_need_not_wait(root: Path) -> None:
    make(root, recipe(CREATED))
    caller, _ = warned(root, 'from shop.old import Old\nmade = Old("r", "b", context="c")\n')
    assert (caller.made.context, caller.made.note) == ("r", "created")


def test_an_asynchronous_way_that_has_to_wait_says_so(root: Path) -> None:
    make(root, recipe(CREATED.replace(".create", ".wait")))
    with pytest.warns(DeprecationWarning, match="deprecated"), pytest.raises(RuntimeError, match="await it"):
        run(root, 'from shop.old import Old\nOld("r", "b")\n')


def test_a_way_without_waiting_comes_before_one_with_it(root: Path) -> None:
    both = CREATED + '[[constructors.calls]]\ncall = "{new}.named"\nparameters = { name = "{registry}" }\n'
    make(root, recipe(both))
    caller, _ = warned(root, 'from shop.old import Old\nmade = Old("r", "b")\n')
    assert (caller.made.context, caller.made.note) == ("r", "-")


def test_instances_are_of_both_classes(root: Path) -> None:
    make(root, recipe(MAPPED))
    caller, _ = warned(
        root,
        """\
        from shop.old import Old
        from shop.new import New
        class Mine(Old): ...
        class Newer(New): ...
        old, new, mine, newer = Old(1, 2, 3), New(1, 2), Mine(1, 2, 3), Newer(1, 2)
        held = [isinstance(one, kind) for one in (old, new, mine, newer) for kind in (Old, New)]
        never = [isinstance(3, Old), issubclass(int, Old), isinstance(new, Mine), issubclass(New, Mine)]
        classes = [issubclass(one, kind) for one in (Old, New, Mine, Newer) for kind in (Old, New)]
        """,
    )
    assert all(caller.held)
    assert all(caller.classes)
    assert not any(caller.never)


def test_abstract_new_classes_can_have_a_shim(root: Path) -> None:
    new = (
        "import abc\nclass New(abc.ABC):\n    def __init__(self, context, emitter, note=''): ...\nNew.register(float)\n"
    )
    make(root, recipe(MAPPED), {"shop/new.py": new})
    caller, _ = warned(
        root,
        """\
        from shop.old import Old
        from shop.new import New
        class Mine(Old): ...
        held = isinstance(New(1, 2), Old), isinstance(Mine(1, 2, 3), New), isinstance(1.0, Old), issubclass(float, New)
        never = isinstance("", New), issubclass(str, New), issubclass(str, Old)
        """,
    )
    assert all(caller.held)
    assert not any(caller.never)


def test_subclasses_call_the_old_constructor(root: Path) -> None:
    make(root, recipe(MAPPED))
    caller, _ = warned(
        root,
        """\
        from shop.old import Old
        class Mine(Old):
            def __init__(self, registry, bridge):
                super().__init__(registry, bridge, "mine")
            def close(self):
                return "mine: " + super().close()
        mine = Mine("r", "b")
        """,
    )
    assert (caller.mine.context, caller.mine.emitter) == ("mine", ("r", "b"))
    assert caller.mine.close() == "mine: closed mine"


def test_class_attributes_and_class_methods_are_those_of_the_new_class(root: Path) -> None:
    make(root, recipe(MAPPED))
    caller, _ = warned(
        root,
        """\
        from shop.old import Old
        from shop.new import New
        Old.LIMIT = 7
        limit = New.LIMIT
        made = Old.named("n")
        del New.LIMIT
        gone = hasattr(Old, "LIMIT")
        """,
    )
    assert caller.limit == 7
    assert (type(caller.made).__name__, caller.made.context) == ("New", "n")
    assert not caller.gone


@pytest.mark.parametrize("more", [MAPPED, RENAMED])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_old_pickles_load_and_new_ones_do_not_need_the_shim(root: Path, protocol: int, more: str) -> None:
    write(root, {"shop/__init__.py": "", "shop/old.py": "class Old: ...\n"})
    before = run(root, "from shop.old import Old\nmade = Old()\nmade.context = 5\n")
    kept = pickle.dumps(before.made, protocol)
    for name in ("shop.old", "shop"):
        del sys.modules[name]
    make(root, recipe(more))
    with pytest.warns(DeprecationWarning, match="deprecated"):
        loaded = pickle.loads(kept)
    assert loaded.close() == "closed 5"
    again = pickle.dumps(loaded, protocol)
    assert b"Old" not in again
    assert pickle.loads(again).context == 5


def test_old_names_of_attributes_work_and_warn(root: Path) -> None:
    make(root, recipe(RENAMED))
    caller, lines = warned(
        root,
        """\
        from shop.old import Old
        made = Old("c", "e")
        said = made.shut()
        limit = Old.UPPER
        made.UPPER = 4
        kept = pickle = __import__("pickle").dumps(made)
        class Mine(Old): ...
        mine = Mine("m", "e").shut()
        """,
    )
    assert (caller.said, caller.limit, caller.made.LIMIT, caller.mine) == ("closed c", 1, 4, "closed m")
    assert lines == [1, 2, 3, 4, 5, 7, 8]
    assert b"Old" not in caller.kept


def test_an_old_function_calls_the_new_one(root: Path) -> None:
    constructor = """
    [[constructors]]
    symbol = "shop.old.Old"
    signature = "(first, /, *, second=2, **more)"
    [[constructors.calls]]
    call = "{new}"
    signature = "(a, /, *, b)"
    optional = ["b"]
    parameters = { a = "{second}", b = "{first}" }
    """
    make(
        root,
        recipe(constructor),
        {
            "shop/old.py": "def Old(first, /, *, second=2, **more):\n    return first\n",
            "shop/new.py": "def New(a, /, *, b): return a, b\n",
        },
    )
    caller, lines = warned(
        root,
        """\
        from shop.old import Old
        made = Old(1), Old(1, second=3)
        try:
            Old(1, third=3)
        except TypeError as error:
            problem = str(error)
        """,
    )
    assert caller.made == ((2, 1), (3, 1))
    assert "takes these arguments" in caller.problem
    assert lines == [1, 2, 2, 4]


def test_an_old_async_function_is_awaited_by_its_caller(root: Path) -> None:
    constructor = """
    [[constructors]]
    symbol = "shop.old.Old"
    signature = "(first)"
    [[constructors.calls]]
    call = "await {new}"
    parameters = { a = "{first}" }
    """
    make(
        root,
        recipe(constructor),
        {
            "shop/old.py": "async def Old(first):\n    return first\n",
            "shop/new.py": "import asyncio\nasync def New(a):\n    await asyncio.sleep(0)\n    return a\n",
        },
    )
    caller, _ = warned(root, "import asyncio\nfrom shop.old import Old\nasync def go(): return await Old(4)\n")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        assert caller.asyncio.run(caller.go()) == 4


def test_an_old_object_is_made_by_the_new_call(root: Path) -> None:
    make(
        root,
        recipe(symbol='call = { sync = "{new}()" }'),
        {"shop/old.py": "Old = object()\n", "shop/new.py": "def New(): return 5\n"},
    )
    caller, lines = warned(root, "from shop.old import Old\n")
    assert (caller.Old, lines) == (5, [1])


def test_a_module_that_has_moved_redirects_every_name(root: Path) -> None:
    shim = '[[modules]]\nold = "shop.old"\nnew = "shop.new"\n[[shims]]\nold = "shop.old"\nnew = "shop.new"'
    (outcome,) = outcomes(root, recipe().__class__(**{**as_fields(recipe()), **module_move(shim)}))
    assert not isinstance(outcome, Refused | Unchanged)
    write(root, {outcome.path: outcome.after})
    caller, lines = warned(
        root, "from shop.old import New\nfrom shop.old import *\nimport shop.old\nd = dir(shop.old)\n"
    )
    assert caller.New.__module__ == "shop.new"
    assert lines == [1, 2]
    assert "New" in caller.d


def as_fields(used: Any) -> dict[str, Any]:
    return {name: getattr(used, name) for name in used.__struct_fields__}


def module_move(text: str) -> dict[str, Any]:
    from carrel.migrate.recipe import parse_recipe

    other = parse_recipe(f'schema_version = 1\nname = "m"\n{text}\n')
    return {"modules": other.modules, "symbols": (), "shims": other.shims}


def test_the_rest_of_the_module_keeps_using_the_class(root: Path) -> None:
    old = OLD + '\n\nclass Special(Old):\n    """Special."""\n\n\ndef make(a: "Old") -> Old:\n    return Old(1, 2, a)\n'
    text = make(root, recipe(MAPPED), {"shop/old.py": old})
    assert "class Special(_Old):" in text
    assert 'def make(a: "_Old") -> _Old:\n    return _Old(1, 2, a)' in text
    with pytest.warns(DeprecationWarning, match="deprecated"):
        caller = run(root, "from shop.old import Special, make\nmade = make(3)\n")
    assert caller.made.context == 3


def test_star_imports_still_bring_the_name(root: Path) -> None:
    make(root, recipe())
    caller, _ = warned(root, "from shop.old import *\n")
    assert caller.Old.__module__ == "shop.new"
    assert caller.REST == "1"
    assert not any(name.startswith("_moved") for name in vars(caller))


def test_a_getattr_of_the_module_still_answers(root: Path) -> None:
    make(root, recipe(), {"shop/old.py": OLD + "\n\ndef __getattr__(name):\n    return name.upper()\n"})
    caller, _ = warned(root, "from shop.old import Old, thing\n")
    assert (caller.Old.__name__, caller.thing) == ("New", "THING")


def test_shims_of_two_symbols_share_the_end_of_the_module(root: Path) -> None:
    used = recipe(
        '[[shims]]\nold = "shop.old.Older"\nnew = "shop.new.New"\n'
        '[[symbols]]\nold = "shop.old.Older"\nnew = "shop.new.New"\n'
    )
    text = make(root, used, {"shop/old.py": OLD + "\n\nclass Older: ...\n"})
    assert text.count("def __getattr__") == 1
    caller, lines = warned(root, "from shop.old import Old, Older\n")
    assert caller.Old is caller.Older
    assert lines == [1, 1]


def test_the_message_of_the_recipe_is_what_the_warning_says(root: Path) -> None:
    make(root, recipe(shim='message = "ask Ann"'))
    with pytest.warns(DeprecationWarning, match="^ask Ann$"):
        run(root, "from shop.old import Old\n")


def test_made_again_nothing_changes(root: Path) -> None:
    used = recipe(MAPPED)
    make(root, used)
    (outcome,) = make_shims(root, used, jobs=1, cache=False)
    assert isinstance(outcome, Unchanged)


def test_references_are_still_found_behind_a_shim(root: Path) -> None:
    used = recipe(MAPPED)
    make(root, used, {"app.py": "from shop.old import Old\nOld(1, 2, 3)\n"})
    found = find_references(root, used, jobs=1, cache=False).references
    assert [(one.path, one.line, one.certainty) for one in found] == [
        ("app.py", 1, "certain"),
        ("app.py", 2, "certain"),
    ]


def test_line_ends_and_byte_order_mark_stay(root: Path) -> None:
    old = b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode()
    make(root, recipe(MAPPED), {"shop/old.py": old})
    data = (root / "shop/old.py").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == data.count(b"\n")


def test_decorators_of_the_old_class_go_with_it(root: Path) -> None:
    text = make(root, recipe(), {"shop/old.py": "import json\n\n@ json.dumps\n@json.loads\nclass Old: ...\n"})
    assert "@" not in text


def test_type_checkers_see_the_new_class(root: Path) -> None:
    make(root, recipe(MAPPED))
    (root / "app.py").write_text("from shop.old import Old\nreveal_type(Old)\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "--cache-dir=/dev/null", "app.py"],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert "New" in result.stdout, result.stdout
    assert "error" not in result.stdout


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "nothing here": ({"shop/old.py": "x = 1\n"}, "binds `Old` 0 times"),
    "no module": ({"shop/old.py": None}, "is not in this code base"),
    "two definitions": ({"shop/old.py": "class Old: ...\nclass Old: ...\n"}, "binds `Old` 2 times"),
    "under a condition": ({"shop/old.py": "if 1:\n    class Old: ...\n"}, "under a condition"),
    "imported": ({"shop/old.py": "from shop.new import New as Old\n"}, "has no definition here"),
    "two names": ({"shop/old.py": "Old, b = 1, 2\n"}, "has no definition here"),
    "unparsable": ({"shop/old.py": "class Old(:\n"}, "cannot be parsed"),
    "deleted": ({"shop/old.py": "class Old: ...\ndel Old\n"}, "binds `Old` 2 times"),
    "new is missing": ({"shop/new.py": "x = 1\n"}, "`shop.new.New` does not exist"),
    "new imports old": ({"shop/new.py": f"from shop.old import Old\n{NEW}"}, "shop/new.py:1 is imported with"),
    "a friend of new imports old": (
        {"shop/new.py": f"import shop.friend\n{NEW}", "shop/friend.py": "\nfrom shop.old import Old\n"},
        "shop/friend.py:2 is imported with",
    ),
    "a circle": (
        {"shop/new.py": f"from shop.old import REST\n{NEW}", "shop/old.py": f"{OLD}\nkinds = [Old]\n"},
        "move what it needs from there first",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_redirected_soundly_is_refused(tmp_path: Path, case: str) -> None:
    files, reason = REFUSED[case]
    given: dict[str, Any] = {path: text for path, text in files.items() if text is not None}
    if None in files.values():
        used = recipe().__class__(**{**as_fields(recipe()), "shims": module_move(ELSEWHERE)["shims"]})
    else:
        used = recipe()
    (outcome,) = outcomes(tmp_path, used, given)
    assert isinstance(outcome, Refused), outcome
    assert reason in outcome.reason


ELSEWHERE = '[[modules]]\nold = "away.old"\nnew = "away.new"\n[[shims]]\nold = "away.old.Old"\nnew = "shop.new.New"\n'


def test_a_new_module_may_import_the_rest_of_the_old_one(root: Path) -> None:
    make(root, recipe(MAPPED), {"shop/new.py": f"from shop.old import REST\n{NEW}"})
    caller, _ = warned(root, "from shop.old import Old\nmade = Old(1, 2, 3)\n")
    assert caller.made.context == 3
