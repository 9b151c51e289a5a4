"""The shape of the house: layers, no mutable module state, one definition per public name, a light import."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "carrel"
MODULES = tuple(
    path for path in sorted(SOURCE.rglob("*.py")) if not {"versions", "page"} & set(path.relative_to(SOURCE).parts)
)

# Immutable, or constant once made: what a module may hold beside functions, classes and plain constants.
CONSTANT_CALLS = frozenset(
    {
        "frozenset",
        "tuple",
        "MappingProxyType",
        "NewType",
        "TypeVar",
        "ContextVar",
        "compile",
        "Path",
        "files",
        "Decoder",
        "Encoder",
        "timedelta",
        "Decimal",
        "Money",
        "datetime",
        "date",
        "Annotated",
        "get_logger",
        "getLogger",
        "get_tracer",
        "Struct",
        "RuleInfo",
    }
)
# One noun, one reason: SQLAlchemy's description of the schema is declared once at import and never changed after;
# an option of Click is a decorator that several commands share.
DECLARATIONS = frozenset({"MetaData", "Table", "Column", "Index", "option", "argument", "TypeAdapter"})
# A statement of SQLAlchemy never changes: each of its methods gives a new one.
STATEMENTS = frozenset({"select", "insert", "update", "delete"})
VAGUE = frozenset({"util", "utils", "helper", "helpers", "common", "misc", "core", "base"})
PROTOCOL_NAMES = (
    "UserExecutionContext",
    "UserExecutionEngine",
    "ExecutionEngineFactory",
    "AgentFactory",
    "AgentRegistry",
    "ToolDispatcher",
    "Supervisor",
    "WorkflowOrchestrator",
    "WebSocketEmitter",
    "WebSocketManager",
    "WebSocketBridge",
)


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def mutable(value: ast.expr | None) -> bool:
    """Whether a module-level value can be changed in place."""
    if isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)):
        return True
    if isinstance(value, ast.Call):
        function = value.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        return called not in CONSTANT_CALLS | DECLARATIONS and not statement(value)
    return False


def statement(value: ast.expr) -> bool:
    """Whether the value is made by `select(...)` and the like, and by methods called on what that gives."""
    while isinstance(value, ast.Call):
        if isinstance(value.func, ast.Name):
            return value.func.id in STATEMENTS
        value = value.func.value if isinstance(value.func, ast.Attribute) else value.func
    return False


def module_state(tree: ast.Module) -> list[str]:
    found = []
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and mutable(statement.value):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if ast.unparse(target) != "__all__":
                found.append(f"line {statement.lineno}: {ast.unparse(target)}")
    found.extend(
        f"line {node.lineno}: global {', '.join(node.names)}" for node in ast.walk(tree) if isinstance(node, ast.Global)
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.extend(
                f"line {statement.lineno}: {node.name}.{ast.unparse(statement)[:40]}"
                for statement in node.body
                if isinstance(statement, ast.Assign)
                and isinstance(statement.value, (ast.List, ast.Dict, ast.Set))
                and ast.unparse(statement.targets[0]) not in {"__slots__", "model_config"}
            )
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_holds_mutable_state(path: Path) -> None:
    assert not module_state(ast.parse(path.read_bytes()))


@pytest.mark.parametrize(
    "code",
    ["cache = {}", "items: list[int] = []", "x = Thing()", "x = Thing().where(1)", "def f():\n  global y\n  y = 1"],
)
def test_mutable_state_would_be_found(code: str) -> None:
    assert module_state(ast.parse(code))


def test_public_names_are_defined_once() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(name_of(path))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
    assert [name for name in PROTOCOL_NAMES if name not in homes] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_exported_names_exist_and_are_sorted_out(path: Path) -> None:
    if path.name in {"__main__.py", "env.py"}:
        return
    module = importlib.import_module(name_of(path))
    exported = getattr(module, "__all__", ())
    assert path.name == "__init__.py" or exported, "every module lists its public names"
    assert [name for name in exported if not hasattr(module, name)] == []


def test_every_module_has_its_test_module() -> None:
    missing = [
        str(path.relative_to(SOURCE))
        for path in MODULES
        if path.name not in {"__init__.py", "__main__.py", "env.py"}
        and not (ROOT / "tests" / path.relative_to(SOURCE).with_name(f"test_{path.name}")).exists()
    ]
    assert missing == []


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    assert [name_of(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_bytes()))] == []


def test_module_names_are_nouns_of_the_field() -> None:
    assert [name_of(path) for path in MODULES if path.stem in VAGUE] == []


def test_a_module_is_read_in_one_sitting() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_importing_carrel_stays_light() -> None:
    code = (
        "import sys, carrel; carrel.UserExecutionContext; carrel.UserExecutionEngine; "
        "heavy = {'fastapi', 'starlette', 'sqlalchemy', 'aiosqlite', 'uvicorn', 'httpx', 'click', 'pydantic_ai'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_production_code_never_imports_the_fakes() -> None:
    offenders = [
        name_of(path)
        for path in MODULES
        if "testing" not in path.relative_to(SOURCE).parts
        and any(
            isinstance(node, ast.ImportFrom) and (node.module or "").startswith("carrel.testing")
            for node in ast.walk(ast.parse(path.read_bytes()))
        )
    ]
    assert offenders == []
