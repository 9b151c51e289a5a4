from __future__ import annotations

import ast

import pytest

from carrel.audit.merged import merged_over
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("items", "over"),
    [
        ('"user_id": user_id, "language": "en", **question.options', "question.options"),
        ('"user_id": user_id, **body', "body"),
        ('"user_id": user_id, **(await request.json())', "await request.json()"),
        ('**question.options, "user_id": user_id', ""),
        ('"user_id": user_id, **question.options, "user_id": user_id', ""),
        ('"user_id": user_id, **question.model_dump()', ""),
        ('"user_id": user_id, **question.tags', ""),
        ('"user_id": user_id, **DEFAULTS', ""),
        ('"language": "en", **question.options', ""),
    ],
)
def test_what_the_client_puts_over_who_is_calling(items: str, over: str) -> None:
    looked = view(
        "from fastapi import Depends, FastAPI, Request\nfrom pydantic import BaseModel\nfrom auth import current_user\n"
        "app = FastAPI()\nDEFAULTS = {}\n"
        "class Question(BaseModel):\n    text: str\n    options: dict[str, object]\n    tags: Tags\n"
        "@app.post('/ask')\n"
        "async def ask(request: Request, question: Question, body: dict, user_id: str = Depends(current_user)):\n"
        f"    config = {{'configurable': {{{items}}}}}\n    return await graph.ainvoke(question.text, config)\n"
    )
    function = looked.functions[0]
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "graph.ainvoke")
    found = merged_over(looked, call, function)
    assert (ast.unparse(found) if found is not None else "") == over
