"""What a value is, as far as the expression that makes it tells: a container, something immutable, an object."""

from __future__ import annotations

import ast
from typing import Final, Literal

__all__ = ["CONTAINERS", "ValueKind", "value_kind"]

ValueKind = Literal["container", "immutable", "call", "unknown"]
"""`call`: whatever the call gives; an object when it is a class that is called."""

CONTAINERS: Final = frozenset(
    {"builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "collections.defaultdict",
     "collections.OrderedDict", "collections.Counter", "collections.deque", "collections.ChainMap",
     "weakref.WeakKeyDictionary", "weakref.WeakValueDictionary", "weakref.WeakSet", "queue.Queue",
     "queue.LifoQueue", "queue.PriorityQueue", "queue.SimpleQueue", "asyncio.Queue", "asyncio.LifoQueue",
     "asyncio.PriorityQueue", "multiprocessing.Queue", "cachetools.TTLCache", "cachetools.LRUCache",
     "cachetools.LFUCache", "cachetools.Cache", "cachetools.FIFOCache", "types.SimpleNamespace", "io.StringIO",
     "io.BytesIO", "array.array", "diskcache.Cache", "expiringdict.ExpiringDict", "bidict.bidict",
     "sortedcontainers.SortedDict", "sortedcontainers.SortedList"}
)  # fmt: skip
"""Types whose objects are there to be filled."""

IMMUTABLE: Final = frozenset(
    {"builtins.tuple", "builtins.frozenset", "builtins.str", "builtins.int", "builtins.float", "builtins.bool",
     "builtins.bytes", "builtins.complex", "builtins.range", "builtins.object", "builtins.len", "builtins.max",
     "builtins.min", "builtins.sum", "builtins.type", "builtins.property", "types.MappingProxyType", "re.compile",
     "typing.TypeVar", "typing.NewType", "typing.ParamSpec", "typing.cast", "typing.NamedTuple",
     "collections.namedtuple", "pathlib.Path", "pathlib.PurePath", "os.environ.get", "os.getenv", "os.path.join",
     "os.path.dirname", "os.path.abspath", "logging.getLogger", "contextvars.ContextVar", "datetime.timedelta",
     "datetime.datetime", "datetime.date", "decimal.Decimal", "enum.Enum", "uuid.UUID", "struct.Struct",
     "threading.Lock", "threading.RLock", "asyncio.Lock", "asyncio.Semaphore", "asyncio.Event", "threading.Event",
     "threading.local", "structlog.get_logger", "operator.attrgetter", "operator.itemgetter", "functools.partial",
     "string.Template", "importlib.metadata.version", "time.time", "builtins.isinstance", "builtins.hasattr"}
)  # fmt: skip
"""What gives values that nobody fills, or that rules of their own are about."""


def value_kind(node: ast.expr | None, dotted: str = "") -> ValueKind:
    """What the expression makes; `dotted` is the absolute name of what it calls, when it is a call."""
    match node:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return "container"
        case ast.Constant() | ast.Tuple() | ast.JoinedStr() | ast.Lambda() | ast.Compare() | ast.UnaryOp():
            return "immutable"
        case ast.Call():
            if dotted in CONTAINERS:
                return "container"
            return "immutable" if dotted in IMMUTABLE else "call"
        case ast.BinOp():
            sides = {value_kind(node.left), value_kind(node.right)}
            return "container" if "container" in sides else "immutable"
    return "unknown"
