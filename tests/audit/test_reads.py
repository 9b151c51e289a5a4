"""How the file of a shared container gets at what is in it."""

from __future__ import annotations

import pytest

from carrel.audit.reads import compares_owner, is_presence_list, is_read_on_import, read_fields, read_names, uses
from tests.audit.checking import view


@pytest.mark.parametrize(
    "read",
    ["return BOX", "for one in BOX:\n        show(one)", "return BOX[-1]",
     "return BOX[1:]", "return BOX.values()", "show(BOX)",
     "kept = [one for one in BOX if one]",
     "return {one: BOX[one] for one in ('a', 'b')}", "for one in ('a', 'b'):\n        show(BOX[one])",
     "return {one: BOX.get(one, '') for one in ('a', 'b')}", "return BOX.get('a')",
     "return BOX.popleft()", "return BOX.pop(0)", "return [*BOX]", "x = BOX", "return f'{BOX}'"],
)  # fmt: skip
def test_as_a_whole(read: str) -> None:
    assert _read(f"BOX = []\ndef f(key):\n    {read}\n") == ["app.BOX"]


@pytest.mark.parametrize(
    "read",
    ["BOX.append(key)", "return len(BOX)", "return key in BOX",
     "return BOX[key]", "return [BOX[one] for one in key]", "for one in ('a', 'b'):\n        BOX[one] = key",
     "return BOX.get(key)", "if BOX.get('a') == key:\n        return 1", "return not BOX.get('a')", "BOX[0] = key",
     "BOX[:] = [one for one in BOX if one]", "global BOX\n    BOX = [one for one in BOX if one]",
     "del BOX[key]", "return BOX.pop(key)", "if BOX:\n        return 1", "return not BOX", "BOX"],
)  # fmt: skip
def test_by_a_key_or_not_at_all(read: str) -> None:
    assert _read(f"BOX = []\ndef f(key):\n    {read}\n") == []


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
        ("one['bidder'] == bidder", True),
        ("one.get('user_id') == user_id", True),
        ("one['rider'] == me", True),
        ("one['color'] == user_id", False),
        ("one.color == color", False),
        ("one.user_id != user_id", False),
        ("one.number == number", False),
        ("one.number == user_id", False),
        ("one.user_id == 1", False),
    ],
)
def test_each_is_given_their_own(test: str, *, is_own: bool) -> None:
    text = f"BOX = []\ndef of(user_id, me):\n    return [one for one in BOX if {test}]\n"
    assert (_read(text) == []) is is_own
    assert compares_owner(view(text).functions[0]) is is_own


@pytest.mark.parametrize(("test", "is_own"), [("owner == claimant.number", True), ("owner == line.number", False)])
def test_a_number_of_somebody_tells_whose_it_is(test: str, *, is_own: bool) -> None:
    text = f"BOX = []\ndef of(claimant, line):\n    return [text for owner, text in BOX if {test}]\n"
    assert compares_owner(view(text).functions[0]) is is_own


@pytest.mark.parametrize(
    ("kept", "is_read"),
    [
        ("stored == session_id", False),
        ("session_id == stored", False),
        ("stored != session_id", True),
        ("stored == kind", True),
        ("stored == last_id()", True),
    ],
)
def test_the_entries_of_a_session_are_picked_by_its_number(kept: str, *, is_read: bool) -> None:
    text = f"BOX = []\ndef of(session_id, kind):\n    return [event for stored, event in BOX if {kept}]\n"
    assert (_read(text) != []) is is_read


def test_what_is_imported_is_read_too() -> None:
    assert _read("from chat.history import turns\ndef f():\n    return complete(turns)\n") == ["chat.history.turns"]
    assert _read("from chat.history import turns\ndef f():\n    return turns()\n") == []


@pytest.mark.parametrize(
    ("body", "is_read"),
    [
        ("db.add(Batch(BOX))\n    BOX.clear()", False),
        ("save(BOX)\n    del BOX[:]", False),
        ("global BOX\n    save(BOX)\n    BOX = []", False),
        ("save(BOX)", True),
        ("socket.send(BOX)\n    BOX.clear()", True),
        ("rows = list(BOX)\n    BOX.clear()\n    return rows", True),
        ("keep(BOX.pop())", True),
    ],
)
def test_what_is_emptied_and_given_to_nobody_is_written_away(body: str, *, is_read: bool) -> None:
    assert (_read(f"BOX = []\ndef f():\n    {body}\n") == ["app.BOX"]) is is_read


def test_the_attributes_of_a_class_and_of_what_it_makes() -> None:
    text = "class Desk:\n    notes = []\n    def f(self):\n        return {}\n"
    seen = view("import state\ndef f():\n    return later(state.LATEST)\n")
    assert [path for path, _ in read_fields(seen, seen.functions[0])] == ["state.LATEST"]
    for read in ("Desk.notes", "type(self).notes", "self.notes"):
        seen = view(text.format(read))
        owner = "app.Desk()" if read == "self.notes" else "app.Desk"
        assert [path for path, _ in read_fields(seen, seen.functions[0])] == [f"{owner}.notes"]


def test_what_the_module_itself_hands_on() -> None:
    assert is_read_on_import(view("BOX = []\nagent = Agent(BOX)\n"), "app.BOX")
    assert not is_read_on_import(view("BOX = []\ndef f():\n    return BOX\n"), "app.BOX")


def _read(text: str) -> list[str]:
    """The modules' names that the only function reads as a whole."""
    seen = view(text)
    return [path for path, _ in read_names(seen).get(seen.functions[0], ())]


def test_a_container_that_is_cut_to_size_is_still_read() -> None:
    cut = "recent = []\ndef f(text):\n    recent.append(text)\n    del recent[{}]\n    show({{'recent': recent}})\n"
    for size, read in (("10:", True), ("0", False), (":", False)):
        seen = view(cut.format(size))
        assert bool(read_names(seen)) is read, size


@pytest.mark.parametrize(
    ("test", "is_read"),
    [
        ("one[1] == rider", False),
        ("one[0] > last and rider == one['for']['id']", False),
        ("one[0] > last", True),
        ("one[1] == last", True),
        ("one[1] == rider or last", True),
    ],
)
def test_entries_that_are_compared_with_who_has_signed_in_are_their_own(test: str, *, is_read: bool) -> None:
    seen = view(
        "import jwt\nfrom fastapi import Depends, FastAPI\napp = FastAPI()\nTRIPS = []\n"
        "def holder(ticket: str):\n    return jwt.decode(ticket, 'k', algorithms=['HS256'])['sub']\n"
        "@app.get('/')\ndef trips(last: int, rider=Depends(holder)):\n    def rows():\n"
        f"        yield from [one for one in TRIPS if {test}]\n    return list(rows())\n"
    )
    assert any(read_names(seen).values()) is is_read


def test_what_only_a_log_gets_is_read_by_nobody() -> None:
    assert _read("BOX = []\ndef f():\n    log.error('%s', dumps(list(BOX)))\n") == []
    assert _read("BOX = []\ndef f():\n    return page.error('%s', dumps(list(BOX)))\n") == ["app.BOX"]
