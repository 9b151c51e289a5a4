"""A `threading.local` that code in the event loop writes one user's data to."""

from __future__ import annotations

from collections.abc import Iterator

from carrel.audit.conditions import IdentityParameter
from carrel.audit.file_view import FileView
from carrel.audit.origins import says_whose
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import RunsInAsync
from carrel.audit.thread_locals import stores_elsewhere, thread_local_stores
from carrel.findings import RuleInfo

__all__ = ["ThreadLocalInAsync"]


class ThreadLocalInAsync:
    """`_local.user = user` in a function that a coroutine calls."""

    info = RuleInfo(
        rule="thread-local-in-async",
        code="CAR010",
        severity="error",
        title="A threading.local holds one user's data in async code",
        why="All requests of an event loop run in one thread, so they share one value. While one of them waits, "
        "another stores its own, and the first goes on with that.",
        fix="Use a `contextvars.ContextVar`, or pass the value on as an argument.",
        page=rule_page("thread-local-in-async"),
        leak_classes=(10,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        here = ((store, ()) for store in thread_local_stores(view))
        for store, known in (*here, *((store, (made,)) for store, made in stores_elsewhere(view))):
            taint = view.best_taint(store.values, store.block)
            if taint is None:
                continue
            given = taint.given
            if given and not says_whose(store.name):
                # What a caller hands over under a name that says nothing may as well be the thread's: a buffer, a
                # client. Then the call must tell who asks: `trail.begin(claims["sub"])`.
                given = (IdentityParameter(store.block.symbol, taint.parameter),)
            message = f"`{store.block.name}` stores {taint.reason} in a `threading.local`, in the event loop's thread"
            yield view.candidate(
                self.info, store.node, message, block=store.block, given=(*known, RunsInAsync(store.block.symbol)),
                grades=(Grade("error", given),),
            )  # fmt: skip
