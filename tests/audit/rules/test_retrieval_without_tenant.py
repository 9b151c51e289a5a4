"""Searches that may find anybody's documents, and those that are narrowed."""

from __future__ import annotations

import pytest

from carrel.audit.rules.retrieval_without_tenant import RetrievalWithoutTenant
from tests.audit.checking import finds, quiet

RULE = RetrievalWithoutTenant()
HEAD = """
from stores import collection, vectorstore, indexes, get_index, db
FIND = "SELECT text FROM notes WHERE text LIKE ?"
MINE = "SELECT text FROM notes WHERE text LIKE ? AND tenant_id = ?"
"""


def function(body: str, parameters: str = "user_id, question") -> str:
    return f"{HEAD}async def ask({parameters}):\n" + "".join(f"    {line}\n" for line in body.splitlines())


@pytest.mark.parametrize(
    "body",
    [
        "return collection.query(query_texts=[question])",
        "return vectorstore.similarity_search(question, k=4)",
        "return await vectorstore.asimilarity_search(question)",
        "found = vectorstore.max_marginal_relevance_search(question)\nreturn found",
        "return await db.fetch(FIND, question)",
        "return db.execute(text('SELECT id FROM chunks ORDER BY embedding <-> :q'), {'q': question})",
    ],
)
def test_a_function_that_knows_the_user_and_searches_everything(body: str) -> None:
    finds(RULE, function(body), "error")


def test_one_of_two_searches_is_left_open() -> None:
    body = (
        "a = vectorstore.vector_search(question, filters={'user': user_id})\nb = vectorstore.keyword_search(question)"
    )
    finds(RULE, function(body), "error", on="keyword_search")
    in_class = "class R:\n    def __init__(self, tenant):\n        self.tenant = tenant\n    def get(self, q):\n"
    finds(RULE, in_class + "        a = self.index.bm25(q, self.tenant)\n        return a + self.index.near_text(q)\n",
          "error", on="near_text")  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        "return collection.query(query_texts=[question], where={'user_id': user_id})",
        "return vectorstore.similarity_search(question, filter={'owner': user_id})",
        "return vectorstore.similarity_search(question, namespace=user_id)",
        "return vectorstore.similarity_search(question, **options)",
        "narrow = {'user': user_id}\nreturn vectorstore.similarity_search(question, 4, narrow)",
        "return indexes[user_id].similarity_search(question)",
        "return get_index(user_id).similarity_search(question)",
        "store = get_index(user_id)\nreturn store.similarity_search(question)",
        "return await db.fetch(MINE, question, user_id)",
        "await db.execute(\"SELECT set_config('app.user', $1, true)\", user_id)\nreturn await db.fetch(FIND, question)",
        "await db.execute(f'SET LOCAL app.user = {user_id}')\nreturn await db.fetch(FIND, question)",
        "return await db.fetch('SELECT 1 FROM notes WHERE id = ?', question)",
        "return await db.fetch(statement, question)",
        "return db.query(question)",
        "return vectorstore.add(question)",
    ],
)
def test_a_search_that_is_narrowed(body: str) -> None:
    quiet(RULE, function(body))


def test_where_nobody_says_whose_question_it_is() -> None:
    quiet(RULE, function("return collection.query(query_texts=[question])", "question"))
    quiet(RULE, function("return vectorstore.similarity_search(question)", "question, k"))


def test_searches_of_two_stores_are_not_compared() -> None:
    quiet(RULE, "def ask(q, filters):\n    own.vector_search(q, filters)\n    return public.keyword_search(q)\n")


def test_a_route_that_knows_who_is_calling() -> None:
    head = "from fastapi import FastAPI, Depends\napp = FastAPI()\nclient = Client()\n@app.post('/s')\n"
    search = (
        "def search(q: str, user=Depends(get_user)):\n    return client.search(collection_name='docs', query_vector=q"
    )
    finds(RULE, f"{head}{search})\n", "error")
    quiet(RULE, f"{head}{search}, query_filter=own(user))\n")


def test_a_store_that_a_shared_object_holds() -> None:
    rag = "class Rag:\n    def ask(self, tenant_id, q):\n        return self.store.similarity_search(q)\n"
    finds(RULE, f"{rag}rag = Rag()\n", "error")
    quiet(RULE, f"{rag}def make():\n    return Rag()\n")


@pytest.mark.parametrize(
    ("statement", "field", "is_found"),
    [
        ("SELECT body FROM notes ORDER BY embedding <=> $1 LIMIT 8", "clinic_id", True),
        ("SELECT body FROM notes ORDER BY embedding <=> $1 LIMIT 8", "locale", False),
        ("SELECT body FROM notes WHERE clinic_id = $2 ORDER BY embedding <=> $1", "clinic_id", False),
    ],
)
def test_a_tool_that_is_handed_whose_question_it_is(statement: str, field: str, *, is_found: bool) -> None:
    source = f"""
        from pydantic_ai import Agent, RunContext
        class Deps:
            conn: object
            {field}: int
        agent = Agent("model", deps_type=Deps)
        @agent.tool
        async def search(ctx: RunContext[Deps], query: str):
            return await ctx.deps.conn.fetch("{statement}", query)
        """
    if is_found:
        finds(RULE, source, "error", on="fetch")
    else:
        quiet(RULE, source)


def test_documents_that_are_stored_with_their_owner() -> None:
    source = """
        vectors = PGVector(collection_name="books")
        async def ingest({0}, body):
            await vectors.aadd_documents([Document(page_content=body, metadata={"{0}": {0}})])
        def passages(organisation=None):
            return vectors.as_retriever(search_kwargs={1})
        @app.post("/ask")
        def ask(question):
            return passages().invoke(question)
        """
    finds(RULE, source.replace("{0}", "organisation").replace("{1}", "{'k': 6}"), "error", on="as_retriever")
    quiet(RULE, source.replace("{0}", "title").replace("{1}", "{'k': 6}"))
    narrowed = "{'k': 6, 'filter': {'organisation': organisation}}"
    quiet(RULE, source.replace("{0}", "organisation").replace("{1}", narrowed))


def test_points_and_engines_of_what_is_stored_with_its_owner() -> None:
    points = """
        qdrant = AsyncQdrantClient("localhost")
        async def store(tenant_id, text):
            await qdrant.upsert("docs", points=[{"id": 1, "payload": {"tenant_id": tenant_id, "text": text}}])
        @app.get("/ask")
        async def ask(q):
            return await qdrant.query_points("docs", query=embed(q){0})
        """
    finds(RULE, points.replace("{0}", ""), "error", on="query_points")
    quiet(RULE, points.replace("{0}", ", query_filter=own(q)"))
    engine = """
        index = VectorStoreIndex.from_documents([])
        def add(user_id, text):
            index.insert(Document(text=text, metadata={"user_id": user_id}))
        engine = index.as_query_engine({0})
        @app.get("/ask")
        def ask(q):
            return engine.query(q)
        """
    finds(RULE, engine.replace("{0}", "similarity_top_k=4"), "error", on="as_query_engine")
    quiet(RULE, engine.replace("{0}", "filters=mine"))


def test_documents_that_another_file_stores_with_their_owner() -> None:
    files = {
        "search.py": "store = Chroma()\ndef find(question):\n    return store.similarity_search(question{})\n",
        "ingest.py": "from search import store\ndef add(user_id, text):\n"
        "    store.add_texts([text], metadatas=[{'user_id': user_id}])\n",
        "app.py": "from search import find\n@app.get('/ask')\ndef ask(q):\n    return find(q)\n",
    }
    search = files["search.py"]
    finds(RULE, {**files, "search.py": search.format("")}, "error", on="similarity_search")
    quiet(RULE, {**files, "search.py": search.format(", filter=mine()")})
    quiet(RULE, {**files, "search.py": search.format(""), "ingest.py": "def add(): ...\n"})


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("client.search(index='notes', knn={'query_vector': vector, 'k': 5})", True),
        ("client.search(index='notes', body={'query': {'match': {'text': vector}}})", True),
        ("client.search(index='notes', knn={'query_vector': vector, 'filter': narrow})", False),
        ("client.count(index='notes', body={})", False),
        ("other.search(index='notes', body={})", False),
    ],
)
def test_a_search_engine_that_is_asked_for_nobodys_own(search: str, *, is_found: bool) -> None:
    files = {
        "index.py": "from elasticsearch import AsyncElasticsearch\nclient = AsyncElasticsearch()\nother = Other()\n"
        "async def put(clinic_id, text):\n"
        "    await client.index(index='notes', document={'clinic_id': clinic_id, 'text': text})\n"
        f"async def nearest(vector, narrow):\n    return await {search}\n",
        "app.py": "from fastapi import FastAPI\nfrom index import nearest\napp = FastAPI()\n"
        "@app.get('/near')\nasync def near(text: str):\n    return await nearest(embed(text), {})\n",
    }
    if is_found:
        finds(RULE, files, "error", on="client.search")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("put", "search", "is_found"),
    [
        ("tenant_id, body", "SELECT body FROM chunks ORDER BY embedding <=> $1 LIMIT $2", True),
        ("tenant_id, body", "SELECT body FROM chunks WHERE tenant_id = $3 ORDER BY embedding <=> $1 LIMIT $2", False),
        ("language, body", "SELECT body FROM chunks ORDER BY embedding <=> $1 LIMIT $2", False),
        ("tenant_id, body", "SELECT body FROM pages ORDER BY embedding <=> $1 LIMIT $2", False),
        ("tenant_id, body", "SELECT body FROM chunks WHERE id = $1 LIMIT $2", False),
    ],
)
def test_rows_that_are_stored_with_their_owner(put: str, search: str, *, is_found: bool) -> None:
    files = {
        "ingest.py": f'PUT = "INSERT INTO chunks ({put}) VALUES ($1, $2)"\n'
        "async def ingest(conn, row):\n    await conn.execute(PUT, *row)\n",
        "app.py": "from fastapi import FastAPI\napp = FastAPI()\n"
        f'NEAREST = """{search}"""\n'
        "@app.get('/similar')\nasync def similar(q: str):\n    return await db.fetch(NEAREST, embed(q), 5)\n",
    }
    if is_found:
        finds(RULE, files, "error", on="db.fetch")
        quiet(RULE, {**files, "app.py": files["app.py"].replace("@app.get('/similar')", "@require_admin")})
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("kept", "asked", "is_found"),
    [
        ("index.upsert([(n, vector, {'user_id': user_id})])", "index.query(vector=v, include_metadata=True)", True),
        ("index.upsert([(n, vector, {'user_id': user_id})])", "index.query(vector=v, filter={'user_id': me()})", False),
        ("index.upsert([(n, vector, {'title': title})])", "index.query(vector=v, top_k=5)", False),
        ("index.add(text, user_id=user_id)", "index.search(v, limit=5)", True),
        ("index.add(text, user_id=user_id)", "index.search(v, user_id=me(), limit=5)", False),
        ("index.add(text, user_id=1)", "index.search(v, limit=5)", False),
    ],
)  # fmt: skip
def test_what_the_store_is_told_with_each_document(kept: str, asked: str, *, is_found: bool) -> None:
    source = (
        "from acme import index\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        "def keep(n, vector, text, title, user_id):\n"
        f"    {kept}\n@app.get('/x')\nasync def ask(v: str):\n    return {asked}\n"
    )
    if is_found:
        finds(RULE, source, "error", on="return index")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("select", "is_found"),
    [
        ("select(Chunk).order_by(Chunk.embedding.cosine_distance(v)).limit(5)", True),
        ("select(Chunk).where(Chunk.tenant_id == user.tenant_id).order_by(Chunk.embedding.cosine_distance(v))", False),
        ("Chunk.embedding.cosine_distance(v)", False),
    ],
)
def test_a_statement_that_orders_by_distance(select: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import Depends, FastAPI\napp = FastAPI()\n@app.get('/x')\n"
        f"async def nearest(v: str, user=Depends(current_user)):\n    query = {select}\n    return await run(query)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="query =")
    else:
        quiet(RULE, source)


INDEX = """
from elasticsearch import AsyncElasticsearch
class Notes:
    def __init__(self, url):
        self._es = AsyncElasticsearch(url)
    async def add(self, chamber, note):
        await self._es.index(index="notes", document=dict(note, chamber=chamber))
    async def find(self, words, since=None, chamber=None):
        clauses = [{"match": words}]
        if chamber:
            clauses.append({"term": {"chamber": chamber}})
        if since:
            clauses.append({"range": since})
        return await self._es.search(index="notes", query=clauses)
"""
CHAMBERS = """
import jwt
from flask import Flask, g, request
from index import Notes
app = Flask(__name__)
notes = Notes("")
@app.before_request
def sign_in():
    g.chamber = jwt.decode(request.headers["authorization"])["chamber"]
@app.post("/notes")
def write():
    return notes.add({0}, request.json)
@app.get("/notes")
def read():
    return notes.find(request.args["q"]{1})
"""


@pytest.mark.parametrize(
    ("whose", "asked", "is_found"),
    [("g.chamber", "", True), ("g.chamber", ", chamber=g.chamber", False), ("request.json['kind']", "", False)],
)
def test_a_search_that_is_left_open_by_who_calls_it(whose: str, asked: str, *, is_found: bool) -> None:
    source = {"index.py": INDEX, "app.py": CHAMBERS.replace("{0}", whose).replace("{1}", asked)}
    if is_found:
        (found,) = finds(RULE, source, "error", on="self._es.search")
        assert [one.path for one in found.related] == ["app.py", "app.py"]
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    "otherwise",
    [
        "        if chamber is None:\n            clauses.append(PUBLIC)\n",
        "        else:\n            clauses.append(PUBLIC)\n",
    ],
)
def test_a_search_that_is_another_one_for_nobody(otherwise: str) -> None:
    narrowed = '            clauses.append({"term": {"chamber": chamber}})\n'
    app = CHAMBERS.replace("{0}", "g.chamber").replace("{1}", "")
    quiet(RULE, {"index.py": INDEX.replace(narrowed, narrowed + otherwise), "app.py": app})


@pytest.mark.parametrize(("asks", "is_found"), [("fetch_all", True), ("fetchone", False)])
def test_one_row_that_is_named_is_no_search(asks: str, *, is_found: bool) -> None:
    index = f"""
class Notes:
    async def add(self, chamber, note):
        await self.db.execute("INSERT INTO notes VALUES (?, ?)", note, chamber)
    async def find(self, number, chamber=None):
        clause = ""
        if chamber:
            clause = "AND chamber = :chamber"
        return await self.db.{asks}(f"SELECT * FROM notes WHERE number = :number {{clause}}", number)
"""
    source = {"index.py": index, "app.py": CHAMBERS.replace("{0}", "g.chamber").replace("{1}", "")}
    if is_found:
        finds(RULE, source, "error", on="SELECT")
    else:
        quiet(RULE, source)


def test_another_way_to_be_found_narrows_nothing() -> None:
    app = CHAMBERS.replace("{0}", "g.chamber").replace("{1}", "")
    index = INDEX.replace('clauses.append({"term": {"chamber": chamber}})', 'clauses.append("or chamber = 1")')
    quiet(RULE, {"index.py": index, "app.py": app})


def test_what_is_only_written_down_narrows_nothing() -> None:
    app = CHAMBERS.replace("{0}", "g.chamber").replace("{1}", "")
    quiet(
        RULE,
        {"index.py": INDEX.replace('clauses.append({"term": {"chamber": chamber}})', "log(chamber)"), "app.py": app},
    )


def test_what_is_looked_up_by_a_token_is_the_tokens() -> None:
    source = {"index.py": INDEX, "app.py": CHAMBERS.replace("{0}", "g.chamber").replace("{1}", "")}
    quiet(RULE, {path: text.replace("chamber", "token") for path, text in source.items()})


@pytest.mark.parametrize(
    ("store", "ask", "is_found"),
    [
        ("db.session", "query", False),
        ("olddb", "query", False),
        ("PersonCRUD", "search", False),
        ("vector_db", "search", True),
        ("memos", "search", True),
    ],
)
def test_a_session_of_a_database_is_no_store_of_documents(store: str, ask: str, *, is_found: bool) -> None:
    source = (
        f"from acme import {store.partition('.')[0]}\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        f"def keep(text, user_id):\n    {store}.add(text, user_id=user_id)\n"
        f"@app.get('/x')\nasync def ask(v: str):\n    return {store}.{ask}(v)\n"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "is_found"), [("{'text': text, 'firm': firm_of(ctx)}", True), ("{'text': text, 'kind': 1}", False)]
)
def test_a_store_that_is_told_by_one_part_and_asked_by_another(kept: str, *, is_found: bool) -> None:
    source = (
        "from fastmcp import FastMCP\nfrom acme import client\nmcp = FastMCP('x')\nmemos = client.get('Memo')\n"
        "@mcp.tool\n"
        f"def save(text: str, ctx):\n    memos.data.insert({kept})\n@mcp.tool\ndef find(question: str):\n"
        "    return memos.query.hybrid(question, limit=4)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="hybrid")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("helper", "asked", "is_found"),
    [
        ("def wanted(firm, words):\n    return {'match': words}\n", "query=wanted(firm(), question)", True),
        ("def wanted(firm, words):\n    return {'match': words, 'firm': firm}\n", "query=wanted(firm(), question)",
         False),
        ("", "query={'match': question, 'term': firm()}", False),
        ("", "question, search_kwargs=depth", True),
        ("", "question, search_kwargs=own", False),
        ("", "question, search_kwargs=told", False),
    ],
)  # fmt: skip
def test_who_is_asking_is_handed_on_and_not_heeded(helper: str, asked: str, *, is_found: bool) -> None:
    source = (
        "from elasticsearch import Elasticsearch\nfrom fastmcp import FastMCP\n"
        "from fastmcp.server.dependencies import get_access_token\nmcp = FastMCP('x')\n"
        f"notes = Elasticsearch()\n{helper}"
        "def firm():\n    return get_access_token().claims['firm']\n"
        "@mcp.tool\n"
        "def save(text: str):\n    notes.index(document={'text': text, 'firm': firm()})\n@mcp.tool\n"
        "def find(question: str):\n    depth = {'k': 6}\n    own = {'k': 6, 'filter': firm()}\n"
        "    told = {'k': 6}\n    told['filter'] = firm()\n"
        f"    return notes.search({asked})\n"
    )
    if is_found:
        finds(RULE, source, "error", "error", on="notes.search")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("narrowed", "is_found"),
    [
        ("Filter(must=[Field(key='language', match=language)])", True),
        ("Filter(must=[Field(key='language', match=language), Field(key='clinic', match=clinic)])", False),
        ("{'$and': [{'language': language}]}", True),
        ("{'$and': [{'language': language}, {'clinic': clinic}]}", False),
        ("{'language': current.user_id}", False),
        ("conditions(language)", False),
        ("extra", False),
    ],
)
def test_a_filter_that_asks_for_something_else(narrowed: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI\nfrom qdrant_client import QdrantClient\napp = FastAPI()\n"
        "client = QdrantClient()\n@app.post('/letters')\n"
        "def add(text: str, clinic: str):\n    client.upsert('letters', points=[Point(payload={'clinic': clinic})])\n"
        "@app.get('/similar')\ndef similar(text: str, language: str, clinic: str, extra: dict):\n"
        f"    wanted = {narrowed}\n    return client.query_points('letters', query=text, query_filter=wanted)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="query_points")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("where", "is_found"), [("", True), ("WHERE owner = %s", False)])
def test_a_distance_that_is_selected(where: str, *, is_found: bool) -> None:
    source = (
        "from fastmcp import FastMCP\nfrom acme import db\nmcp = FastMCP('x')\n"
        f"FIND = 'SELECT body, embedding <=> %s AS distance FROM mails {where} ORDER BY distance'\n"
        "ADD = 'INSERT INTO mails (owner, body) VALUES (%s, %s)'\n"
        "@mcp.tool\ndef save(body: str):\n    db.execute(ADD, me(), body)\n"
        "@mcp.tool\ndef find(question: str):\n    return db.execute(FIND, embed(question))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="db.execute")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("picked", "leaks"), [("rows", True), ("[row for row in rows if row[0] == clinic]", False)])
def test_a_search_that_never_looks_at_whose_question_it_is(picked: str, *, leaks: bool) -> None:
    text = f"""
import tornado.web
class Charts:
    def __init__(self):
        self.rows = []
    def keep(self, clinic, row):
        self.rows += [(clinic, row)]
    def best(self, clinic, vector):
        rows = sorted(self.rows, key=lambda row: distance(row, vector))
        return {picked}[:3]
class Search(tornado.web.RequestHandler):
    def get(self):
        self.write(self.application.charts.best(self.get_argument("clinic"), 1))
    def post(self):
        self.application.charts.keep(self.get_argument("clinic"), self.request.body)
def serve():
    web = tornado.web.Application([("/", Search)])
    web.charts = Charts()
    return web
"""
    (finds if leaks else quiet)(RULE, text)
