"""A migration as data: what moves where, how calls change, in which phases, behind which gates."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from carrel.errors import RecipeError
from carrel.migrate.signatures import read_signature
from carrel.migrate.toml_lines import key_lines

__all__ = [
    "AliasPolicy", "Cleanup", "Constructor", "ConstructorCall", "GateCommand", "Gates", "MovedModule", "MovedSymbol",
    "PhaseRule", "Recipe", "RenamedAttributes", "Shim", "TreeRule", "Trigger", "UseCall", "parse_recipe", "read_recipe",
]  # fmt: skip

SCHEMA_VERSION: Final = 1
AliasPolicy = Literal["keep", "rename"]
"""`keep`: import the new name `as` the old one and leave the uses. `rename`: rename the uses too."""
Trigger = Literal["failed_test", "failed_command", "slower", "memory", "unparsable", "import_cycle", "references"]
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_FIELD: Final = re.compile(r"`(\w+)`$")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every table of a recipe is: frozen, and strict about its keys."""


class UseCall(_Part, frozen=True, kw_only=True):
    """What stands in the place of a use of an object that is now made by a call; `{new}` is the new name in the file.

    `get_engine()` is `{new}()`. Where the use stands in an `async def`, `async` is taken when it is given.
    """

    sync: str = ""
    async_: str = msgspec.field(default="", name="async")

    def __post_init__(self) -> None:
        if not self.sync and not self.async_:
            raise ValueError("gives neither `sync` nor `async`")
        for template in (self.sync, self.async_):
            _check_placeholders(template, {"new"})


class MovedSymbol(_Part, frozen=True, kw_only=True):
    """One class, function or object and its new home, both as dotted names `package.module.Name`."""

    old: str
    new: str
    alias: AliasPolicy = "rename"
    annotations: str = ""
    """What stands in annotations, when it is not `new`: a protocol, for example."""
    call: UseCall | None = None
    """Set when the old symbol is an object and the new one is called for it."""

    def __post_init__(self) -> None:
        _check_dotted("old", self.old, parts=2)
        _check_dotted("new", self.new, parts=2)
        if self.annotations:
            _check_dotted("annotations", self.annotations, parts=2)
        if self.call is not None and self.alias == "keep":
            raise ValueError('has a `call`, so its uses change: `alias` must be "rename"')

    @property
    def old_module(self) -> str:
        return self.old.rpartition(".")[0]

    @property
    def old_name(self) -> str:
        return self.old.rpartition(".")[2]

    @property
    def new_module(self) -> str:
        return self.new.rpartition(".")[0]

    @property
    def new_name(self) -> str:
        return self.new.rpartition(".")[2]


class MovedModule(_Part, frozen=True, kw_only=True):
    """A module that moves as a whole, with every name in it that no `MovedSymbol` moves elsewhere."""

    old: str
    new: str

    def __post_init__(self) -> None:
        _check_dotted("old", self.old)
        _check_dotted("new", self.new)


class ConstructorCall(_Part, frozen=True, kw_only=True):
    """One way to write the new call. The expressions are templates over the old parameters.

    `{registry}` is the text of the argument that the call gave for the old parameter `registry`, or its default.
    `{new}` is the new name in the file.
    """

    call: str
    """What is called: `{new}`, `await {new}.create_from_legacy`."""
    parameters: dict[str, str] = {}
    """New parameter -> expression, in the order in which they are written."""
    where: Literal["anywhere", "async", "sync"] = "anywhere"
    """Whether the call stands directly in an `async def`."""
    requires: tuple[str, ...] = ()
    """Old parameters that a call must give, other than as `None`; without them the next way is tried."""
    optional: tuple[str, ...] = ()
    """New parameters that are left out where the call gives none of the old ones they are made of."""
    signature: str = ""
    """The signature of what is called. The parameters are checked against it, and positional-only ones written so."""
    imports: tuple[str, ...] = ()
    """Import statements that the expressions need."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.optional if name not in self.parameters]
        if unknown:
            raise ValueError(f"`optional` names {unknown[0]!r}, which `parameters` does not have")
        _check_placeholders(self.call, {"new"})
        for statement in self.imports:
            if not re.match(r"(from\s+\S+\s+)?import\s", statement):
                raise ValueError(f"`imports` has {statement!r}, which is no import statement")
        signature = self.new_signature
        if signature is not None:
            try:
                signature.bind(
                    *(self.parameters[name] for name in self.positional),
                    **{name: text for name, text in self.parameters.items() if name not in self.positional},
                )
            except TypeError as error:
                raise ValueError(f"`parameters` do not fit `signature`: {error}") from None

    @property
    def new_signature(self) -> Signature | None:
        return read_signature(self.signature) if self.signature else None

    @property
    def positional(self) -> tuple[str, ...]:
        """The new parameters that can only be given by position."""
        signature = self.new_signature
        if signature is None:
            return ()
        only = [one.name for one in signature.parameters.values() if one.kind is Parameter.POSITIONAL_ONLY]
        return tuple(name for name in only if name in self.parameters)


class Constructor(_Part, frozen=True, kw_only=True):
    """How calls of a moved symbol change: bound to the old signature first, then written in the first way that fits."""

    symbol: str
    """The `old` of a moved symbol."""
    signature: str
    """The old parameters, without `self`."""
    calls: tuple[ConstructorCall, ...]
    maker: str = ""
    """A function that takes the old arguments as they are, for calls that none of the ways fits: dotted name.

    Where its module does not define it, it is written there together with the first call that needs it.
    """

    def __post_init__(self) -> None:
        if not self.calls:
            raise ValueError("has no `calls`")
        if self.maker:
            _check_dotted("maker", self.maker, parts=2)
        known = set(self.old_signature.parameters)
        for call in self.calls:
            for name in call.requires:
                if name not in known:
                    raise ValueError(f"`requires` names {name!r}, which the old signature does not have")
            for template in call.parameters.values():
                _check_placeholders(template, known | {"new"})

    @property
    def old_signature(self) -> Signature:
        """The old signature, each default as its source text."""
        return read_signature(self.signature)


class RenamedAttributes(_Part, frozen=True, kw_only=True):
    """Attributes and methods of a moved symbol that have other names now."""

    symbol: str
    rename: dict[str, str]

    def __post_init__(self) -> None:
        for name in (*self.rename, *self.rename.values()):
            _check_dotted("rename", name, most=1)


class PhaseRule(_Part, frozen=True, kw_only=True):
    """Which files a phase takes: those that meet every condition it gives. A file is in the first phase that takes it.

    Paths are relative to the root; `*` stays inside one directory, `**` goes through any number.
    """

    name: str
    paths: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Files chosen by hand; they need no other condition."""
    exclude: tuple[str, ...] = ()
    distance_at_least: int | None = None
    """Imports between a file and the old definition; files from which it cannot be reached have no distance."""
    distance_at_most: int | None = None
    documentation: bool = False
    """Takes docstrings, comments and text files too, by their paths. Other phases leave these as they are."""


class GateCommand(_Part, frozen=True, kw_only=True):
    """A command that must succeed after a phase; one that runs pytest is judged test by test."""

    name: str
    run: str
    phases: tuple[str, ...] = ()
    """After which phases; after all when empty."""
    kind: Literal["", "pytest", "command"] = ""
    """Empty: pytest when the command line names pytest."""
    timeout_seconds: float = 1800.0


class Gates(_Part, frozen=True, kw_only=True):
    """What must hold after every phase; what does not takes the phase back."""

    commands: tuple[GateCommand, ...] = ()
    triggers: tuple[Trigger, ...] = (
        "failed_test", "failed_command", "slower", "memory", "unparsable", "import_cycle", "references",
    )  # fmt: skip
    slower_at_most: float = 1.2
    """Times the baseline's median duration."""
    memory_at_most: float = 1.5
    """Times the baseline's median peak memory."""
    runs: int = 3
    """Runs of each command that the medians are taken over."""

    def __post_init__(self) -> None:
        if self.runs < 1 or self.slower_at_most <= 0 or self.memory_at_most <= 0:
            raise ValueError("`runs`, `slower_at_most` and `memory_at_most` must be positive")


class Shim(_Part, frozen=True, kw_only=True):
    """What takes the place of the old implementation for callers that have not moved."""

    old: str
    new: str
    message: str = ""
    """What the warning says; made from the names when empty."""

    def __post_init__(self) -> None:
        _check_dotted("old", self.old, parts=2)
        _check_dotted("new", self.new, parts=2)


class Cleanup(_Part, frozen=True, kw_only=True):
    """What goes in the end."""

    remove: tuple[str, ...] = ()
    """Dotted names of modules, and of symbols in them."""


class TreeRule(_Part, frozen=True, kw_only=True):
    """What belongs to the code base."""

    exclude: tuple[str, ...] = ()
    """Patterns for paths that are left out."""
    roots: tuple[str, ...] = ()
    """Directories that modules are imported from, beside those found by themselves."""


class Recipe(_Part, frozen=True, kw_only=True):
    """A whole migration."""

    schema_version: int
    name: str
    description: str = ""
    requires: tuple[str, ...] = ()
    """Distributions that the new code comes from; `plan` lists them."""
    symbols: tuple[MovedSymbol, ...] = ()
    modules: tuple[MovedModule, ...] = ()
    constructors: tuple[Constructor, ...] = ()
    attributes: tuple[RenamedAttributes, ...] = ()
    phases: tuple[PhaseRule, ...] = ()
    gates: Gates = Gates()
    shims: tuple[Shim, ...] = ()
    cleanup: Cleanup = Cleanup()
    tree: TreeRule = TreeRule()

    def __post_init__(self) -> None:
        if self.schema_version != SCHEMA_VERSION:
            raise ValueError(f"`schema_version` is {self.schema_version}; this version reads {SCHEMA_VERSION}")
        if not self.symbols and not self.modules:
            raise ValueError("moves nothing: it has neither `symbols` nor `modules`")
        _check_unique("symbols", [one.old for one in self.symbols])
        _check_unique("modules", [one.old for one in self.modules])
        _check_unique("phases", [one.name for one in self.phases])
        _check_unique("constructors", [one.symbol for one in self.constructors])
        known = {one.old for one in self.symbols}
        for name in (*(one.symbol for one in self.constructors), *(one.symbol for one in self.attributes)):
            if name not in known:
                raise ValueError(f"{name!r} is not the `old` of any of the `symbols`")
        phases = {one.name for one in self.phases}
        for command in self.gates.commands:
            for name in command.phases:
                if name not in phases:
                    raise ValueError(f"gate {command.name!r} names the phase {name!r}, which there is none of")

    def symbol(self, old: str) -> MovedSymbol | None:
        """The moved symbol with this old name."""
        return next((one for one in self.symbols if one.old == old), None)

    def constructor(self, old: str) -> Constructor | None:
        return next((one for one in self.constructors if one.symbol == old), None)

    def renamed(self, old: str) -> dict[str, str]:
        """The renamed attributes of a moved symbol: old name -> new name."""
        return {name: new for one in self.attributes if one.symbol == old for name, new in one.rename.items()}


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a file; raises `RecipeError` with the key and the line of what is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(
            str(path), 0, "", f"cannot be read: {error.strerror}; `carrel migrate init` writes one"
        ) from None
    except UnicodeDecodeError:
        raise RecipeError(str(path), 0, "", "is not UTF-8; save it as UTF-8") from None
    return parse_recipe(text, str(path))


def parse_recipe(text: str, path: str = "recipe") -> Recipe:
    """The recipe in a text; `path` is what messages call it."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        raise RecipeError(path, int(at[1]) if at else 0, "", str(error)[: at.start() if at else None]) from None
    try:
        return msgspec.convert(data, Recipe)
    except msgspec.ValidationError as error:
        problem = str(error)
        place = _PLACE.search(problem)
        key = place[1] if place else ""
        problem = problem[: place.start()] if place else problem
        lines = key_lines(text)
        named = _FIELD.search(problem) if "unknown field" in problem else None
        exact = f"{key}.{named[1]}".lstrip(".") if named else key
        line = next((lines[one] for one in _outwards(exact) if one in lines), 0)
        raise RecipeError(path, line, exact, problem) from None


def _outwards(key: str) -> Iterable[str]:
    """The key, and the tables around it, nearest first."""
    yield key
    while key:
        key = key.rpartition(".")[0] if not key.endswith("]") else key.rpartition("[")[0]
        yield key


def _check_dotted(field: str, name: str, *, parts: int = 1, most: int = 99) -> None:
    split = name.split(".")
    if not all(part.isidentifier() for part in split) or not parts <= len(split) <= most:
        wanted = "a dotted name" if parts == 1 and most > 1 else "one name" if most == 1 else "package.module.Name"
        raise ValueError(f"`{field}` is {name!r}; it must be {wanted}")


def _check_placeholders(template: str, known: set[str]) -> None:
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"{template!r}: {error}; write a brace as {{{{ or }}}}") from None
    for name in names:
        if name not in known:
            raise ValueError(f"{template!r} uses {{{name}}}; there are: {', '.join(sorted(known))}")


def _check_unique(field: str, names: list[str]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"`{field}` has {twice[0]!r} twice")
