from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from carrel.context import UserExecutionContext
from carrel.errors import SettingsError, ToolFailedError
from carrel.runtime.arguments import ArgumentReader, parameters_of


class Colour(enum.Enum):
    RED = "red"


class Filter(BaseModel):
    model: str
    at_least: int = 0


@dataclass
class Point:
    x: float


def reader(fn: Callable[..., Any]) -> ArgumentReader:
    return ArgumentReader("sample", parameters_of("sample", fn)[1])


def many(
    rows: Annotated[int, Field(ge=1, description="How many.")],
    when: dt.date,
    filter: Filter,
    kind: Literal["day", "month"] = "day",
    tags: tuple[str, ...] = (),
    schema: str | None = None,
    *,
    price: Decimal = Decimal(1),
) -> None: ...


GIVEN = {"rows": 3, "when": "2026-11-20", "filter": {"model": "m"}}


def test_the_schema_is_that_of_the_signature():
    schema = reader(many).schema()
    assert schema["type"] == "object"
    assert schema["required"] == ["rows", "when", "filter"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["rows"] == {"type": "integer", "minimum": 1, "description": "How many.", "title": "Rows"}
    assert properties["when"]["format"] == "date"
    assert properties["kind"]["enum"] == ["day", "month"]
    assert properties["kind"]["default"] == "day"
    assert "schema" in properties
    assert "title" not in schema


def test_a_function_without_arguments_has_an_empty_object():
    def none() -> None: ...

    assert reader(none).schema() == {"additionalProperties": False, "properties": {}, "type": "object"}
    assert reader(none).read({}) == {}


def test_values_are_converted_and_omitted_ones_left_out():
    assert reader(many).read({**GIVEN, "tags": ["a"], "schema": "s", "price": "1.5"}) == {
        "rows": 3,
        "when": dt.date(2026, 11, 20),
        "filter": Filter(model="m"),
        "tags": ("a",),
        "schema": "s",
        "price": Decimal("1.5"),
    }


def test_python_values_are_read_like_their_json():
    def typed(when: dt.date, colour: Colour, point: Point, names: set[str]) -> None: ...

    given = {"when": dt.date(2026, 1, 2), "colour": Colour.RED, "point": Point(1.0), "names": {"a"}}
    assert reader(typed).read(given) == given


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": "3"}, "rows: Input should be a valid integer"),
        ({"rows": True}, "rows: Input should be a valid integer"),
        ({"rows": 0}, "rows: Input should be greater than or equal to 1"),
        ({"when": "yesterday"}, "when: Input should be a valid date"),
        ({"filter": {"model": 3}}, "filter.model: Input should be a valid string"),
        ({"filter": {}}, "filter.model: is required"),
        ({"kind": "year"}, "kind: Input should be 'day' or 'month'"),
        ({"colour": "red"}, "colour: there is no such argument"),
        ({"rows": object()}, "the arguments are not JSON"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], message: str):
    with pytest.raises(ToolFailedError) as caught:
        reader(many).read({**GIVEN, **wrong})
    assert caught.value.code == "invalid_arguments"
    assert message in caught.value.problem


def test_many_problems_are_not_all_told():
    def wide(a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None: ...

    with pytest.raises(ToolFailedError, match="e: is required; and 2 more"):
        reader(wide).read({})


def test_the_context_is_no_argument():
    def scoped(context: UserExecutionContext, rows: int) -> None: ...

    injected, arguments = parameters_of("scoped", scoped)
    assert injected == ("context",)
    assert list(arguments) == ["rows"]


def test_what_a_caller_could_not_give_is_refused_by_name():
    def unannotated(rows) -> None: ...

    def starred(*rows: int) -> None: ...

    def keywords(**rows: int) -> None: ...

    def positional(rows: int, /) -> None: ...

    class Local: ...

    def unknown(rows: Local) -> None: ...

    for fn in (unannotated, starred, keywords, positional):
        with pytest.raises(SettingsError, match="'rows'"):
            parameters_of("sample", fn)
    with pytest.raises(SettingsError, match="Local"):
        parameters_of("sample", unknown)


def test_a_type_without_json_form_is_refused():
    class Opaque: ...

    def opaque(value: int) -> None: ...

    opaque.__annotations__["value"] = Opaque
    with pytest.raises(SettingsError, match="without JSON form"):
        reader(opaque)
    opaque.__annotations__["value"] = Callable[[], int]
    with pytest.raises(SettingsError, match="without JSON form"):
        reader(opaque)
