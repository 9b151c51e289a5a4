"""How the file of a shared container gets at what is in it."""

from __future__ import annotations

import pytest

from carrel.audit.reads import compares_owner, gives_each_their_own, is_presence_list, reads_whole, uses
from tests.audit.checking import view


@pytest.mark.parametrize(
    "read",
    ["return BOX", "for one in BOX:\n        show(one)", "return BOX[-1]",
     "return BOX[1:]", "return BOX.values()", "show(BOX)",
     "kept = [one for one in BOX if one]",
     "return BOX.popleft()", "return BOX.pop(0)", "return [*BOX]", "x = BOX", "return f'{BOX}'"],
)  # fmt: skip
def test_as_a_whole(read: str) -> None:
    assert reads_whole(view(f"BOX = []\ndef f(key):\n    {read}\n"), "app.BOX")


@pytest.mark.parametrize(
    "read",
    ["BOX.append(key)", "return len(BOX)", "return key in BOX",
     "return BOX[key]", "return BOX.get(key)", "BOX[0] = key",
     "BOX[:] = [one for one in BOX if one]", "global BOX\n    BOX = [one for one in BOX if one]",
     "del BOX[key]", "return BOX.pop(key)", "if BOX:\n        return 1", "return not BOX", "BOX"],
)  # fmt: skip
def test_by_a_key_or_not_at_all(read: str) -> None:
    assert not reads_whole(view(f"BOX = []\ndef f(key):\n    {read}\n"), "app.BOX")


def test_a_list_of_who_is_there() -> None:
    assert is_presence_list(view("BOX = []\ndef f(key):\n    BOX.append(key)\n    BOX.remove(key)\n"), "app.BOX")
    assert not is_presence_list(view("BOX = []\ndef f(key):\n    BOX.append(key)\n"), "app.BOX")


def test_another_name_of_the_same_spelling_is_not_it() -> None:
    assert list(uses(view("BOX = []\ndef f(BOX):\n    return BOX\n"), "app.BOX")) == []
    assert len(list(uses(view("import other\ndef f():\n    return other.BOX\n"), "other.BOX"))) == 1


@pytest.mark.parametrize(
    ("test", "is_own"),
    [
        ("one.user_id == user_id", True),
        ("user_id == one.owner", True),
        ("one.bidder == bidder", True),
        ("one.color == color", False),
        ("one.user_id != user_id", False),
        ("one.number == number", False),
        ("one.number == user_id", False),
        ("one.user_id == 1", False),
    ],
)
def test_each_is_given_their_own(test: str, *, is_own: bool) -> None:
    seen = view(
        f"BOX = []\ndef put(one):\n    BOX.append(one)\ndef of(user_id):\n    return [one for one in BOX if {test}]\n"
    )
    assert gives_each_their_own(seen, "app.BOX") is is_own
    assert compares_owner(seen.functions[1]) is is_own
    everything = view(
        f"BOX = []\ndef all():\n    return BOX\ndef of(user_id):\n    return [x for x in BOX if {test}]\n"
    )
    assert not gives_each_their_own(everything, "app.BOX")


@pytest.mark.parametrize(
    ("test", "is_own"),
    [("one.stream_id != stream_id", True), ("one.user_id != stream_id", False), ("one.event_id != stream_id", False)],
)
def test_the_others_are_passed_over(test: str, *, is_own: bool) -> None:
    seen = view(
        f"def after(stream_id):\n    for one in BOX:\n        if {test}:\n            continue\n        send(one)\n"
    )
    assert compares_owner(seen.functions[0]) is is_own
