"""The handler of a request, and the value that it gives, for tests of what is known of a client."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from tests.audit.checking import view

PARAMETERS = (
    "request: Request, user_id: str, body: Body, db: Session = Depends(get_db), user = Depends(get_current_user)"
)


def handler(body: str, parameters: str = PARAMETERS) -> tuple[FileView, Block]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    seen = view(f"import jwt\nfrom fastapi import FastAPI, Depends, Request\napp = FastAPI()\n@app.post('/x')\n"
                f"async def handle({parameters}):\n{lines}")  # fmt: skip
    return seen, next(one for one in seen.functions if one.name == "handle")


def value(body: str) -> tuple[FileView, Block, ast.expr]:
    seen, function = handler(body)
    (found,) = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    return seen, function, found
