from __future__ import annotations

import random
from collections import Counter

import pytest

from carrel.runtime.fair_queue import FairQueue


def drain(queue: FairQueue[str]) -> list[str]:
    taken = []
    while (item := queue.take()) is not None:
        taken.append(item)
    return taken


def test_slots_are_never_exceeded():
    queue: FairQueue[str] = FairQueue(slots=2, per_user=lambda _: 5)
    for name in "abc":
        queue.add("u", name, name)
    assert drain(queue) == ["a", "b"]
    assert (queue.running, queue.waiting, queue.users) == (2, 1, 1)
    queue.release("u", "a", "a")
    assert drain(queue) == ["c"]


def test_a_user_has_at_most_their_share():
    queue: FairQueue[str] = FairQueue(slots=9, per_user=lambda _: 2)
    for name in "abc":
        queue.add("u", name, name)
    assert drain(queue) == ["a", "b"]
    assert queue.waiting_of("u") == 1
    queue.release("u", "b", "b")
    assert drain(queue) == ["c"]


def test_one_lane_runs_one_after_another():
    queue: FairQueue[str] = FairQueue(slots=9, per_user=lambda _: 9)
    for name in ("a1", "a2", "b1"):
        queue.add("u", name[0], name)
    assert drain(queue) == ["a1", "b1"]
    assert queue.lane("u", "a") == ("a1", "a2")
    queue.release("u", "a", "a1")
    assert drain(queue) == ["a2"]


def test_two_users_lanes_of_one_name_are_two_lanes():
    queue: FairQueue[str] = FairQueue(slots=9, per_user=lambda _: 9)
    queue.add("ada", "same", "a")
    queue.add("bob", "same", "b")
    assert drain(queue) == ["a", "b"]
    assert queue.lane("bob", "same") == ("b",)


def test_a_thousand_waiting_runs_delay_another_user_by_at_most_one_slot():
    queue: FairQueue[str] = FairQueue(slots=1, per_user=lambda _: 8)
    for number in range(1000):
        queue.add("greedy", str(number), f"g{number}")
    assert drain(queue) == ["g0"]
    queue.add("late", "x", "late")
    order = []
    running = ("greedy", "0", "g0")
    for _ in range(2):
        queue.release(*running)
        item = queue.take()
        assert item is not None
        order.append(item)
        running = ("late", "x", "late") if item == "late" else ("greedy", item[1:], item)
    assert "late" in order


def test_users_take_turns():
    queue: FairQueue[str] = FairQueue(slots=1, per_user=lambda _: 8)
    for user in "abc":
        for number in range(3):
            queue.add(user, str(number), f"{user}{number}")
    order = []
    while (item := queue.take()) is not None:
        order.append(item)
        queue.release(item[0], item[1], item)
    assert order == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]
    assert queue.users == 0


def test_places_count_from_one():
    queue: FairQueue[str] = FairQueue(slots=1, per_user=lambda _: 1)
    assert queue.add("u", "a", "first") == 1
    assert queue.take() == "first"
    assert [queue.add("u", "a", name) for name in ("x", "y")] == [1, 2]
    assert queue.is_waiting("u", "x")
    assert not queue.is_waiting("u", "first")
    assert not queue.is_waiting("nobody", "x")


@pytest.mark.parametrize("which", ["x1", "x2", "x3"])
def test_an_item_that_waits_can_be_taken_out(which: str):
    queue: FairQueue[str] = FairQueue(slots=1, per_user=lambda _: 9)
    queue.add("u", "a", "running")
    assert queue.take() == "running"
    for name in ("x1", "x2", "x3"):
        queue.add("u", "x", name)
    assert queue.remove("u", "x", which)
    assert not queue.remove("u", "x", which)
    assert not queue.remove("u", "a", "running")
    assert not queue.remove("nobody", "x", which)
    queue.release("u", "a", "running")
    order = []
    while (item := queue.take()) is not None:
        order.append(item)
        queue.release("u", "x", item)
    assert order == [name for name in ("x1", "x2", "x3") if name != which]
    assert queue.users == 0


@pytest.mark.parametrize("seed", range(50))
def test_whatever_happens_limits_hold_and_everything_runs_once(seed: int):
    rng = random.Random(seed)
    slots, per_user = rng.randint(1, 5), rng.randint(1, 4)
    queue: FairQueue[tuple[str, str, int]] = FairQueue(slots=slots, per_user=lambda _: per_user)
    running: list[tuple[str, str, int]] = []
    done: list[tuple[str, str, int]] = []
    added: list[tuple[str, str, int]] = []
    removed: list[tuple[str, str, int]] = []

    def check() -> None:
        while (item := queue.take()) is not None:
            running.append(item)
        assert len(running) <= slots
        assert queue.running == len(running)
        assert all(count <= per_user for count in Counter(item[0] for item in running).values())
        assert all(count == 1 for count in Counter(item[:2] for item in running).values())

    def finish() -> None:
        item = running.pop(rng.randrange(len(running)))
        queue.release(item[0], item[1], item)
        done.append(item)

    for number in range(200):
        action = rng.random()
        if action < 0.5:
            item = (rng.choice("abc"), rng.choice("xyz"), number)
            queue.add(item[0], item[1], item)
            added.append(item)
        elif action < 0.6 and added:
            item = rng.choice(added)
            if queue.remove(item[0], item[1], item):
                removed.append(item)
        elif running:
            finish()
        check()
    while running:
        finish()
        check()
    assert sorted(done + removed) == sorted(added)
    assert (queue.users, queue.waiting) == (0, 0)
    for lane in {item[:2] for item in done}:
        numbers = [item[2] for item in done if item[:2] == lane]
        assert numbers == sorted(numbers)


def test_each_user_has_a_share_of_their_own_and_it_can_change():
    shares = {"ada": 1, "bob": 2}
    queue: FairQueue[str] = FairQueue(slots=9, per_user=shares.__getitem__)
    for name in ("a1", "a2", "a3", "b1", "b2", "b3"):
        queue.add({"a": "ada", "b": "bob"}[name[0]], name, name)
    assert sorted(drain(queue)) == ["a1", "b1", "b2"]
    assert (queue.running_of("ada"), queue.running_of("bob"), queue.running_of("eve")) == (1, 2, 0)
    shares["ada"] = 3
    assert drain(queue) == []
    queue.reconsider("ada")
    queue.reconsider("nobody")
    assert drain(queue) == ["a2", "a3"]


def test_a_share_that_shrinks_while_its_user_has_the_turn_starts_nothing():
    shares = {"ada": 2, "bob": 1}
    queue: FairQueue[str] = FairQueue(slots=2, per_user=shares.__getitem__)
    for user, name in (("ada", "a"), ("bob", "x"), ("ada", "b")):
        queue.add(user, name, name)
        drain(queue)
    shares["ada"] = 1
    queue.release("bob", "x", "x")
    assert drain(queue) == []
    queue.release("ada", "a", "a")
    assert drain(queue) == ["b"]


def test_a_share_that_shrinks_starts_nothing_until_enough_is_over():
    share = 3
    queue: FairQueue[str] = FairQueue(slots=2, per_user=lambda _: share)
    for name in "abcd":
        queue.add("u", name, name)
    assert drain(queue) == ["a", "b"]
    share = 1
    queue.release("u", "a", "a")
    assert drain(queue) == []
    queue.release("u", "b", "b")
    assert drain(queue) == ["c"]
