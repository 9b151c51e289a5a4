"""What becomes of a file."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from carrel.migrate.outcome import Edited, FileOutcome, Refused, Unchanged


def test_an_outcome_is_one_of_three_and_cannot_be_changed():
    edited = Edited(path="a.py", before=b"", after=b"x", edits=1)
    assert get_args(FileOutcome) == (Edited, Unchanged, Refused)
    with pytest.raises(FrozenInstanceError):
        edited.after = b"y"  # type: ignore[misc]
