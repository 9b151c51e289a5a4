"""Which rules are checked."""

from __future__ import annotations

import pytest

from carrel.audit.rules import RULES
from carrel.audit.selection import every_rule, find_rule, selected_rules
from carrel.errors import SettingsError


def test_all_of_them() -> None:
    assert len(selected_rules(RULES, (), ())) == len(RULES) + 2


@pytest.mark.parametrize(
    ("select", "ignore", "left"),
    [
        (("mutable-default",), (), {"mutable-default"}),
        (("CAR004", "CAR005"), ("mutable-default",), {"shared-object-stores-argument"}),
        (("car90",), (), {"unused-suppression", "unexplained-suppression"}),
    ],
)
def test_some_of_them(select: tuple[str, ...], ignore: tuple[str, ...], left: set[str]) -> None:
    assert set(selected_rules(RULES, select, ignore)) == left


@pytest.mark.parametrize("name", ["CAR999", "no-such-rule", ""])
def test_a_name_that_names_nothing(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        selected_rules(RULES, (), (name,))
    assert raised.value.setting == "ignore"


def test_a_rule_by_name_or_code() -> None:
    assert find_rule(RULES, "CAR004") is find_rule(RULES, "mutable-default")
    with pytest.raises(SettingsError):
        find_rule(RULES, "CAR0")


def test_codes_and_names_are_given_once() -> None:
    every = every_rule(RULES)
    assert len({info.code for info in every}) == len({info.rule for info in every}) == len(every)
    assert [info.code for info in every] == sorted(info.code for info in every)
