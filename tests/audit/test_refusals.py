"""Where a function refuses."""

from __future__ import annotations

import pytest

from carrel.audit.refusals import refusal
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("raise Forbidden", 2),
        ("raise exceptions.PermissionDenied('no')", 2),
        ("raise errors.Forbidden", 2),
        ("raise HTTPException(status_code=status.HTTP_403_FORBIDDEN)", 2),
        ("raise HTTPException(HTTPStatus.FORBIDDEN, 'no')", 2),
        ("abort(403)", 2),
        ("return HttpResponseForbidden()", 2),
        ("return jsonify(error='no'), 403", 2),
        ("deny_access(request)", 2),
        # Nobody knows who that is, or there is no such thing.
        ("raise Unauthorized", 0),
        ("raise HTTPException(status_code=401)", 0),
        ("abort(404)", 0),
        ("return jsonify(notes), 200", 0),
        ("raise", 0),
        ("return True", 0),
    ],
)
def test_what_refuses(statement: str, line: int) -> None:
    assert refusal(view(f"def f(request):\n    {statement}\n").functions[0]) == line
