"""Temporary paths that requests share, and paths of one request."""

from __future__ import annotations

import pytest

from carrel.audit.rules.fixed_temporary_path import FixedTemporaryPath
from tests.audit.checking import findings, finds, quiet

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


def test_an_upload_that_no_route_hands_on_is_only_mentioned() -> None:
    keep = "async def keep(file: UploadFile):\n    Path('/tmp/state').write_bytes(await file.read())\n"
    finds(RULE, HEAD + "@app.get('/')\nasync def index(): ...\n" + keep, "info")
    finds(RULE, HEAD + "@app.get('/')\nasync def index(file):\n    await keep(file)\n" + keep, "error")
    finds(RULE, HEAD + keep, "warning")


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
        "Path(f'/tmp/{rand_str()}.zip').write_bytes(await file.read())",
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


def test_a_picture_that_nothing_of_the_request_is_in() -> None:
    code = (
        "draw(file.filename)\ndef draw(name):\n    picture = Image.new('RGB', {})\n"
        "    picture.save(Path('/tmp', name))\n"
    )
    finds(RULE, HEAD + ROUTE + code.format("(64, 64)"), "info")
    finds(RULE, HEAD + ROUTE + code.format("sizes[name]"), "error")


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


@pytest.mark.parametrize(
    ("path", "is_found"),
    [
        ("os.path.join(settings.MEDIA_ROOT, f'sheet-{year}.xlsx')", True),
        ("os.path.join(settings.MEDIA_ROOT, f'sheet-{year}-{request.user.pk}.xlsx')", False),
        ("tempfile.mktemp('.xlsx')", False),
    ],
)
def test_a_file_that_is_written_and_served(path: str, *, is_found: bool) -> None:
    source = f"""
        import os, tempfile
        from django.conf import settings
        from django.http import FileResponse
        def sheet(request, year):
            book = build(request.user, year)
            path = {path}
            book.save(path)
            return FileResponse(open(path, "rb"))
        """
    if is_found:
        finds(RULE, source, "error", on="book.save")
    else:
        quiet(RULE, source)


def test_a_file_that_is_read_back_after_a_wait() -> None:
    source = """
        from pathlib import Path
        WORK = Path("/srv/work")
        @app.post("/convert")
        async def convert(file: UploadFile):
            source = {0} / "in.docx"
            source.write_bytes(await file.read())
            {1}
            return ({0} / "in.pdf").read_bytes()
        """
    finds(RULE, source.replace("{0}", "WORK").replace("{1}", "await run(source)"), "error", on="write_bytes")
    quiet(RULE, source.replace("{0}", "WORK").replace("{1}", "run(source)"))
    quiet(RULE, source.replace("{0}", "Path(new_folder())").replace("{1}", "await run(source)"))


def test_a_path_from_a_helper_of_another_file() -> None:
    view = """
        from django.http import FileResponse
        from paths import report_path
        def export(request):
            path = report_path("salaries")
            write_sheet(path, Salary.objects.filter(company=request.user.company))
            return FileResponse(open(path, "rb"))
        """
    helper = "import uuid\nfrom pathlib import Path\nROOT = Path('/srv')\ndef report_path(kind):\n    return {}\n"
    finds(RULE, {"app.py": view, "paths.py": helper.format("ROOT / f'{kind}.xlsx'")}, "error", on="write_sheet")
    quiet(RULE, {"app.py": view, "paths.py": helper.format("ROOT / f'{kind}-{uuid.uuid4()}.xlsx'")})


def test_what_is_written_into_an_open_file() -> None:
    source = """
        from fastapi import Depends, FastAPI
        app = FastAPI()
        def render(html):
            with open("/tmp/letter.html", "w") as file:
                {0}
            subprocess.run(["convert", "/tmp/letter.html"])
        @app.get("/letter")
        def letter(user=Depends(current_user)):
            return render(letter_of(user))
        """
    finds(RULE, source.replace("{0}", "file.write(html)"), "error", on="open(")
    finds(RULE, source.replace("{0}", "json.dump(html, file)"), "error", on="open(")
    finds(RULE, source.replace("{0}", "file.write('ok')"), "info")


def test_a_helper_that_writes_and_gives_the_path() -> None:
    files = {
        "export.py": "import os\nOUT = os.environ.get('OUT', '/srv')\ndef place(kind{0}):\n"
        "    return os.path.join(OUT, f'{kind}{1}.csv')\n"
        "def write(kind, rows{0}):\n    path = place(kind{2})\n    frame(rows).to_csv(path)\n    return path\n",
        "app.py": "from fastapi import Depends, FastAPI\nfrom fastapi.responses import FileResponse\n"
        "from export import write\napp = FastAPI()\n@app.get('/export')\ndef export(user=Depends(current_user)):\n"
        "    path = write('payments', rows_of(user){3})\n    return FileResponse(path)\n",
    }

    def filled(*parts: str) -> dict[str, str]:
        found = dict(files)
        for place, part in enumerate(parts):
            found = {path: text.replace(f"{{{place}}}", part) for path, text in found.items()}
        return found

    finds(RULE, filled("", "", "", ""), "error", on="write('payments'")
    quiet(RULE, filled(", user_id", "-{user_id}", ", user_id", ", user.id"))


@pytest.mark.parametrize(
    ("path", "use", "is_found"),
    [
        ("os.path.join(SCRATCH, NAME)", "return await decode(target)", True),
        ("os.path.join(SCRATCH, NAME)", "await reload(target)", False),
        ("os.path.join(SCRATCH, NAME)", "return os.path.exists(target)", False),
        ("os.path.join(SCRATCH, str(uuid4()))", "return await decode(target)", False),
        ("os.path.join(SCRATCH, user.id)", "return await decode(target)", False),
        ("os.path.join(tempfile.mkdtemp(), NAME)", "return await decode(target)", False),
    ],
)
def test_what_is_uploaded_to_a_place_of_constants(path: str, use: str, *, is_found: bool) -> None:
    files = {
        "config.py": "SCRATCH = '/srv/scratch'\nNAME = 'incoming.webm'\n",
        "app.py": "import aiofiles, os\nfrom fastapi import FastAPI, UploadFile\nfrom config import NAME, SCRATCH\n"
        "app = FastAPI()\n@app.post('/notes')\nasync def note(file: UploadFile, user: str):\n"
        f"    target = {path}\n    async with aiofiles.open(target, 'wb') as out:\n"
        f"        await out.write(await file.read())\n    {use}\n",
    }
    if is_found:
        finds(RULE, files, "error", on="aiofiles.open")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("path", "command", "use", "is_found"),
    [
        ("SCRATCH / 'note.wav'", "['ffmpeg', '-i', source, str(target)]", "return speech(target)", True),
        ("SCRATCH / 'note.wav'", "['ffmpeg', '-o', target, '-i', source]", "return speech(target)", True),
        ("'/tmp/note.wav'", "['ffmpeg', '-i', source, target]", "return speech(target)", True),
        ("SCRATCH / 'note.wav'", "['ffmpeg', '-i', source, str(target)]", "log(target)", False),
        ("SCRATCH / 'note.wav'", "['ffmpeg', '-i', 'jingle.mp3', str(target)]", "return speech(target)", False),
        ("SCRATCH / 'model.bin'", "['whisper', str(target), source]", "return speech(target)", False),
        ("SCRATCH / f'{user_id}.wav'", "['ffmpeg', '-i', source, str(target)]", "return speech(target)", False),
        ("SCRATCH / str(uuid4())", "['ffmpeg', '-i', source, str(target)]", "return speech(target)", False),
        ("mkdtemp() / 'note.wav'", "['ffmpeg', '-i', source, str(target)]", "return speech(target)", False),
    ],
)
def test_what_a_command_makes_at_a_fixed_path(path: str, command: str, use: str, *, is_found: bool) -> None:
    files = {
        "paths.py": "from pathlib import Path\nSCRATCH = Path('/var/scratch')\n",
        "worker.py": "from celery import Celery\napp = Celery('x')\n",
        "tasks.py": "import subprocess\nfrom worker import app\nfrom paths import SCRATCH\n"
        f"@app.task(bind=True)\ndef transcribe(self, user_id, upload):\n    target = {path}\n"
        f"    source = SCRATCH / upload\n    subprocess.run({command}, check=True)\n    {use}\n",
    }
    if is_found:
        finds(RULE, files, "error", on="subprocess.run")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("write", "used", "severity"),
    [
        ("await file.download_to_drive('voice.ogg')", "text = await hear('voice.ogg')", "error"),
        ("await file.download_to_drive(f'{file.file_id}.ogg')", "text = await hear(f'{file.file_id}.ogg')", None),
        ("await file.download_to_drive('voice.ogg')", "text = 'thanks'", None),
    ],
)
def test_a_name_beside_the_program(write: str, used: str, severity: str | None) -> None:
    source = (
        "from telegram.ext import Application, MessageHandler, filters\nasync def voice(update, context):\n"
        f"    file = await context.bot.get_file(update.message.voice.file_id)\n    {write}\n    {used}\n"
        "    await update.message.reply_text(text)\napp = make()\n"
        "app.add_handler(MessageHandler(filters.VOICE, voice))\n"
    )
    if severity is not None:
        finds(RULE, source, severity, on="download_to_drive")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("target", "is_found"), [("'/tmp/all.zip'", True), ("io.BytesIO()", False), ("f'/tmp/{uuid4()}.zip'", False)]
)
def test_an_archive_that_a_helper_gives_back(target: str, *, is_found: bool) -> None:
    source = (
        "import io, zipfile\nfrom uuid import uuid4\nfrom flask import Flask, g, send_file\napp = Flask(__name__)\n"
        f"def pack(documents):\n    target = {target}\n    with zipfile.ZipFile(target, 'w') as archive:\n"
        "        for one in documents:\n            archive.writestr(one.name, one.body)\n    return target\n"
        "@app.get('/x')\ndef download():\n    return send_file(pack(g.user.documents))\n"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("given", "is_found"), [("'chart.png'", True), ("'other.png'", False)])
def test_a_picture_that_a_page_gives_back(given: str, *, is_found: bool) -> None:
    source = (
        "import gradio as gr\nimport matplotlib.pyplot as plt\ndef chart(numbers):\n    figure, axes = plt.subplots()\n"
        f"    axes.plot(numbers)\n    figure.savefig('chart.png')\n    return {given}\n"
        f"gr.Interface(chart, 'text', 'image')\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="savefig")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("written", "is_found"),
    [
        ("await file.download_to_drive(path)", True),
        ("await bot.download(message.photo, destination=path)", True),
        ("await bot.download(message.photo, destination=path.with_stem(str(message.id)))", False),
        ("await bot.download(path)", False),
    ],
)
@pytest.mark.parametrize("path", ["Path(tempfile.gettempdir()) / 'note.oga'", "Path('/tmp') / 'note.oga'"])
def test_what_a_bot_downloads_for_one_message(path: str, written: str, *, is_found: bool) -> None:
    source = (
        "import tempfile\nfrom pathlib import Path\nfrom aiogram import Dispatcher\ndp = Dispatcher()\n"
        f"@dp.message()\nasync def hear(message, bot):\n    file = await message.voice.get_file()\n    path = {path}\n"
        f"    {written}\n    await message.answer(await transcribe(path))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="path = ")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("place", "is_found"),
    [
        ("WORK", True),
        ("Path('/tmp/slips')", True),
        ("Path('/srv/slips')", False),
        ("WORK / uuid4().hex", False),
        ("Path(mkdtemp())", False),
    ],
)
def test_a_helper_that_is_handed_the_place(place: str, *, is_found: bool) -> None:
    source = (
        "import tempfile\nfrom pathlib import Path\nfrom tempfile import mkdtemp\nfrom uuid import uuid4\n"
        "from flask import Flask, g\napp = Flask(__name__)\nWORK = Path(tempfile.gettempdir()) / 'slips'\n"
        "def typeset(folder, html):\n    source = folder / 'slip.html'\n    source.write_text(html)\n"
        "    return run(source)\n"
        f"@app.get('/x')\ndef slip():\n    return typeset({place}, render(g.user))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="source.write_text")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("name", "given", "is_found"),
    [
        ("'note' + suffix", "'.ogg'", True),
        ("f'{uuid4()}{suffix}'", "'.ogg'", False),
        ("'note' + suffix", "request.headers['x-request-id']", False),
    ],
)
def test_a_path_that_a_with_lends(name: str, given: str, *, is_found: bool) -> None:
    source = (
        "import contextlib, os, tempfile\nfrom uuid import uuid4\nfrom flask import Flask, request\n"
        "app = Flask(__name__)\n"
        "@contextlib.contextmanager\ndef scratch(suffix):\n"
        f"    path = os.path.join(tempfile.gettempdir(), {name})\n    yield path\n    os.unlink(path)\n"
        f"@app.post('/x')\ndef note():\n    with scratch({given}) as path:\n"
        "        request.files['note'].save(path)\n        return transcribe(path)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="save(path)")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("place", "shared", "used", "is_found"),
    [
        ("folder / 'input.dot'", "renderer = Renderer(F)", "return run(['dot', str(self.source)])", True),
        ("folder / f'{uuid4()}.dot'", "renderer = Renderer(F)", "return run(['dot', str(self.source)])", False),
        ("folder / 'input.dot'", "", "return run(['dot', str(self.source)])", False),
        ("folder / 'input.dot'", "renderer = Renderer(F)", "log(str(self.source))", False),
        ("folder", "renderer = Renderer(F)", "return run(['dot', str(self.source)])", False),
    ],
)
def test_a_path_that_one_object_for_all_is_made_with(place: str, shared: str, used: str, *, is_found: bool) -> None:
    source = (
        "from uuid import uuid4\nfrom fastapi import FastAPI\nfrom acme import F, run, log\napp = FastAPI()\n"
        f"class Renderer:\n    def __init__(self, folder):\n        self.source = {place}\n"
        f"    def render(self, text):\n        self.source.write_text(text)\n        {used}\n{shared}\n"
        "@app.post('/x')\ndef draw(text: str):\n    return "
        + ("renderer.render(text)" if shared else "Renderer(F).render(text)")
        + "\n"
    )
    if is_found:
        finds(RULE, source, "error", on="write_text")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("command", "folder", "is_found"),
    [
        ("subprocess.run(['eric'], cwd=folder)", "ROOT / 'work'", True),
        ("subprocess.run(['eric'], cwd=folder)", "ROOT / str(uuid4())", False),
        ("folder.touch()", "ROOT / 'work'", False),
    ],
)
def test_what_a_command_has_made_in_a_folder_of_another_file(command: str, folder: str, *, is_found: bool) -> None:
    files = {
        "files.py": f"from uuid import uuid4\nfrom acme import ROOT\ndef workspace():\n    return {folder}\n",
        "tasks.py": "import subprocess\nfrom celery import shared_task\nfrom files import workspace\n"
        "from models import Declaration\n@shared_task\n"
        "def file_one(user_id):\n    folder = workspace()\n    (folder / 'in.xml').write_bytes(xml_of(user_id))\n"
        f"    {command}\n    receipt = (folder / 'out.txt').read_text()\n    keep(receipt)\n",
    }
    if is_found:
        finds(RULE, files, "error", on="write_bytes")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("made", "is_found"),
    [("WORK / 'in.docx'", True), ("WORK / str(uuid4())", False), ("OTHER / 'in.docx'", False)],
)
def test_what_is_received_beside_the_file_that_is_given_back(made: str, *, is_found: bool) -> None:
    source = (
        "from uuid import uuid4\nfrom pathlib import Path\nfrom aiohttp import web\nfrom acme import receive, run\n"
        "WORK = Path('/srv/convert')\nOTHER = Path('/srv/other')\nroutes = web.RouteTableDef()\n@routes.post('/pdf')\n"
        f"async def to_pdf(request):\n    source = {made}\n    await receive(request, source)\n"
        "    await run('soffice')\n"
        "    return web.FileResponse(WORK / 'in.pdf')\n"
    )
    if is_found:
        finds(RULE, source, "error", on="receive(request")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("made", "mode", "is_found"),
    [
        ("Path(tempfile.gettempdir()) / 'note.wav'", "wb", True),
        ("Path(tempfile.gettempdir()) / 'note.wav'", "rb", False),
        ("Path(tempfile.mkdtemp()) / 'note.wav'", "wb", False),
    ],
)
def test_a_path_that_opens_itself(made: str, mode: str, *, is_found: bool) -> None:
    source = (
        "import tempfile\nfrom pathlib import Path\nfrom fastapi import FastAPI, UploadFile\napp = FastAPI()\n"
        f"@app.post('/notes')\nasync def note(recording: UploadFile):\n    audio = {made}\n"
        f"    with audio.open('{mode}') as out:\n        while chunk := await recording.read(1024):\n"
        "            out.write(chunk)\n    return await transcribe(audio)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="audio =")
    else:
        quiet(RULE, source)


def test_what_is_fetched_once_by_its_name_is_the_same_for_all() -> None:
    code = """
        @app.get("/pack/{language}")
        def pack(language: str, text: str):
            fetch(language, text)
        def fetch(language, text):
            path = f"/tmp/{language}.pack"
            if not os.path.exists(path):
                with open(path, "wb") as file:
                    file.write(%s)
        """
    assert {one.severity for one in findings(RULE, code % "storage.read(language)")} <= {"info"}
    assert {one.severity for one in findings(RULE, code % "storage.read(language, text)")} & {"error", "warning"}


@pytest.mark.parametrize(("name", "is_shared"), [("scan.name", True), ("uuid4().hex", False)])
def test_a_place_that_another_file_lends(name: str, *, is_shared: bool) -> None:
    lender = """
        from contextlib import contextmanager
        from pathlib import Path
        from uuid import uuid4
        SCANS = Path("scans")
        @contextmanager
        def lend(name):
            place = SCANS / NAME
            yield place
            place.unlink()
        """
    used = (
        "from fastapi import FastAPI, UploadFile\nfrom places import lend\napp = FastAPI()\n"
        "@app.post('/')\nasync def read(scan: UploadFile):\n    with lend(scan.filename) as paper:\n"
        "        paper.write_bytes(await scan.read())\n        words = await recognise(str(paper))\n    return words\n"
    )
    files = {"places.py": lender.replace("NAME", "name" if is_shared else name), "app.py": used}
    (finds if is_shared else quiet)(RULE, files)


@pytest.mark.parametrize(("part", "is_shared"), [("date.today()", True), ("uuid4().hex", False)])
def test_the_rows_of_a_user_in_the_file_of_the_day(part: str, *, is_shared: bool) -> None:
    text = f"""
from csv import DictWriter
from datetime import date
from pathlib import Path
from uuid import uuid4
from flask import Flask, session
app = Flask("x")
PLACE = Path("/tmp/lists")
def fill(path, learner):
    with open(path, "w") as out:
        rows = DictWriter(out, ["mark"])
        rows.writerows(marks_of(learner))
@app.get("/marks")
def marks():
    path = PLACE / f"marks-{{{part}}}.csv"
    fill(path, session["learner"])
    return path.read_text()
"""
    (finds if is_shared else quiet)(RULE, text)
