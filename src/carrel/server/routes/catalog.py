"""`/agents` and `/tools`: what the caller may run and call."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from carrel.server.access import CurrentUser, owner_rule
from carrel.server.routes import API_PREFIX
from carrel.server.services import CurrentServices

__all__ = ["catalog_routes"]


class AgentAnswer(BaseModel):
    """An agent that can be named in a run."""

    name: str
    description: str


class AgentList(BaseModel):
    """Every agent of this server."""

    agents: list[AgentAnswer]


class ToolAnswer(BaseModel):
    """A tool that agents may call for the caller; `parameters` is JSON Schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolList(BaseModel):
    """Every tool that the caller's permissions allow."""

    tools: list[ToolAnswer]


def catalog_routes() -> APIRouter:
    """The routes `/agents` and `/tools`."""
    router = APIRouter(prefix=API_PREFIX, tags=["catalog"])

    @router.get("/agents")
    @owner_rule("caller")
    async def list_agents(_: CurrentUser, services: CurrentServices) -> AgentList:
        """The agents that I may run."""
        specs = services.registry.values()
        return AgentList(agents=[AgentAnswer(name=spec.name, description=spec.description) for spec in specs])

    @router.get("/tools")
    @owner_rule("caller")
    async def list_tools(identity: CurrentUser, services: CurrentServices) -> ToolList:
        """The tools that agents may call for me."""
        return ToolList(
            tools=[
                ToolAnswer(name=tool.name, description=tool.description, parameters=dict(tool.parameters))
                for tool in services.tools
                if identity.user.may(tool.permission)
            ]
        )

    return router
