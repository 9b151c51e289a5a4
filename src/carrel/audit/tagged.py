"""Stores of documents that are kept with their owner."""

from __future__ import annotations

import ast
import re
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["names_scope", "tagged_stores"]

_SCOPE: Final = re.compile(r"(?i)^(?:user|tenant|org|organi[sz]ation|owner|customer|account|workspace|team|company|"
                           r"clinic|patient|member|firm|school|employee|student|client)"
                           r"(?:_?(?:id|name|slug|key))?$")  # fmt: skip
_ADDS: Final = re.compile(r"^a?_?(?:add|upsert|insert|index|ingest|store|upload)(?:_(?:documents?|texts?|points?|many|"
                          r"nodes?|records?|chunks?|batch))?$")  # fmt: skip
_METADATA: Final = re.compile(r"^(?:\w*meta\w*|payload|document|body|data)$")


def names_scope(name: str) -> bool:
    """Whether a key of a document's metadata, or a field of what a tool is handed, says whose it is."""
    return _SCOPE.match(name) is not None


def tagged_stores(view: FileView, function: Block) -> tuple[str, ...]:
    """The paths of the stores into which the function puts documents with their owner: `metadata={"user_id": user_id}`.

    Also where the dictionary is in a list, `metadatas=[{…}]`, or under a key, `{"payload": {…}}`.
    """
    if not any(_says_whose(view, written) for written in function.nodes(ast.Dict)):
        return ()
    found: dict[str, None] = {}
    for call in function.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and _ADDS.match(called_name(call)):
            path = view.access(call.func.value, function).path
            if path and ":" not in path:
                found[path] = None
    return tuple(found)


def _says_whose(view: FileView, written: ast.Dict) -> bool:
    return _is_metadata(view, written) and any(
        isinstance(key, ast.Constant) and isinstance(key.value, str) and names_scope(key.value)
        and isinstance(value, ast.Name | ast.Attribute | ast.Subscript)
        for key, value in zip(written.keys, written.values, strict=True)
    )  # fmt: skip


def _is_metadata(view: FileView, written: ast.Dict) -> bool:
    around = view.module.parent(written)
    if isinstance(around, ast.List | ast.ListComp):
        around = view.module.parent(around)
    name = around.arg if isinstance(around, ast.keyword) else ""
    if isinstance(around, ast.Dict):
        keys = [key for key, value in zip(around.keys, around.values, strict=True) if value is written]
        name = next((str(key.value) for key in keys if isinstance(key, ast.Constant)), "")
    return _METADATA.match(name or "") is not None
