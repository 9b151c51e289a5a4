"""The zip of a user's data."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from carrel.context import RequestId, UserContext, UserId
from carrel.server.export import exported
from carrel.storage.database import Database
from carrel.storage.personal_data import personal_tables
from carrel.storage.threads import SqliteThreadStore


async def test_there_is_one_file_per_table_also_when_there_is_nothing(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "carrel.db")
    ann = UserContext(user_id=UserId("ann"), request_id=RequestId("r"))
    await SqliteThreadStore(database).create_thread(ann, "Grüße ☕")
    async with exported(database, ann) as file:
        archive = zipfile.ZipFile(file)
        assert archive.namelist() == ["README.txt", *(f"{table.name}.jsonl" for table in personal_tables())]
        lines = archive.read("threads.jsonl").decode().splitlines()
        assert [json.loads(line)["title"] for line in lines] == ["Grüße ☕"]
        assert archive.read("messages.jsonl") == b""
        assert archive.testzip() is None
    assert file.closed
    await database.close()
