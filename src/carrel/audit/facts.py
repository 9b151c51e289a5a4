"""What is kept of each file: all that the other files may ask about it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from carrel.audit.data_conditions import Given
from carrel.audit.entry_points import EntryPoint
from carrel.audit.rule import Candidate
from carrel.findings import Location
from carrel.source import Outline

__all__ = ["PRELOADED", "Admitted", "CallFact", "ClassFact", "FileFacts", "FunctionFact", "GlobalFact", "KeptFact",
           "Suppression", "Transport"]  # fmt: skip

Admitted = Literal["anybody", "users", "permitted", "administrators"]
"""Who is let in to a place: users have signed in, the permitted are some of them, and administrators mean everybody
with what they do."""

Transport = Literal["pipe", "network"]
"""How tools are served: to the client that started the process, or to whoever connects."""

PRELOADED: Final = "<requests>"
"""Stands for all that requests lead to, in a server that loads the application and then forks."""

# Paths, here and below, are what `Access.path` says: `app.deps.get_desk().memory`.


class CallFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One call that may lead to a function of the project."""

    path: str
    """What is called."""
    line: int
    passes: tuple[tuple[str, str], ...] = ()
    """What it is handed of one user: the argument (`0`, `name`, `*`), and the caller's parameter that it comes from,
    empty when it holds one user's data whoever calls."""
    on_self: bool = False
    """It is a method of the object that the caller is a method of."""
    in_thread: bool = False
    """It stands in a lambda that another thread runs."""
    tells: tuple[tuple[str, str], ...] = ()
    """As `passes`, where the argument tells the user from all others: an id that a token proves, an account."""
    under_test: bool = False
    """It is made only under some condition of the caller."""
    in_worker: bool = False
    """It is made in a loop over messages, which all run in one context."""
    given: tuple[str, ...] = ()
    """The arguments that it is handed: by position (`0`), by name, and `*` for those that nobody can tell."""
    is_dropped: bool = False
    """Nothing is done with what it gives."""
    records: tuple[str, ...] = ()
    """The arguments whose keys are the names of fields: a form, the body of a request, `{"name": name}`."""
    sends: tuple[tuple[str, str], ...] = ()
    """As `passes`, where the argument is nothing but what the client sent: an id that it chose. Of what a function of
    another file gives that is handed the request, with its path: `app.ids.reference()`."""
    hands: tuple[tuple[str, str], ...] = ()
    """Of a call that makes an object, the arguments that are objects themselves, each with its path."""
    is_sifted: bool = False
    """Of what it gives in turn, the caller hands on only what is for somebody."""
    is_beside: bool = False
    """Of what it gives, the caller takes only what says nothing of who asks: `current.get().language`."""


class FunctionFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One function or method."""

    name: str
    """Absolute and dotted."""
    line: int
    parameters: tuple[str, ...] = ()
    """Without the receiver."""
    types: dict[str, str] = {}
    """By parameter, what it is: the path of its dependency, `app.deps.get_desk()`, or of its type, `app.Desk()`."""
    returns: tuple[str, ...] = ()
    """The paths of what it may give back; its annotation's, when the statements do not tell."""
    calls: tuple[CallFact, ...] = ()
    cached: bool = False
    """What it gives is kept for the next caller."""
    changes: bool = False
    """It changes the object that it is called on."""
    kind: Literal["function", "method", "static"] = "function"
    is_async: bool = False
    gives_none: bool = False
    """Some `return` gives `None` where the others give a value."""
    statements: int = 0
    """How many simple and compound statements it has, its docstring left out."""
    decorators: tuple[str, ...] = ()
    changed: tuple[tuple[str, int], ...] = ()
    """The attributes of objects whose values it changes in place, `app.Envelope().rows`, each with the line."""
    read: tuple[tuple[str, int], ...] = ()
    """The attributes of objects that it reads as a whole."""
    asks: int = 0
    """The line where it asks a framework for the current user."""
    gives: tuple[Given, ...] = ()
    keys: tuple[str, ...] = ()
    """The names of users, `user_id`, that it makes keys of what outlives the call of."""
    keyed: tuple[tuple[str, bool], ...] = ()
    """The parameters that it makes such keys of; each with whether the object of the method has what is kept."""
    tags: tuple[str, ...] = ()
    """The paths of the stores into which it puts documents with their owner."""
    cacheable: bool = False
    """It lets caches between server and users keep what it gives."""
    memo: tuple[str, str] = ("", "")
    """The parameters that are the key and the callable, or `**context`, of a function that keeps what is made."""
    of_request: int = 0
    """The line where it takes from the request that it is handed who is asking."""
    admits: Admitted = "anybody"
    """Who gets as far as the function."""
    spawns: str = ""
    """The parameter that it runs in a new process, of a function that does so with what it is handed."""
    fetched: str = ""
    """The class whose object it fetches by an id that it is handed, and by nothing else."""
    run_before: tuple[str, ...] = ()
    """Its dependencies, which a framework runs before it in the context of the same request."""
    goes_round: bool = False
    """It is a loop that serves others, in the context in which it was started."""
    asked: tuple[str, ...] = ()
    """The kinds of objects whose owner it asks for, `carrel.audit.owners`."""
    stores: tuple[str, str] = ("", "")
    """The parameters that are the key and the value of what it puts where it outlives the call."""
    gathers: str = ""
    """The parameter that takes the arguments of any other name: `values` of `**values`."""
    collected: tuple[tuple[str, str], ...] = ()
    """Of a method that gives all that its object has collected: the methods that put it there, each with the parameter
    that it is."""
    refuses: int = 0
    """The line where it turns somebody away who may not: `raise Forbidden`, `abort(403)`."""
    awaits: bool = False
    """It is a coroutine that lets others run in between."""

    def parameter_at(self, place: str) -> str:
        """The parameter that an argument is for; empty when it cannot be told."""
        if place.isdigit():
            index = int(place)
            return self.parameters[index] if index < len(self.parameters) else ""
        return place if place in self.parameters else ""


class ClassFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One class."""

    name: str
    line: int
    bases: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = {}
    """By attribute, the paths of what `self.attribute` is given, or of its type."""
    makes: tuple[str, ...] = ()
    """The paths of what its objects make and hold: `app.memory.Memory()`."""
    frozen: bool = False
    decorators: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    """At the top of a module: a number for each line of its body, `carrel.audit.body_lines`."""
    owner: str = ""
    """The attribute that links an object to the user whose it is."""
    own: tuple[str, ...] = ()
    """The attributes for which its `__init__` gives each object a container of its own."""


class GlobalFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One module-level or class-level name that holds an object."""

    name: str
    location: Location
    kind: Literal["container", "call", "alias"]
    paths: tuple[str, ...] = ()
    """What it is given: of a `call`, what the call gives."""
    elements: tuple[str, ...] = ()
    """Of a `container`, what it is filled with where it is made: `AGENTS = {"research": Agent()}`."""
    holds: str = ""
    """Of a `container`, what its annotation says is put in later: `app.Session()` for `dict[str, Session]`."""


class KeptFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One object that is made once and then used by every request."""

    path: str
    """What makes it: `app.service.Desk()`."""
    location: Location
    owner: str = ""
    """The class in whose body it is made."""
    default: tuple[str, str] = ("", "")
    """The function and its parameter whose default it is: only calls that leave the argument out have it."""
    unused: bool = False
    """Another file's class makes it, and its name is never read in this one: only who imports it has it."""

    @property
    def is_doubtful(self) -> bool:
        """Whether it takes more than that it is made for requests to share it."""
        return bool(self.owner or self.default[0] or self.unused)


class Suppression(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One `# carrel: ignore[rule] reason`."""

    line: int
    rules: tuple[str, ...]
    reason: str
    lines: tuple[int, int]
    """The first and last line that it is about."""
    problem: str = ""
    """Why it is not good: it names no rule, or gives no reason."""


class FileFacts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file."""

    path: str
    module: str
    outline: Outline
    functions: tuple[FunctionFact, ...] = ()
    classes: tuple[ClassFact, ...] = ()
    globals: tuple[GlobalFact, ...] = ()
    kept: tuple[KeptFact, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    context_variables: dict[str, str] = {}
    """The dotted names of the `ContextVar`s of the module and its classes, each with the name that it was made with."""
    imported_calls: tuple[CallFact, ...] = ()
    """What is called while the module is imported."""
    forked: tuple[str, ...] = ()
    """The paths of what runs in a forked process, and `PRELOADED` where a server loads the application and forks."""
    replaced: tuple[tuple[str, str], ...] = ()
    """The names in other modules that this one binds anew while it is imported, each with the path of what it gives."""
    state: tuple[tuple[str, str], ...] = ()
    """What it puts into the application's state: by name, the path of the object."""
    shared_contexts: tuple[tuple[str, int], ...] = ()
    """The context variables that have one mutable object in every context, each with the object's line."""
    closed_routers: tuple[str, ...] = ()
    """The dotted names of the routers whose routes are all for administrators."""
    transports: tuple[Transport, ...] = ()
    context_flags: tuple[str, ...] = ()
    """The context variables that only say yes or no."""
    registering: tuple[int, ...] = ()
    """The lines of the imports that are there for what they do, `carrel.audit.registering`."""
    is_generated: bool = False
    """A tool wrote it, so that nobody mends it by hand."""
    assigned: tuple[tuple[str, int], ...] = ()
    """What functions set on the objects of the current request, `flask.session.permanent`, each with the line."""
    in_session: tuple[str, ...] = ()
    """The functions that read or change the session of the request."""
    thread_locals: tuple[str, ...] = ()
    """The names of the module and its classes that hold a `threading.local`, or an object of a class below it."""
    bodies: dict[str, tuple[int, ...]] = {}
    """By function at the top of the module, a number for each line of its body, `carrel.audit.body_lines`."""
