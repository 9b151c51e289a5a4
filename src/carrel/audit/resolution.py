"""What a path stands for in a whole code base: a class, a function, an object and whether it is shared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from carrel.audit.facts import ClassFact, FileFacts, FunctionFact, GlobalFact
from carrel.audit.frameworks import COPYING_BASES
from carrel.audit.places import is_test_path
from carrel.findings import Location
from carrel.source import Project
from carrel.source.neighbours import neighbours

__all__ = ["PROPERTIES", "Resolution", "Value"]

_TOKEN: Final = re.compile(r"\(\)|\[\]|[^.()\[\]]+")
_TOP: Final = re.compile(r"[^.:()\[\]]*")
_STATE: Final = re.compile(r"(?:^|[.:])(?:app|application|_app|bot_data|extensions)\.(?:state|ctx)\.(\w+)(.*)")
"""What an application's state holds, however the application is reached: `request.app.state.desk.answer`."""
Fact = TypeVar("Fact", FunctionFact, ClassFact, GlobalFact)
PROPERTIES: Final = frozenset({"builtins.property", "property", "functools.cached_property"})
"""Decorators of methods that are called when an attribute is read."""
_DEPTH: Final = 12
_MANY: Final = 8


class Value(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a path may stand for."""

    kind: Literal["class", "function", "instance", "object", "module"]
    """`instance`: of the project's class `name`. `object`: the value of the global `name`, of a class that is not
    here."""
    name: str
    shared: Location | None = None
    """Where it is made once for all requests."""


class Resolution:
    """Names, classes and the values of paths."""

    def __init__(self, files: Iterable[FileFacts], roots: Iterable[str] = ()) -> None:
        self.files = {facts.path: facts for facts in files}
        self.project = _project(self.files, roots)
        self.functions: dict[str, FunctionFact] = {}
        self.classes: dict[str, ClassFact] = {}
        self.globals: dict[str, GlobalFact] = {}
        self.paths: dict[str, str] = {}
        """The file of each function, class and global."""
        for facts in self.files.values():
            self._name(self.functions, facts.functions, facts.path)
            self._name(self.classes, facts.classes, facts.path)
            self._name(self.globals, facts.globals, facts.path)
        for facts in self.files.values():
            for name, path in facts.replaced:
                known = self.globals.get(name)
                if known is not None:
                    self.globals[name] = replace(known, paths=(*known.paths, path))
        self._state: dict[str, list[str]] = {}
        for facts in self.files.values():
            for name, path in facts.state:
                self._state.setdefault(name, []).append(path)
        self._canonical: dict[str, str] = {}
        self._values: dict[str, tuple[Value, ...]] = {}
        self._called: dict[str, tuple[FunctionFact, ...]] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._open: set[str] = set()
        self.subclasses = self._find_subclasses()

    def canonical(self, dotted: str) -> str:
        """The name under which a thing is defined, whatever the name it is imported under."""
        found = self._canonical.get(dotted)
        if found is None:
            known = dotted in self.functions or dotted in self.classes or dotted in self.globals
            found = self._canonical[dotted] = dotted if known else self.project.canonical(dotted)
        return found

    def is_global(self, path: str) -> bool:
        """Whether the path leads through a global of the project: `app.services.registry.mailer.send`."""
        parts = path.split(".")
        return any(self.canonical(".".join(parts[:end])) in self.globals for end in range(2, len(parts)))

    def lineage(self, name: str) -> tuple[str, ...]:
        """A class and the classes of the project above it, nearest first."""
        found = self._lineages.get(name)
        if found is None:
            order = dict.fromkeys((name,))
            waiting = [name]
            while waiting:
                fact = self.classes.get(waiting.pop(0))
                for base in fact.bases if fact is not None else ():
                    above = self.canonical(base)
                    if above in self.classes and above not in order:
                        order[above] = None
                        waiting.append(above)
            found = self._lineages[name] = tuple(order)
        return found

    def has_base(self, name: str, bases: tuple[str, ...]) -> bool:
        """Whether some class above the class has one of these names, the last parts, wherever it is defined."""
        facts = (self.classes.get(owner) for owner in self.lineage(name))
        return any(base.rpartition(".")[2] in bases for fact in facts if fact is not None for base in fact.bases)

    @cached_property
    def thread_locals(self) -> frozenset[str]:
        """The names that hold a `threading.local`, or an object of a class below it."""
        return frozenset(name for facts in self.files.values() for name in facts.thread_locals)

    def descendants(self, name: str) -> Iterator[str]:
        """A class and the classes below it."""
        seen = {name}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            yield one
            for below in self.subclasses.get(one, ()):
                if below not in seen:
                    seen.add(below)
                    waiting.append(below)

    def method(self, owner: str, name: str) -> FunctionFact | None:
        """The method that an object of the class has under the name."""
        return next((found for one in self.lineage(owner) if (found := self.functions.get(f"{one}.{name}"))), None)

    def values(self, path: str) -> tuple[Value, ...]:
        """What the path may stand for; empty when the project does not say."""
        found = self._values.get(path)
        if found is None:
            if path in self._open or len(self._open) > _DEPTH:
                return ()
            self._open.add(path)
            try:
                found = tuple(dict.fromkeys(self._evaluate(path)))[:_MANY]
            finally:
                self._open.discard(path)
            # What was cut short inside a cycle may be incomplete: only whole answers are kept.
            if not self._open:
                self._values[path] = found
        return found

    def called(self, path: str) -> tuple[FunctionFact, ...]:
        """The functions that a call of the path may run: methods of subclasses too, and `__init__` of a class."""
        known = self._called.get(path)
        if known is None:
            known = self._called[path] = tuple(self._run_by(path).values())
        return known

    def _run_by(self, path: str) -> dict[str, FunctionFact]:
        found: dict[str, FunctionFact] = {}
        for value in self.values(path):
            if value.kind == "function" and value.name in self.functions:
                found[value.name] = self.functions[value.name]
                owner, _, method = value.name.rpartition(".")
                for below in list(self.subclasses.get(owner, ()))[:_MANY]:
                    override = self.functions.get(f"{below}.{method}")
                    if override is not None:
                        found[override.name] = override
            elif value.kind in ("class", "instance"):
                special = self.method(value.name, "__init__" if value.kind == "class" else "__call__")
                if special is not None:
                    found[special.name] = special
        return found

    def _name(self, known: dict[str, Fact], facts: Iterable[Fact], path: str) -> None:
        for fact in facts:
            known.setdefault(fact.name, fact)
            self.paths.setdefault(fact.name, path)

    def _evaluate(self, path: str) -> list[Value]:
        held = _STATE.search(path) if ".state." in path or ".ctx." in path else None
        top = _TOP.match(path)
        if held is None and (top is None or not self.project.is_module(top[0])):
            return []  # of a library
        root, colon, rest = path.partition(":")
        if held is not None and (given := self._state.get(held[1]) or self._called_alike(held[1])):
            values = [self._shared(value) for one in given[:_MANY] for value in self.values(one)]
            steps = _TOKEN.findall(held[2])
        elif colon:
            name, *steps = _TOKEN.findall(rest)
            fact = self.functions.get(self.canonical(root))
            typed = fact.types.get(name) if fact is not None else None
            handed = self._handed.get((fact.name, name), ()) if fact is not None else ()
            values = list(self.values(typed)) if typed else []
            # Of a type that is a library's, what is handed over says more.
            values = values or [value for one in handed[:_MANY] for value in self.values(one)]
        else:
            tokens = _TOKEN.findall(path)
            count = next((index for index, token in enumerate(tokens) if token in ("()", "[]")), len(tokens))
            values, steps = self._root(tokens[:count]), tokens[count:]
        for step in steps:
            values = [result for value in values[:_MANY] for result in self._step(value, step)]
        return values

    def _called_alike(self, name: str) -> list[str]:
        """What an application holds that nobody is seen to put there: an object of the one class of that name, `LabRpc`
        of `app["lab_rpc"]`."""
        found = self._by_plain_name.get(name.replace("_", "").lower(), [])
        return [f"{found[0]}()"] if len(found) == 1 else []

    @cached_property
    def _by_plain_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.classes:
            found.setdefault(name.rpartition(".")[2].lower(), []).append(name)
        return found

    def _shared(self, value: Value) -> Value:
        """The value as one for all, if it is an object: of what the application holds there is one."""
        if value.kind != "instance" or value.shared is not None or value.name not in self.classes:
            return value
        line, note = self.classes[value.name].line, "the application holds one for all"
        return replace(value, shared=Location(path=self.paths[value.name], line=line, note=note))

    def _root(self, parts: list[str], depth: int = 0) -> list[Value]:
        name = self.canonical(".".join(parts))
        if name in self.classes:
            return [Value("class", name)]
        if name in self.functions:
            return [Value("function", name)]
        if name in self.globals:
            return self._global(self.globals[name])
        if self.project.is_module(name):
            return [Value("module", name)]
        head, _, last = name.rpartition(".")
        # A package that imports from itself what has its own name gives ever longer names for the same thing.
        if len(parts) < 2 or not head or depth > _DEPTH:
            return []
        holders = self._root(head.split("."), depth + 1)
        return [result for value in holders for result in self._step(value, last)]

    def _global(self, fact: GlobalFact) -> list[Value]:
        values = [value for path in fact.paths for value in self.values(path)]
        made = [replace(value, shared=fact.location) for value in values if value.kind in ("instance", "object")]
        if fact.kind == "alias":
            return made or [value for value in values if value.kind in ("class", "function")]
        return made or [Value("object", fact.name, fact.location)]

    def _step(self, value: Value, step: str) -> list[Value]:
        if step == "()":
            return self._call(value)
        if step == "[]":
            held = self.globals.get(value.name) if value.kind == "object" else None
            paths = held.elements if held is not None else ()
            first = [replace(one, shared=value.shared) for path in paths for one in self.values(path)]
            # Of what it is filled with later, each is somebody's.
            return first + list(self.values(held.holds) if held is not None and held.holds else ())
        if value.kind == "function" and not PROPERTIES.isdisjoint(self.functions[value.name].decorators):
            # `container.desk.answer`, where a property gives the desk.
            # A property that gives a property, or itself, is gone on from no further.
            return [one for held in self._call(value) if held.kind != "function" for one in self._step(held, step)]
        if value.kind in ("function", "object"):
            return []
        if value.kind == "module":
            return []  # had it the name, its canonical name would have been found
        found: list[Value] = []
        for owner in self.lineage(value.name):
            name = f"{owner}.{step}"
            if name in self.functions:
                return [Value("function", name)]
            fact = self.classes.get(owner)
            for path in fact.attributes.get(step, ()) if fact is not None else ():
                found += [replace(one, shared=one.shared or value.shared) for one in self.values(path)]
            if name in self.globals:
                given = self._global(self.globals[name])
                is_copied = value.kind == "instance" and self.has_base(owner, COPYING_BASES)
                found += [replace(one, shared=value.shared) for one in given] if is_copied else given
            if found:
                return found
        return found

    def _call(self, value: Value) -> list[Value]:
        if value.kind == "class":
            return [Value("instance", value.name)]
        if value.kind != "function":
            return []
        fact = self.functions[value.name]
        given = [one for path in fact.returns for one in self.values(path)]
        if fact.cached:
            where = Location(path=self.paths[fact.name], line=fact.line, note=f"`{fact.name.rpartition('.')[2]}` keeps "
                             "what it gives for every caller")  # fmt: skip
            return [replace(one, shared=one.shared or where) for one in given]
        return given

    @cached_property
    def _handed(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """For each parameter of what sets objects up, the paths of the objects that it is handed."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for facts in self.files.values():
            for call in (*facts.imported_calls, *(one for each in facts.functions for one in each.calls)):
                owner, name = call.path.removesuffix(".initialize"), "__init__"
                if owner != call.path:
                    name = "initialize"
                made = self.method(self.canonical(owner), name) if call.hands else None
                for place, path in call.hands:
                    parameter = made.parameter_at(place) if made is not None else ""
                    if made is not None and parameter:
                        found.setdefault((made.name, parameter), {})[path] = None
        return {place: tuple(paths) for place, paths in found.items()}

    @cached_property
    def handed_to(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """For each class, the paths of the objects that calls of it are handed, each with the function that calls.

        What tests hand over is left out.
        """
        found: dict[str, list[tuple[str, str]]] = {}
        for fact in self.functions.values():
            for call in fact.calls if not is_test_path(self.paths[fact.name]) else ():
                for _, path in call.hands:
                    found.setdefault(self.canonical(call.path), []).append((fact.name, path))
        return {owner: tuple(handed) for owner, handed in found.items() if owner in self.classes}

    def _find_subclasses(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for fact in self.classes.values():
            for base in fact.bases:
                found.setdefault(self.canonical(base), []).append(fact.name)
        return found


def _project(files: Mapping[str, FileFacts], roots: Iterable[str]) -> Project:
    outlines = {path: facts.outline for path, facts in files.items()}
    plain = Project(files, outlines.__getitem__, roots=roots)
    also = neighbours(outlines, plain.is_module)
    return Project(files, outlines.__getitem__, roots=roots, also=also) if also else plain
