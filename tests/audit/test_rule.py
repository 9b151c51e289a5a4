"""What every rule has."""

from __future__ import annotations

import pytest

from carrel.audit.rule import Rule, has_file_part, has_project_part, rule_page
from carrel.audit.rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.info.rule)
def test_every_rule_says_what_it_is(rule: Rule) -> None:
    info = rule.info
    assert has_file_part(rule) or has_project_part(rule)
    assert info.page == rule_page(info.rule)
    assert all((info.title, info.why, info.fix, type(rule).__doc__))
    assert info.code.startswith("CAR")
    assert int(info.code[3:]) >= 100 or info.leak_classes[0] == int(info.code[3:])
    assert not any(text.endswith(" ") or "  " in text for text in (info.title, info.why, info.fix))


def test_rules_stand_in_the_order_of_their_codes() -> None:
    assert [rule.info.code for rule in RULES] == sorted(rule.info.code for rule in RULES)
