"""A class that has a factory is made without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.making import Factory, direct_calls, factories, is_maker
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo, Severity

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
        for product, caller, where in direct_calls(program, frozenset(by_product)):
            made_by = by_product[product]
            at_home = {one.location.path for one in made_by} | {paths.get(product, "")}
            if where.path in at_home:
                continue
            factory = made_by[0]
            # A class is called by whoever likes; one that has `Factory` behind its name says that it is not.
            own = [one for one in made_by if _is_named_for(one.symbol, product)]
            # What it lacks matters where the factory is told for whom it makes one; another maker is another factory.
            passed = any(one.adds and one.for_user for one in own) and not _STARTS.search(caller)
            severity: Severity = "warning" if passed and not is_maker(caller) else "info"
            name = product.rpartition(".")[2]
            message = f"`{name}` is made directly, past `{(own or [factory])[0].symbol.rpartition('.')[2]}`"
            yield Candidate(
                rule=self.info.rule, location=where, message=message, symbol=caller,
                related=((own or [factory])[0].location,), grades=(Grade(severity),),
            )  # fmt: skip


def _is_named_for(factory: str, product: str) -> bool:
    """Whether the factory says that it is this class's: `EngineFactory`, `create_engine`."""
    name = factory.rpartition(".")[2].lower().replace("_", "")
    made = product.rpartition(".")[2].lower()
    return name in (f"{made}factory", f"create{made}", f"make{made}", f"build{made}", f"new{made}")
