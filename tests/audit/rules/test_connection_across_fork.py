"""Connections that a fork shares, and connections that each process makes."""

from __future__ import annotations

import pytest

from carrel.audit.rules.connection_across_fork import ConnectionAcrossFork
from tests.audit.checking import finds, quiet

RULE = ConnectionAcrossFork()
FORK = """
import os, psycopg2
connection = psycopg2.connect("")
def handle():
    connection.cursor()
def start():
    if os.fork() == 0:
        handle()
"""
DATABASE = """
from functools import lru_cache
import psycopg2
@lru_cache
def connection():
    return psycopg2.connect("")
def fetch(query):
    return connection().cursor().execute(query)
"""
RUNNER = """
import multiprocessing
from database import fetch
def handle():
    fetch("select 1")
def start():
    multiprocessing.Process(target=handle).start()
fetch("select version()")
"""


def test_a_connection_of_the_module() -> None:
    (found,) = finds(RULE, FORK, "error", on="connection =")
    assert [place.note for place in found.related] == ["used in the forked process"]


def test_a_getter_that_the_parent_has_used() -> None:
    (found,) = finds(RULE, {"database.py": DATABASE, "runner.py": RUNNER}, "error", on="@lru_cache")
    assert [place.note for place in found.related] == ["used before the fork", "used in the forked process"]


def test_a_lazy_global_that_the_parent_has_used() -> None:
    lazy = """
    import psycopg2
    _connection = None
    def connection():
        global _connection
        if _connection is None:
            _connection = psycopg2.connect("")
        return _connection
    def fetch(query):
        return connection().cursor()
    """
    finds(RULE, {"database.py": lazy, "runner.py": RUNNER}, "error", on="def connection")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("os.fork() == 0", "True"),
        ("connection.cursor()", "psycopg2.connect('').cursor()"),
        ("        handle()", "        pass"),
        ("psycopg2.connect", "configure"),
        ('connection = psycopg2.connect("")', "connection = None"),
    ],
)
def test_a_process_with_its_own(was: str, now: str) -> None:
    assert was in FORK
    quiet(RULE, FORK.replace(was, now))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('fetch("select version()")\n', ""),
        ("def connection():", "def connection(pid):"),
        ("@lru_cache\n", ""),
        ("Process(target=handle)", "Process(target=print)"),
        ("multiprocessing.Process(target=handle).start()", "handle()"),
    ],
)
def test_a_getter_that_the_parent_leaves_alone(was: str, now: str) -> None:
    assert was in DATABASE + RUNNER
    quiet(RULE, {"database.py": DATABASE.replace(was, now), "runner.py": RUNNER.replace(was, now)})


TASKS = """
import psycopg
from celery import Celery
app = Celery("statements")
connection = psycopg.connect("")
def holder(account):
    return connection.execute("select 1", account)
@app.task
def statement(account):
    return holder(account)
"""
POOL = {
    "gunicorn.conf.py": "preload_app = True\n",
    "database.py": """
        from sqlalchemy import create_engine
        engine = create_engine("postgresql://")
        def flags():
            with engine.connect() as connection:
                return connection.execute("select 1")
        """,
    "web.py": """
        from flask import Flask
        from database import engine, flags
        def create_app():
            app = Flask(__name__)
            app.config["FLAGS"] = flags()
            @app.get("/profile")
            def profile():
                with engine.connect() as connection:
                    return connection.execute("select 2")
            return app
        app = create_app()
        """,
}


def test_a_connection_of_a_module_with_tasks_of_celery() -> None:
    finds(RULE, TASKS, "error", on="connection = psycopg.connect")


def test_a_connection_that_a_worker_makes_when_it_starts() -> None:
    hook = "connection = None\n@worker_process_init.connect\ndef up(**_):\n    global connection\n    connection ="
    quiet(RULE, TASKS.replace("connection =", hook))
    quiet(RULE, TASKS.replace("Celery(", "Huey("))


def test_a_pool_that_is_used_before_a_server_forks() -> None:
    found = finds(RULE, POOL, "error", on="engine = create_engine")
    assert [place.path for place in found[0].related] == ["web.py", "web.py"]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("gunicorn.conf.py", "True", "False"),
        (
            "gunicorn.conf.py",
            "\n",
            "\ndef post_fork(server, worker):\n    from database import engine\n    engine.dispose()\n",
        ),
        ("database.py", "//", '//", poolclass=NullPool, name="'),
        ("web.py", "flags()\n", "{}\n"),
    ],
)
def test_a_pool_that_each_worker_fills(path: str, old: str, new: str) -> None:
    quiet(RULE, {**POOL, path: POOL[path].replace(old, new)})


@pytest.mark.parametrize(
    "hand",
    [
        "with ProcessPoolExecutor() as pool:\n        pool.map(work, jobs)",
        "pool = ProcessPoolExecutor()\n    pool.submit(work, jobs)",
        "Pool(4).map(work, jobs)",
    ],
)
def test_a_connection_that_processes_of_a_pool_use(hand: str) -> None:
    head = "from concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import Pool\nimport psycopg\n"
    code = head + f"db = psycopg.connect('')\ndef work(job):\n    db.execute(job)\ndef run(jobs):\n    {hand}\n"
    finds(RULE, code, "error", on="db =")
    quiet(RULE, code.replace("ProcessPool", "ThreadPool").replace("multiprocessing", "multiprocessing.dummy"))


LETTERS = """
import multiprocessing, psycopg2
conn = psycopg2.connect(DSN)
def letter(payer):
    return conn.cursor()
def main(payers):
    with multiprocessing.get_context("fork").Pool(6) as workers:
        for done in workers.imap_unordered(letter, payers):
            print(done)
"""


def test_a_pool_of_a_context_that_forks() -> None:
    finds(RULE, LETTERS, "error", on="psycopg2.connect")
    own = LETTERS.replace("def letter", "forks = multiprocessing.get_context('fork')\ndef letter")
    finds(RULE, own.replace('multiprocessing.get_context("fork")', "forks"), "error")
    quiet(RULE, LETTERS.replace('"fork"', '"spawn"'))
    quiet(RULE, LETTERS.replace("return conn.cursor()", "return payer"))


SERVED = """
import multiprocessing, pymysql, socketserver
conn = pymysql.connect(host="db")
def analyse(owner):
    return conn.cursor()
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.pool.apply(analyse, (self.rfile.readline(),))
if __name__ == "__main__":
    server = socketserver.ThreadingTCPServer(("", 9000), Handler)
    server.pool = multiprocessing.get_context("fork").Pool(processes=4)
    server.serve_forever()
"""


def test_a_pool_that_another_object_holds() -> None:
    finds(RULE, SERVED, "error", on="conn = ")
    quiet(RULE, SERVED.replace('"fork"', '"spawn"'))
    quiet(RULE, SERVED.replace("processes=4", "processes=4, initializer=connect"))
    quiet(RULE, SERVED.replace("import multiprocessing,", "import multiprocessing.dummy as multiprocessing,"))
    quiet(RULE, SERVED.replace("server.pool = ", "server.workers = "))


GUNICORN = """
import psycopg2
from flask import Flask
from gunicorn.app.base import BaseApplication
app = Flask(__name__)
connection = psycopg2.connect("")
@app.get("/returns")
def returns():
    return connection.cursor()
class Server(BaseApplication):
    def load_config(self):
        self.cfg.set("preload_app", True)
    def load(self):
        return app
Server().run()
"""


@pytest.mark.parametrize(
    "option",
    [
        'self.cfg.set("preload_app", True)',
        'self.configure({"workers": 4, "preload_app": True})',
        "self.configure(dict(workers=4, preload_app=True))",
    ],
)
def test_a_server_in_the_same_file_that_loads_before_it_forks(option: str) -> None:
    code = GUNICORN.replace('self.cfg.set("preload_app", True)', option)
    finds(RULE, code, "error", on="connection = ")
    quiet(RULE, code.replace("True", "False"))
    quiet(RULE, code.replace("preload_app", "reuse_port"))
    quiet(RULE, code.replace("from gunicorn", "from settings"))


def test_a_server_whose_workers_connect_anew() -> None:
    hook = "def anew(server, worker):\n    connection.close()\nclass Server("
    own = 'True)\n        self.cfg.set("post_fork", anew)'
    quiet(RULE, GUNICORN.replace("class Server(", hook).replace("True)", own))


@pytest.mark.parametrize("driver", ["mariadb", "pymssql", "pymysql", "oracledb", "snowflake.connector"])
def test_the_drivers_that_connect_at_once(driver: str) -> None:
    finds(RULE, FORK.replace("psycopg2", driver), "error")


LOCAL = """
import os, redis
def serve(client): ...
def main():
    client = redis.Redis().client()
    if os.fork() == 0:
        serve(client)
"""


def test_a_connection_that_both_sides_of_a_fork_have() -> None:
    finds(RULE, LOCAL, "error", on="client = ")
    quiet(RULE, LOCAL.replace(".Redis().client()", ".Redis()"))
    quiet(RULE, LOCAL.replace("        serve(client)", "        serve(None)"))


HANDED = """
import pika
from multiprocessing import Process
class Worker(Process):
    def __init__(self, channel): ...
def main():
    channel = pika.BlockingConnection().channel()
    Worker(channel).start()
"""


def test_a_connection_that_a_process_is_handed() -> None:
    finds(RULE, HANDED, "error", on="channel = ")
    quiet(RULE, HANDED.replace("Worker(channel)", "Worker(None)"))
    quiet(RULE, HANDED.replace("(Process)", "(Thing)"))
    quiet(RULE, HANDED.replace("    channel =", "    get_context('spawn')\n    channel ="))


OBJECT = """
import os, psycopg2
class Server:
    def __init__(self):
        self.db = psycopg2.connect("")
    def run(self):
        if os.fork() == 0:
            self.loop()
    def loop(self):
        self.db.cursor()
"""


def test_a_connection_of_an_object_that_forks() -> None:
    finds(RULE, OBJECT, "error", on="self.db = ")
    quiet(RULE, OBJECT.replace("            self.loop()", "            self.db = psycopg2.connect('')"))
    quiet(RULE, OBJECT.replace("os.fork()", "os.getpid()"))


FACTORY = {
    "gunicorn.conf.py": "preload_app = True\n",
    "shop.py": """
        import psycopg
        from flask import Flask
        def create_app():
            app = Flask(__name__)
            conn = psycopg.connect("")
            @app.get("/x")
            def orders():
                return conn.execute("select 1")
            return app
        """,
}


def test_a_connection_that_an_application_is_made_with() -> None:
    finds(RULE, FACTORY, "error", on="conn = ")
    quiet(RULE, {"shop.py": FACTORY["shop.py"]})


def test_a_process_that_connects_again() -> None:
    source = """
        import multiprocessing, psycopg
        connection = psycopg.connect("")
        def ask():
            return connection.execute("select 1")
        def work():
            {0}
            ask()
        multiprocessing.Process(target=work).start()
        """
    finds(RULE, source.format("pass"), "error")
    quiet(RULE, source.format("global connection; connection = psycopg.connect('')"))


STORE = {
    "gunicorn.conf.py": "preload_app = True\n",
    "store.py": """
        import psycopg
        def connect():
            return psycopg.connect("")
        class Store:
            def __init__(self):
                self.reconnect()
            def reconnect(self):
                self.connection = psycopg.connect("")
            def rows(self):
                return self.connection.execute("")
        store = Store()
        connection = connect()
        """,
    "web.py": """
        from flask import Flask
        from store import connection, store
        app = Flask(__name__)
        @app.get("/")
        def home():
            return connection.execute(""), store.rows()
        """,
}


def test_a_connection_that_a_function_or_an_object_of_the_file_makes() -> None:
    finds(RULE, STORE, "error", "error", on="store = Store()")
    hook = "preload_app = True\ndef post_fork(server, worker):\n    from store import store\n    store.reconnect()\n"
    finds(RULE, {**STORE, "gunicorn.conf.py": hook}, "error", on="connection = connect()")


def test_a_pool_that_the_module_makes() -> None:
    text = LETTERS.partition("def main")[0] + "pool = multiprocessing.get_context('fork').Pool(4)\n"
    finds(RULE, text + "def one(payer):\n    return pool.apply(letter, (payer,))\n", "error")


def test_a_local_object_that_is_made_with_a_connection() -> None:
    code = """
    import os, psycopg2
    class Database:
        def __init__(self):
            self.connection = psycopg2.connect("")
        def rows(self):
            return self.connection.cursor()
    def main():
        db = Database()
        if os.fork() == 0:
            serve(lambda: db.rows())
    """
    finds(RULE, code, "error", on="db = Database()")
    quiet(RULE, code.replace('psycopg2.connect("")', "None"))


LAZY = """
import os, socket
class Gateway:
    def __init__(self):
        self.file = None
    def call(self, text):
        if self.file is None:
            self.file = socket.create_connection(("head", 1)).makefile("rwb")
        self.file.write(text)
        return self.file.readline()
    def close(self):
        self.file = None
    def name(self):
        return "head"
gateway = Gateway()
def handle(text):
    return gateway.call(text)
def main():
    hello = gateway.call(b"hello")
    os.fork()
    serve(handle)
"""


def test_an_object_that_connects_when_the_parent_first_uses_it() -> None:
    finds(RULE, LAZY, "error", on="hello =")
    finds(RULE, LAZY.replace("os.fork()", "fork_processes(4)"), "error", on="hello =")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("    os.fork()", "    gateway.close()\n    os.fork()"),
        ("    os.fork()", "    print()"),
        ('gateway.call(b"hello")', "gateway.name()"),
        ('gateway.call(b"hello")', 'Gateway().call(b"hello")'),
        ("if self.file is None:", "if self.file is None or self.pid != os.getpid():"),
        ("return gateway.call(text)", "return text"),
        ('    hello = gateway.call(b"hello")\n    os.fork()', "    os.fork()\n    gateway.call(b'hello')"),
    ],
)
def test_an_object_that_connects_in_each_process(was: str, now: str) -> None:
    assert was in LAZY
    quiet(RULE, LAZY.replace(was, now))


ROOMS = {
    "hotel/rooms.py": """
        import psycopg
        link = None
        def open_up(url):
            global link
            link = psycopg.connect(url)
        def free(guest):
            return link.execute("select 1 from booking where guest = %s", (guest,)).fetchall()
        """,
    "hotel/web.py": """
        from flask import Flask, session
        from hotel import rooms
        app = Flask(__name__)
        rooms.open_up("postgresql:///rooms")
        @app.get("/rooms")
        def home():
            return rooms.free(session["guest"])
        """,
    "gunicorn.conf.py": "preload_app = True\n",
}


def test_a_global_that_is_connected_while_the_application_is_imported() -> None:
    finds(RULE, ROOMS, "error", on="link = psycopg")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("gunicorn.conf.py", "True", "False"),
        ("gunicorn.conf.py", "\n", "\nfrom hotel import rooms\ndef post_fork(a, b):\n    rooms.open_up('rooms')\n"),
        ("hotel/web.py", '\n        rooms.open_up("postgresql:///rooms")', ""),
        ("hotel/web.py", 'rooms.free(session["guest"])', "'none'"),
    ],
)  # fmt: skip
def test_a_global_that_each_worker_connects_or_none_uses(path: str, old: str, new: str) -> None:
    assert old in ROOMS[path]
    quiet(RULE, {**ROOMS, path: ROOMS[path].replace(old, new)})


SCHOOL = """
import os, MySQLdb
class Marks:
    def __init__(self, **parts):
        self.parts = parts
def assemble(kind, db):
    return Marks(kind=kind, stores=[db])
def main():
    marks = assemble("final", db=MySQLdb.connect("school"))
    if os.fork() == 0:
        serve(marks)
    marks.report()
"""


def test_an_object_that_is_made_with_a_connection_before_the_fork() -> None:
    finds(RULE, SCHOOL, "error", on="marks = assemble")
    quiet(RULE, SCHOOL.replace("return Marks(kind=kind, stores=[db])", "return db.execute(kind).fetchall()"))
    quiet(RULE, SCHOOL.replace('db=MySQLdb.connect("school")', "db=lambda: MySQLdb.connect('school')"))
    quiet(RULE, SCHOOL.replace("os.fork()", "os.getpid()"))
