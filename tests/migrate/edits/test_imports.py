"""Tests of carrel.migrate.edits.imports."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.migrate.edits.imports import without_names
from carrel.migrate.outcome import Edited
from tests.migrate.edits.changing import SYMBOL, changed, outcomes, recipe, unchanged

NEW = "from pkg.new import New"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from pkg.old import Old\n", f"{NEW}\n"),
        ("from pkg.old import Old  # why\n", f"{NEW}  # why\n"),
        ("from  pkg.old  import  Old\n", "from  pkg.new  import  New\n"),
        ("from pkg.old import Old as E\nE\n", "from pkg.new import New as E\nE\n"),
        ("from pkg.old import (Old)\n", "from pkg.new import (New)\n"),
        ("from pkg.old import \\\n    Old\n", "from pkg.new import \\\n    New\n"),
        ("from pkg.old import (\n    # engine\n    Old,  # why\n)\n",
         "from pkg.new import (\n    # engine\n    New,  # why\n)\n"),
        ("from pkg.old import Old, Other\n", f"from pkg.old import Other\n{NEW}\n"),
        ("from pkg.old import Other, Old\n", f"from pkg.old import Other\n{NEW}\n"),
        ("from pkg.old import Other, Old  # why\n", f"from pkg.old import Other  # why\n{NEW}\n"),
        ("from pkg.old import (Other, Old)\n", f"from pkg.old import (Other)\n{NEW}\n"),
        ("from pkg.old import (\n    Old,\n    Other,\n)\n", f"from pkg.old import (\n    Other,\n)\n{NEW}\n"),
        ("from pkg.old import (\n    Other,\n    Old\n)\n", f"from pkg.old import (\n    Other\n)\n{NEW}\n"),
        ("from pkg.old import (\n    Other,\n    Old,  # why\n)\n",
         f"from pkg.old import (\n    Other,\n    # why\n)\n{NEW}\n"),
        ("from pkg.old import (\n    Other,  # one\n    Old  # two\n)\n",
         f"from pkg.old import (\n    Other,  # one\n    # two\n)\n{NEW}\n"),
        ("from pkg.old import Old as E, Other\nE()\n",
         "from pkg.old import Other\nfrom pkg.new import New as E\nE()\n"),
        ("from pkg.old import Old, Old as E\nOld\nE\n", "from pkg.new import New, New as E\nNew\nE\n"),
        ("def f():\n    from pkg.old import Old, Other\n    return Old\n",
         f"def f():\n    from pkg.old import Other\n    {NEW}\n    return New\n"),
        ("def f():\n\tfrom pkg.old import Old, Other\n\treturn Old\n",
         f"def f():\n\tfrom pkg.old import Other\n\t{NEW}\n\treturn New\n"),
        ("if 1: from pkg.old import Old, Other\n", f"if 1: from pkg.old import Other; {NEW}\n"),
        ("from pkg.old import Old, Other; x = 1\n", f"from pkg.old import Other; {NEW}; x = 1\n"),
        ("import os; from pkg.old import Old\n", f"import os; {NEW}\n"),
        ("try:\n    from pkg.old import Old\nexcept ImportError:\n    Old = None\n",
         f"try:\n    {NEW}\nexcept ImportError:\n    New = None\n"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.old import Old\ndef f(a: 'Old'): ...\n",
         f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {NEW}\ndef f(a: 'New'): ...\n"),
        ("from pkg.old import Old\n__all__ = ['Old', 'x']\nx = 1\n", f"{NEW}\n__all__ = ['New', 'x']\nx = 1\n"),
        ("from pkg.old import *\nOld()\n", "from pkg.old import *\nfrom pkg.new import New as Old\nOld()\n"),
    ],
)  # fmt: skip
def test_the_name_comes_from_its_new_module(before, after):
    assert changed(before, after) == ()


@pytest.mark.parametrize(
    "before",
    [
        "from pkg.old import Other\n",
        "from pkg.same import Old\nOld()\n",
        "import pkg.old\npkg.old.Other\n",
        "class Old: ...\nOld()\n",
        "x = 'pkg.old'\n# Old\n",
        "from pkg import new as Old\nOld\n",
        "from elsewhere import Old\nOld()\n",
        "def Old(): ...\nOld()\n",
    ],
)
def test_other_names_stay(before):
    assert unchanged(before) == ()


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_stay(end):
    before = f"from pkg.old import Old, Other{end}x = Old(){end}".encode()
    after = f"from pkg.old import Other{end}{NEW}{end}x = New(){end}".encode()
    changed(before, after)


def test_encoding_and_byte_order_mark_stay():
    changed(
        b"\xef\xbb\xbffrom pkg.old import Old\r\nx = 'e'\r\n", b"\xef\xbb\xbffrom pkg.new import New\r\nx = 'e'\r\n"
    )
    changed("# coding: latin-1\nx = 'é'; from pkg.old import Old\n".encode("latin-1"),
            "# coding: latin-1\nx = 'é'; from pkg.new import New\n".encode("latin-1"))  # fmt: skip


def test_a_file_without_a_last_line_end_gets_none():
    changed("from pkg.old import Old, Other", f"from pkg.old import Other\n{NEW}")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("pkg/app.py", "from .old import Old\n", "from .new import New\n"),
        ("pkg/app.py", "from . old import Old\n", "from .new import New\n"),
        ("pkg/app.py", "from .old import Old, Other\n", "from .old import Other\nfrom .new import New\n"),
        ("pkg/sub/app.py", "from ..old import Old\n", "from ..new import New\n"),
        ("pkg/__init__.py", "from .old import Old as Old\n", "from .new import New as Old\n"),
    ],
)
def test_relative_imports_stay_relative(path, before, after):
    outcome = outcomes({"pkg/sub/__init__.py": "", path: before})[path]
    assert isinstance(outcome, Edited)
    assert outcome.after.decode() == after


def test_a_name_that_is_taken_is_imported_under_the_old_one():
    changed("from pkg.old import Old\nNew = 1\nOld\n", "from pkg.new import New as Old\nNew = 1\nOld\n")
    changed("from pkg.old import Old\ndef f(New):\n    return Old, New\n",
            "from pkg.new import New as Old\ndef f(New):\n    return Old, New\n")  # fmt: skip


def test_a_name_that_stands_for_the_new_class_already_is_free():
    changed("from pkg.new import New\nfrom pkg.old import Old\nOld, New\n", f"{NEW}\n{NEW}\nNew, New\n")


def test_a_name_with_two_meanings_keeps_its_name():
    left = changed(
        "if x:\n    from pkg.old import Old\nelse:\n    from other import Old\nOld()\n",
        "if x:\n    from pkg.new import New as Old\nelse:\n    from other import Old\nOld()\n",
    )
    assert len(left) == 1


def test_a_name_that_others_import_from_here_stays():
    left = changed(
        "from pkg.old import Old\nOld\n", "from pkg.new import New as Old\nOld\n", user="from app import Old\nOld()\n"
    )
    assert left == ()


def test_a_name_that_is_patched_here_stays():
    changed(
        "from pkg.old import Old\nOld\n",
        "from pkg.new import New as Old\nOld\n",
        test_it="from unittest.mock import patch\nwith patch('app.Old'): ...\n",
    )


def test_the_recipe_may_keep_the_name():
    used = recipe(symbols='[[symbols]]\nold = "pkg.old.Old"\nnew = "pkg.new.New"\nalias = "keep"\n')
    changed("from pkg.old import Old\nOld()\n", "from pkg.new import New as Old\nOld()\n", used)


def test_an_import_of_what_does_not_exist_is_refused():
    used = recipe(symbols='[[symbols]]\nold = "pkg.old.Old"\nnew = "pkg.new.Missing"\n')
    (reason,) = unchanged("from pkg.old import Old\n", used)
    assert "`pkg.new.Missing`, which does not exist" in reason


MODULE = recipe(symbols='[[modules]]\nold = "pkg.old"\nnew = "pkg.fresh.new"\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import pkg.old\npkg.old.Old()\n", "import pkg.fresh.new\npkg.fresh.new.Old()\n"),
        ("import pkg.old as m\nm.Old()\n", "import pkg.fresh.new as m\nm.Old()\n"),
        ("from pkg import old\nold.Old()\n", "from pkg.fresh import new as old\nold.Old()\n"),
        ("from pkg.old import Old, Other as O\nOld\n", "from pkg.fresh.new import Old, Other as O\nOld\n"),
        ("from pkg.old import *\nOld()\n", "from pkg.fresh.new import *\nOld()\n"),
        ("from pkg import old, same\nold.Old\n", "from pkg import same\nfrom pkg.fresh import new as old\nold.Old\n"),
    ],
)
def test_a_module_moves_with_all_its_names(before, after):
    fresh = {"pkg/fresh/__init__.py": "", "pkg/fresh/new.py": "class Old: ...\nclass Other: ...\n"}
    outcome = outcomes({**fresh, "app.py": before}, MODULE)["app.py"]
    assert isinstance(outcome, Edited)
    assert outcome.after.decode() == after


NAMES = st.lists(st.sampled_from(["a", "b", "c", "d as e", "f"]), min_size=2, max_size=5, unique=True)


@given(NAMES, st.data())
def test_any_names_can_be_taken_out(names, data):
    indices = data.draw(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=len(names) - 1, unique=True))
    form = data.draw(st.sampled_from(["line", "parentheses", "lines", "lines, no last comma", "backslash"]))
    gap = data.draw(st.sampled_from(["", " ", "  "]))
    joined = f"{gap},{gap} ".join(names)
    statement = {
        "line": f"from m import {joined}",
        "parentheses": f"from m import ({joined})",
        "lines": "from m import (\n" + "".join(f"    {one},  # {one}!\n" for one in names) + ")",
        "lines, no last comma": "from m import (\n    " + ",\n    ".join(names) + "\n)",
        "backslash": "from m import " + ", \\\n    ".join(names),
    }[form]
    after = without_names(statement, indices)
    (node,) = ast.parse(after).body
    assert isinstance(node, ast.ImportFrom)
    kept = [one for index, one in enumerate(names) if index not in indices]
    assert [f"{one.name} as {one.asname}" if one.asname else one.name for one in node.names] == kept
    assert after.count("!") == statement.count("!")


def test_a_symbol_and_the_module_that_it_was_in_move_to_different_places():
    used = recipe(symbols=SYMBOL + '[[modules]]\nold = "pkg.old"\nnew = "pkg.same"\n')
    changed(
        "from pkg.old import Old, Older\n",
        "from pkg.same import Older\nfrom pkg.new import New\n",
        used,
        pkg__same="class Older: ...\n",
    )


def test_a_star_stays_for_a_use_that_is_left_and_is_told():
    reasons = unchanged("from pkg.old import *\nfrom pkg.same import *\nOld()\n")
    assert reasons == ("it may be `pkg.same.Old`, too", "a use of what it brings is left")


def test_a_name_that_a_star_behind_its_import_may_bind_anew_stays():
    before = "from pkg.old import Old\nfrom pkg.same import *\nOld()\n"
    reasons = changed(before, before.replace("pkg.old import Old", "pkg.new import New as Old"))
    assert reasons == ("a star import may bind it to `pkg.same.Old`",)


def test_a_star_import_gets_no_import_for_a_module_that_has_the_symbol():
    found = outcomes(
        {
            "pkg/__init__.py": "from .old import Old\n__all__ = ['Old']\n",
            "app.py": "from pkg import *\nimport pkg.old\nx: Old\ny: old.Old\n",
        }
    )["app.py"]
    assert isinstance(found, Edited)
    assert found.after == b"from pkg import *\nfrom pkg.new import New as Old\nimport pkg.old\nx: Old\ny: old.Old\n"


def test_a_module_that_a_star_may_bring_is_not_bound_to_the_new_symbol():
    api = "from .old import Old\n__all__ = ['Old']\n"
    outcome = outcomes({"pkg/__init__.py": api, "app.py": "from pkg import *\nOld.LIMIT\nold.Old.LIMIT\n"})["app.py"]
    assert isinstance(outcome, Edited)
    assert outcome.after == b"from pkg import *\nfrom pkg.new import New as Old\nOld.LIMIT\nold.Old.LIMIT\n"


def test_the_blank_before_import_stays_behind_dots_alone():
    files = {"pkg/__init__.py": "from .old import Old\n", "pkg/app.py": "from . import Old\nOld\n"}
    outcome = outcomes(files)["pkg/app.py"]
    assert isinstance(outcome, Edited)
    assert outcome.after == b"from .new import New\nNew\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from pkg.old import Old, Other, Old as E\nOld, E\n",
         "from pkg.old import Other\nfrom pkg.new import New, New as E\nNew, E\n"),
        ("from pkg.old import Other, \\\n    Old\nOld\n", "from pkg.old import Other\nfrom pkg.new import New\nNew\n"),
    ],
)  # fmt: skip
def test_every_name_that_moves_is_taken_out_of_the_statement(before, after):
    changed(before, after)


def test_a_package_whose_name_begins_alike_is_not_taken_for_the_own_one():
    used = recipe(symbols='[[symbols]]\nold = "pkg.old.Old"\nnew = "pkgs.new.New"\n')
    files = {"pkgs/__init__.py": "", "pkgs/new.py": "class New: ...\n", "pkg/app.py": "from .old import Old\nOld\n"}
    outcome = outcomes(files, used)["pkg/app.py"]
    assert isinstance(outcome, Edited)
    assert outcome.after == b"from pkgs.new import New\nNew\n"


def test_a_star_gets_no_import_for_a_name_that_another_import_binds():
    before = "from pkg.old import *\nOld()\ndef f():\n    from pkg.old import Old as E\n    E()\n"
    changed(
        before,
        "from pkg.old import *\nfrom pkg.new import New as Old\nOld()\ndef f():\n"
        "    from pkg.new import New as E\n    E()\n",
    )
