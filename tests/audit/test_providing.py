"""Where parameters get their values from."""

from __future__ import annotations

import pytest

from tests.audit.checking import view


@pytest.mark.parametrize(
    ("source", "dependency"),
    [
        ("def f(x=Depends(make)): ...", "make"),
        ("def f(x: Annotated[str, Security(make)]): ...", "make"),
        ("def f(x: str): ...", None),
        (
            "import litestar\ndef f(x): ...\nlitestar.Litestar([], guards=[f], dependencies={'x': Provide(make)})",
            "make",
        ),
        ("import litestar\ndef f(x): ...\nlitestar.Litestar([], dependencies={'x': Provide(make)})", None),
    ],
)
def test_what_gives_a_parameter_its_value(source: str, dependency: str | None) -> None:
    one = view(source)
    assert one.dependency(one.functions[0].parameters[0]) == dependency


def test_what_says_where_a_value_is_from() -> None:
    one = view("from fastapi import Cookie\ndef f(x: str = Cookie()): ...")
    assert one.marker(one.functions[0].parameters[0]) == "fastapi.Cookie"
