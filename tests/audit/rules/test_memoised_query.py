"""Queries that keep the first caller's value, and queries that take a value each time."""

from __future__ import annotations

import pytest

from carrel.audit.rules.memoised_query import MemoisedQuery
from tests.audit.checking import finds, quiet

RULE = MemoisedQuery()
LAZY = """
from sqlalchemy import select
class Notes:
    def __init__(self):
        self._stmt = None
    def mine(self, owner):
        if self._stmt is None:
            self._stmt = select(Note).where(Note.owner == owner)
        return run(self._stmt)
notes = Notes()
"""
MEMO = """
from sqlalchemy import bindparam, select
_kept = {}
def statement(name, build):
    if name not in _kept:
        _kept[name] = build()
    return _kept[name]
def mine(owner):
    return run(statement("mine", lambda: select(Note).where(Note.owner == owner)))
"""
GLOBAL = """
_query = None
def mine(user_id):
    global _query
    if not _query:
        _query = compile_filter(user_id)
    return _query
"""
LAMBDA = """
from sqlalchemy import lambda_stmt, select
def mine(owner):
    return run(lambda_stmt(lambda: select(Note).where(Note.owner == owner), enable_tracking=False))
"""


@pytest.mark.parametrize("code", [LAZY, MEMO, GLOBAL, LAMBDA])
def test_a_query_of_the_first_caller(code: str) -> None:
    finds(RULE, code, "error")


def test_a_value_of_which_nobody_knows_whose_it_is() -> None:
    quietly = GLOBAL.replace("user_id", "word")
    finds(RULE, quietly, "info")
    reached = "\nfrom flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index():\n    return mine('a')\n"
    finds(RULE, quietly + reached, "warning")
    finds(RULE, quietly + reached.replace("index()", "index(text)").replace("'a'", "text"), "error")


@pytest.mark.parametrize(
    ("code", "was", "now"),
    [
        (LAZY, "notes = Notes()", ""),
        (LAZY, "Note.owner == owner", "Note.owner == bindparam('owner')"),
        (LAZY, "if self._stmt is None:", "if owner:"),
        (LAZY, "        if self._stmt is None:\n            self._stmt", "        if True:\n            stmt"),
        (LAZY, "def mine", "def __init__"),
        (LAZY, "            self._stmt = select", "            other._stmt = select"),
        (GLOBAL, "    if not _query:\n        _query", "    with lock:\n        _query"),
        (LAZY, "self._stmt = select(Note).where(Note.owner == owner)", "self._stmt = Connection(owner)"),
        (MEMO, "Note.owner == owner", "Note.owner == bindparam('owner')"),
        (MEMO, '"mine", lambda', 'owner, lambda'),
        (MEMO, "_kept = {}\ndef statement(name, build):\n", "def statement(name, build):\n    _kept = {}\n"),
        (MEMO, "build()", "name"),
        (GLOBAL, "global _query\n", "\n"),
        (GLOBAL, "compile_filter(user_id)", "compile_filter()"),
        (GLOBAL, "if not _query", "if _query != user_id and not _query"),
        (LAMBDA, "enable_tracking=False", "enable_tracking=True"),
        (LAMBDA, ", enable_tracking=False", ""),
        (LAMBDA, "Note.owner == owner", "Note.is_open"),
        (LAMBDA, "lambda: select(Note).where(Note.owner == owner)", "statement_of(owner)"),
    ],
)  # fmt: skip
def test_queries_that_belong_to_a_call(code: str, was: str, now: str) -> None:
    assert was in code
    changed = code.replace(was, now)
    quiet(RULE, changed.replace("_stmt", "_link") if "Connection" in now else changed)


BY_NAME = """
class Compiler:
    def __init__(self):
        self._compiled = {}
    def sql(self, name, account_id):
        if name not in self._compiled:
            statement = REPORTS[name](account_id)
            self._compiled[name] = str(statement.compile(compile_kwargs={"literal_binds": True}))
        return self._compiled[name]
compiler = Compiler()
def report(request):
    return run(compiler.sql(request.args["name"], request.user.account_id))
"""


def test_queries_that_are_kept_by_name() -> None:
    finds(RULE, BY_NAME, "error", on="self._compiled[name] =")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("REPORTS[name](account_id)", "REPORTS[name]()"),
        ("compiler = Compiler()", ""),
        ("if name not in self._compiled:", "if True:"),
        ("account_id", "days"),
    ],
)
def test_queries_of_nobody_that_are_kept_by_name(old: str, new: str) -> None:
    quiet(RULE, BY_NAME.replace(old, new))


def test_queries_that_are_kept_by_name_and_account() -> None:
    quiet(RULE, BY_NAME.replace("if name not", "if (name, account_id) not").replace("[name]", "[name, account_id]"))


def test_what_the_first_caller_only_hands_over() -> None:
    quiet(RULE, LAZY.replace("select(Note).where(Note.owner == owner)", "owner"))


def test_a_query_on_an_object_that_each_caller_makes() -> None:
    quiet(RULE, f"{LAZY}def show(owner):\n    return Notes().mine(owner)\n")
    finds(RULE, f"{LAZY}def show(owner):\n    return notes.mine(owner)\n", "error")


SHELF = """
class Shelf:
    def __init__(self):
        self._made = {}
    def once(self, label, how):
        return self._made[label] if label in self._made else self._made.setdefault(label, how())
shelf = Shelf()
"""
READER = """
from app.shelf import shelf
from app.tables import loans
from sqlalchemy import bindparam
def open_loans(connection, member):
    return connection.execute(shelf.once("open", how=lambda: loans.select().where(loans.c.member == member)))
"""


def test_a_query_that_another_file_keeps() -> None:
    finds(RULE, {"app/shelf.py": SHELF, "app/loans.py": READER}, "error", on="shelf.once")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("self._made.setdefault(label, how())", "how()"),
        ("shelf = Shelf()", "def shelf_of(request):\n    return Shelf()"),
        ('"open"', "member"),
        ("loans.c.member == member", "loans.c.member == bindparam('member')"),
        ("loans.select().where(loans.c.member == member)", "connection.prepare(loans.select())"),
    ],
)
def test_a_query_that_nobody_keeps_or_without_a_value(was: str, now: str) -> None:
    files = {"app/shelf.py": SHELF.replace(was, now), "app/loans.py": READER.replace(was, now)}
    assert files != {"app/shelf.py": SHELF, "app/loans.py": READER}
    quiet(RULE, files)


ADDED = """
from sqlalchemy import lambda_stmt, select
def unread(box, since):
    wanted = lambda_stmt(lambda: select(Mail))
    wanted += lambda one: one.where(Mail.sent > since)
    return wanted.add_criteria(lambda one: one.where(Mail.box == box), enable_tracking=False)
"""


def test_a_part_that_is_added_without_tracking() -> None:
    finds(RULE, ADDED, "info", on="add_criteria")
    finds(RULE, ADDED.replace("box", "member"), "error", on="add_criteria")
    quiet(RULE, ADDED.replace(", enable_tracking=False", ""))
    quiet(RULE, ADDED.replace("Mail.box == box", "Mail.is_open"))
