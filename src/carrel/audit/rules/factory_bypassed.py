"""A class that has a factory is made without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.conditions import AnyOf, HasEntryPoints, Not, Reachable
from carrel.audit.making import DirectCall, Factory, direct_calls, factories, is_maker
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.users import Users
from carrel.findings import RuleInfo

__all__ = ["FactoryBypassed"]

_STARTS: Final = re.compile(
    r"(?:^|\.)_*(?:main|cli|commands?|lifespan|(?:on_)?start(?:_?up)?|serve|setup|create_app|__main__"
    r"|\w*(?:startup|initiali[sz]|_init(?=\.))\w*|(?:run|init|configure|start|setup|bootstrap)_\w+)(?:\.|$)"
)
"""Functions and modules that run once, before anybody asks for anything."""


class FactoryBypassed:
    """`ExecutionEngine(...)` in a handler, while `ExecutionEngineFactory` is there to make it."""

    info = RuleInfo(
        rule="factory-bypassed",
        code="CAR103",
        severity="warning",
        title="A class is made without its factory",
        why="What the factory sees to, such as a user's context, limits or clean-up, is missing in an object that "
        "was made without it.",
        fix="Ask the factory for it.",
        page=rule_page("factory-bypassed"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        by_product: dict[str, list[Factory]] = {}
        for factory in factories(program):
            by_product.setdefault(factory.product, []).append(factory)
        paths = program.resolution.paths
        users = Users(program)
        for call in direct_calls(program, frozenset(by_product)):
            made_by = by_product[call.product]
            at_home = {one.location.path for one in made_by} | {paths.get(call.product, "")}
            if call.location.path in at_home:
                continue
            # A class is called by whoever likes; one that has `Factory` behind its name says that it is not, if
            # anybody asks the factory.
            own = [one for one in made_by if _is_named_for(one.symbol, call.product)]
            asked = [one for one in own if users.of(one.location.path, one.symbol)]
            name, factory = call.product.rpartition(".")[2], (own or made_by)[0]
            message = f"`{name}` is made directly, past `{factory.symbol.rpartition('.')[2]}`"
            yield Candidate(
                rule=self.info.rule, location=call.location, message=message, symbol=call.caller,
                related=(factory.location,), grades=_grades(call, asked),
            )  # fmt: skip


def _grades(call: DirectCall, own: list[Factory]) -> tuple[Grade, ...]:
    """A warning where a request gets an object that is told less than the factory, which is told for whom, tells it."""
    starts = _STARTS.search(call.caller) or is_maker(call.caller)
    if starts or not any(one.adds and one.for_user and call.is_bare and call.given <= len(one.told) for one in own):
        return (Grade("info"),)
    served = AnyOf((Reachable(call.caller), Not(HasEntryPoints())))
    return Grade("warning", (served,)), Grade("info")


def _is_named_for(factory: str, product: str) -> bool:
    """Whether the factory says that it is this class's: `EngineFactory`, `create_engine`."""
    name = factory.rpartition(".")[2].lower().replace("_", "")
    made = product.rpartition(".")[2].lower()
    return name in (f"{made}factory", f"create{made}", f"make{made}", f"build{made}", f"new{made}")
