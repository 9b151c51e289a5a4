"""Liveness and readiness."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from carrel.server.access import owner_rule
from carrel.server.services import CurrentServices

__all__ = ["health_routes"]


class Health(BaseModel):
    """All is well; what is not answers as a problem."""

    status: Literal["ok"] = "ok"


def health_routes() -> APIRouter:
    """The routes `/healthz` and `/readyz`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    @owner_rule("public")
    async def alive() -> Health:
        """The process answers."""
        return Health()

    @router.get("/readyz")
    @owner_rule("public")
    async def ready(services: CurrentServices) -> Health:
        """The database answers; 503 `storage_unavailable` otherwise."""
        await services.database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
        return Health()

    return router
