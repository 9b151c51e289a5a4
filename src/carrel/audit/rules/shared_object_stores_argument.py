"""An object that all requests use keeps what it was told about one of them."""

from __future__ import annotations

from collections.abc import Iterator

from carrel.audit.conditions import Condition, SharedClass
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.taint import Taint
from carrel.findings import RuleInfo

__all__ = ["SharedObjectStoresArgument"]


class SharedObjectStoresArgument:
    """`self.user = user` in a method of a class of which one object serves everybody."""

    info = RuleInfo(
        rule="shared-object-stores-argument",
        code="CAR005",
        severity="error",
        title="A shared object stores what belongs to one user",
        why="One object serves every request. Between this store and the next read another request stores its own, "
        "so one user's request goes on with another user's data.",
        fix="Pass the value to the methods that need it, or make an object for each request.",
        page=rule_page("shared-object-stores-argument"),
        leak_classes=(5,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for mutation in view.mutations:
            if mutation.kind != "attribute" or mutation.block.is_initializer:
                continue
            owner = mutation.block.class_
            if owner is None or not any(one.kind == "self" and not one.steps for one in mutation.accesses):
                continue
            taint = view.best_taint(mutation.values, mutation.block)
            if taint is not None:
                yield self._candidate(view, mutation, taint, SharedClass(owner.symbol))

    def _candidate(self, view: FileView, mutation: Mutation, taint: Taint, shared: Condition) -> Candidate:
        where = f"`self.{mutation.name}`"
        message = f"{where} keeps {taint.reason} on an object that every request uses"
        # That something is passed in says little; that somebody passes a user's data says much.
        sure = Grade("error", taint.given) if taint.given else Grade("error")
        return view.candidate(
            self.info, mutation.node, message, block=mutation.block, given=(shared,),
            grades=(sure, Grade("info")), lower_unreachable=True,
        )  # fmt: skip
