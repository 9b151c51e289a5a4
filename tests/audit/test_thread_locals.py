"""What counts as a store in a thread-local, and as taking it out again."""

from __future__ import annotations

import pytest

from carrel.audit.thread_locals import clearing, stores_elsewhere, thread_local_stores, thread_locals
from tests.audit.checking import view

HEAD = "import threading\nlocal = threading.local()\n"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("local.user = user", ["user"]),
        ("local.user = None", []),
        ("del local.user", []),
        ("local.__dict__.update(user)", ["update"]),
        ("other.user = user", []),
    ],
)
def test_stores(body: str, names: list[str]) -> None:
    found = thread_local_stores(view(f"{HEAD}def f(user, other):\n    {body}\n"))
    assert [store.name for store in found] == names


def test_the_names_that_hold_one() -> None:
    code = f"{HEAD}class Own(threading.local): ...\nclass Desk:\n    kept = Own()\nother = list()\n"
    assert thread_locals(view(code)) == ("app.local", "app.Desk.kept")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("lab.shelf.user = user", ["lab.shelf"]),
        ("setattr(lab.shelf, 'user', user)", ["lab.shelf"]),
        ("lab.shelf.user = None", []),
        ("local.user = user", []),
        ("lab.shelf.row.user = user", ["lab.shelf.row"]),
    ],
)
def test_stores_on_what_another_file_may_make(body: str, names: list[str]) -> None:
    found = stores_elsewhere(view(f"import lab\n{HEAD}def f(user):\n    {body}\n"))
    assert [made.name for _, made in found] == names


@pytest.mark.parametrize(
    ("rest", "cleared"),
    [
        ("del local.user", True),
        ("local.user = None", True),
        ("local.__dict__.pop('user', None)", True),
        ("del local.__dict__['user']", True),
        ("local.__dict__.pop('other', None)", False),
        ("local.other = None", False),
        ("pass", False),
    ],
)
def test_clearing(rest: str, cleared: bool) -> None:
    seen = view(f"{HEAD}def f(user):\n    local.user = user\ndef done():\n    {rest}\n")
    (store,) = thread_local_stores(seen)
    assert bool(clearing(seen, store)) is cleared
