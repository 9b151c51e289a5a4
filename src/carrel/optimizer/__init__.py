"""The agents that ship: they find out where a user's AI bill can be cut, from the user's own usage records."""

from __future__ import annotations

from carrel.optimizer.agents.data import Data
from carrel.optimizer.agents.desk import UsageDesk
from carrel.optimizer.agents.optimization import Optimization
from carrel.optimizer.agents.report import ReportWriter
from carrel.optimizer.agents.text_model import TextModel
from carrel.optimizer.agents.triage import Triage
from carrel.optimizer.tools import usage_tools
from carrel.runtime.registry import AgentSpec

__all__ = ["AGENTS", "TextModel", "optimizer_agents", "usage_tools"]


def optimizer_agents(model: TextModel | None = None) -> tuple[AgentSpec, ...]:
    """The shipped agents, the supervisor first; `model` helps to understand questions and comments on answers.

    Every figure comes from tools, with a model as without.
    """
    return (
        AgentSpec(UsageDesk.name, UsageDesk.description, UsageDesk),
        AgentSpec(Triage.name, Triage.description, lambda: Triage(model)),
        AgentSpec(Data.name, Data.description, Data),
        AgentSpec(Optimization.name, Optimization.description, Optimization),
        AgentSpec(ReportWriter.name, ReportWriter.description, lambda: ReportWriter(model)),
    )


AGENTS = (UsageDesk, Triage, Data, Optimization, ReportWriter)
"""The shipped agents without a language model."""
