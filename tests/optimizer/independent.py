"""The same figures, computed another way: record by record over the CSV, in plain Python, with the package's prices.

Nothing of carrel is imported here.
"""

from __future__ import annotations

import csv
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from genai_prices import Usage, calc_price

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "usage.csv"
CLASSES = ROOT / "src" / "carrel" / "optimizer" / "model_classes.toml"
BATCHES_LISTED = datetime(2026, 10, 14, tzinfo=UTC)
UNHURRIED_TAGS = {"nightly-report"}


@dataclass(frozen=True)
class Record:
    time: datetime
    provider: str
    model: str
    input: int
    cached: int
    output: int
    tag: str
    batch: bool = False
    stored: int = 0


def read(path: Path = EXAMPLE) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Record(
                datetime.fromisoformat(row["time"]),
                row["provider"],
                row["model"],
                int(row["input_tokens"]),
                int(row["cached_input_tokens"]),
                int(row["output_tokens"]),
                row["tag"],
            )
            for row in csv.DictReader(file)
        ]


@cache
def cost(record: Record) -> Decimal | None:
    if record.batch and record.time < BATCHES_LISTED:
        # As on the day on which batch prices were first listed.
        now = replace(record, time=BATCHES_LISTED)
        plain, batched = cost(replace(now, batch=False)), cost(now)
        listed = cost(replace(record, batch=False))
        return listed if not plain or batched is None or listed is None else listed * batched / plain
    try:
        found = calc_price(
            Usage(
                input_tokens=record.input,
                cache_read_tokens=record.cached,
                cache_write_tokens=record.stored,
                output_tokens=record.output,
            ),
            record.model,
            provider_id=record.provider,
            genai_request_timestamp=record.time,
            price_context={"processing": "batch"} if record.batch else None,
        )
    except LookupError:
        return None
    return found.total_price


def total(records: Iterable[Record]) -> Decimal:
    return sum((one for record in records if (one := cost(record)) is not None), Decimal(0))


def percentile(values: Iterable[int], percent: int) -> int:
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1]


@dataclass(frozen=True)
class Saving:
    strategy: str
    model: str
    tag: str | None
    saved: Decimal


def savings(
    records: Sequence[Record], strategies: Sequence[str] = ("caps", "switch", "batch", "caching")
) -> list[Saving]:
    """The savings, one after the other in this order; each finds its candidates in the records as they are."""
    found = []
    state = list(records)
    for strategy in ("caps", "switch", "batch", "caching"):
        for model, tag, changed in _CHANGES[strategy](records) if strategy in strategies else ():
            after = [changed(old, now) for old, now in zip(records, state, strict=True)]
            saved = total(state) - total(after)
            if saved > 0 and saved >= total(records) / 1000:
                found.append(Saving(strategy, model, tag, saved))
                state = after
    return found


def grouped(records: Sequence[Record]) -> dict[tuple[str, str, str], list[Record]]:
    groups = defaultdict(list)
    for record in records:
        groups[record.provider, record.model, record.tag].append(record)
    return dict(sorted(groups.items()))


Change = tuple[str, str | None, Callable[[Record, Record], Record]]


def _caps(records: Sequence[Record]) -> Iterator[Change]:
    for key, some in grouped(records).items():
        cap = percentile((record.output for record in some), 95)
        over = sum(max(0, record.output - cap) for record in some)
        if len(some) >= 40 and over >= Decimal("0.15") * sum(record.output for record in some):

            def changed(old: Record, now: Record, key=key, cap=cap) -> Record:
                return replace(now, output=min(now.output, cap)) if _key(old) == key else now

            yield key[1], key[2], changed


def _switch(records: Sequence[Record]) -> Iterator[Change]:
    classes = [one["models"] for one in tomllib.loads(CLASSES.read_text(encoding="utf-8"))["class"]]
    for provider, model in sorted({(record.provider, record.model) for record in records}):
        line: list[str] | None = next((models for models in classes if model in models), None)
        some = [record for record in records if (record.provider, record.model) == (provider, model)]
        costs = []
        for target in line[line.index(model) + 1 :] if line else ():
            moved = [replace(record, model=target) for record in some]
            costs.append((total(moved), target))
        if costs and total(some) - min(costs)[0] >= total(some) / 20:
            target = min(costs)[1]

            def changed(old: Record, now: Record, provider=provider, model=model, target=target) -> Record:
                return replace(now, model=target) if (old.provider, old.model) == (provider, model) else now

            yield model, None, changed


def _batch(records: Sequence[Record]) -> Iterator[Change]:
    for key in grouped(records):
        if key[2] in UNHURRIED_TAGS:

            def changed(old: Record, now: Record, key=key) -> Record:
                return replace(now, batch=True) if _key(old) == key else now

            yield key[1], key[2], changed


def _caching(records: Sequence[Record]) -> Iterator[Change]:
    candidates = []
    for key, some in grouped(records).items():
        low, middle = (percentile((record.input for record in some), percent) for percent in (5, 50))
        shared = low * 80 // 100
        share = sum(record.cached for record in some) / sum(record.input for record in some)
        if len(some) >= 20 and shared >= 1024 and low >= middle / 2 and share < 0.3:
            candidates.append((-total(some), key, some, shared))
    for _, key, some, shared in sorted(candidates, key=lambda one: one[:2]):
        ordered = sorted(some, key=lambda record: record.time)
        warm = {
            id(after)
            for before, after in zip(ordered, ordered[1:], strict=False)
            if after.time - before.time <= timedelta(minutes=5)
        }

        def changed(old: Record, now: Record, key=key, shared=shared, warm=warm) -> Record:
            if _key(old) != key or now.batch:
                return now
            missing = max(0, min(shared, old.input) - old.cached)
            if id(old) in warm:
                return replace(now, cached=now.cached + missing)
            return replace(now, stored=now.stored + missing)

        yield key[1], key[2], changed


_CHANGES = {"caps": _caps, "switch": _switch, "batch": _batch, "caching": _caching}


def _key(record: Record) -> tuple[str, str, str]:
    return record.provider, record.model, record.tag
