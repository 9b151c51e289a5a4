"""Settings that stay on a connection, and settings that end with the transaction."""

from __future__ import annotations

import pytest

from carrel.audit.rules.session_setting_on_pool import SessionSettingOnPool
from tests.audit.checking import findings, finds, quiet

RULE = SessionSettingOnPool()


@pytest.mark.parametrize(
    "line",
    [
        "await conn.execute(f'SET search_path TO {schema}')",
        "await conn.execute(\"SELECT set_config('app.user_id', $1, false)\", schema)",
        "conn.execute(text(f'SET SESSION app.tenant = {schema}'))",
        "conn.execute('SET ROLE %s' % schema)",
        "conn.execute('SET search_path TO {}'.format(schema))",
        "conn.execute('SET search_path TO ' + schema)",
        "conn.exec_driver_sql(f'set search_path = \"{schema}\", public')",
        "if schema:\n        cursor.execute('SET @actor = %s', (schema,))",
    ],
)
def test_a_setting_with_a_value_of_the_caller(line: str) -> None:
    finds(RULE, f"from sqlalchemy import text\nasync def use(conn, schema):\n    {line}\n", "error")


def test_a_value_that_a_request_brings() -> None:
    code = """
    from flask import Flask, request
    app = Flask(__name__)
    @app.get("/")
    def index():
        use(request.args["s"])
    def use(name):
        pool.connection().execute(f"SET search_path TO {name}")
    """
    finds(RULE, code, "error")


def test_a_schema_that_no_request_is_seen_to_set_is_the_installations() -> None:
    code = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    use(c, 'a')\n"
    code += "def use(conn, schema):\n    conn.execute(f'SET search_path TO {schema}')\n"
    finds(RULE, code, "error")
    finds(RULE, code.replace("    use(c, 'a')", "    pass"), "info")


def test_a_value_that_nobody_is_seen_to_bring() -> None:
    finds(RULE, "def use(conn, name):\n    conn.execute(f'SET search_path TO {name}')\n", "info")
    code = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    use('a')\n"
    finds(RULE, code + "def use(name):\n    c.execute(f'SET search_path TO {name}')\n", "warning")


@pytest.mark.parametrize(
    "body",
    [
        "conn.execute(f'SET LOCAL search_path TO {schema}')",
        "conn.execute(\"SELECT set_config('app.user_id', %s, true)\", (schema,))",
        "conn.execute('SET search_path TO public')",
        "cursor.execute('SET @actor = %s', (schema,))",
        "conn.execute(f'UPDATE t SET name = {schema}')",
        "conn.execute(f'SET statement_timeout = {schema}')",
        "conn.execute(f'SET search_path TO {schema}')\n    conn.execute('RESET search_path')",
        "conn.execute(f'SET search_path TO {schema}')\n    conn.execute('DISCARD ALL')",
        "own = psycopg.connect(URL)\n    own.execute(f'SET search_path TO {schema}')",
        "print(f'SET search_path TO {schema}')",
        "conn.execute(query)",
        "conn.execute()",
    ],
)
def test_settings_that_end_with_the_work(body: str) -> None:
    quiet(RULE, f"import psycopg\ndef use(conn, schema, query):\n    {body}\n")


def test_a_schema_of_the_object_is_only_mentioned() -> None:
    code = "class Database:\n    def run(self, conn):\n        conn.execute(f'SET search_path TO {self._schema}')\n"
    finds(RULE, code, "info")


def test_a_migration_has_a_connection_of_its_own() -> None:
    quiet(
        RULE, "from alembic import context\ndef run(conn, schema):\n    conn.execute(f'SET search_path TO {schema}')\n"
    )


def test_the_plumbing_of_a_test_suite() -> None:
    text = """
        {imports}

        def use_schema(connection, schema_name):
            connection.execute("SET SESSION search_path='%s'" % schema_name)
        """
    quiet(RULE, text.format(imports="from database.testing.provision import create"))
    assert findings(RULE, text.format(imports="from database.pool import create"))


OBJECT = """
class Store:
    def exists(self, schema):
        with {0} as cursor:
            cursor.execute(f"SET search_path TO {{schema}}")
{1}
"""


@pytest.mark.parametrize(
    ("connection", "rest", "severity"),
    [
        ("self.connection.cursor()", "", "info"),
        ("self.connection.cursor()", "STORE = Store()", "error"),
        ("self.pool.connection()", "", "error"),
        ("connection.cursor()", "", "error"),
    ],
    ids=["the object's own", "one object for all", "from a pool", "somebody's"],
)
def test_who_else_gets_the_connection(connection: str, rest: str, severity: str) -> None:
    finds(RULE, OBJECT.format(connection, rest), severity)


def test_what_somebody_has_as_a_schema() -> None:
    code = "def use(conn, staff):\n    conn.execute(f'SET search_path TO {staff.schema}, public')\n    conn.commit()\n"
    finds(RULE, code, "error")
    finds(RULE, code.replace("staff.schema", "staff.school.tenant_id"), "error")
    finds(RULE, code.replace("staff.schema", "staff.language"), "info")
    # What the application is set up with is the same for all.
    finds(RULE, code.replace("staff", "settings"), "info")
    quiet(RULE, code.replace("SET ", "SET LOCAL "))


@pytest.mark.parametrize(("value", "severity"), [("count_of(conn)", "info"), ("name", "error")])
def test_what_the_connection_itself_is_asked(value: str, severity: str) -> None:
    code = f"""
    from flask import Flask, request
    app = Flask(__name__)
    @app.get("/")
    def index():
        use(pool.connection(), request.args["s"])
    def use(conn, name):
        with conn.cursor() as cursor:
            cursor.execute(f"SET ivfflat.probes = {{{value}}}")
    """
    finds(RULE, code, severity)


CLUB = """
from django.db import connection
class ClubMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        schema = schema_of(request.user) or "public"
        with connection.cursor() as cursor:
            cursor.execute("SET search_path TO {}".format(schema))
        return self.get_response(request)
"""


def test_what_a_middleware_sets_for_every_request() -> None:
    quiet(RULE, CLUB)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("with connection.cursor() as cursor:", "if schema: cursor = connection.cursor()\n        if schema:"),
        ("from django.db import connection", "from pools import connection"),
        ("__call__", "scoped"),
        ("with connection", "if not request.user:\n            return None\n        with connection"),
    ],
    ids=["for some", "on a connection of a pool", "not for every request", "after some were let through"],
)
def test_what_only_some_requests_set(old: str, new: str) -> None:
    assert old in CLUB
    source = CLUB.replace(old, new)
    finds(RULE, source, "error", on="cursor.execute")
