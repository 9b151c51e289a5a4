from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import assert_type

import pytest

import carrel
from carrel import (
    AgentFactory,
    AgentRegistry,
    AgentResult,
    ExecutionEngineFactory,
    Supervisor,
    Tool,
    ToolDispatcher,
    UserExecutionContext,
    UserExecutionEngine,
    WebSocketEmitter,
    WorkflowOrchestrator,
    tool,
)


def test_every_public_name_can_be_had():
    assert [name for name in carrel.__all__ if getattr(carrel, name).__name__ == ""] == []
    assert set(carrel.__all__) <= set(dir(carrel))


def test_the_names_that_type_checkers_see_are_the_names_there_are():
    tree = ast.parse(Path(carrel.__file__).read_bytes())
    seen = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("carrel.")
        for alias in node.names
    ]
    assert sorted(seen) == sorted(carrel.__all__)


def test_the_documents_names_are_public():
    for name in (
        AgentFactory,
        AgentRegistry,
        ExecutionEngineFactory,
        Supervisor,
        ToolDispatcher,
        UserExecutionContext,
        UserExecutionEngine,
        WebSocketEmitter,
        WorkflowOrchestrator,
    ):
        assert name.__module__.startswith("carrel.")


def test_type_checkers_know_the_types():
    async def answer(engine: UserExecutionEngine) -> AgentResult:
        return assert_type(await engine.execute_agent("a", "b"), AgentResult)

    @tool
    def add(a: int) -> int:
        """Add."""
        return a

    assert_type(add, Tool)
    assert answer.__name__ == "answer"


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="Nothing"):
        carrel.Nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_carrel_imports_nothing_else():
    code = "import sys, carrel; print(sorted(name for name in sys.modules if name.startswith('carrel.')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_runtime_imports_no_framework_and_no_database():
    code = (
        "import sys, carrel; [getattr(carrel, name) for name in carrel.__all__]; "
        "print({'fastapi', 'starlette', 'sqlalchemy', 'aiosqlite', 'uvicorn', 'httpx'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
