"""What a rule says of many places of a program is said aloud once, at the first of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from carrel.findings import Finding

__all__ = ["gathered"]

_MANY: Final = 4
"""So many places that do the same have a reason in common: a guard that was not seen, or none anywhere.

On strangers' code one rule spoke so often of twelve programs, and 88 of the 117 other places were judged as the first
one was (docs/decisions/0137-many-places-one-finding.md)."""


def gathered(findings: Iterable[Finding], rules: Collection[str]) -> tuple[Finding, ...]:
    """The findings, where many errors and warnings are of one of the rules: one as it was, which names the places of
    all others, and the others as info.

    The one is an error if there is any, and none that a baseline knows if there is another: what is new is said aloud.
    """
    found = list(findings)
    places: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(found):
        if one.rule in rules and one.severity != "info":
            places[one.rule].append(number)
    for alike in places.values():
        if len(alike) < _MANY:
            continue
        first = min(alike, key=lambda number: (found[number].known, found[number].severity != "error", number))
        others = [number for number in alike if number != first]
        found[first] = _naming(found[first], [found[number] for number in others])
        for number in others:
            found[number] = replace(found[number], severity="info")
    return tuple(found)


def _naming(first: Finding, others: list[Finding]) -> Finding:
    return replace(
        first,
        message=f"{first.message}; {len(others)} other places do the same",
        related=(*first.related, *(replace(one.location, note="the same") for one in others)),
    )
