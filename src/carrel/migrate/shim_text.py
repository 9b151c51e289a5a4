"""The Python text of a shim: it needs nothing but what it redirects to."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import Parameter
from textwrap import indent
from typing import Final, Literal

from carrel.migrate.recipe import Constructor, ConstructorCall, Shim, UseCall

__all__ = ["HEADING", "ShimText", "module_redirect", "names_in_module"]

HEADING: Final = "# What has moved. Everything below is made by `carrel migrate shim`, and goes with its `cleanup`."
"""The line that the end of a module with shims begins with."""
_MADE: Final = "Made by `carrel migrate shim`."
_STEP: Final = "    "

_IDENTITY: Final = string.Template('''\
def _moved_$old():
    """`$old` is `$new` now. $made"""
    from $module import $name as moved

    return moved
''')

_OBJECT: Final = string.Template('''\
def _moved_$old():
    """`$old` is made by a call of `$new` now. $made"""
    from $module import $name as moved

    return $call
''')

_OPENING: Final = string.Template('''\
def _moved_$old():
    """`$old` as it was called, for callers that have not moved: $what. $made"""
    known = globals().get("_$old")
    if known is not None:
        return known
    import warnings

    from $module import $name as _moved

    message = $message
''')

_NO_WAYS: Final = """
def new_call(args, kwargs, *, in_place=False):
    return _moved, args, kwargs, False
"""

_WAYS: Final = string.Template('''
import inspect
$imports
def parameters$signature: ...

signature = inspect.signature(parameters)

def ways($names):
    """Each way to make the new one that fits what is given: what is called, its arguments, whether it is awaited.

    `_in_place`: for an object of a subclass, which is there already.
    """
$ways

def new_call(args, kwargs, *, in_place=False):
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        # It never fitted the old parameters: it was written for the new ones, or failed before, too.
        return _moved, args, kwargs, False
    given = frozenset(bound.arguments)
    bound.apply_defaults()
    for way in ways(given, in_place, **bound.arguments)$unless:
        return way
    if in_place:
        return _moved, args, kwargs, False
    raise TypeError("nothing in the new `$new` takes these arguments of the old `$old`; call the new one instead")
''')

_FINISHED: Final = string.Template('''
def finished(made):
    """The result of a coroutine that does not have to wait for anything."""
    steps = made.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return done.value
    steps.close()
    raise RuntimeError("making a `$new` has to wait for something; await it instead of calling `$old`")
''')

_FUNCTION: Final = string.Template("""
def $old(*args, **kwargs):
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    call, args, kwargs, awaited = new_call(args, kwargs)
    made = call(*args, **kwargs)
    return $result

$old.__qualname__ = "$old"
return globals().setdefault("_$old", $old)
""")

_CLASS: Final = string.Template('''
shim = None
renamed = $renamed

class Moved(type(_moved)):
    """Calls of the class, subclasses and class attributes go to the new class; `isinstance` holds both ways."""

    def __init__(cls, name, bases, namespace, **options):
        super().__init__(name, bases, namespace, **options)
        if shim in bases:
            warnings.warn(message, DeprecationWarning, stacklevel=2)

    def __call__(cls, *args, **kwargs):
        if cls is not shim:
            return super().__call__(*args, **kwargs)
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        call, args, kwargs, awaited = new_call(args, kwargs)
        made = call(*args, **kwargs)
        return $result

    def __getattribute__(cls, name):
        if cls is not shim or (name.startswith("__") and name.endswith("__")):
            return super().__getattribute__(name)
        if name in renamed:
            warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(_moved, renamed.get(name, name))

    def __setattr__(cls, name, value):
        if cls is shim:
            setattr(_moved, renamed.get(name, name), value)
        else:
            super().__setattr__(name, value)

    def __delattr__(cls, name):
        if cls is shim:
            delattr(_moved, renamed.get(name, name))
        else:
            super().__delattr__(name)

    def __instancecheck__(cls, instance):
        return isinstance(instance, _moved) if cls is shim else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass):
        # By the real bases: an abstract class asks its subclasses, this one too, which must not ask it again.
        return type.__subclasscheck__(_moved, subclass) if cls is shim else super().__subclasscheck__(subclass)

class $old(_moved, metaclass=Moved):
    __slots__ = ()
    __doc__ = _moved.__doc__
    __qualname__ = "$old"

    def __new__(cls, *args, **kwargs):
        # Called for the old class itself when an old pickle is read.
        made = _moved if cls is shim else cls
        return object.__new__(made) if _moved.__new__ is object.__new__ else _moved.__new__(made, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        _, args, kwargs, _ = new_call(args, kwargs, in_place=True)
        super().__init__(*args, **kwargs)

    def __reduce_ex__(self, protocol):
        reduced = super().__reduce_ex__(protocol)
        if type(self) is not shim or isinstance(reduced, str):
            return reduced
        made, arguments, *rest = reduced
        made = _moved.__new__ if getattr(made, "__name__", "") == "__newobj__" else made
        return (made, tuple(_moved if one is shim else one for one in arguments), *rest)
$old_names
shim = $old
return globals().setdefault("_$old", shim)
''')

_OLD_NAMES: Final = '''
def with_old_names(made):
    """What was made, so that it has the old names of its attributes too."""
    if type(made) is _moved:
        object.__setattr__(made, "__class__", shim)
    return made

class OldName:
    def __init__(self, new):
        self.new = new

    def __get__(self, instance, owner=None):
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(owner if instance is None else instance, self.new)

    def __set__(self, instance, value):
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        setattr(instance, self.new, value)

    def __delete__(self, instance):
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        delattr(instance, self.new)
'''

_NAMES: Final = string.Template('''\
$heading
$other_names$public${checking}if TYPE_CHECKING:
$imports


def __getattr__(name):
    """Names that have moved; whoever asks for one is warned. $made"""
    moved = {$moved}
    if name not in moved:
        $unknown
    import warnings

    made, message = moved[name]
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return made()
''')

_MODULE: Final = string.Template('''\
"""`$old` is `$new` now. $made"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from $new import *


def __getattr__(name):
    if name.startswith("__") and name.endswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import warnings
    from importlib import import_module

    moved = import_module("$new")
    if name == "__all__":
        return getattr(moved, name, [one for one in vars(moved) if not one.startswith("_")])
    found = getattr(moved, name)
    warnings.warn($message, DeprecationWarning, stacklevel=2)
    return found


def __dir__():
    from importlib import import_module

    return dir(import_module("$new"))
''')


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

    def definition(self) -> str:
        """The function that makes what stands for the old name; ends with a newline."""
        module, _, name = self.shim.new.rpartition(".")
        words = {"old": self.old_name, "new": self.shim.new, "module": module, "name": name, "made": _MADE}
        if self.is_identity:
            return _IDENTITY.substitute(words)
        if self.call is not None:
            return _OBJECT.substitute(words, call=self.call.sync.format(new="moved"))
        awaits = self.constructor is not None and any(_awaits(one) for one in self.constructor.calls)
        finishes = awaits and self.kind != "async function"
        made = "finished(made) if awaited else made" if finishes else "made"
        what = "it makes a new one" if self.new_is_class else "it calls the new one"
        parts = [_OPENING.substitute(words, message=repr(self.message), what=what)]
        parts.append(_in(self._ways()))
        if finishes:
            parts.append(_in(_FINISHED.substitute(words)))
        if not self.new_is_class:
            parts.append(_in(_FUNCTION.substitute(words, result=made)))
            return "".join(parts)
        old_names = "".join(f"    {old} = OldName({new!r})\n" for old, new in self.renamed.items())
        if self.renamed:
            parts.append(_in(_OLD_NAMES))
            made = f"with_old_names({made})"
        text = _CLASS.substitute(
            words, result=made, renamed=repr(self.renamed), old_names=f"\n{old_names}" if old_names else ""
        )
        return "".join((*parts, _in(text)))

    def type_import(self) -> str:
        """What tells a type checker, and `carrel migrate scan`, what the old name is."""
        module, _, name = self.shim.new.rpartition(".")
        return f"    from {module} import {name} as {self.old_name}"

    def _ways(self) -> str:
        if self.constructor is None:
            return _NO_WAYS
        parameters = self.constructor.old_signature.parameters.values()
        names = [one.name for one in parameters]
        unnamed = [one.name for one in parameters if one.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
        # What needs no waiting comes first: an old call cannot wait.
        ordered = sorted(self.constructor.calls, key=_awaits)
        imports = "\n".join(dict.fromkeys(line for call in ordered for line in call.imports))
        return _WAYS.substitute(
            imports=f"{imports}\n" if imports else "",
            signature=self.constructor.signature.strip(),
            names=", ".join(("_given", "_in_place", *names)),
            ways="\n".join(_way(call, names) for call in ordered),
            # What `*` or `**` took has no place in the new call.
            unless=f" if not given & {set(unnamed)} else ()" if unnamed else "",
            new=self.shim.new,
            old=self.shim.old,
        )


def names_in_module(texts: Sequence[ShimText], *, dynamic: bool, public: bool, checking: bool) -> str:
    """The end of the old module: the names for type checkers, and `__getattr__` for everybody else.

    `dynamic`: the module has a `__getattr__` already. `public`: it has no `__all__`, so that a star import would miss
    the names. `checking`: it imports `TYPE_CHECKING`.
    """
    names = ", ".join(repr(text.old_name) for text in texts)
    moved = ", ".join(f"{text.old_name!r}: (_moved_{text.old_name}, {text.message!r})" for text in texts)
    all_names = f'__all__ = [*(name for name in globals() if not name.startswith("_")), {names}]\n\n'
    return _NAMES.substitute(
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
    return _MODULE.substitute(old=shim.old, new=shim.new, message=repr(message), made=_MADE)


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


def _awaits(call: ConstructorCall) -> bool:
    return call.call.startswith("await ")


def _in(text: str) -> str:
    return indent(text, _STEP, lambda line: bool(line.strip()))
