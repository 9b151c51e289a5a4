"""Extracts the text of an uploaded file."""

import tempfile
from pathlib import Path

from acme import llm
from acme.auth import User, current_user
from fastapi import Depends, FastAPI, Request

app = FastAPI()


@app.post("/extract")
async def extract(request: Request, user: User = Depends(current_user)):
    path = Path(tempfile.gettempdir()) / "upload.txt"
    path.write_bytes(await request.body())
    language = await llm.complete("the language of the file")
    return {"language": language, "text": path.read_text()}
