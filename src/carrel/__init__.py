"""Many users' AI agents, run side by side, never touching."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId
    from carrel.delivery.bridge import WebSocketBridge
    from carrel.delivery.emitter import WebSocketEmitter
    from carrel.delivery.old_bridge import LoggedBridge
    from carrel.errors import CarrelError
    from carrel.events import AgentEvent
    from carrel.runtime.agent import Agent, AgentFunction, AgentResult, AgentRun, Usage
    from carrel.runtime.compat import ExecutionEngine, MissingUserContextWarning
    from carrel.runtime.engine import UserExecutionEngine
    from carrel.runtime.engine_factory import ExecutionEngineFactory
    from carrel.runtime.factory import AgentFactory
    from carrel.runtime.limits import RunLimits
    from carrel.runtime.registry import AgentRegistry, AgentSpec
    from carrel.runtime.run_request import RunRequest
    from carrel.runtime.scheduler import RunScheduler
    from carrel.runtime.supervisor import Supervisor
    from carrel.runtime.tools import Tool, ToolDispatcher, tool
    from carrel.runtime.workflow import Parallel, Step, WorkflowOrchestrator

__all__ = [
    "Agent",
    "AgentEvent",
    "AgentFactory",
    "AgentFunction",
    "AgentRegistry",
    "AgentResult",
    "AgentRun",
    "AgentSpec",
    "CarrelError",
    "ExecutionEngine",
    "ExecutionEngineFactory",
    "LoggedBridge",
    "MissingUserContextWarning",
    "Parallel",
    "RequestId",
    "RunId",
    "RunLimits",
    "RunRequest",
    "RunScheduler",
    "Step",
    "Supervisor",
    "ThreadId",
    "Tool",
    "ToolDispatcher",
    "Usage",
    "UserContext",
    "UserExecutionContext",
    "UserExecutionEngine",
    "UserId",
    "WebSocketBridge",
    "WebSocketEmitter",
    "WorkflowOrchestrator",
    "tool",
]

if not TYPE_CHECKING:  # type checkers read the imports above and refuse names that are not among them
    from types import MappingProxyType

    _HOMES = MappingProxyType(
        {
            "carrel.context": ("RequestId", "RunId", "ThreadId", "UserContext", "UserExecutionContext", "UserId"),
            "carrel.delivery.bridge": ("WebSocketBridge",),
            "carrel.delivery.emitter": ("WebSocketEmitter",),
            "carrel.delivery.old_bridge": ("LoggedBridge",),
            "carrel.errors": ("CarrelError",),
            "carrel.events": ("AgentEvent",),
            "carrel.runtime.agent": ("Agent", "AgentFunction", "AgentResult", "AgentRun", "Usage"),
            "carrel.runtime.compat": ("ExecutionEngine", "MissingUserContextWarning"),
            "carrel.runtime.engine": ("UserExecutionEngine",),
            "carrel.runtime.engine_factory": ("ExecutionEngineFactory",),
            "carrel.runtime.factory": ("AgentFactory",),
            "carrel.runtime.limits": ("RunLimits",),
            "carrel.runtime.registry": ("AgentRegistry", "AgentSpec"),
            "carrel.runtime.run_request": ("RunRequest",),
            "carrel.runtime.scheduler": ("RunScheduler",),
            "carrel.runtime.supervisor": ("Supervisor",),
            "carrel.runtime.tools": ("Tool", "ToolDispatcher", "tool"),
            "carrel.runtime.workflow": ("Parallel", "Step", "WorkflowOrchestrator"),
        }
    )

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used, so that `import carrel` costs next to nothing."""
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(module), name)
        raise AttributeError(f"module 'carrel' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted((*globals(), *__all__))
