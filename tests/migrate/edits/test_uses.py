"""Tests of carrel.migrate.edits.uses."""

from __future__ import annotations

import pytest

from carrel.migrate.outcome import Edited
from tests.migrate.edits.changing import changed, outcomes, recipe, unchanged

IMPORT = "from pkg.old import Old\n"
AFTER = "from pkg.new import New\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Old.LIMIT\n", "New.LIMIT\n"),
        ("class Mine(Old): ...\n", "class Mine(New): ...\n"),
        ("class Mine(Base[Old]): ...\n", "class Mine(Base[New]): ...\n"),
        ("def f(a: Old) -> list[Old]: ...\n", "def f(a: New) -> list[New]: ...\n"),
        ("def f(a: 'Old | None'): ...\n", "def f(a: 'New | None'): ...\n"),
        ("x = cast('Old', y)\n", "x = cast('New', y)\n"),
        ("isinstance(x, (Old, int))\n", "isinstance(x, (New, int))\n"),
        ("f'{Old.LIMIT}'\n", "f'{New.LIMIT}'\n"),
        ("@Old\ndef f(): ...\n", "@New\ndef f(): ...\n"),
        ("x = Old\nx()\n", "x = New\nx()\n"),
        ("[Old for _ in ()]\n", "[New for _ in ()]\n"),
        ("größe = Old  # Old\n", "größe = New  # Old\n"),
        ("'Old'\nOld\n", "'Old'\nNew\n"),
        ("x.Old = Old\n", "x.Old = New\n"),
        ("f(Old=Old)\n", "f(Old=New)\n"),
        ("OldOne = Old\n", "OldOne = New\n"),
    ],
)
def test_a_use_gets_the_new_name(before, after):
    assert changed(IMPORT + before, AFTER + after) == ()


def test_a_local_name_of_the_same_spelling_keeps_all_as_they_are():
    changed(
        IMPORT + "def f(Old):\n    return Old\nOld\n",
        "from pkg.new import New as Old\ndef f(Old):\n    return Old\nOld\n",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import pkg.old\npkg.old.Old()\n", "import pkg.old\nfrom pkg.new import New\nNew()\n"),
        ("import pkg.old as m\nm.Old, m.Other\n", "import pkg.old as m\nfrom pkg.new import New\nNew, m.Other\n"),
        ("from pkg import old\nold.Old.LIMIT\n", "from pkg import old\nfrom pkg.new import New\nNew.LIMIT\n"),
        (
            "from pkg import old\nNew = 1\nold.Old\n",
            "from pkg import old\nfrom pkg.new import New as _New\nNew = 1\n_New\n",
        ),
    ],
)
def test_a_name_reached_through_its_module_gets_an_import(before, after):
    assert changed(before, after) == ()


def test_an_object_that_is_made_by_a_call_now_is_called():
    used = recipe(
        symbols='[[symbols]]\nold = "pkg.old.desk"\nnew = "pkg.new.get_desk"\n'
        'call = { sync = "{new}()", async = "await {new}()" }\n'
    )
    left = changed(
        "from pkg.old import desk\ndesk.ask()\nasync def f():\n    desk.ask()\n    return desk\n",
        "from pkg.new import get_desk\nget_desk().ask()\nasync def f():\n    (await get_desk()).ask()\n"
        "    return await get_desk()\n",
        used,
        pkg__old="desk = 1\n",
        pkg__new="def get_desk(): ...\n",
    )
    assert left == ()


def test_annotations_may_have_a_name_of_their_own():
    used = recipe(symbols='[[symbols]]\nold = "pkg.old.Old"\nnew = "pkg.new.New"\nannotations = "pkg.new.Shape"\n')
    changed(
        "from pkg.old import Old\ndef f(a: Old): return Old()\n",
        "from pkg.new import New\nfrom pkg.new import Shape\ndef f(a: Shape): return New()\n",
        used,
        pkg__new="class New: ...\nclass Shape: ...\n",
    )


def test_what_is_bound_by_an_assignment_follows_it():
    changed("from pkg.old import Old\nE = Old\nE()\n", "from pkg.new import New\nE = New\nE()\n")


def test_a_file_that_does_not_parse_is_never_touched():
    unchanged("from pkg.old import Old\ndef f(:\n")


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("    return pkg.Old", "    from pkg.new import New\n    return New"),
        ("    '''Why.'''\n    return pkg.Old", "    '''Why.'''\n    from pkg.new import New\n    return New"),
        ("    @pkg.x\n    def g(): ...\n    return pkg.Old", None),
        ("    def g():\n        return pkg.Old\n    return g", None),
        ("    pass; return pkg.Old", "    from pkg.new import New\n    pass; return New"),
        ("    return [pkg.Old for _ in ()], lambda: pkg.Old", None),
    ],
)
def test_a_file_that_is_imported_with_the_new_module_imports_it_when_it_is_needed(body: str, after: str | None) -> None:
    found = outcomes(
        {
            "pkg/new.py": "import pkg.helper\nclass New: ...\n",
            "pkg/__init__.py": "from pkg.old import Old\n",
            "pkg/helper.py": f"import pkg\n\ndef f():\n{body}\n",
            "app.py": f"import pkg\n\ndef f():\n{body}\n",
        }
    )
    outcome, other = found["pkg/helper.py"], found["app.py"]
    assert isinstance(outcome, Edited), outcome
    assert isinstance(other, Edited)
    text = outcome.after.decode()
    if after is not None:
        assert text == f"import pkg\n\ndef f():\n{after}\n"
    assert text.startswith("import pkg\n\ndef f():\n")
    assert text.count("from pkg.new import New") == 1
    assert other.after.decode().startswith("import pkg\nfrom pkg.new import New\n")
