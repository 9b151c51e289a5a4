"""How a program's tools are served: over the pipes of a process that each client starts, or to many over a network."""

from __future__ import annotations

import ast
from typing import Final

from carrel.audit.blocks import chain
from carrel.audit.facts import Transport
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["transports"]

_PIPES: Final = frozenset({"stdio_server", "run_stdio_async"})
_NETWORKS: Final = frozenset(
    {"sse_app", "streamable_http_app", "http_app", "run_sse_async", "run_streamable_http_async", "run_http_async",
     "SseServerTransport", "StreamableHTTPSessionManager", "StreamableHTTPServerTransport"}
)  # fmt: skip
_RUNS: Final = frozenset({"run", "run_async"})


def transports(view: FileView) -> tuple[Transport, ...]:
    """The ways in which the file serves tools of the Model Context Protocol."""
    found: set[Transport] = set()
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            name = called_name(call)
            if name in _NETWORKS:
                found.add("network")
            elif name in _PIPES:
                found.add("pipe")
            elif name in _RUNS and isinstance(call.func, ast.Attribute) and "mcp" in chain(call.func.value).lower():
                found.add(_chosen(call))
    return tuple(sorted(found))


def _chosen(call: ast.Call) -> Transport:
    """The transport of `mcp.run(transport=…)`: pipes where none is named."""
    given = [one.value for one in call.keywords if one.arg in ("transport", None)] + call.args[:1]
    plain = all(isinstance(one, ast.Constant) and one.value in ("stdio", None) for one in given)
    return "pipe" if plain else "network"
