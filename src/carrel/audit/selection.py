"""Which rules are checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from carrel.audit.rule import Rule
from carrel.audit.suppressions import UNEXPLAINED, UNUSED
from carrel.errors import SettingsError
from carrel.findings import RuleInfo

__all__ = ["every_rule", "find_rule", "selected_rules"]


def every_rule(rules: Sequence[Rule]) -> tuple[RuleInfo, ...]:
    """What each rule says of itself, those about suppressions too, by code."""
    return tuple(sorted((*(rule.info for rule in rules), UNUSED, UNEXPLAINED), key=lambda info: (info.code, info.rule)))


def find_rule(rules: Sequence[Rule], name: str) -> RuleInfo:
    """The rule with a name or code; raises `SettingsError` when there is none."""
    found = next((info for info in every_rule(rules) if name.lower() in (info.rule, info.code.lower())), None)
    if found is None:
        raise SettingsError("rule", f"there is no {name!r}; see `carrel audit --rules`")
    return found


def selected_rules(rules: Sequence[Rule], select: Iterable[str], ignore: Iterable[str]) -> dict[str, RuleInfo]:
    """The rules to check, by name: those that `select` names, or all, without those that `ignore` names.

    A name is that of a rule, its code, or the beginning of a code. Raises `SettingsError` for one that names nothing.
    """
    every = every_rule(rules)
    selected = _named(every, "select", select) or {info.rule for info in every}
    left_out = _named(every, "ignore", ignore)
    return {info.rule: info for info in every if info.rule in selected and info.rule not in left_out}


def _named(every: Sequence[RuleInfo], setting: str, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        matching = {info.rule for info in every if name == info.rule or (name and info.code.startswith(name.upper()))}
        if not matching:
            raise SettingsError(setting, f"there is no rule {name!r}; see `carrel audit --rules`")
        found |= matching
    return found
