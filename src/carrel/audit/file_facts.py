"""Reads one file and says everything about it that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from carrel.audit.admission import administrators_routers
from carrel.audit.assigned import assigned, in_session
from carrel.audit.body_lines import function_lines
from carrel.audit.calling import call_facts
from carrel.audit.context_values import context_flags, shared_contexts
from carrel.audit.facts import FileFacts
from carrel.audit.file_view import FileView
from carrel.audit.generated import is_generated
from carrel.audit.keeping import kept_facts, state_facts
from carrel.audit.reading import (
    class_facts,
    context_variables,
    forked_paths,
    function_facts,
    global_facts,
    replaced_names,
)
from carrel.audit.registering import registering_imports
from carrel.audit.rule import Candidate, Rule, has_file_part
from carrel.audit.suppressions import find_suppressions
from carrel.audit.thread_locals import thread_locals
from carrel.audit.transports import transports
from carrel.errors import SourceError
from carrel.source import ModuleName, Outline, module_names, outline_of, read_module

__all__ = ["LARGEST", "read_facts"]

LARGEST: Final = 2_000_000
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
        candidates, problem = _check(view, rules)
        outline = outline_of(view.module.tree, lines)
        if problem:
            outline = msgspec.structs.replace(outline, error_line=1, error=problem)
        facts = FileFacts(
            path,
            name.dotted,
            outline,
            function_facts(view),
            class_facts(view),
            global_facts(view),
            kept_facts(view),
            view.entry_points,
            candidates,
            find_suppressions(data),
            context_variables(view),
            call_facts(view, view.top),
            forked_paths(view),
            replaced_names(view),
            state_facts(view),
            shared_contexts(view),
            administrators_routers(view),
            transports(view),
            context_flags(view),
            registering_imports(view),
            is_generated(data),
            assigned(view),
            in_session(view),
            thread_locals(view),
            function_lines(view),
        )
        msgspec.msgpack.encode(facts)  # half a character, `"\\ud800"` in `__all__`, could not be kept
    except SourceError as error:
        return FileFacts(path, name.dotted, Outline(lines=lines, error_line=error.line, error=error.problem))
    except UnicodeEncodeError:
        problem = "cannot be read: a text in it is no Unicode"
        return FileFacts(path, name.dotted, Outline(lines=lines, error_line=1, error=problem))
    except RecursionError:
        problem = "cannot be read: an expression in it is nested too deep"
        return FileFacts(path, name.dotted, Outline(lines=lines, error_line=1, error=problem))
    else:
        return facts


def _check(view: FileView, rules: Sequence[Rule]) -> tuple[tuple[Candidate, ...], str]:
    """What the rules see, and what went wrong: one rule's mistake costs that rule, not the audit."""
    found: list[Candidate] = []
    problems = []
    for rule in rules:
        if not has_file_part(rule):
            continue
        try:
            found += rule.check(view)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            problems.append(f"the rule {rule.info.rule} failed: {type(error).__name__}: {error}")
    return tuple(found), "; ".join(problems)
