"""A default argument that the function changes."""

from __future__ import annotations

from collections.abc import Iterator

from carrel.audit.blocks import Block, Parameter
from carrel.audit.conditions import ChangesObject
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.findings import RuleInfo

__all__ = ["MutableDefault"]


class MutableDefault:
    """`def ask(question, history=[])` whose body puts something into `history`."""

    info = RuleInfo(
        rule="mutable-default",
        code="CAR004",
        severity="error",
        title="A mutable default argument is changed",
        why="Python makes a default value once, so every call without this argument gets the same object, with what "
        "earlier calls for other users put into it.",
        fix="Make the default `None`, and a new object inside the function.",
        page=rule_page("mutable-default"),
        leak_classes=(4,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            for parameter in function.parameters:
                if view.value_kind(parameter.default) == "container":
                    yield from self._container(view, function, parameter)
                elif view.value_kind(parameter.default) == "call" and view.dependency(parameter) is None:
                    yield from self._object(view, function, parameter)

    def _container(self, view: FileView, function: Block, parameter: Parameter) -> Iterator[Candidate]:
        changes = [one for one in view.mutations_of(function, parameter.name) if not one.removes]
        kept = view.escapes_of(function, parameter.name)
        if changes:
            yield self._candidate(view, function, parameter, changes[0])
        elif kept:
            message = f"the default of `{parameter.name}` is one object, and `{function.name}` gives it away"
            yield view.candidate(self.info, parameter.node, message, block=function, severity="info",
                                 related=(view.location(kept[0], "given away here"),))  # fmt: skip

    def _object(self, view: FileView, function: Block, parameter: Parameter) -> Iterator[Candidate]:
        """`memory: Memory = Memory()`: whether it is changed is for the class to say."""
        for call, path in view.method_calls_on(function, parameter.name):
            made = view.path(parameter.default, view.block_of(function.node)) if parameter.default else ""
            if made:
                message = f"the default of `{parameter.name}` is one object, changed by `{path}()`"
                changed = ChangesObject(f"{made}.{path}")
                yield view.candidate(self.info, parameter.node, message, block=function,
                                     related=(view.location(call, "changed here"),), given=(changed,),
                                     grades=(Grade("error"),))  # fmt: skip
                return

    def _candidate(self, view: FileView, function: Block, parameter: Parameter, change: Mutation) -> Candidate:
        message = f"the default of `{parameter.name}` is one object, and `{function.name}` changes it"
        place = view.location(change.node, "changed here")
        return view.candidate(self.info, parameter.node, message, block=function, related=(place,))
