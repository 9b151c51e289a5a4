"""Where a function turns away who is calling because they may not, not because nobody knows who they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.origins import called_name

__all__ = ["refusal"]

_REFUSES: Final = re.compile(
    r"(?i)forbid|denied|^_?deny(?:_|$)|permission_?(?:error|exception|denied)|insufficient|no_?access|not_?permitted"
)
"""An exception or a call that says so by its name."""
_FORBIDDEN: Final = re.compile(r"(?i)403|forbidden")


def refusal(function: Block) -> int:
    """The line where the function refuses with a 403 or the like, `raise Forbidden`; 0 where it refuses nobody."""
    for call in function.nodes(ast.Call):
        if _REFUSES.search(called_name(call)) or any(map(_is_403, _handed(call))):
            return call.lineno
    for one in function.nodes(ast.Raise):
        named = one.exc.attr if isinstance(one.exc, ast.Attribute) else getattr(one.exc, "id", "")
        if _REFUSES.search(named):
            return one.lineno
    answers = (one for one in function.nodes(ast.Return) if isinstance(one.value, ast.Tuple))
    return next((one.lineno for one in answers if any(map(_is_403, getattr(one.value, "elts", ())))), 0)


def _handed(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args[:2]
    yield from (one.value for one in call.keywords)


def _is_403(node: ast.expr) -> bool:
    """Whether it is the number, or a name for it: `HTTPStatus.FORBIDDEN`, `status.HTTP_403_FORBIDDEN`."""
    match node:
        case ast.Constant(value=int(number)):
            return number == 403
        case ast.Attribute(attr=name):
            return _FORBIDDEN.search(name) is not None
    return False
