"""Migrations lead from nothing to exactly the schema that the code declares."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, pool

from carrel.errors import StorageError
from carrel.storage.migration import migrate
from carrel.storage.schema import metadata


@pytest.fixture(autouse=True)
def blocked_loop_fails() -> Iterator[None]:
    """Migrating is blocking work; no loop is running here."""
    return iter((None,))


def schema(path: Path) -> dict[str, list[str]]:
    """The words of each stored statement; their order, which is that of the constraints, says nothing."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: sorted(sql.replace(",", " ").split())
            for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        }


def test_upgrading_from_nothing_gives_the_declared_schema(migrated_file: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated_file}", poolclass=pool.NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_gives_the_same_statements_as_creating(migrated_file: Path, tmp_path: Path) -> None:
    # Alembic's comparison does not see conditions of indexes or WITHOUT ROWID; the stored statements do.
    created = tmp_path / "created.db"
    engine = create_engine(f"sqlite:///{created}", poolclass=pool.NullPool)
    metadata.create_all(engine)
    migrated = schema(migrated_file)
    del migrated["alembic_version"]
    assert migrated == schema(created)


def test_the_file_is_in_wal_mode_and_nobody_else_may_read_it(migrated_file: Path) -> None:
    with closing(sqlite3.connect(migrated_file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert stat.S_IMODE(migrated_file.stat().st_mode) == 0o600


def test_migrating_twice_changes_nothing(migrated_file: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(migrated_file, tmp_path / "carrel.db"))
    before = schema(path)
    migrate(path)
    assert schema(path) == before


def test_two_that_start_at_once_both_find_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(migrate, [path, path]))
    assert "event_log" in schema(path)


def test_it_waits_for_another_that_writes_before_the_file_logs_ahead(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    path.touch()
    with (
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        migrating = threads.submit(migrate, path)
        with pytest.raises(TimeoutError):
            migrating.result(timeout=0.2)
        other.execute("ROLLBACK")
        migrating.result()
    assert "event_log" in schema(path)


def test_a_file_of_a_newer_carrel_is_refused_and_left_alone(migrated_file: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(migrated_file, tmp_path / "carrel.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match=r"newer carrel.*'9999'.*upgrade carrel"):
        migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"another program.*'bookmarks'.*move that file away"):
        migrate(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    path.write_text("a shopping list, long enough to be taken for a page of something " * 100)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a database of carrel; move that file away"):
        migrate(path)
    assert path.read_bytes() == before


def test_a_directory_that_may_not_be_written_is_named() -> None:
    # Root may write anywhere but here.
    with pytest.raises(StorageError, match=r"/sys/carrel/carrel\.db .*permission on the file and on its directory"):
        migrate(Path("/sys/carrel/carrel.db"))


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "carrel.db"
    # The file may grow to ten pages and the schema needs more: as on a disk that is full.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    import carrel.storage.migration as module

    real = module._begin_immediate

    def on_a_small_disk(connection):
        connection.exec_driver_sql("PRAGMA max_page_count = 10")
        real(connection)

    monkeypatch.setattr(module, "_begin_immediate", on_a_small_disk)
    with pytest.raises(StorageError, match="disk is full; free some space"):
        migrate(path)
    assert schema(path) == {}
    monkeypatch.undo()
    migrate(path)
    assert "event_log" in schema(path)
