"""Several factories for one class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from carrel.audit.making import Factory, factories, make_the_same
from carrel.audit.program import Program
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo

__all__ = ["MultipliedFactories"]

_MANY: Final = 3


class MultipliedFactories:
    """`create_engine_for_user` here, `ExecutionEngineFactory.create` there."""

    info = RuleInfo(
        rule="multiplied-factories",
        code="CAR102",
        severity="warning",
        title="Several factories make one class",
        why="A factory is where an object gets its user. With several of them, the objects differ by the way they "
        "came about, and the one that forgets the user looks like the others.",
        fix="Keep one factory, and let the others' callers call it.",
        page=rule_page("multiplied-factories"),
        leak_classes=(),
    )

    def check_program(self, program: Program) -> Iterator[Candidate]:
        by_product: dict[str, list[Factory]] = {}
        for factory in factories(program):
            by_product.setdefault(factory.product, []).append(factory)
        for product, group in sorted(by_product.items()):
            modules = {one.location.path for one in group}
            if len(modules) < 2:
                continue
            first, *others = group
            listed = ", ".join(f"`{one.symbol.rpartition('.')[2]}`" for one in group[:4])
            message = (
                f"`{product.rpartition('.')[2]}` is made by {len(group)} factories in {len(modules)} modules: {listed}"
            )
            # Functions that make one class of different things are no copies of one factory.
            most = max(len({one.location.path for one in group if make_the_same(one, each)}) for each in group)
            yield Candidate(
                rule=self.info.rule, location=first.location, message=message, symbol=first.symbol,
                related=tuple(one.location for one in others),
                grades=(Grade("warning" if most >= _MANY else "info"),),
            )  # fmt: skip
