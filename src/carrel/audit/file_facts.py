"""Reads one file and says everything about it that is kept."""

from __future__ import annotations

from collections.abc import Sequence

from carrel.audit.facts import FileFacts
from carrel.audit.file_view import FileView
from carrel.audit.keeping import kept_facts
from carrel.audit.reading import class_facts, function_facts, global_facts
from carrel.audit.rule import Rule
from carrel.errors import SourceError
from carrel.source import ModuleName, Outline, read_module, read_outline

__all__ = ["read_facts"]


def read_facts(path: str, data: bytes, *, name: ModuleName, rules: Sequence[Rule]) -> FileFacts:
    """The facts of one file, with what the rules see in it; of one that cannot be parsed, an outline with its error."""
    outline = read_outline(data)
    if outline.error:
        return FileFacts(path, name.dotted, outline)
    try:
        view = FileView(read_module(path, name, data))
        candidates = tuple(one for rule in rules if hasattr(rule, "check") for one in rule.check(view))
        return FileFacts(
            path, name.dotted, outline, function_facts(view), class_facts(view), global_facts(view), kept_facts(view),
            view.entry_points, candidates,
        )  # fmt: skip
    except SourceError as error:
        return FileFacts(path, name.dotted, Outline(lines=outline.lines, error_line=error.line, error=error.problem))
    except RecursionError:
        problem = "cannot be read: an expression in it is nested too deep"
        return FileFacts(path, name.dotted, Outline(lines=outline.lines, error_line=1, error=problem))
