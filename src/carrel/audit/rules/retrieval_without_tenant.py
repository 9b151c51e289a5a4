"""A search over everybody's documents, on behalf of one user."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from carrel.audit.admission import is_restricted
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user, proven, prover
from carrel.audit.conditions import (
    AnyOf,
    Condition,
    HasEntryPoints,
    IdentityParameter,
    Reachable,
    SharedClass,
)
from carrel.audit.data_conditions import KeepsOwners, LeftOutByRequest
from carrel.audit.file_view import FileView
from carrel.audit.heeding import narrows_when_told, unheeded
from carrel.audit.origins import called_name, identities, is_credential
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sent import is_handler
from carrel.audit.tagged import names_scope, statement, store_path
from carrel.audit.through import called_here
from carrel.findings import RuleInfo

__all__ = ["RetrievalWithoutTenant"]

_SEARCH: Final = re.compile(
    r"^a?_?(?:hybrid|similarity_search|max_marginal_relevance_search|hybrid_search|vector_search|keyword_search|"
    r"semantic_search|full_?text_search|knn_search|search_documents|search_chunks|near_text|near_vector|bm25|"
    r"similarity_search_[a-z_]+|query_points|search_points)$"
)
_POLICY: Final = re.compile(r"(?i)\bset_config\(|\bset\s+(?:local|session)\s+\w+\.\w+\s*(?:=|to)|row level security")
_QUERIES: Final = frozenset({"query", "search", "invoke", "ainvoke", "retrieve", "aretrieve", "get_relevant_documents",
                             "asearch", "aquery"})  # fmt: skip
_STORE: Final = re.compile(r"(?i)(?:^|_)(?:collection|index|vector_?store|vector_?db|chroma|qdrant|pinecone|weaviate|"
                           r"milvus|retriever|embeddings?_store|vectors|faiss)$")  # fmt: skip
_VECTORS: Final = frozenset({"query_vector", "query_embedding", "query_embeddings", "query_texts", "near_vector"})
_ENGINES: Final = re.compile(r"^(?:elasticsearch|opensearchpy|pymilvus|qdrant_client|meilisearch|typesense|weaviate|"
                             r"vespa|redisvl|solr|pysolr|lancedb)(?:\.|$)")  # fmt: skip
_ENGINE_CALLS: Final = frozenset({"search", "msearch", "query", "knn_search", "hybrid_search", "multi_search"})
"""Packages whose clients search one index of documents, and what they are asked with."""
_SELECT: Final = re.compile(r"(?is)\bselect\b.*\bfrom\b.*\bwhere\b")
_FILTERS: Final = re.compile(r"(?i)filter|where|namespace|tenant|user|owner|partition|expr$|restrict|scope|acl|"
                             r"search_kwargs|collection_name|metadata|org|kwargs")  # fmt: skip
_TEXT_SEARCH: Final = re.compile(
    r"(?is)\bselect\b.*\bfrom\b.*(?:\blike\b|\bilike\b|\bmatch\b|@@|<->|<=>|<#>|\bts_rank)"
)
_NEAREST: Final = re.compile(r"(?is)\bselect\b(?=.*(?:<->|<=>|<#>|<~>|<%>|@@)).*?\bfrom\s+([\w.]+)")
_DISTANCES: Final = frozenset({"cosine_distance", "l2_distance", "max_inner_product", "l1_distance", "hamming_distance",
                               "jaccard_distance", "CosineDistance", "L2Distance", "MaxInnerProduct"})  # fmt: skip
_OF_DATABASE: Final = re.compile(r"(?i)(?:^|[._])(?:session|db|conn|connection|cursor|engine|objects|query)$")
"""What is asked for rows by statements, which say whose they are."""
_OF_ROWS: Final = re.compile(r"(?i)(?:crud|dao)$|^(?!\w*vector)\w+db$")
"""What searches the rows of a table."""
_CLAUSES: Final = frozenset({"must", "should", "must_not", "filters", "filter", "bool", "and", "or", "term", "match"})
"""Parts of a filter that have other parts in them."""
_ONE_ROW: Final = frozenset({"fetchone", "fetch_one", "fetchrow", "fetch_row", "fetchval", "fetch_val", "get_one"})
"""What gives the one row that somebody names by its id."""
_OPENS: Final = frozenset({"as_retriever", "as_query_engine", "as_chat_engine"})
_OWNED: Final = re.compile(r"(?i)user|tenant|owner|account|org|customer|workspace|author|member|project")


class RetrievalWithoutTenant:
    """`collection.query(query_texts=[question])` in a function that is told whose question it is."""

    info = RuleInfo(
        rule="retrieval-without-tenant",
        code="CAR033",
        severity="error",
        title="A search is not narrowed to the user",
        why="The index holds the documents of all users, and the nearest one may be anybody's: it ends in the prompt "
        "and then in the answer.",
        fix="Pass the user as a filter to every search, or keep an index for each user.",
        page=rule_page("retrieval-without-tenant"),
        leak_classes=(33,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            searches = [one for one in function.nodes(ast.Call) if _is_search(one) or _asks_engine(view, one, function)]
            filtered = [one for one in searches if _is_narrowed(view, one, function)]
            who = _who(view, function)
            for call in searches:
                if call in filtered:
                    continue
                if filtered and _is_beside(view, call, filtered):
                    message = f"`{function.name}` narrows one search to the user and leaves this one open"
                    yield view.candidate(self.info, call, message, block=function, severity="error")
                    continue
                shared = _is_for_all(view, call, function) if who and not filtered else None
                if shared is not None:
                    message = f"`{function.name}` is told `{who}` and searches what belongs to everybody"
                    yield view.candidate(self.info, call, message, block=function, given=shared)
            if who or (who := _handed(view, function)):
                if not view.once(_leaves_it_to_database, view.top, meanwhile=False):
                    yield from self._statements(view, function, who)
                yield from self._nearest(view, function, who)
            elif not is_restricted(view, function):
                yield from self._rows(view, function)
            yield from self._left_open(view, function)
            yield from self._unheeded(view, function)
        yield from self._untagged(view)

    def _left_open(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`def search(words, practice=None)`, which narrows to one when it is told, and a route tells none."""
        searched = [one for one in function.nodes(ast.Call) if _is_search(one) or _asks_engine(view, one, function)]
        texts = function.nodes(ast.Constant)
        rows = (one for one in texts if _SELECT.search(str(one.value)) and not _is_for_one(view, one))
        place: ast.expr | None = searched[0] if searched else next(rows, None)
        for parameter in function.parameters if place is not None else ():
            default = parameter.default
            if (
                not isinstance(default, ast.Constant)
                or default.value is not None
                or is_credential(parameter.name)  # what is looked up by a token is the token's
                or _FILTERS.fullmatch(parameter.name)  # whatever it narrows down
                or not narrows_when_told(function, parameter.name)
            ):
                continue
            # Of whom the word is, the ones say that are told it by a request whose user is known.
            others = (
                one for one in view.functions if one is not function and one.parameter(parameter.name) is not None
            )
            told = tuple(IdentityParameter(one.symbol, parameter.name) for one in others)
            if not told:
                continue
            message = f"`{function.name}` searches what belongs to everybody where it is told no `{parameter.name}`"
            left_out = LeftOutByRequest(function.symbol, parameter.name)
            yield view.candidate(
                self.info, place or function.node, message, block=function, given=(AnyOf(told), left_out)
            )
            return

    def _unheeded(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`def nearest(self, practice, vector)`, which never reads `practice`."""
        for name, put, access in unheeded(view, function):
            message = f"`{function.name}` is told `{name}`, never looks at it, and gives what belongs to everybody"
            shared = (SharedClass(access.own_class.symbol),) if access.own_class is not None else ()
            yield view.candidate(self.info, function.node, message, block=function, severity="error",
                                 given=(*shared, Reachable(function.symbol), Reachable(put.block.symbol)),
                                 related=(view.location(put.node, "put there with whose it is"),))  # fmt: skip

    def _untagged(self, view: FileView) -> Iterator[Candidate]:
        """`vectors.as_retriever()` where documents are put into `vectors` with `{"organisation": organisation}`."""
        for function in (view.top, *view.functions):
            for call in function.nodes(ast.Call):
                if not isinstance(call.func, ast.Attribute):
                    continue
                store = ast.unparse(call.func.value)
                asks = call.func.attr in _OPENS or (
                    call.func.attr in _QUERIES and bool(call.args or call.keywords) and not _OF_DATABASE.search(store)
                )
                if not (_is_search(call) or asks or _asks_engine(view, call, function)) or _OF_ROWS.search(store):
                    continue
                access = view.access(call.func.value, function)
                held = access.kind == "global" or access.own_class is not None
                if not held or _is_narrowed(view, call, function) or is_restricted(view, function):
                    continue
                reached: Condition = Reachable(function.symbol) if function is not view.top else HasEntryPoints()
                message = f"`{store}` holds documents of many, and is searched for nobody's own"
                owned = KeepsOwners(store_path(access.path))
                yield view.candidate(self.info, call, message, block=function,
                                     grades=(Grade("error", (owned, reached)),))  # fmt: skip

    def _statements(self, view: FileView, function: Block, who: str) -> Iterator[Candidate]:
        for call in function.nodes(ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name not in ("execute", "fetch", "fetchall", "fetch_all", "fetchrow", "query", "raw") or not call.args:
                continue
            text = statement(view, call.args[0], function)
            named = who.rpartition(".")[2] in ast.unparse(call)
            if _TEXT_SEARCH.search(text) and not _OWNED.search(text) and not named:
                message = f"`{function.name}` is told `{who}` and the statement searches the rows of everybody"
                yield view.candidate(self.info, call, message, block=function, severity="error")

    def _nearest(self, view: FileView, function: Block, who: str) -> Iterator[Candidate]:
        """`select(Chunk).order_by(Chunk.embedding.cosine_distance(vector))`, with nothing that says whose."""
        for call in function.nodes(ast.Call):
            if called_name(call) not in _DISTANCES:
                continue
            around = takewhile(lambda one: not isinstance(one, ast.stmt), view.ancestors(call))
            whole = [one for one in around if isinstance(one, ast.Call)]
            selects = any(called_name(one) in ("order_by", "alias") for one in whole)
            words = re.findall(r"\w+", ast.unparse(whole[-1])) if whole else []
            if selects and not any(map(names_scope, words)) and not proven(view, whole[-1], function):
                message = f"`{function.name}` is told `{who}` and the statement searches the rows of everybody"
                yield view.candidate(self.info, call, message, block=function, severity="error")

    def _rows(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`ORDER BY embedding <=> $1` over a table into which rows are put with their owner."""
        for call in function.nodes(ast.Call):
            nearest = _NEAREST.search(statement(view, call.args[0], function)) if call.args else None
            if nearest is not None and not any(map(names_scope, re.findall(r"\w+", nearest.string))):
                message = f"`{nearest[1]}` holds rows of many, and is searched for nobody's own"
                table = KeepsOwners(f"table:{nearest[1].lower()}")
                yield view.candidate(self.info, call, message, block=function,
                                     grades=(Grade("error", (table, Reachable(function.symbol))),))  # fmt: skip


def _is_for_one(view: FileView, text: ast.expr) -> bool:
    """Whether a statement asks for one row, by what says which: that is no search."""
    return any(isinstance(one, ast.Call) and called_name(one) in _ONE_ROW for one in view.ancestors(text))


def _leaves_it_to_database(view: FileView, top: Block) -> bool:  # noqa: ARG001 - `once` works on blocks
    """Whether the file tells the database who is asking, for its own policies of rows: `set_config('app.user', …)`."""
    texts = (one.value for block in view.blocks for one in block.nodes(ast.Constant))
    return any(isinstance(one, str) and _POLICY.search(one) for one in texts)


def _is_search(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or not (call.args or call.keywords):
        return False
    if _SEARCH.match(call.func.attr):
        return True
    if call.func.attr in _QUERIES and any(one.arg in _VECTORS for one in call.keywords):
        return True
    receiver = ast.unparse(call.func.value).rpartition(".")[2]
    return call.func.attr in _QUERIES and _STORE.search(receiver) is not None


def _asks_engine(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether a search engine's client, which the module has made, is asked for documents."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _ENGINE_CALLS:
        return False
    access = view.access(call.func.value, function)
    if not (call.args or call.keywords):
        return False
    made: list[ast.expr | None] = []
    if access.kind == "global" and not access.steps:
        made = [one.value for one in view.top.scope.bindings.get(access.name.rpartition(".")[2], ())]
    elif access.own_class is not None and len(access.steps) == 1:
        made = [
            value
            for method in view.methods(access.own_class)
            if method.is_initializer
            for mutation in view.mutations_in(method)
            if mutation.kind == "attribute" and mutation.name == access.steps[0]
            for value in mutation.values
        ]
    return any(isinstance(one, ast.Call) and _ENGINES.match(view.dotted(one.func)) for one in made)


def _is_narrowed(view: FileView, call: ast.Call, function: Block) -> bool:
    """Whether anything that the search is handed, or is called on, may say whose documents are meant."""
    named = [one for one in call.keywords if one.arg != "collection_name" or not _is_fixed(view, one.value, function)]
    elsewhere = {one for one in named if _narrows_elsewhere(view, one, function)}
    for one in named:
        if isinstance(one.value, ast.Constant) and not isinstance(one.value.value, str):
            continue  # `include_metadata=True`
        if one not in elsewhere and (one.arg is None or _FILTERS.search(one.arg)):
            return True
    for value in (*call.args, *(one.value for one in call.keywords if one not in elsewhere)):
        if isinstance(value, ast.Name) and _FILTERS.search(value.id):
            return True
        if any(isinstance(one, ast.Constant) and one.value == "filter" for one in ast.walk(value)):
            return True
        for told in _heeded(view, value):
            if identities(view, told, function, lenient=True) or proven(view, told, function):
                return True
    return False


def _narrows_elsewhere(view: FileView, keyword: ast.keyword, function: Block) -> bool:
    """Whether all is seen of what a filter asks, and it asks nothing about whose: `filter={"language": language}`."""
    asked = _asked(view, keyword.value, function)
    if not asked or None in asked:
        return False
    return not any(names_scope(one) or _FILTERS.search(one) for one in asked if one) and not (
        identities(view, keyword.value, function, lenient=True) or proven(view, keyword.value, function)
    )


def _asked(view: FileView, value: ast.expr, function: Block) -> set[str | None]:
    """The fields that a filter asks about; `None` among them where some part of it is not seen."""
    match value:
        case ast.Name():
            bound = function.scope.bindings.get(value.id, ())
            given = bound[0].value if len(bound) == 1 and not view.mutations_of(function, value.id) else None
            return _asked(view, given, function) if given is not None else {None}
        case ast.Dict():
            found: set[str | None] = set()
            for key, inner in zip(value.keys, value.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
                operates = name is not None and (name.startswith("$") or name in _CLAUSES)
                found |= _asked(view, inner, function) if operates else {name}
            return found
        case ast.List() | ast.Tuple():
            return set[str | None]().union(*(_asked(view, one, function) for one in value.elts))
        case ast.Call():
            named = {one.arg: one.value for one in value.keywords}
            field = named.get("key", value.args[0] if value.args else None)
            if isinstance(field, ast.Constant) and isinstance(field.value, str):
                return {field.value}
            clauses = [*value.args, *(one for name, one in named.items() if name in _CLAUSES)]
            return set[str | None]().union(*(_asked(view, one, function) for one in clauses)) if clauses else {None}
    return {None}


def _heeded(view: FileView, value: ast.expr) -> Iterator[ast.expr]:
    """The value; of a call to a function of the file, the arguments that the function reads: `clauses(text)`."""
    helper = called_here(view, value) if isinstance(value, ast.Call) else None
    if isinstance(value, ast.Constant):
        return
    if helper is None or not isinstance(value, ast.Call) or not value.args or value.keywords:
        yield value
        return
    read = {one.id for one in ast.walk(helper.node) if isinstance(one, ast.Name)}
    names = [one.name for one in helper.parameters]
    if len(names) < len(value.args) or all(name in read for name in names[: len(value.args)]):
        yield value
        return
    yield from (one for name, one in zip(names, value.args, strict=False) if name in read)


def _is_fixed(view: FileView, value: ast.expr, function: Block) -> bool:
    return isinstance(value, ast.Constant) or view.access(value, function).kind in ("global", "class")


def _is_beside(view: FileView, call: ast.Call, filtered: list[ast.Call]) -> bool:
    """Whether a search that is narrowed asks the same object, so that this one could be too."""
    assert isinstance(call.func, ast.Attribute)
    asked = ast.unparse(call.func.value)
    # Under a test of its own it may be the search of those who have no filter.
    if any(isinstance(around, ast.If | ast.IfExp) for around in view.ancestors(call)):
        return False
    return any(isinstance(one.func, ast.Attribute) and ast.unparse(one.func.value) == asked for one in filtered)


def _is_for_all(view: FileView, call: ast.Call, function: Block) -> tuple[Condition, ...] | None:
    """What must hold for the index to be one for all users; `None` when it was opened for this one."""
    assert isinstance(call.func, ast.Attribute)
    receiver = call.func.value
    access = view.access(receiver, function)
    if "()" in access.steps or "[]" in access.steps or identities(view, receiver, function, lenient=True):
        return None
    if access.own_class is not None and len(access.steps) == 1:
        return (SharedClass(access.own_class.symbol),)
    return () if access.kind in ("global", "class") else None


def _who(view: FileView, function: Block) -> str:
    """What the function is told about whose request it is."""
    if is_handler(view, function) and not is_restricted(view, function) and (caller := prover(view, function)):
        return caller
    for parameter in function.parameters:
        if names_user(parameter.name) and view.annotation_name(parameter.annotation) not in ("bool", "int"):
            return parameter.name
    return ""


def _handed(view: FileView, function: Block) -> str:
    """What a tool is handed about whose question it is: `ctx.deps.clinic_id` of a `RunContext[Deps]`."""
    for parameter in function.parameters:
        given = parameter.annotation
        if isinstance(given, ast.Subscript) and view.annotation_name(given) in ("RunContext", "RunContextWrapper"):
            path = view.annotation_path(given.slice)
            for owner in view.classes:
                fields = [one.target for one in owner.nodes(ast.AnnAssign)] if owner.symbol == path else []
                for field in fields:
                    if isinstance(field, ast.Name) and names_scope(field.id):
                        return f"{parameter.name}.deps.{field.id}"
    return ""
