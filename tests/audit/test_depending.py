"""What runs before a route."""

from __future__ import annotations

import pytest

from carrel.audit.depending import run_before
from tests.audit.checking import view

CODE = """
from fastapi import APIRouter, Depends
from auth import sign_in
router = APIRouter(dependencies=[])
@router.get("/")
def index(name):
    pass
"""


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("name", "name = Depends(sign_in)"),
        ('"/"', '"/", dependencies=[Depends(sign_in)]'),
        ("dependencies=[]", "dependencies=[Depends(sign_in)]"),
    ],
)
def test_a_dependency(was: str, now: str) -> None:
    file = view(CODE.replace(was, now))
    assert run_before(file, file.functions[0]) == ("auth.sign_in",)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("name", "name = sign_in"),
        ('"/"', '"/", tags=[Depends(sign_in)]'),
        ('"/"', '"/", dependencies=GUARDS'),
        ('"/"', '"/", dependencies=[sign_in]'),
        ('"/"', '"/", dependencies=[Limit(sign_in)]'),
        ('"/"', '"/", dependencies=[Depends()]'),
        ("APIRouter(dependencies=[])", "ROUTER"),
        ("@router.get", "@get"),
    ],
)
def test_what_is_none(was: str, now: str) -> None:
    file = view(CODE.replace(was, now))
    assert run_before(file, file.functions[0]) == ()
