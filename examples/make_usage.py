"""Makes examples/usage.csv: a month of a small company's AI usage, the same on every machine.

    python examples/make_usage.py > examples/usage.csv

The company has a support bot on a flagship model that gives short answers, a summariser that sends the same long
instructions with every document and caches almost nothing, a nightly job on an old premium model, a writer of release
notes that sometimes runs on and on, a cheap autocomplete, and a model of its own that no price list knows.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

FIRST_DAY = datetime(2026, 10, 2, tzinfo=UTC)
DAYS = 30
HEADER = (*("time", "provider", "model", "input_tokens", "cached_input_tokens", "output_tokens", "latency_ms", "tag"),)


class Row(NamedTuple):
    moment: datetime
    provider: str
    model: str
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    latency_ms: int
    tag: str


def around(random_: random.Random, middle: float, spread: float = 0.35) -> int:
    """A whole number that is usually near `middle` and never below 1: log-normal."""
    return max(1, round(middle * math.exp(random_.gauss(0, spread))))


def office_moment(random_: random.Random, day: datetime) -> datetime:
    """A moment of a working day, with most of them in the late morning and the afternoon."""
    hour = min(21.99, max(6.0, random_.gauss(13.5, 3.0)))
    return day + timedelta(hours=hour, milliseconds=random_.randrange(1000))


def support_bot(random_: random.Random, day: datetime, number: int) -> Iterator[Row]:
    growing = 45 + 2 * number
    for _ in range(growing if day.weekday() < 5 else growing // 3):
        given, written = around(random_, 1900), around(random_, 90)
        cached = 1024 if random_.random() < 0.55 and given > 1100 else 0
        yield Row(
            office_moment(random_, day), "anthropic", "claude-opus-5", given, cached, written, 700 + 18 * written,
            "support-bot",
        )  # fmt: skip


def summariser(random_: random.Random, day: datetime, _: int) -> Iterator[Row]:
    # Documents come in bursts, one right after the other: the same 6,000 tokens of instructions every time.
    for _ in range(5 if day.weekday() < 5 else 1):
        moment = office_moment(random_, day)
        for _ in range(random_.randrange(5, 10)):
            moment += timedelta(seconds=random_.randrange(15, 110))
            given, written = 6000 + around(random_, 1500), around(random_, 320)
            cached = 5888 if random_.random() < 0.04 else 0
            yield Row(moment, "openai", "gpt-5.4", given, cached, written, 1500 + 14 * written, "summariser")


def nightly_report(random_: random.Random, day: datetime, _: int) -> Iterator[Row]:
    for minute in range(0, 60, 5):
        moment = day + timedelta(hours=2, minutes=minute, seconds=random_.randrange(60))
        given, written = around(random_, 5200, 0.15), around(random_, 1100, 0.2)
        yield Row(
            moment, "anthropic", "claude-opus-4-1", given, 0, written, 2500 + 30 * written, "nightly-report"
        )  # fmt: skip


def release_notes(random_: random.Random, day: datetime, _: int) -> Iterator[Row]:
    for _ in range(9 if day.weekday() < 5 else 2):
        runs_on = random_.random() < 0.035
        written = around(random_, 9500, 0.2) if runs_on else around(random_, 420, 0.3)
        given = around(random_, 2600, 0.6)
        yield Row(
            office_moment(random_, day), "openai", "gpt-5.4", given, 0, written, 1500 + 14 * written, "release-notes"
        )  # fmt: skip


def autocomplete(random_: random.Random, day: datetime, _: int) -> Iterator[Row]:
    for _ in range(34 if day.weekday() < 5 else 6):
        given, written = around(random_, 650, 0.5), around(random_, 24, 0.6)
        yield Row(
            office_moment(random_, day), "google", "gemini-2.5-flash", given, 0, written, 180 + 9 * written,
            "autocomplete",
        )  # fmt: skip


def experiments(random_: random.Random, day: datetime, _: int) -> Iterator[Row]:
    for _ in range(random_.randrange(4)):
        given, written = around(random_, 3000, 0.8), around(random_, 500, 0.8)
        yield Row(office_moment(random_, day), "self-hosted", "house-llm-13b", given, 0, written, 30 * written, "")


WORKLOADS: tuple[Callable[[random.Random, datetime, int], Iterator[Row]], ...] = (
    support_bot,
    summariser,
    nightly_report,
    release_notes,
    autocomplete,
    experiments,
)


def usage() -> list[Row]:
    """Every record of the month, in order of time."""
    rows: list[Row] = []
    for workload in WORKLOADS:
        # A generator of its own for each: changing one workload leaves the others as they are.
        random_ = random.Random(f"carrel example {workload.__name__}")
        for number in range(DAYS):
            rows += workload(random_, FIRST_DAY + timedelta(days=number), number)
    return sorted(rows)


def main() -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    for row in usage():
        moment = row.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        writer.writerow((moment, *row[1:]))


if __name__ == "__main__":
    main()
