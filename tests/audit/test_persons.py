"""Words for people."""

import pytest

from carrel.audit.persons import gives_caller, is_person, person_in, says_of_person


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("traveller_id", "traveller"),
        ("Traveller", "traveller"),
        ("member_no", "member"),
        ("signed_in_borrower", "borrower"),
        ("riderId", "rider"),
        ("x-customer-id", "customer"),
        ("folder_id", ""),
        ("user_count", ""),
        ("id", ""),
        ("", ""),
    ],
)
def test_the_person_that_a_name_ends_in(name: str, person: str) -> None:
    assert person_in(name) == person


def test_what_is_told_of_persons_only() -> None:
    assert says_of_person("phone")
    assert says_of_person("patient")
    assert not says_of_person("title")
    assert not says_of_person("client")


def test_a_name_that_is_a_persons_by_itself() -> None:
    assert is_person("student_id")
    assert not is_person("client_id")
    assert not is_person("report_id")


@pytest.mark.parametrize(
    ("name", "gives"),
    [("current_reader", True), ("signed_in", True), ("get_current_active_user", True), ("current_page", False),
     ("reader", False), ("signed_in_page", False), ("CurrentActiveUser", True), ("CurrentPage", False)],
)  # fmt: skip
def test_a_function_that_gives_who_is_asking(name: str, *, gives: bool) -> None:
    assert gives_caller(name) is gives
