"""In-memory implementations for the tests of those who build on carrel."""

from carrel.testing.event_log import MemoryEventLog
from carrel.testing.harness import MemoryRuntime, engine
from carrel.testing.stores import MemoryRunStore, MemoryThreadStore, MemoryUserStore

__all__ = [
    "MemoryEventLog",
    "MemoryRunStore",
    "MemoryRuntime",
    "MemoryThreadStore",
    "MemoryUserStore",
    "engine",
]
