"""Who takes what from a file."""

from __future__ import annotations

import pytest

from carrel.audit.users import Users
from tests.audit.checking import program

SHOP = {"pkg/__init__.py": "", "pkg/shop.py": "class Store: ...\nclass Till: ...\n"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from pkg.shop import Store\n", {"a.py": False}),
        ("from pkg.shop import *\n", {"a.py": False}),
        ("import pkg.shop\n", {"a.py": False}),
        ("from pkg import shop\n", {"a.py": False}),
        ("def later():\n    from pkg.shop import Store\n", {"a.py": False}),
        ("from pkg.shop import Till\n", {}),
        ("import pkg\n", {}),
        ("if NEW:\n    from pkg.shop import Store\n", {"a.py": True}),
        ("try:\n    from pkg.shop import Store\nexcept ImportError:\n    Store = None\n", {"a.py": True}),
        ("from pkg.shop import Store\nif NEW:\n    from pkg.shop import Store as S\n", {"a.py": False}),
        ("from pkg.shop import Till\nif NEW:\n    from pkg.shop import Store\n", {"a.py": True}),
    ],
)
def test_the_files_that_take_a_class(text: str, expected: dict[str, bool]) -> None:
    assert Users(program(SHOP | {"a.py": text})).of("pkg/shop.py", "pkg.shop.Store") == expected


def test_the_files_that_take_anything() -> None:
    users = Users(program(SHOP | {"a.py": "from pkg.shop import Till\n", "tests/b.py": "import pkg.shop\n"}))
    assert users.of("pkg/shop.py") == {"a.py": False}
    assert users.of("a.py") == {}
