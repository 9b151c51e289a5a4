"""Tests of carrel.migrate.wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.migrate.wanted import Wanted, may_refer

ENGINE = Wanted(("Engine",))


@pytest.mark.parametrize(
    "text",
    [
        "from a import Engine",
        "from a import b, Engine as E",
        "from a import (b,  # )\n  Engine)",
        "from a import (  # import this\n\n  b,\n  # and ( that\n  Engine,\n)",
        "from a import \\\n  Engine",
        "from a import b, \\\r\n  Engine",
        "import a.Engine",
        "a.Engine()",
        "a . \\\n Engine",
        "a.\n  Engine",
        "'Engine'",
        "'a.b.Engine.c'",
        "'a.b:Engine'",
        "from a import *\nEngine()",
        "from a import b as c, Engine",
        "from a import Engine as Engine",
        "from a import x  # y\nfrom b import Engine",
        "x = '#'; from b import Engine",
        "# a\rfrom b import Engine",
        "with a as b: from c import Engine",
        "patch.multiple('a', Engine=1)",
    ],
)
def test_what_can_bind_or_name_it_is_parsed(text: str):
    assert may_refer(text.encode(), ENGINE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Engine()",
        "class Engine: ...",
        "from a import UserEngine, EngineFactory",
        "from a import b\nEngine()",
        "from a import (b)\nx = (Engine)",
        "a.UserEngine",
        "'UserEngine'",
        "from a import *",
        "# the Engine",
        "from a import UserEngine as Engine",
        "import a.b as Engine",
        "from a import (\n  b as \\\n  Engine,\n)",
        "# from a import Engine",
        "  # x = a.Engine",
        "from a import (\n    # Engine,\n    b,\n)",
        "from a import *\nUserEngine()\n# Engine",
        "f(Engine=1)",
    ],
)
def test_what_cannot_is_not(text: str):
    assert not may_refer(text.encode(), ENGINE)


def test_a_hint_must_be_there_too():
    hinted = Wanted(("Engine",), ("motor",))
    assert not may_refer(b"from a import Engine", hinted)
    assert may_refer(b"from a.motor import Engine", hinted)
    assert may_refer(b"from .. import Engine", hinted)


@given(
    st.sampled_from(
        ["from {m} import {n}", "from {m} import (\n    {n},\n)", "from {m} import x, \\\n {n} as y", "{m}.{n}"]
    ),
    st.text(alphabet="ab_\n #()'\"é", max_size=30),
    st.text(alphabet="ab_\n #()'\"é", max_size=30),
)
def test_a_reference_is_never_missed_whatever_stands_around(form: str, before: str, after: str):
    text = f"{before}\n{form.format(m='pkg.mod', n='Engine')}\n{after}"
    assert may_refer(text.encode(), ENGINE)
