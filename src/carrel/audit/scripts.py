"""Files that one person runs from a command line, and that serve nobody."""

from __future__ import annotations

from typing import Final

from carrel.audit.facts import FileFacts

__all__ = ["COMMAND_LINES", "is_script"]

COMMAND_LINES: Final = frozenset({"argparse", "click", "typer", "cyclopts", "docopt", "fire", "optparse"})
"""Modules that read a command line."""
_SERVES: Final = frozenset(
    {"serve", "serve_forever", "run_forever", "run_app", "run_server", "run_simple", "listen", "start_server",
     "create_server", "wait_for_termination", "consume", "start_consuming", "subscribe", "run_polling", "start_polling",
     "start", "launch"}
)  # fmt: skip
"""Last parts of calls after which a process works for others."""


def is_script(file: FileFacts) -> bool:
    """Whether the file reads a command line, and neither has an entry point nor starts what serves."""
    if file.entry_points or not any(one.module.partition(".")[0] in COMMAND_LINES for one in file.outline.imports):
        return False
    calls = (*file.imported_calls, *(call for function in file.functions for call in function.calls))
    return not any(call.path.rpartition(".")[2] in _SERVES or call.path == "uvicorn.run" for call in calls)
