"""The Python of which shims are made, with `$names` to be filled in (`string.Template`)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CLASS",
    "FINISHED",
    "FUNCTION",
    "IDENTITY",
    "MAKER",
    "MODULE",
    "NAMES",
    "NO_WAYS",
    "OBJECT",
    "OLD_NAMES",
    "OPENING",
    "WAYS",
]

IDENTITY: Final = '''\
def _moved_$old():
    """`$old` is `$new` now. $made"""
    from $module import $name as moved

    return moved
'''

OBJECT: Final = '''\
def _moved_$old():
    """`$old` is made by a call of `$new` now. $made"""
    from $module import $name as moved

    return $call
'''

OPENING: Final = '''\
def _moved_$old():
    """`$old` as it was called, for callers that have not moved: $what. $made"""
    known = globals().get("_$old")
    if known is not None:
        return known
    import warnings

    from $module import $name as _moved

    message = $message
'''

NO_WAYS: Final = """
def new_call(args, kwargs, *, in_place=False):
    return _moved, args, kwargs, False
"""

WAYS: Final = '''
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
'''

FINISHED: Final = '''
def finished(made):
    """The result of a coroutine that does not have to wait for anything."""
    steps = made.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return done.value
    steps.close()
    raise RuntimeError("making a `$new` has to wait for something; await it instead of calling `$old`")
'''

MAKER: Final = '''\
def $maker(*args, **kwargs):
    """$what from the arguments that it was called with before. Made by `carrel migrate apply`."""
    $bind
$ways$finished
    call, args, kwargs, awaited = new_call(args, kwargs)
    made = call(*args, **kwargs)
    return $result
'''

FUNCTION: Final = """
def $old(*args, **kwargs):
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    call, args, kwargs, awaited = new_call(args, kwargs)
    made = call(*args, **kwargs)
    return $result

$old.__qualname__ = "$old"
return globals().setdefault("_$old", $old)
"""

CLASS: Final = '''
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
'''

OLD_NAMES: Final = '''
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

NAMES: Final = '''\
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
'''

MODULE: Final = '''\
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
'''
