"""What of a job is somebody's."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.put_aside import of_job
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("record", "shown", "found"),
    [
        ("{'student_id': token.sub, 'essay': body}", "{'text': job['essay']}", "job['essay']"),
        ("{'who': session['editor'], 'essay': body}", "job['essay']", "job['essay']"),
        ("{'kind': 'mark', 'essay': body}", "job['essay']", ""),
        ("{'student_id': token.sub, 'essay': body}", "{'step': job['step']}", ""),
        ("{'student_id': token.sub, 'essay': 1}", "job['essay']", ""),
    ],
)
def test_what_was_put_aside_with_a_person(record: str, shown: str, found: str) -> None:
    seen = view(
        "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/x')\nasync def add(body: str):\n"
        f"    await queue.put({record})\nasync def report(job):\n    use({shown})\n"
    )
    report = seen.functions[-1]
    (call,) = report.nodes(ast.Call)
    assert of_job(seen, call.args[0], report) == found
