"""Extracts the text of an uploaded file."""

import tempfile
from pathlib import Path

from acme import llm
from acme.auth import User, current_user
from fastapi import Depends, FastAPI, Request

app = FastAPI()


@app.post("/extract")
async def extract(request: Request, user: User = Depends(current_user)):
    with tempfile.NamedTemporaryFile(suffix=".txt", delete=False) as file:
        file.write(await request.body())
    path = Path(file.name)
    language = await llm.complete("the language of the file")
    return {"language": language, "text": path.read_text()}
