"""A file that Python could compile before the phase, and now cannot."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Fired, PhaseEvidence
from carrel.migrate.recipe import Trigger

__all__ = ["UnparsableGate", "compile_problem"]


class UnparsableGate:
    """By `compile`, which refuses more than a parser does: `return` outside of a function, two `*` in one target."""

    trigger: Final[Trigger] = "unparsable"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        tried = (compile_problem(file.path, file.data) for file in evidence.files if file.compiled)
        problems = [problem for problem in tried if problem]
        if problems:
            count = f"{len(problems)} file{'s' if len(problems) > 1 else ''}"
            yield Fired(
                trigger=self.trigger,
                message=f"{count} cannot be compiled any more",
                details=tuple(problems),
            )


def compile_problem(path: str, data: bytes) -> str:
    """Why Python cannot compile a file, with the place; empty when it can, or when it is no Python file."""
    if not path.endswith((".py", ".pyi")):
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{path}:{error.lineno or 1}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{path}:1: {error or type(error).__name__}"
    return ""
