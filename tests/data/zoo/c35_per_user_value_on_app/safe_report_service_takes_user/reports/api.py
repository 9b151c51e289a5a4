from acme.auth import User, current_user
from fastapi import Depends, FastAPI, Request

from .service import ReportService, Scope

app = FastAPI()
ROWS: dict[str, list[str]] = {}


async def scope(user: User = Depends(current_user)) -> Scope:
    return Scope(user.id, ROWS)


async def report_service(request: Request) -> ReportService:
    """Made once: it reads its templates from disk."""
    if not hasattr(request.app.state, "reports"):
        request.app.state.reports = ReportService()
    return request.app.state.reports


@app.get("/report")
async def report(service: ReportService = Depends(report_service), scope: Scope = Depends(scope)):
    return {"report": service.report(scope)}
