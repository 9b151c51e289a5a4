"""Bodies of requests."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from carrel.server.routes.bodies import RequestBody, StorableText, Title


class Example(RequestBody):
    title: Title = "x"
    text: StorableText = ""
    number: int = 0


def test_titles_are_trimmed() -> None:
    assert Example(title="  a  ").title == "a"


@pytest.mark.parametrize(
    "values",
    [{"title": ""}, {"title": "a\tb"}, {"text": "a\0b"}, {"text": "\ud800"}, {"number": "1"}, {"other": 1}],
    ids=repr,
)
def test_anything_else_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate(values)
