"""What was to be replaced, beside what replaces it."""

from __future__ import annotations

import pytest

from carrel.audit.rules.deprecated_beside_current import DeprecatedBesideCurrent
from tests.audit.checking import finds, quiet

RULE = DeprecatedBesideCurrent()
PLAIN = "class Engine:\n    def run(self): ...\n"


@pytest.mark.parametrize("name", ["LegacyEngine", "EnhancedEngine", "UnifiedEngine", "EngineLegacy"])
def test_a_class_beside_its_replacement(name: str) -> None:
    (found,) = finds(RULE, {"a.py": PLAIN, "b.py": PLAIN.replace("Engine", name)}, "warning", on=name)
    assert [place.path for place in found.related] == ["a.py"]


@pytest.mark.parametrize("path", ["engine_old.py", "legacy_engine.py", "engine_backup.py"])
def test_a_module_beside_its_replacement(path: str) -> None:
    makes = "def make_engine(): ...\n"
    finds(RULE, {"pkg/engine.py": makes, f"pkg/{path}": makes}, "warning")
    finds(RULE, {"pkg/engine.py": makes, f"pkg/{path}": "def stop(): ...\n"}, "info")
    row = "class Row:\n    size = 1\n"
    finds(RULE, {"pkg/engine.py": row, f"pkg/{path}": row}, "info")


def test_versions_of_what_both_speak_are_only_mentioned() -> None:
    finds(RULE, {"pkg/engine.py": PLAIN, "pkg/engine_v2.py": PLAIN}, "info")
    finds(RULE, {"a.py": PLAIN, "b.py": PLAIN.replace("Engine", "EngineV2")}, "info")


def test_a_namesake_that_does_other_work_is_only_mentioned() -> None:
    other = "class LegacyEngine:\n    def compare(self): ...\n"
    finds(RULE, {"a.py": PLAIN, "b.py": other}, "info")


def test_two_that_only_answer_to_one_framework_are_only_mentioned() -> None:
    watch = """class Watch(EventHandler):
    def __init__(self, storage, run_id):
        self.storage, self.run_id = storage, run_id
        super().__init__(patterns=[storage.path])
    def on_modified(self, event):
        for record in self.storage.records(self.run_id):
            self.storage.call(record)
"""
    other = """class ConsolidatedWatch(EventHandler):
    def __init__(self, every):
        self.every = check(every)
        super().__init__(patterns=every.paths)
    def on_modified(self, event):
        self.every.changed()
"""
    finds(RULE, {"a.py": watch, "b.py": other}, "info")
    finds(RULE, {"a.py": watch, "b.py": watch.replace("class ", "class Consolidated")}, "warning")
    finds(RULE, {"a.py": watch, "b.py": other.replace("class Consolidated", "class Legacy")}, "warning")
    plain = other.replace("class Consolidated", "class ")
    finds(RULE, {"pkg/watch.py": watch, "pkg/consolidated_watch.py": plain}, "info")
    finds(RULE, {"pkg/watch.py": watch, "pkg/watch_old.py": plain}, "warning")
    finds(RULE, {"pkg/watch.py": watch, "pkg/consolidated_watch.py": watch}, "warning")


def test_of_several_plain_ones_the_one_that_is_most_like_it() -> None:
    (found,) = finds(RULE, {"a.py": "class Engine:\n    x = 1\n", "b.py": PLAIN,
                            "c.py": PLAIN.replace("Engine", "LegacyEngine")}, "warning")  # fmt: skip
    assert [place.path for place in found.related] == ["b.py"]


@pytest.mark.parametrize("imports", ["from {other} import LIMIT\n", "def choose():\n    from {other} import Engine\n"])
def test_one_that_is_built_on_the_other_or_chooses_it_is_only_mentioned(imports: str) -> None:
    new = PLAIN.replace("Engine", "UnifiedEngine")
    finds(RULE, {"a.py": PLAIN, "b.py": imports.replace("{other}", "a") + new}, "info")
    finds(RULE, {"a.py": imports.replace("{other}", "b") + PLAIN, "b.py": new}, "info")
    old = "pkg.engine_legacy"
    finds(RULE, {"pkg/engine.py": imports.replace("{other}", old) + PLAIN, "pkg/engine_legacy.py": PLAIN}, "info")


def test_versions_of_a_message_are_only_mentioned() -> None:
    row = PLAIN.replace("class Engine", "class LegacyEngine").replace(":\n", "(ModelSerializer):\n", 1)
    finds(RULE, {"a.py": PLAIN.replace("Engine", "Engine(ModelSerializer)"), "b.py": row}, "info")


def test_a_class_says_it_for_its_module() -> None:
    sources = {"pkg/engine.py": PLAIN, "pkg/legacy_engine.py": PLAIN.replace("Engine", "LegacyEngine")}
    (found,) = finds(RULE, sources, "warning")
    assert found.message == "`LegacyEngine` stands beside `Engine`"


def test_one_that_extends_the_other_is_only_mentioned() -> None:
    finds(RULE, {"a.py": PLAIN, "b.py": "from a import Engine\nclass EnhancedEngine(Engine):\n    pass\n"}, "info")
    finds(RULE, {"a.py": PLAIN, "b.py": "class EngineV2(BaseModel):\n    pass\n"}, "info")


@pytest.mark.parametrize(
    "sources",
    [
        {"a.py": "class LegacyEngine:\n    pass\n"},
        {"a.py": PLAIN, "b.py": "class OldEngine:\n    pass\n"},
        {"a.py": PLAIN, "b.py": "class EngineView:\n    pass\n"},
        {"a.py": PLAIN, "tests/b.py": "class LegacyEngine:\n    pass\n"},
        {"pkg/engine.py": "x = 1\n", "other/engine_old.py": "y = 1\n"},
        {"pkg/engine_old.py": "y = 1\n"},
        {"v1/engine.py": "x = 1\n", "v2/engine.py": "y = 1\n"},
    ],
)
def test_what_stands_alone_or_means_something_else(sources: dict[str, str]) -> None:
    quiet(RULE, sources)
