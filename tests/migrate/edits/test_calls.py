"""Tests of carrel.migrate.edits.calls."""

from __future__ import annotations

import pytest

from tests.migrate.edits.changing import changed, recipe, unchanged

USED = recipe('''
[[constructors]]
symbol = "pkg.old.Old"
signature = "(registry, bridge, context=None)"
[[constructors.calls]]
call = "await {new}.create"
where = "async"
parameters = { registry = "{registry}", bridge = "{bridge}", context = "{context}" }
optional = ["context"]
[[constructors.calls]]
call = "{new}"
where = "sync"
requires = ["context"]
signature = "(context, *, emitter)"
parameters = { context = "{context}", emitter = "emitter_of({bridge}, {registry})" }
imports = ["from pkg.new import emitter_of"]
''')  # fmt: skip
MORE = "class New: ...\ndef emitter_of(bridge, registry): ...\n"


def sync(call: str, expected: str) -> tuple[str, ...]:
    return changed(
        f"from pkg.old import Old\n{call}\n",
        f"from pkg.new import New\nfrom pkg.new import emitter_of\n{expected}\n",
        USED,
        pkg__new=MORE,
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("x = Old(r, b, c)", "x = New(context=c, emitter=emitter_of(b, r))"),
        ("x = Old(bridge=b, context=c, registry=r)", "x = New(context=c, emitter=emitter_of(b, r))"),
        ("x = Old(r, b, context=make(\n    1,  # one\n))",
         "x = New(context=make(\n    1,  # one\n), emitter=emitter_of(b, r))"),
        ("x = Old(r, b, a if b else c)", "x = New(context=(a if b else c), emitter=emitter_of(b, r))"),
        ("Old(\n    r,  # all of them\n    b,\n    c,\n)",
         "New(\n    # all of them\n    context=c,\n    emitter=emitter_of(b, r),\n)"),
        ("x = Old(r, Old(r, b, c), d)",
         "x = New(context=d, emitter=emitter_of(New(context=c, emitter=emitter_of(b, r)), r))"),
    ],
)  # fmt: skip
def test_arguments_go_where_the_recipe_puts_them(call, expected):
    assert sync(call, expected) == ()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("x = Old(r, b)", "x = await New.create(registry=r, bridge=b)"),
        ("x = Old(r, b, c)", "x = await New.create(registry=r, bridge=b, context=c)"),
        ("Old(r, b).shut()", "(await New.create(registry=r, bridge=b)).shut()"),
        ("f(Old(r, b))", "f(await New.create(registry=r, bridge=b))"),
        ("return Old(r, b)", "return await New.create(registry=r, bridge=b)"),
    ],
)
def test_a_call_in_async_code_has_a_way_of_its_own(call, expected):
    before = f"from pkg.old import Old\nasync def f():\n    {call}\n"
    assert changed(before, f"from pkg.new import New\nasync def f():\n    {expected}\n", USED) == ()


@pytest.mark.parametrize(
    "call", ["Old(*parts)", "Old(r, b, **more)", "Old(r, b)", "Old(r, b, None)", "Old(r, b, context=None)"]
)
def test_a_call_that_only_the_old_constructor_can_serve_keeps_it(call):
    reasons = changed(
        f"from pkg.old import Old\n{call}\nx: Old\n",
        f"from pkg.old import Old\nfrom pkg.new import New\n{call}\nx: New\n",
        USED,
    )
    assert len(reasons) == 2
    assert all("needs the old constructor" in reason for reason in reasons)


def test_nothing_is_imported_for_a_file_of_such_calls_only():
    assert len(unchanged("from pkg.old import Old\nOld(r, b)\n", USED)) == 2


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("Old(r, b)", "it stands in no `async def`; it gives no `context`"),
        ("Old(r, b, None)", "it stands in no `async def`; it gives no `context`"),
    ],
)
def test_the_reason_says_what_is_missing(before, reason):
    assert unchanged(f"from pkg.old import Old\n{before}\n", USED)[1].endswith(f"no new form fits it: {reason}")


def test_a_name_that_hangs_on_its_import_stays_with_all_its_uses():
    reasons = unchanged("from pkg.old import Old\n__all__ = ['Old']\nOld(r, b)\nx: Old\n", USED)
    assert len(reasons) == 4


@pytest.mark.parametrize("call", ["()", "(r)", "(r, b, c, d)", "(r, b, colour=1)", "(r, r, b, registry=r)"])
def test_a_call_that_never_fitted_is_listed(call):
    (reason,) = changed(f"from pkg.old import Old\nOld{call}\n", f"from pkg.new import New\nNew{call}\n", USED)
    assert "does not fit the old signature" in reason


def test_a_call_that_was_written_for_the_new_signature_says_so():
    (reason,) = changed(
        "from pkg.old import Old\nOld(context=c, emitter=e)\n",
        "from pkg.new import New\nNew(context=c, emitter=e)\n",
        USED,
    )
    assert "it fits the new signature" in reason


def test_a_call_in_a_lambda_of_async_code_is_sync():
    changed(
        "from pkg.old import Old\nasync def f():\n    return lambda: Old(r, b, c)\n",
        "from pkg.new import New\nfrom pkg.new import emitter_of\nasync def f():\n"
        "    return lambda: New(context=c, emitter=emitter_of(b, r))\n",
        USED,
        pkg__new=MORE,
    )


MADE = recipe("""
[[constructors]]
symbol = "pkg.old.Old"
signature = "(registry, bridge, context=None)"
maker = "pkg.new.make_old"
[[constructors.calls]]
call = "await {new}.create"
where = "async"
parameters = { registry = "{registry}", bridge = "{bridge}" }
[[constructors.calls]]
call = "{new}"
where = "sync"
requires = ["context"]
parameters = { context = "{context}" }
""")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from pkg.old import Old\nx = Old(*parts)\n", "from pkg.new import make_old\nx = make_old(*parts)\n"),
        ("from pkg.old import Old as E\nE(r, b)\n", "from pkg.new import make_old as E\nE(r, b)\n"),
        ("from pkg.old import (\n    Old,  # why\n    Other,\n)\nOld(r, b)\n",
         "from pkg.old import (\n    # why\n    Other,\n)\nfrom pkg.new import make_old\nmake_old(r, b)\n"),
        ("from pkg.old import Old\nOld(r, b)\nx: Old\n",
         "from pkg.new import New\nfrom pkg.new import make_old\nmake_old(r, b)\nx: New\n"),
        ("from pkg.old import Old\nOld(r, **more)\nOld(r, b, c)\n",
         "from pkg.new import New\nfrom pkg.new import make_old\nmake_old(r, **more)\nNew(context=c)\n"),
        ("from pkg.old import Old\nOld(r, Old(r, b, c))\n",
         "from pkg.new import New\nfrom pkg.new import make_old\nmake_old(r, New(context=c))\n"),
        ("def f():\n    from pkg.old import Old\n    return Old(r, b)\n",
         "def f():\n    from pkg.new import make_old\n    return make_old(r, b)\n"),
        ("from pkg.old import *\nOld(r, b)\n",
         "from pkg.old import *\nfrom pkg.new import make_old\nmake_old(r, b)\n"),
        ("from pkg.old import *\nOld(r, b)\nx: Old\n",
         "from pkg.old import *\nfrom pkg.new import New as Old\nfrom pkg.new import make_old\nmake_old(r, b)\nx: Old\n"),  # noqa: E501
        ("import pkg.old\npkg.old.Old(r, b)\npkg.old.Old.LIMIT\n",
         "import pkg.old\nfrom pkg.new import make_old\nfrom pkg.new import New\nmake_old(r, b)\nNew.LIMIT\n"),
        ("from pkg.old import Old\n__all__ = ['Old']\nOld(r, b)\n",
         "from pkg.new import New\nfrom pkg.new import make_old\n__all__ = ['New']\nmake_old(r, b)\n"),
        ("from pkg.old import Old\nmake_old = 1\nOld(r, b)\nx: Old\n",
         "from pkg.new import New\nfrom pkg.new import make_old as _make_old\nmake_old = 1\n_make_old(r, b)\nx: New\n"),
        ("from pkg.old import Old\nmake_old = 1\nOld(r, b)\n",
         "from pkg.new import make_old as Old\nmake_old = 1\nOld(r, b)\n"),
    ],
)  # fmt: skip
def test_a_call_that_keeps_its_arguments_goes_to_the_recipes_function(before, after):
    reasons = changed(before, after, MADE)
    assert [reason for reason in reasons if not reason.startswith("goes through `pkg.new.make_old`: ")] == []
    assert reasons


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from pkg.old import Old\nOld(r, b, c)\n", "from pkg.new import New\nNew(context=c)\n"),
        ("from pkg.old import Old\nasync def f(): Old(r, b)\n",
         "from pkg.new import New\nasync def f(): await New.create(registry=r, bridge=b)\n"),
        ("from pkg.old import Old\nOld(1)\n", "from pkg.new import New\nNew(1)\n"),
        ("from pkg.old import Old\nf(Old)\n", "from pkg.new import New\nf(New)\n"),
    ],
)  # fmt: skip
def test_what_fits_a_way_or_is_no_old_call_does_not(before, after):
    assert not any("make_old" in reason for reason in changed(before, after, MADE))


def test_a_name_that_others_reach_stays_the_symbols():
    changed(
        "from pkg.old import Old\nOld(r, b)\n",
        "from pkg.new import New as Old\nfrom pkg.new import make_old\nmake_old(r, b)\n",
        MADE,
        user="import app\n\nx: app.Old\n",
    )
