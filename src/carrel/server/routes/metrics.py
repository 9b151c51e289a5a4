"""`/metrics`: the server's figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from carrel.server.access import owner_rule
from carrel.server.metrics import ServerCollector
from carrel.server.operators import CurrentOperator
from carrel.server.services import CurrentServices

__all__ = ["metrics_routes"]


def metrics_routes() -> APIRouter:
    """The route `/metrics`."""
    router = APIRouter()

    # Not in the OpenAPI description, which is of what users can ask.
    @router.get("/metrics", include_in_schema=False)
    @owner_rule("operator")
    async def metrics(request: Request, operator: CurrentOperator, services: CurrentServices) -> Response:
        """The figures in Prometheus' text format, or as OpenMetrics for who asks so."""
        del operator  # who it is says nothing; that it is one does
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(ServerCollector(services)), media_type=media_type)

    return router
