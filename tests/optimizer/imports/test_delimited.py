"""Tables: delimiters, quoting, and the line that each row begins on."""

from __future__ import annotations

import pytest

from carrel.optimizer.imports.delimited import DelimitedTable
from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.storage.usage import RejectedRow
from tests.optimizer.imports.reading import data


def rows(content: str) -> list[tuple[int, list[str]] | RejectedRow]:
    return list(DelimitedTable(data(content)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    text = "\n".join(delimiter.join(cells) for cells in (["a", "b", "c"], ["1", "2", "3"]))
    table = DelimitedTable(data(text))
    assert table.columns == ("a", "b", "c")
    assert list(table) == [(2, ["1", "2", "3"])]


def test_a_delimiter_inside_quotation_marks_does_not_count() -> None:
    table = DelimitedTable(data('"a,b,c,d";e\n1;2\n'))
    assert table.columns == ("a,b,c,d", "e")


def test_a_row_over_several_lines_has_the_line_that_it_begins_on() -> None:
    assert rows('a,b\n1,"x\ny\nz"\n3,4\n') == [(2, ["1", "x\ny\nz"]), (5, ["3", "4"])]


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert rows("\n\na,b\n\n1,2\n \n3,4\n\n") == [(5, ["1", "2"]), (7, ["3", "4"])]


def test_a_row_of_another_width_is_rejected_with_its_line() -> None:
    assert rows("a,b\n1\n1,2\n1,2,3\n") == [
        RejectedRow(2, "", "has 1 cells where the header has 2"),
        (3, ["1", "2"]),
        RejectedRow(4, "", "has 3 cells where the header has 2"),
    ]


def test_a_quotation_mark_inside_a_cell_spoils_its_row_only() -> None:
    found = rows('a,b\n"1"2,3\n4,5\n')
    assert isinstance(found[0], RejectedRow)
    assert (found[0].row, found[1]) == (2, (3, ["4", "5"]))


@pytest.mark.parametrize("content", ['a,b\n1,2\n"3,4\n5,6\n', 'a,b\n1,2\n"' + "x\n" * 100_000])
def test_a_quotation_mark_that_is_never_closed_spoils_the_file(content: str) -> None:
    with pytest.raises(FileRefusedError, match="line 3 opens") as caught:
        rows(content)
    assert caught.value.failure.code == "bad_quoting"


@pytest.mark.parametrize(
    ("content", "where"),
    [("a,b\n1,2\n3," + "x" * 200_000 + "\n", "line 3"), ("a," + "x" * 200_000 + "\n1,2\n", "line 1")],
    ids=["row", "header"],
)
def test_a_cell_that_is_too_long_is_named_as_such_and_not_as_a_quotation_mark(content: str, where: str) -> None:
    with pytest.raises(FileRefusedError, match=f"{where} has a cell of more than 131,072 characters") as caught:
        rows(content)
    assert caught.value.failure.code == "line_too_long"


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "empty_file"), (" \n\n", "empty_file"), ('"a', "bad_quoting"), ("a,b,a\n", "duplicate_columns")],
)
def test_a_header_that_is_none(content: str, code: str) -> None:
    with pytest.raises(FileRefusedError) as caught:
        rows(content)
    assert caught.value.failure.code == code


def test_a_header_of_very_many_columns_is_read_as_quickly_as_its_length_allows() -> None:
    """Looking for each name among all the others would take minutes here, and a server's other users would wait."""
    names = [f"c{number}" for number in range(100_000)]
    assert DelimitedTable(data(",".join(names))).columns == tuple(names)
