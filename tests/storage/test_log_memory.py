"""The newest events in memory: bounded, contiguous, never more than the disk has."""

from __future__ import annotations

from collections.abc import Iterable

from carrel.delivery.log import LoggedEvent, LogState
from carrel.storage.log_memory import LogMemory, LogMemoryStatistics


def events(numbers: Iterable[int], size: int = 10) -> list[LoggedEvent]:
    return [LoggedEvent(number, "run", False, b"x" * size) for number in numbers]


def state(top: int, *, epoch: str = "e", oldest: int = 1, delivered: int = 0) -> LogState:
    return LogState(epoch, oldest, top, delivered)


def offsets(found: Iterable[LoggedEvent] | None) -> list[int] | None:
    return None if found is None else [event.offset for event in found]


def test_what_is_not_held_is_none() -> None:
    memory = LogMemory(users=2, size=1000)
    assert memory.state("ada") is None
    assert memory.events("ada", 0, 64) is None
    memory.update("ada", state(3))
    assert memory.state("ada") == state(3)
    assert memory.events("ada", 3, 64) is None


def test_the_tail_is_read_from_any_position_that_it_reaches() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(5), events((4, 5)))
    memory.update("ada", state(6), events((6,)))
    assert offsets(memory.events("ada", 2, 64)) is None
    assert offsets(memory.events("ada", 3, 64)) == [4, 5, 6]
    assert offsets(memory.events("ada", 4, 1)) == [5]
    assert memory.events("bob", 3, 64) is None


def test_what_retention_has_dropped_is_not_told_any_more() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(3), events((1, 2, 3)))
    memory.update("ada", state(3, oldest=3))
    assert memory.events("ada", 1, 64) is None
    assert offsets(memory.events("ada", 2, 64)) == [3]


def test_a_user_whose_events_are_read_is_not_the_first_to_be_forgotten() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(1), events((1,)))
    memory.update("bob", state(1), events((1,)))
    assert offsets(memory.events("ada", 0, 64)) == [1]
    memory.update("cid", state(1), events((1,)))
    assert memory.events("ada", 0, 64) is not None
    assert memory.events("bob", 0, 64) is None


def test_a_users_tail_is_cut_at_the_front_by_count() -> None:
    memory = LogMemory(users=2, size=10**9)
    for first in range(1, 3001, 10):
        memory.update("ada", state(first + 9), events(range(first, first + 10)))
        assert memory.statistics().events <= 1024
    assert offsets(memory.events("ada", 2990, 64)) == list(range(2991, 3001))
    assert memory.events("ada", 1000, 64) is None
    assert memory.statistics().size == memory.statistics().events * 10


def test_a_users_tail_is_cut_at_the_front_by_size() -> None:
    memory = LogMemory(users=2, size=10**9)
    for number in range(1, 31):
        memory.update("ada", state(number), events((number,), size=200_000))
        assert memory.statistics().size <= 2 * 1024 * 1024
    assert offsets(memory.events("ada", 29, 64)) == [30]


def test_one_event_that_is_larger_than_everything_is_read_from_the_disk() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(1), events((1,), size=2000))
    assert memory.events("ada", 0, 64) is None
    assert memory.statistics() == LogMemoryStatistics(0, 0, 0)


def test_the_user_not_looked_at_for_longest_is_forgotten_first() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(1), events((1,)))
    memory.update("bob", state(1), events((1,)))
    assert memory.state("ada") is not None
    memory.update("cleo", state(1), events((1,)))
    assert memory.state("bob") is None
    assert memory.state("ada") is not None
    assert memory.statistics() == LogMemoryStatistics(2, 2, 20)


def test_all_users_together_are_bounded_by_size() -> None:
    memory = LogMemory(users=1000, size=100)
    for number in range(50):
        memory.update(f"user-{number}", state(1), events((1,)))
    assert memory.statistics() == LogMemoryStatistics(10, 10, 100)


def test_the_watermark_of_memory_is_not_moved_back_by_the_disk() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(5))
    memory.acknowledge("ada", 4)
    memory.acknowledge("ada", 2)
    memory.acknowledge("nobody", 2)
    memory.update("ada", state(6, delivered=3))
    assert memory.state("ada") == state(6, delivered=4)


def test_another_epoch_is_another_log() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(5, delivered=5), events((4, 5)))
    memory.update("ada", state(1, epoch="new"), events((1,)))
    assert memory.state("ada") == state(1, epoch="new")
    assert offsets(memory.events("ada", 0, 64)) == [1]
    assert memory.statistics() == LogMemoryStatistics(1, 1, 10)


def test_a_forgotten_user_takes_no_room() -> None:
    memory = LogMemory(users=2, size=1000)
    memory.update("ada", state(1), events((1,)))
    memory.forget("ada")
    memory.forget("ada")
    assert memory.statistics() == LogMemoryStatistics(0, 0, 0)
