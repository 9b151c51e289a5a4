from __future__ import annotations

from carrel.optimizer.imports.refusal import MOST_COLUMNS, FileRefusedError, RowRefusedError, listed


def test_a_refused_file_carries_its_failure() -> None:
    error = FileRefusedError("empty_file", "it is empty", columns=("a",), missing=("time",))
    assert (error.failure.code, str(error)) == ("empty_file", "it is empty")
    assert (error.failure.columns, error.failure.missing) == (("a",), ("time",))


def test_of_very_many_and_very_long_columns_few_are_kept() -> None:
    names = tuple(f"c{number}" for number in range(100_000))
    kept = FileRefusedError("unknown_columns", "no", columns=("x" * 1_000_000, *names)).failure.columns
    assert kept == names[:MOST_COLUMNS]


def test_names_are_listed_up_to_a_handful_and_cut() -> None:
    assert listed(("a", "b")) == "a, b"
    assert listed([*"abcde", "x" * 1_000_000]) == "a, b, c, d, e, and 1 more"
    assert listed(["x" * 1_000_000]) == f"{'x' * 40}…"


def test_a_refused_row_names_its_field() -> None:
    error = RowRefusedError("time", "is empty")
    assert (error.field, error.reason, str(error)) == ("time", "is empty", "time: is empty")
