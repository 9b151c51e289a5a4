"""Classes and functions by their lines."""

from __future__ import annotations

from carrel.audit.body_lines import class_lines, function_lines
from tests.audit.checking import view

STORE = '''
class Store:
    """Keeps rows."""

    limit = 1000

    def take(self, key):
        """Gives one row

        and forgets it.
        """
        # The oldest goes first.
        row = self.rows.pop(key)
        try:
            return row.value
        finally:
            self.count -= 1
'''


def lines(source: str) -> list[tuple[int, ...]]:
    return list(class_lines(view(source)).values())


def test_what_a_class_does_is_what_counts() -> None:
    (found,) = lines(STORE)
    assert len(found) == 5  # limit, def, row, return, count
    assert len(set(found)) == 5


def test_equal_lines_are_equal_wherever_they_stand() -> None:
    indented = "if True:\n" + "\n".join(f"    {line}" for line in STORE.splitlines())
    assert lines(STORE) == lines("import os\n" + STORE) == lines(indented)


def test_comments_and_docstrings_say_nothing() -> None:
    assert lines(STORE) == lines(STORE.replace("Keeps rows.", "Another text.").replace("# The oldest goes first.", ""))
    assert lines(STORE) != lines(STORE.replace("row.value", "row.content"))


def test_classes_inside_others_belong_to_them() -> None:
    (found,) = lines("class Outer:\n    class Inner:\n        limit = 1000\n")
    assert len(found) == 2


def test_a_class_on_one_line() -> None:
    assert lines("class Empty: pass\n") == [()]


def test_functions_at_the_top() -> None:
    body = "".join(f"    rows.append({number})\n" for number in range(8))
    head = 'def fill(rows):\n    """Fills."""\n    # All of them.\n'
    source = f"{head}{body}\n\nclass A:\n    def fill(rows):\n        pass\n"
    assert {name: len(found) for name, found in function_lines(view(source)).items()} == {"fill": 8}
    assert function_lines(view(source.replace("    rows.append(7)\n", ""))) == {}
