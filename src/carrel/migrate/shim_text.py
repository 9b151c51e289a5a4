"""The Python text of a shim: it needs nothing but what it redirects to."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from textwrap import indent
from types import MappingProxyType
from typing import Final, Literal

from carrel.migrate.recipe import Constructor, ConstructorCall, Shim, UseCall
from carrel.migrate.shim_templates import (
    CLASS,
    FINISHED,
    FUNCTION,
    IDENTITY,
    MAKER,
    MODULE,
    NAMES,
    NO_WAYS,
    OBJECT,
    OLD_NAMES,
    OPENING,
    WAYS,
)

__all__ = ["HEADING", "ShimText", "module_redirect", "names_in_module"]

HEADING: Final = "# What has moved. Everything below is made by `carrel migrate shim`, and goes with its `cleanup`."
"""The line that the end of a module with shims begins with."""
_MADE: Final = "Made by `carrel migrate shim`."
_STEP: Final = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimText:
    """The text for one symbol."""

    shim: Shim
    kind: Literal["class", "function", "async function", "value"]
    """What the old name was."""
    new_is_class: bool
    constructor: Constructor | None = None
    renamed: dict[str, str]
    call: UseCall | None = None

    @property
    def old_name(self) -> str:
        return self.shim.old.rpartition(".")[2]

    @property
    def message(self) -> str:
        return self.shim.message or f"`{self.shim.old}` is deprecated; use `{self.shim.new}`"

    @property
    def is_identity(self) -> bool:
        """Whether the old name can simply be the new object."""
        return self.constructor is None and not self.renamed and self.call is None

    @property
    def _awaits(self) -> bool:
        return self.constructor is not None and any(_awaits(one) for one in self.constructor.calls)

    def definition(self) -> str:
        """The function that makes what stands for the old name; ends with a newline."""
        module, _, name = self.shim.new.rpartition(".")
        words = {"old": self.old_name, "new": self.shim.new, "module": module, "name": name, "made": _MADE}
        if self.is_identity:
            return _filled(IDENTITY, words)
        if self.call is not None:
            return _filled(OBJECT, words, call=self.call.sync.format(new="moved"))
        finishes = self._awaits and self.kind != "async function"
        made = "finished(made) if awaited else made" if finishes else "made"
        what = "it makes a new one" if self.new_is_class else "it calls the new one"
        parts = [_filled(OPENING, words, message=repr(self.message), what=what)]
        parts.append(_in(self._ways()))
        if finishes:
            parts.append(_in(_filled(FINISHED, words)))
        if not self.new_is_class:
            parts.append(_in(_filled(FUNCTION, words, result=made)))
            return "".join(parts)
        old_names = "".join(f"    {old} = OldName({new!r})\n" for old, new in self.renamed.items())
        if self.renamed:
            parts.append(_in(OLD_NAMES))
            made = f"with_old_names({made})"
        text = _filled(
            CLASS, words, result=made, renamed=repr(self.renamed), old_names=f"\n{old_names}" if old_names else ""
        )
        return "".join((*parts, _in(text)))

    def maker(self, name: str, module: str) -> str:
        """A function `name` for a module that makes the new one from the old arguments; ends with a newline."""
        new_module, _, new = self.shim.new.rpartition(".")
        words = {"old": name, "new": self.shim.new}
        finishes = self._awaits and self.kind != "async function"
        return _filled(
            MAKER,
            maker=name,
            what=f"A `{new}`" if self.new_is_class else f"What `{new}` gives",
            bind=f"_moved = {new}" if new_module == module else f"from {new_module} import {new} as _moved",
            ways=_in(self._ways()),
            finished=_in(_filled(FINISHED, words)) if finishes else "",
            result="finished(made) if awaited else made" if finishes else "made",
        )

    def type_import(self) -> str:
        """What tells a type checker, and `carrel migrate scan`, what the old name is."""
        module, _, name = self.shim.new.rpartition(".")
        return f"    from {module} import {name} as {self.old_name}"

    def _ways(self) -> str:
        if self.constructor is None:
            return NO_WAYS
        parameters = self.constructor.old_signature.parameters.values()
        names = [one.name for one in parameters]
        unnamed = [one.name for one in parameters if one.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
        # What needs no waiting comes first: an old call cannot wait.
        ordered = sorted(self.constructor.calls, key=_awaits)
        imports = "\n".join(dict.fromkeys(line for call in ordered for line in call.imports))
        return _filled(
            WAYS,
            imports=f"{imports}\n" if imports else "",
            signature=self.constructor.signature.strip(),
            names=", ".join(("_given", "_in_place", *names)),
            ways="\n".join(_way(call, names) for call in ordered),
            # What `*` or `**` took has no place in the new call.
            unless=f" if not given & {set(unnamed)} else ()" if unnamed else "",
            new=self.shim.new,
            old=self.old_name,
        )


def names_in_module(texts: Sequence[ShimText], *, dynamic: bool, public: bool, checking: bool) -> str:
    """The end of the old module: the names for type checkers, and `__getattr__` for everybody else.

    `dynamic`: the module has a `__getattr__` already. `public`: it has no `__all__`, so that a star import would miss
    the names. `checking`: it imports `TYPE_CHECKING`.
    """
    names = ", ".join(repr(text.old_name) for text in texts)
    moved = ", ".join(f"{text.old_name!r}: (_moved_{text.old_name}, {text.message!r})" for text in texts)
    all_names = f'__all__ = [*(name for name in globals() if not name.startswith("_")), {names}]\n\n'
    return _filled(
        NAMES,
        heading=HEADING,
        other_names="_other_names = __getattr__\n" if dynamic else "",
        public=all_names if public else "",
        checking="" if checking else "from typing import TYPE_CHECKING\n\n",
        imports="\n".join(text.type_import() for text in texts),
        moved=moved,
        made=_MADE,
        unknown=(
            "return _other_names(name)"
            if dynamic
            else 'raise AttributeError(f"module {__name__!r} has no attribute {name!r}")'
        ),
    )


def module_redirect(shim: Shim) -> str:
    """The whole text of a module whose names are in another one now."""
    message = shim.message or f"`{shim.old}` is deprecated; use `{shim.new}`"
    return _filled(MODULE, old=shim.old, new=shim.new, message=repr(message), made=_MADE)


def _way(call: ConstructorCall, names: Sequence[str]) -> str:
    """The lines of `ways` for one way of the recipe."""
    values = {**{name: name for name in names}, "new": "_moved"}
    called = call.call.format_map(values).removeprefix("await ").strip()
    conditions = [] if call.call == "{new}" else ["not _in_place"]
    for name in call.requires:
        conditions += [f'"{name}" in _given', f"{name} is not None"]
    positional = [f"{call.parameters[name].format_map(values)}," for name in call.positional]
    keywords = []
    for name, template in call.parameters.items():
        if name in call.positional:
            continue
        needed = sorted({one for _, one, _, _ in string.Formatter().parse(template) if one} - {"new"})
        entry = f'"{name}": {template.format_map(values)}'
        if name in call.optional and needed:
            given = ", ".join(f'"{one}"' for one in needed)
            entry = f"**({{{entry}}} if _given & {{{given}}} else {{}})"
        keywords.append(entry)
    line = f"yield {called}, ({' '.join(positional)}), {{{', '.join(keywords)}}}, {_awaits(call)}"
    if conditions:
        return f"{_STEP}if {' and '.join(conditions)}:\n{_STEP * 2}{line}"
    return f"{_STEP}{line}"


def _filled(text: str, words: Mapping[str, str] = MappingProxyType({}), **more: str) -> str:
    return string.Template(text).substitute(words, **more)


def _awaits(call: ConstructorCall) -> bool:
    return call.call.startswith("await ")


def _in(text: str) -> str:
    return indent(text, _STEP, lambda line: bool(line.strip()))
