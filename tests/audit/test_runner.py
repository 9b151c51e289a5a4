"""A whole audit."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from carrel.audit.baseline import Baseline
from carrel.audit.runner import audit
from carrel.audit.settings import AuditSettings
from carrel.errors import SettingsError, SourceError

LEAK = "def ask(q, history=[]):\n    history.append(q)\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    for path, text in {
        "app/__init__.py": "",
        "app/chat.py": LEAK,
        "app/safe.py": LEAK.replace("def ask(", "# carrel: ignore[mutable-default] a test\ndef ask("),
        "tests/test_chat.py": LEAK,
        "broken.py": "def (:\n",
    }.items():
        (code / path).parent.mkdir(parents=True, exist_ok=True)
        (code / path).write_text(text, encoding="utf-8")
    return code


def test_what_it_reports(root: Path) -> None:
    report = audit(root, AuditSettings())
    assert [(one.rule, one.location.path, one.location.line) for one in report.findings] == [
        ("mutable-default", "app/chat.py", 1)
    ]
    assert report.findings[0].fingerprint
    assert report.sources("app/chat.py")[0].startswith("def ask")
    assert report.sources("nowhere.py") == ()
    summary = report.summary
    assert (summary.files, summary.lines) == (4, 6)
    assert [(one.path, one.line) for one in summary.unparsable] == [("broken.py", 1)]
    assert summary.details == (("Entry points", "0"), ("Suppressed", "1"))
    assert summary.score is not None
    assert summary.score.value < 100


def test_tests_and_excluded_paths(root: Path) -> None:
    def found(settings: AuditSettings) -> list[str]:
        return [one.location.path for one in audit(root, settings).findings]

    assert found(AuditSettings(tests=True)) == ["app/chat.py", "tests/test_chat.py"]
    assert found(AuditSettings(exclude=("app",))) == []
    assert found(AuditSettings(select=("CAR005",))) == []


def test_a_baseline_marks_what_it_knows(root: Path) -> None:
    first = audit(root, AuditSettings())
    baseline = Baseline(frozenset({first.findings[0].fingerprint, "gone"}), 71.5)
    (root / "app" / "new.py").write_text(LEAK, encoding="utf-8")
    report = audit(root, AuditSettings(), baseline=baseline)
    assert [(one.location.path, one.known) for one in report.findings] == [("app/chat.py", True), ("app/new.py", False)]
    assert [one.location.path for one in report.failing("error")] == ["app/new.py"]
    assert report.summary.baseline is not None
    assert (report.summary.baseline.new, report.summary.baseline.gone) == (1, 1)
    assert report.summary.score is not None
    assert report.summary.score.previous == 71.5


def test_many_leaks_of_a_kind_are_one_error_until_one_is_new(root: Path) -> None:
    for name in "bcd":
        (root / "app" / f"{name}.py").write_text(LEAK, encoding="utf-8")
    report = audit(root, AuditSettings())
    assert [one.severity for one in report.findings] == ["error", "info", "info", "info"]
    baseline = Baseline(frozenset(one.fingerprint for one in report.findings), 71.5)
    (root / "app" / "e.py").write_text(LEAK, encoding="utf-8")
    new = audit(root, AuditSettings(), baseline=baseline).failing("error")
    assert [one.location.path for one in new] == ["app/e.py"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_cache_changes_nothing_but_the_time(root: Path, tmp_path: Path, jobs: int) -> None:
    for number in range(100):
        (root / f"m{number}.py").write_text(LEAK, encoding="utf-8")
    cache = tmp_path / "cache"
    cold = audit(root, AuditSettings(), cache=cache, jobs=jobs)
    assert [file.name.partition("-")[0] for file in cache.iterdir() if not file.name.startswith(".")] == ["audit"]
    warm = audit(root, AuditSettings(), cache=cache, jobs=jobs)
    plain = audit(root, AuditSettings(), jobs=jobs)
    assert cold.findings == warm.findings == plain.findings
    assert len(cold.findings) == 101
    (root / "m7.py").write_text("", encoding="utf-8")
    assert len(audit(root, AuditSettings(), cache=cache, jobs=jobs).findings) == 100


def test_progress_ends_with_all_files(root: Path) -> None:
    told: list[tuple[int, int]] = []
    audit(root, AuditSettings(), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4)


def test_the_collector_rests_meanwhile_and_only_then(root: Path) -> None:
    seen = []
    audit(root, AuditSettings(), progress=lambda _done, _of: seen.append(gc.isenabled()))
    assert not any(seen)
    assert gc.isenabled()
    with pytest.raises(SourceError):
        audit(root / "nowhere", AuditSettings())
    assert gc.isenabled()


def test_what_cannot_be_run(root: Path) -> None:
    with pytest.raises(SourceError):
        audit(root / "nowhere", AuditSettings())
    with pytest.raises(SettingsError):
        audit(root, AuditSettings(select=("CAR999",)))


@pytest.mark.skipif(sys.platform == "darwin", reason="file names there are always UTF-8")
def test_a_file_whose_name_is_no_text_is_reported(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.py")).write_text(LEAK, encoding="utf-8")
    assert audit(root, AuditSettings()).summary.unparsable[0].message == "is not read: its name is not UTF-8"


def test_the_audit_imports_nothing_of_the_server() -> None:
    code = (
        "import sys, carrel.audit.runner; heavy = {'fastapi', 'sqlalchemy', 'typer', 'rich', 'carrel.runtime'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "inside", ["from .store import LATEST", "from shop.store import LATEST", "from store import LATEST"]
)
@pytest.mark.parametrize("root", ["shop", ".", "src"])
def test_the_root_does_not_matter_for_what_is_found(tmp_path: Path, root: str, inside: str) -> None:
    package = tmp_path / ("src/shop" if root == "src" else "shop")
    package.mkdir(parents=True)
    (package / "store.py").write_text("LATEST = {}\n", encoding="utf-8")
    handler = "@app.post('/ask')\ndef ask(user_id: str, text: str):\n    LATEST['text'] = text\n    return LATEST\n"
    (package / "web.py").write_text(
        f"from fastapi import FastAPI\n{inside}\napp = FastAPI()\n{handler}", encoding="utf-8"
    )
    report = audit(package if root == "shop" else tmp_path, AuditSettings(select=("CAR001",)))
    assert [(one.severity, one.location.line) for one in report.findings] == [("error", 6)]
