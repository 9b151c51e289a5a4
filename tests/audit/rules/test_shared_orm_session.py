"""Sessions that requests share, and sessions of one request."""

from __future__ import annotations

import pytest

from carrel.audit.rules.shared_orm_session import SharedOrmSession
from tests.audit.checking import finds, quiet

RULE = SharedOrmSession()
HEAD = "from sqlalchemy.orm import Session, scoped_session, sessionmaker\nSessionLocal = sessionmaker(engine)\n"
ROUTE = (
    "from flask import Flask\nfrom db import session\n"
    "app = Flask(__name__)\n@app.get('/')\ndef index():\n    session.add(1)\n"
)


@pytest.mark.parametrize("made", ["SessionLocal()", "Session(engine)", "sessionmaker(engine)()"])
def test_a_session_of_the_module(made: str) -> None:
    (found,) = finds(RULE, {"db.py": f"{HEAD}session = {made}\n", "api.py": ROUTE}, "error", on="session =")
    assert [(place.path, place.note) for place in found.related] == [("api.py", "used here")]


def test_a_session_of_the_module_in_a_coroutine_and_in_a_function() -> None:
    finds(RULE, HEAD + "session = SessionLocal()\nasync def feed():\n    return session.scalars(1)\n", "error")
    finds(RULE, HEAD + "session = SessionLocal()\ndef feed():\n    return session.scalars(1)\n", "warning")


def test_a_session_by_thread_in_coroutines() -> None:
    finds(
        RULE,
        HEAD + "S = scoped_session(SessionLocal)\nasync def feed():\n    S.add(await read())\n",
        "error",
        on="scoped_session(",
    )


@pytest.mark.parametrize("ident", ["get_ident", "current_thread"])
def test_a_session_whose_scope_is_said_to_be_the_thread_in_coroutines(ident: str) -> None:
    code = (
        "import asyncio\nimport threading\nfrom sqlalchemy.ext.asyncio import async_scoped_session\n"
        f"S = async_scoped_session(SessionLocal, scopefunc=threading.{ident})\n"
        "async def feed():\n    S.add(await read())\n"
    )
    finds(RULE, HEAD + code, "error", on="async_scoped_session(")
    quiet(RULE, HEAD + code.replace(f"threading.{ident}", "asyncio.current_task"))
    quiet(RULE, HEAD + code.replace("async def", "def").replace("await ", ""))
    quiet(RULE, HEAD + code.replace("await ", ""))


def test_a_session_in_a_shared_object() -> None:
    code = "class Notes:\n    def __init__(self):\n        self.db = SessionLocal()\nnotes = Notes()\n"
    finds(RULE, HEAD + code, "error", on="self.db")


def test_a_session_in_a_cached_getter() -> None:
    code = "from functools import lru_cache\n@lru_cache\ndef get_db():\n    return SessionLocal()\n"
    finds(RULE, HEAD + code, "error", on="return")


@pytest.mark.parametrize(
    "code",
    [
        "async def feed():\n    with SessionLocal() as session:\n        return session.scalars(1)\n",
        "def get_db():\n    session = SessionLocal()\n    yield session\n",
        (
            "import asyncio\nS = scoped_session(SessionLocal, scopefunc=asyncio.current_task)\n"
            "async def feed():\n    S.add(await read())\n"
        ),
        "S = scoped_session(SessionLocal)\ndef feed():\n    S.add(1)\n",
        "session = SessionLocal()\nsession.add(1)\nsession.commit()\n",
        "class Notes:\n    def __init__(self):\n        self.db = SessionLocal()\ndef get():\n    return Notes()\n",
        "class Notes:\n    def __init__(self):\n        self.make = SessionLocal\nnotes = Notes()\n",
        "from functools import lru_cache\n@lru_cache\ndef maker():\n    return sessionmaker(engine)\n",
        "import requests\nsession = requests.Session()\nasync def feed():\n    return session.get('/')\n",
    ],
)
def test_sessions_of_one_request(code: str) -> None:
    quiet(RULE, HEAD + code)


PANTRY = """
    from aiohttp import web
    from sqlalchemy.ext.asyncio import AsyncSession
    DB = web.AppKey("db", AsyncSession)
    async def database(app):
        app[DB] = AsyncSession(engine)
        yield
    """


@pytest.mark.parametrize("place", ["app[DB]", "app.state.db", "application['db']"])
def test_a_session_that_the_application_holds(place: str) -> None:
    finds(RULE, PANTRY.replace("app[DB]", place), "error", on=f"{place} = AsyncSession")


def test_a_session_that_a_request_holds() -> None:
    quiet(RULE, PANTRY.replace("app[DB]", "request[DB]"))
    quiet(RULE, PANTRY.replace("= AsyncSession(", "= async_sessionmaker("))


GYM = """
from fastapi import FastAPI, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from repo import Visits
engine = create_async_engine(URL)
sessions = async_sessionmaker(engine)
async def lifespan(app: FastAPI):
    app.state.visits = Visits(AsyncSession(engine))
    yield
app = FastAPI(lifespan=lifespan)
@app.get("/visits")
async def visits(request: Request):
    return await request.app.state.visits.all()
"""


@pytest.mark.parametrize(
    "made", ["Visits(AsyncSession(engine))", "Visits(db=sessions())", "Service(Visits(sessions()))"]
)
def test_an_object_of_the_application_that_is_made_with_a_session(made: str) -> None:
    finds(RULE, GYM.replace("Visits(AsyncSession(engine))", made), "error", on="app.state.visits = ")


@pytest.mark.parametrize("made", ["Visits(sessions)", "Visits(engine)", "load(AsyncSession(engine))"])
def test_an_object_of_the_application_that_makes_its_sessions(made: str) -> None:
    quiet(RULE, GYM.replace("Visits(AsyncSession(engine))", made))


def test_an_object_of_a_module_that_is_made_with_a_session() -> None:
    text = GYM.replace("@app.get", "kept = Visits(sessions())\n@app.get").replace("request.app.state.visits", "kept")
    text = text.replace("Visits(AsyncSession(engine))", "Visits(sessions)")
    finds(RULE, text, "error", on="kept = ")
    quiet(RULE, text.replace("kept = Visits(sessions())", "kept = Visits(sessions)"))


def test_a_session_that_is_open_while_the_application_runs() -> None:
    opened = "with AsyncSession(engine) as session:\n        app.state.visits = Visits(session)\n        yield"
    finds(RULE, GYM.replace("app.state.visits = Visits(AsyncSession(engine))\n    yield", opened), "error")
    quiet(
        RULE,
        GYM.replace(
            "app.state.visits = Visits(AsyncSession(engine))\n    yield", opened.replace("(session)", "(engine)")
        ),
    )


WALLET = """
import grpc
from sqlalchemy.orm import Session, sessionmaker
from wallet.v1 import wallet_pb2_grpc
class Wallet(wallet_pb2_grpc.WalletServicer):
    def __init__(self, session):
        self.session = session
    def Send(self, request, context):
        self.session.commit()
def main():
    server = grpc.server(pool)
    wallet_pb2_grpc.add_WalletServicer_to_server(Wallet(Session(engine)), server)
    server.start()
    server.wait_for_termination()
"""


@pytest.mark.parametrize(
    "lines",
    [
        "wallet_pb2_grpc.add_WalletServicer_to_server(Wallet(session=Session(engine)), server)",
        "w = Wallet(Session(engine))\n    wallet_pb2_grpc.add_WalletServicer_to_server(w, server)",
        "session = sessionmaker(engine)()\n    wallet_pb2_grpc.add_WalletServicer_to_server(Wallet(session), server)",
    ],
)
def test_a_handler_that_is_made_with_a_session_where_the_server_is(lines: str) -> None:
    code = WALLET.replace("wallet_pb2_grpc.add_WalletServicer_to_server(Wallet(Session(engine)), server)", lines)
    finds(RULE, code, "error", on="Wallet(")


def test_a_handler_of_another_file() -> None:
    head, _, main = WALLET.partition("def main")
    imports = "import grpc\nfrom sqlalchemy.orm import Session\nfrom wallet.v1 import wallet_pb2_grpc\n"
    files = {"handlers.py": head, "app.py": f"{imports}from handlers import Wallet\ndef main{main}"}
    finds(RULE, files, "error", on="Wallet(Session")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("Session(engine)", "sessionmaker(engine)"),
        ("Session(engine)", "engine"),
        # One that fills the tables before the server starts.
        ("    server = grpc", "    Seeds(Session(engine)).fill()\n    server = grpc"),
    ],
)
def test_a_handler_that_makes_its_sessions(was: str, now: str) -> None:
    assert was in WALLET
    own = WALLET.replace("Wallet(Session(engine))", "Wallet(sessionmaker(engine))") if "Seeds" in now else WALLET
    quiet(RULE, own.replace(was, now))


def test_a_session_of_a_maker_that_the_function_has() -> None:
    source = """
        from sqlalchemy.orm import sessionmaker
        class Tickets:
            def __init__(self, db): self.db = db
        def serve():
            maker = sessionmaker()
            add_TicketsServicer_to_server(Tickets(maker()), server)
            server.wait_for_termination()
        """
    finds(RULE, source, "error", on="Tickets(maker())")
    quiet(RULE, source.replace("maker()), server", "maker), server"))


def test_a_session_that_a_function_of_the_file_opens() -> None:
    code = """
    from flask import Flask
    from sqlalchemy.orm import Session
    app = Flask(__name__)
    def open_session():
        return Session(engine)
    db = open_session()
    @app.get("/")
    def home():
        return db.get(Page, 1)
    """
    finds(RULE, code, "error", on="db = open_session()")
    quiet(RULE, code.replace("return Session(engine)", "return scoped_session(engine)"))


def test_coroutines_of_a_script_that_one_person_runs() -> None:
    code = HEAD + "S = scoped_session(SessionLocal)\n"
    used = "from app import S\nasync def check():\n    S.add(await read())\n"
    quiet(RULE, {"app.py": code, "cron.py": "import argparse\n" + used})
    served = "import argparse\n" + used + "def main():\n    server.serve_forever()\n"
    finds(RULE, {"app.py": code, "cron.py": served}, "error")
