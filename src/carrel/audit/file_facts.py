"""Reads one file and says everything about it that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from carrel.audit.facts import FileFacts
from carrel.audit.file_view import FileView
from carrel.audit.keeping import kept_facts
from carrel.audit.reading import class_facts, function_facts, global_facts
from carrel.audit.rule import Rule, has_file_part
from carrel.audit.suppressions import find_suppressions
from carrel.errors import SourceError
from carrel.source import ModuleName, Outline, module_names, outline_of, read_module

__all__ = ["LARGEST", "read_facts"]

LARGEST: Final = 4_000_000
"""Bytes of the largest file that is read: what is longer was generated, and its tree would not fit into memory."""


def read_facts(path: str, data: bytes, *, roots: Sequence[str], rules: Sequence[Rule]) -> FileFacts:
    """The facts of one file, with what the rules see in it; `roots` are the directories that modules are imported from.

    Of a file that cannot be read there is only an outline with its error.
    """
    lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    name = (*module_names(path, roots), ModuleName(path.removesuffix(".py").replace("/", "."), is_package=False))[0]
    if len(data) > LARGEST:
        problem = f"is not read: {len(data) / 1e6:.1f} MB are more than {LARGEST / 1e6:g} MB"
        return FileFacts(path, name.dotted, Outline(lines=lines, error_line=1, error=problem))
    try:
        view = FileView(read_module(path, name, data))
        candidates = tuple(one for rule in rules if has_file_part(rule) for one in rule.check(view))
        return FileFacts(
            path,
            name.dotted,
            outline_of(view.module.tree, lines),
            function_facts(view),
            class_facts(view),
            global_facts(view),
            kept_facts(view),
            view.entry_points,
            candidates,
            find_suppressions(data),
        )
    except SourceError as error:
        return FileFacts(path, name.dotted, Outline(lines=lines, error_line=error.line, error=error.problem))
    except RecursionError:
        problem = "cannot be read: an expression in it is nested too deep"
        return FileFacts(path, name.dotted, Outline(lines=lines, error_line=1, error=problem))
