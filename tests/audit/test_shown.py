from __future__ import annotations

import pytest

from carrel.audit.shown import shown_kinds
from tests.audit.checking import view

SOURCE = """
from fastapi import APIRouter, Depends
from auth import get_current_user, require_admin
from models import Place
router = APIRouter()
@router.get("/places")
async def {name}(session, user=Depends({depends})):
    return {call}
"""


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("await Place.list_all(session, limit=10)", True),
        ("Place.objects.all()", True),
        ("Place.query.all()", True),
        ("session.scalars(select(Place)).all()", True),
        ("session.query(Place).all()", True),
        ("session.scalars(select(Place).where(Place.kind == 1)).all()", False),
        ("session.scalars(select(Place).where(Place.owner_id == user.id)).all()", False),
        ("await Place.list_all(session, user)", False),
        ("await Place.list_all(session, user.id)", False),
        ("await Place.create(session)", False),
        ("await Place.find_names(session, prefix)", True),
        ("await Place.find_by_name(session, name)", False),
        ("places.list_all(session)", False),
    ],
)
def test_the_classes_of_which_a_handler_shows_all(call: str, *, shown: bool) -> None:
    looked = view(SOURCE.format(name="list_places", depends="get_current_user", call=call))
    assert list(shown_kinds(looked, looked.functions[0])) == (["listed-models.Place"] if shown else [])


@pytest.mark.parametrize(
    ("name", "depends", "shown"),
    [
        ("list_places", "get_current_user", True),
        ("get_places", "get_current_user", True),
        ("get_all_places", "get_current_user", True),
        ("list_places", "require_admin", False),
        ("place_statistics", "get_current_user", False),
    ],
)
def test_a_handler_that_any_user_may_call(name: str, depends: str, *, shown: bool) -> None:
    looked = view(SOURCE.format(name=name, depends=depends, call="Place.objects.all()"))
    assert bool(list(shown_kinds(looked, looked.functions[0]))) is shown


def test_parameters_of_a_page_tell_of_no_user() -> None:
    call = "paged(Place.list_all(session), **page.dump())"
    source = SOURCE.format(name="list_places", depends="get_current_user", call=call)
    for name, shown in (("pagination_parameters", True), ("account", False)):
        looked = view(source.replace("session, user", f"session, page=Depends(user_group_{name}), user"))
        assert bool(list(shown_kinds(looked, looked.functions[0]))) is shown
