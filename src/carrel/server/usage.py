"""`/usage`: upload a user's own AI usage records, watch the import, sum the records up."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import date
from typing import Annotated, Any, BinaryIO, get_args

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import BaseModel, BeforeValidator
from starlette.datastructures import UploadFile as SpooledUpload

from carrel.errors import InputError
from carrel.optimizer.analysis import UsageAnalysis, scope_of
from carrel.optimizer.imports.importer import OnError
from carrel.optimizer.imports.mapping import parse_mapping
from carrel.optimizer.reference import ReferenceData
from carrel.optimizer.tools import READ_USAGE, WRITE_USAGE
from carrel.server.access import CurrentUser, Identity, owner_rule
from carrel.server.description import problems
from carrel.server.problems import problem_response
from carrel.server.routes import API_PREFIX
from carrel.server.services import CurrentServices
from carrel.storage.usage import ImportRecord, ImportState
from carrel.storage.usage_figures import UsageFigures

__all__ = ["usage_routes"]


def _day(value: object) -> object:
    # pydantic also takes a number, as seconds since 1970, and a date with a time.
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("must be a day, for example 2026-10-31")
    return value


Day = Annotated[date, BeforeValidator(_day)]


class ImportAccepted(BaseModel):
    """An import that has begun."""

    import_id: str


class RejectedRowAnswer(BaseModel):
    """A row of the file that is no usage record."""

    row: int
    field: str
    reason: str


class ImportAnswer(BaseModel):
    """One import, as far as it has come; its records count when `state` is `succeeded`."""

    import_id: str
    state: ImportState
    file_name: str
    rows_read: int
    rows_imported: int
    rows_rejected: int
    rejected: list[RejectedRowAnswer]
    """The first 100 of them."""
    code: str | None
    """Why it has not succeeded, stable for clients."""
    message: str | None
    columns: list[str]
    """The first 100 of the file's columns, where they were not understood."""
    missing: list[str]
    """The fields that a `mapping` must name, where the columns were not understood."""
    created_at: str
    finished_at: str | None


class ImportList(BaseModel):
    """The newest imports, newest first."""

    imports: list[ImportAnswer]


def usage_routes() -> APIRouter:
    """The routes below `/usage`. Loads the price data, which takes about a second the first time."""
    router = APIRouter(prefix=f"{API_PREFIX}/usage", tags=["usage"])
    _add_imports(router)
    _add_summary(router)
    return router


def _add_imports(router: APIRouter) -> None:
    @router.post("/imports", status_code=202, response_model=ImportAccepted, responses=problems(403, 409, 429))
    @owner_rule("caller")
    async def start_import(
        identity: CurrentUser,
        services: CurrentServices,
        file: Annotated[UploadFile, File()],
        mapping: Annotated[str, Form()] = "",
        on_error: Annotated[OnError, Form(json_schema_extra={"enum": [*get_args(OnError), ""]})] = "reject",
    ) -> Response | ImportAccepted:
        """Import a file of usage records; it is read in the background and shows as a run of `usage_import`.

        A field of the form that is empty counts as not given.
        """
        if (denied := _denied(identity, WRITE_USAGE)) is not None:
            return denied
        columns = parse_mapping(mapping)
        # The upload is closed with the request, the import goes on: it needs a hold of its own on the spooled file.
        own = await asyncio.to_thread(_own_file, file)
        try:
            import_id = await services.imports.start(
                identity.user, own, file.filename or "upload", mapping=columns, on_error=on_error
            )
        except BaseException:
            await asyncio.to_thread(own.close)
            raise
        return ImportAccepted(import_id=import_id)

    @router.get("/imports", response_model=ImportList, responses=problems(403))
    @owner_rule("caller")
    async def list_imports(identity: CurrentUser, services: CurrentServices) -> Response | ImportList:
        """The newest 100 imports."""
        if (denied := _denied(identity, READ_USAGE)) is not None:
            return denied
        return ImportList(imports=[_answer(one) for one in await services.usage.list_imports(identity.user)])

    @router.get("/imports/{import_id}", response_model=ImportAnswer, responses=problems(403))
    @owner_rule("owned")
    async def get_import(import_id: str, identity: CurrentUser, services: CurrentServices) -> Response | ImportAnswer:
        """One import, as far as it has come."""
        if (denied := _denied(identity, READ_USAGE)) is not None:
            return denied
        return _answer(await services.usage.get_import(identity.user, import_id))

    @router.delete("/imports/{import_id}", status_code=204, responses=problems(403, 409))
    @owner_rule("owned")
    async def remove_import(import_id: str, identity: CurrentUser, services: CurrentServices) -> Response:
        """Forget an import with all its records."""
        if (denied := _denied(identity, WRITE_USAGE)) is not None:
            return denied
        await services.usage.remove_import(identity.user, import_id)
        return Response(status_code=204)


def _add_summary(router: APIRouter) -> None:
    reference = ReferenceData.load()

    @router.get("/summary", response_model=None, responses=problems(403))
    @owner_rule("caller")
    async def summary(
        identity: CurrentUser,
        services: CurrentServices,
        since: Annotated[Day | None, Query(alias="from")] = None,
        until: Annotated[Day | None, Query(alias="to")] = None,
    ) -> Response | dict[str, Any]:
        """Totals, and the cost by model, day, tag and kind of token; days are UTC and both included."""
        if (denied := _denied(identity, READ_USAGE)) is not None:
            return denied
        if since is not None and until is not None and until < since:
            raise InputError("to", "is before from; swap them")
        analysis = UsageAnalysis(UsageFigures(services.database), identity.user, reference)
        return await analysis.summary(scope_of(since, until))


def _denied(identity: Identity, permission: str) -> Response | None:
    if identity.user.may(permission):
        return None
    return problem_response(403, "permission_denied", f"this needs the permission {permission}; ask the operator")


def _own_file(upload: SpooledUpload) -> BinaryIO:
    """Another handle on the spooled file, which is on disk from now on and gone when both are closed."""
    spooled: Any = upload.file
    spooled.rollover()
    spooled.flush()
    return os.fdopen(os.dup(spooled.fileno()), "rb")


def _answer(record: ImportRecord) -> ImportAnswer:
    failure = record.failure
    return ImportAnswer(
        import_id=record.import_id,
        state=record.state,
        file_name=record.file_name,
        rows_read=record.rows_read,
        rows_imported=record.rows_imported,
        rows_rejected=record.rows_rejected,
        rejected=[RejectedRowAnswer(row=one.row, field=one.field, reason=one.reason) for one in record.rejected],
        code=failure.code if failure is not None else None,
        message=failure.message if failure is not None else None,
        columns=list(failure.columns) if failure is not None else [],
        missing=list(failure.missing) if failure is not None else [],
        created_at=record.created_at,
        finished_at=record.finished_at,
    )
