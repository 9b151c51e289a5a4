"""How a search heeds what it is told about whose documents are meant."""

from __future__ import annotations

import pytest

from carrel.audit.heeding import narrows_when_told, unheeded
from tests.audit.checking import view

SHELF = """
class Shelf:
    def __init__(self):
        self.books, self.shut = [], set()
    def put(self, patient, book):
        self.books.append((patient, book))
    def find(self, patient, words):
        return {}
    def close(self, words):
        self.shut.add(words)
"""


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("[one for one in self.books if words in one[1]]", ["patient"]),
        ("[one for owner, one in self.books if owner == patient]", []),
        ("words in self.shut", []),
        ("nearest(patient, self.books)", []),
    ],
)
def test_what_a_function_is_told_and_never_looks_at(given: str, names: list[str]) -> None:
    seen = view(SHELF.format(given))
    find = next(one for one in seen.functions if one.name == "find")
    assert [name for name, _, _ in unheeded(seen, find)] == names


def test_an_object_that_is_made_for_somebody_need_not_be_told_again() -> None:
    shelf = """
        class Shelf:
            def {put}(self, patient):
                self.books = load(patient)
            def find(self, patient, words):
                return [one for one in self.books if words in one]
        """
    for put, names in (("__init__", []), ("open", ["patient"])):
        seen = view(shelf.format(put=put))
        find = next(one for one in seen.functions if one.name == "find")
        assert [name for name, _, _ in unheeded(seen, find)] == names


@pytest.mark.parametrize(
    ("body", "narrows"),
    [
        ("if club:\n        asked.append(club)", True),
        ("if club:\n        asked.append(club)\n    else:\n        asked.clear()", False),
        ("if club:\n        show(club)", False),
        ("asked.append(club)", False),
    ],
)
def test_what_is_narrowed_only_where_it_is_told(body: str, *, narrows: bool) -> None:
    seen = view(f"def find(asked, club=None):\n    {body}\n")
    assert narrows_when_told(seen.functions[0], "club") is narrows
