"""Temporary paths that requests share, and paths of one request."""

from __future__ import annotations

import pytest

from carrel.audit.rules.fixed_temporary_path import FixedTemporaryPath
from tests.audit.checking import finds, quiet

RULE = FixedTemporaryPath()
HEAD = """
import os, shutil, tempfile, uuid
from pathlib import Path
from fastapi import FastAPI, UploadFile
app = FastAPI()
PLACE = Path("/tmp/uploads")
"""
ROUTE = '@app.post("/")\nasync def index(file: UploadFile):\n    '


@pytest.mark.parametrize(
    "code",
    [
        "Path('/tmp/upload.pdf').write_bytes(await file.read())",
        "path = Path(tempfile.gettempdir()) / 'upload.txt'\n    path.write_text(await file.read())",
        "(PLACE / 'upload.txt').write_bytes(await file.read())",
        "path = f'/tmp/{file.filename}'\n    Path(path).write_bytes(await file.read())",
        (
            "path = os.path.join('/tmp', file.filename)\n"
            "    with open(path, 'wb') as out:\n        out.write(await file.read())"
        ),
        "file.save('/tmp/upload.pdf')",
        "path = Path('uploads', file.filename)\n    path.write_bytes(await file.read())\n    path.unlink()",
        "keep(file.filename, 1)\ndef keep(name, data):\n    Path(f'/tmp/{name}').write_bytes(data)",
        "keep(file.filename)\ndef keep(name):\n    os.makedirs('/tmp/work/' + name)",
    ],
)
def test_a_path_that_two_requests_have(code: str) -> None:
    findings = finds(RULE, HEAD + ROUTE + code + "\n")
    assert findings[0].severity in ("error", "warning")


def test_a_path_that_nobody_is_seen_to_reach_is_only_mentioned() -> None:
    (found,) = finds(
        RULE, HEAD + "def keep(name, text):\n    path = Path('/tmp', name)\n    path.write_text(text)\n", "info"
    )
    assert [place.note for place in found.related] == ["written here"]


def test_data_of_nobody_is_only_mentioned() -> None:
    finds(RULE, HEAD + "def keep():\n    Path('/tmp/state').write_text('ready')\n", "info")


@pytest.mark.parametrize(
    "code",
    [
        "Path(f'/tmp/{uuid.uuid4()}').write_bytes(await file.read())",
        "name = uuid.uuid4().hex\n    path = f'/tmp/{name}.pdf'\n    Path(path).write_bytes(await file.read())",
        "folder = tempfile.mkdtemp(dir='/tmp')\n    Path(folder, 'a').write_bytes(await file.read())",
        "with tempfile.NamedTemporaryFile() as out:\n        out.write(await file.read())",
        "Path('/tmp', str(os.getpid())).write_bytes(await file.read())",
        "Path(f'/tmp/{hash_of(file)}').write_bytes(await file.read())",
        "Path(f'/tmp/{user_id}/a').write_bytes(await file.read())",
        "Path(f'/tmp/{self.run_id}/a').write_bytes(await file.read())",
        "os.makedirs('/tmp/work', exist_ok=True)",
        "path = Path('uploads', file.filename)\n    path.write_bytes(await file.read())",
        "PLACE.mkdir()",
        "open('/tmp/a').read()",
        "open('/tmp/a', 'rb').read()",
        "open()",
        "Path('/srv/uploads/a').write_bytes(await file.read())",
        "Path('/tmpfiles/a').write_bytes(await file.read())",
        "file.save()",
        "shutil.rmtree('/tmp/work')",
    ],
)
def test_a_path_of_one_request(code: str) -> None:
    quiet(RULE, HEAD + ROUTE + code + "\n")


UPLOAD = """
@app.post("/")
async def keep(file: UploadFile, folder: str = "/"):
    path = os.path.join({folder}, file.filename)
    with open(path, "wb") as out:
        shutil.copyfileobj(file.file, out)
    {then}
    os.remove({removed})
"""


def test_an_upload_that_waits_before_it_is_removed() -> None:
    finds(RULE, HEAD + UPLOAD.format(folder="PLACES", then="await read(path)", removed="path"), "error")


@pytest.mark.parametrize(
    ("folder", "then", "removed"),
    [
        ("folder", "await read(path)", "path"),
        ("PLACES", "read(path)", "path"),
        ("PLACES", "await read(path)", "LOCK"),
    ],
    ids=["the client says where", "nothing comes between", "something else is removed"],
)
def test_an_upload_that_no_other_request_meets(folder: str, then: str, removed: str) -> None:
    quiet(RULE, HEAD + UPLOAD.format(folder=folder, then=then, removed=removed))


GIVEN_BACK = """
@app.post("/say")
def say(text: str):
    with open({0}, "w") as file:
        file.write(work(text))
    return {1}
"""


def test_a_literal_path_that_is_given_back() -> None:
    finds(RULE, GIVEN_BACK.format("'/tmp/out.txt'", "text, '/tmp/out.txt'"), "warning", on="open(")
    finds(RULE, GIVEN_BACK.format("'/tmp/out.txt'", "text"), "info")
    finds(RULE, GIVEN_BACK.format("'/tmp/out.txt'", "'/tmp/out.txt'").replace("@app.post", "@other"), "info")


@pytest.mark.parametrize(
    ("path", "is_error"),
    [
        ("Path('/tmp/maps') / output_path", False),
        ("Path('/tmp/maps') / options.save_name", False),
        ("Path('/tmp/maps') / document", True),
        ("Path('/tmp/maps') / options.title", True),
    ],
)
def test_where_the_caller_says_what_the_result_is_called(path: str, is_error: bool) -> None:
    call = f"draw(1, 2, file)\ndef draw(output_path, options, document):\n    place = {path}\n"
    call += "    place.write_bytes(document.read())\n"
    finds(RULE, HEAD + ROUTE + call, "error" if is_error else "info")
    quiet(RULE, HEAD + ROUTE + "make(1, 2)\ndef make(output_dir, a):\n    os.makedirs(output_dir or '/tmp')\n")
