"""Whose the objects of a class are."""

from __future__ import annotations

import pytest

from carrel.audit.owners import owner_field
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("field", "owner"),
    [
        ("student = models.ForeignKey('auth.User', on_delete=models.CASCADE)", "student"),
        ("student = models.OneToOneField(get_user_model(), on_delete=CASCADE)", "student"),
        ("student = models.ForeignKey(to=settings.AUTH_USER_MODEL, on_delete=models.CASCADE)", "student"),
        ("student_id: int = Field(foreign_key='user.id')", "student_id"),
        ("student_id: Mapped[int] = mapped_column(ForeignKey('users.id'))", "student_id"),
        ("student = models.ForeignKey('auth.User', on_delete=models.SET_NULL)", ""),
        ("approved_by = models.ForeignKey('auth.User', on_delete=models.CASCADE)", ""),
        ("course = models.ForeignKey('Course', on_delete=models.CASCADE)", ""),
        ("student = 1", ""),
        ("student: int", ""),
    ],
)
def test_the_field_that_links_to_a_user(field: str, owner: str) -> None:
    seen = view(f"from django.db import models\nclass Grade(Base):\n    {field}\n")
    assert owner_field(seen, seen.classes[0]) == owner


def test_without_a_mapper_nothing_links() -> None:
    seen = view("class Grade:\n    student = ForeignKey('auth.User')\n")
    assert owner_field(seen, seen.classes[0]) == ""
