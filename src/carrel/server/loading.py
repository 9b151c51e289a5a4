"""Which agents, tools and model a server has: the shipped ones, or those that the settings name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carrel.errors import SettingsError
from carrel.optimizer import optimizer_agents, usage_tools
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.supervisor import supervised
from carrel.runtime.tools import Tool
from carrel.server.settings import Settings
from carrel.storage.usage import UsageStore

if TYPE_CHECKING:
    from carrel.adapters.model import PydanticAIText

__all__ = ["load_agents", "load_model", "load_tools", "load_tuples"]


def load_agents(settings: Settings) -> AgentRegistry:
    """The agents to serve, a supervisor among them; raises `SettingsError` saying what is wrong with one."""
    if not settings.agents:
        return supervised(optimizer_agents(load_model(settings)))
    agents = load_tuples("CARREL_AGENTS", settings.agents)
    if not agents:
        raise SettingsError("CARREL_AGENTS", "names no agent; put at least one into the tuple")
    return supervised(agents)


def load_tools(settings: Settings, usage: UsageStore) -> tuple[Tool, ...]:
    """The tools to offer; raises `SettingsError` saying what is wrong with one."""
    if not settings.tools:
        return usage_tools(usage)
    tools = load_tuples("CARREL_TOOLS", settings.tools)
    for found in tools:
        if not isinstance(found, Tool):
            raise SettingsError("CARREL_TOOLS", f"holds {found!r}, which is no tool; put @tool above the function")
    return tools


def load_model(settings: Settings) -> PydanticAIText | None:
    """The model of the shipped agents, None without the setting; raises `SettingsError` saying what is missing."""
    if settings.model is None:
        return None
    try:
        from carrel.adapters.model import PydanticAIText, model_from_name
    except ImportError:
        raise SettingsError("CARREL_MODEL", "needs the extra: pip install 'carrel[pydantic-ai]'") from None
    return PydanticAIText(model_from_name(settings.model))


def load_tuples(setting: str, paths: Sequence[str]) -> tuple[Any, ...]:
    """All members of the tuples at `paths` (`package.module:NAME`), in order.

    Modules are looked for in the current directory first. Raises `SettingsError` for `setting` saying which path is
    wrong and how: no such module, an error inside it, no such name, or not a tuple.
    """
    here = str(Path.cwd())
    if paths and here not in sys.path:
        sys.path.insert(0, here)
    return tuple(member for path in paths for member in _load(setting, path))


def _load(setting: str, path: str) -> tuple[Any, ...]:
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            problem = f"there is no module {error.name!r} in {Path.cwd()} or among the installed packages"
        else:
            problem = f"{module_name} imports {error.name!r}, which is not installed"
        raise SettingsError(setting, f"{path}: {problem}") from None
    except Exception as error:
        raise SettingsError(setting, f"{path}: importing it failed: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if found is None:
        raise SettingsError(setting, f"{path}: {module_name} has no {name}; write {name} = (…,) in it")
    if not isinstance(found, tuple):
        raise SettingsError(setting, f"{path}: is a {type(found).__name__} and must be a tuple: {name} = (…,)")
    return found
