"""What was to be replaced, beside what replaces it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from carrel.audit.rules.deprecated_beside_current import DeprecatedBesideCurrent
from tests.audit.checking import finds, quiet

RULE = DeprecatedBesideCurrent()
PLAIN = "class Engine:\n    def run(self): ...\n"


def used(sources: Mapping[str, str]) -> dict[str, str]:
    """The files, with one that takes all of each."""
    users = {
        f"uses_{number}.py": f"from {path.removesuffix('.py').replace('/', '.')} import *\n"
        for number, path in enumerate(sources)
    }
    return {**sources, **users}


@pytest.mark.parametrize("name", ["LegacyEngine", "EnhancedEngine", "UnifiedEngine", "EngineLegacy"])
def test_a_class_beside_its_replacement(name: str) -> None:
    (found,) = finds(RULE, used({"a.py": PLAIN, "b.py": PLAIN.replace("Engine", name)}), "warning", on=name)
    assert [place.path for place in found.related] == ["a.py"]


@pytest.mark.parametrize("path", ["engine_old.py", "legacy_engine.py", "engine_backup.py"])
def test_a_module_beside_its_replacement(path: str) -> None:
    makes = "def make_engine(): ...\n"
    finds(RULE, used({"pkg/engine.py": makes, f"pkg/{path}": makes}), "warning")
    finds(RULE, used({"pkg/engine.py": makes, f"pkg/{path}": "def stop(): ...\n"}), "info")
    row = "class Row:\n    size = 1\n"
    finds(RULE, used({"pkg/engine.py": row, f"pkg/{path}": row}), "info")


def test_versions_of_what_both_speak_are_only_mentioned() -> None:
    finds(RULE, used({"pkg/engine.py": PLAIN, "pkg/engine_v2.py": PLAIN}), "info")
    finds(RULE, used({"a.py": PLAIN, "b.py": PLAIN.replace("Engine", "EngineV2")}), "info")


def test_a_namesake_that_does_other_work_is_only_mentioned() -> None:
    other = "class LegacyEngine:\n    def compare(self): ...\n"
    finds(RULE, used({"a.py": PLAIN, "b.py": other}), "info")


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
    finds(RULE, used({"a.py": watch, "b.py": other}), "info")
    finds(RULE, used({"a.py": watch, "b.py": watch.replace("class ", "class Consolidated")}), "warning")
    finds(RULE, used({"a.py": watch, "b.py": other.replace("class Consolidated", "class Legacy")}), "warning")
    plain = other.replace("class Consolidated", "class ")
    finds(RULE, used({"pkg/watch.py": watch, "pkg/consolidated_watch.py": plain}), "info")
    finds(RULE, used({"pkg/watch.py": watch, "pkg/watch_old.py": plain}), "warning")
    finds(RULE, used({"pkg/watch.py": watch, "pkg/consolidated_watch.py": watch}), "warning")


def test_of_several_plain_ones_the_one_that_is_most_like_it() -> None:
    (found,) = finds(RULE, used({"a.py": "class Engine:\n    x = 1\n", "b.py": PLAIN,
                            "c.py": PLAIN.replace("Engine", "LegacyEngine")}), "warning")  # fmt: skip
    assert [place.path for place in found.related] == ["b.py"]


@pytest.mark.parametrize("imports", ["from {other} import LIMIT\n", "def choose():\n    from {other} import Engine\n"])
def test_one_that_is_built_on_the_other_or_chooses_it_is_only_mentioned(imports: str) -> None:
    new = PLAIN.replace("Engine", "UnifiedEngine")
    finds(RULE, used({"a.py": PLAIN, "b.py": imports.replace("{other}", "a") + new}), "info")
    finds(RULE, used({"a.py": imports.replace("{other}", "b") + PLAIN, "b.py": new}), "info")
    old = "pkg.engine_legacy"
    finds(RULE, used({"pkg/engine.py": imports.replace("{other}", old) + PLAIN, "pkg/engine_legacy.py": PLAIN}), "info")


def test_a_neural_network_is_called_what_it_is() -> None:
    bert = "from torch.nn import Module\n" + PLAIN.replace(":\n", "(Module):\n", 1)
    finds(RULE, used({"a.py": bert, "b.py": bert.replace("Engine", "ModernEngine")}), "info")


def test_versions_of_a_message_are_only_mentioned() -> None:
    row = PLAIN.replace("class Engine", "class LegacyEngine").replace(":\n", "(ModelSerializer):\n", 1)
    finds(RULE, {"a.py": PLAIN.replace("Engine", "Engine(ModelSerializer)"), "b.py": row}, "info")


def test_a_class_says_it_for_its_module() -> None:
    sources = {"pkg/engine.py": PLAIN, "pkg/legacy_engine.py": PLAIN.replace("Engine", "LegacyEngine")}
    (found,) = finds(RULE, used(sources), "warning")
    assert found.message == "`LegacyEngine` stands beside `Engine`"


def test_one_that_extends_the_other_is_only_mentioned() -> None:
    finds(
        RULE, used({"a.py": PLAIN, "b.py": "from a import Engine\nclass EnhancedEngine(Engine):\n    pass\n"}), "info"
    )
    finds(RULE, used({"a.py": PLAIN, "b.py": "class EngineV2(BaseModel):\n    pass\n"}), "info")


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


BOTH = {"a.py": PLAIN, "b.py": PLAIN.replace("Engine", "LegacyEngine") + "LIMIT = 1\n"}
ONE, OTHER = "from a import Engine\n", "from b import LegacyEngine\n"


@pytest.mark.parametrize(
    ("users", "severity"),
    [
        ({}, "info"),
        ({"x.py": ONE}, "info"),
        ({"x.py": OTHER}, "info"),
        ({"x.py": ONE, "tests/y.py": OTHER}, "info"),
        ({"x.py": ONE, "y.py": "from b import LIMIT\n"}, "info"),
        ({"x.py": ONE, "y.py": OTHER}, "warning"),
        ({"x.py": ONE, "y.py": "import b\n"}, "warning"),
        ({"x.py": ONE + OTHER}, "warning"),
        ({"x.py": f"{OTHER}if NEW:\n    {ONE}"}, "warning"),
        ({"x.py": f"{ONE}if NEW:\n    {OTHER}"}, "warning"),
        ({"x.py": f"if NEW:\n    {ONE}else:\n    {OTHER}"}, "info"),
        ({"x.py": f"try:\n    {ONE}except ImportError:\n    {OTHER}", "y.py": ONE}, "info"),
        ({"x.py": f"if NEW:\n    {ONE}else:\n    {OTHER}", "y.py": OTHER, "z.py": ONE}, "warning"),
    ],
)
def test_both_have_to_be_used_and_not_chosen_between(users: dict[str, str], severity: str) -> None:
    finds(RULE, BOTH | users, severity)


def test_two_in_one_file_are_only_mentioned() -> None:
    finds(RULE, {"a.py": BOTH["a.py"] + BOTH["b.py"], "x.py": "import a\n", "y.py": "import a\n"}, "info")


def test_a_module_that_nobody_uses_is_only_mentioned() -> None:
    makes = "def make_engine(): ...\n"
    sources = {"pkg/engine.py": makes, "pkg/engine_old.py": makes, "a.py": "import pkg.engine\n"}
    finds(RULE, sources, "info")
    finds(RULE, sources | {"b.py": "from pkg import engine_old\n"}, "warning")


def test_what_a_tool_wrote_is_no_older_one() -> None:
    head = "# Generated by codegen.py out of a.py\n"
    quiet(RULE, used({"a.py": PLAIN, "b.py": head + PLAIN.replace("Engine", "LegacyEngine")}))
    makes = "def make_engine(): ...\n"
    quiet(RULE, used({"pkg/engine.py": makes, "pkg/engine_old.py": head + makes}))
