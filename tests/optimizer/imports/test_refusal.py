from __future__ import annotations

from carrel.optimizer.imports.refusal import FileRefusedError, RowRefusedError


def test_a_refused_file_carries_its_failure() -> None:
    error = FileRefusedError("empty_file", "it is empty", columns=("a",), missing=("time",))
    assert (error.failure.code, str(error)) == ("empty_file", "it is empty")
    assert (error.failure.columns, error.failure.missing) == (("a",), ("time",))


def test_a_refused_row_names_its_field() -> None:
    error = RowRefusedError("time", "is empty")
    assert (error.field, error.reason, str(error)) == ("time", "is empty", "time: is empty")
