"""Short forms for tests of the readers."""

from __future__ import annotations

import io

import pytest

from carrel.optimizer.imports.mapping import parse_mapping
from carrel.optimizer.imports.reader import UsageReader
from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.storage.usage import ImportFailure, RejectedRow, UsageRecord

HEADER = "time,model,input_tokens,output_tokens"
ROW = "2026-10-31T12:00:00Z,gpt-4o,10,2"


def data(content: str | bytes) -> io.BytesIO:
    return io.BytesIO(content.encode() if isinstance(content, str) else content)


def read(content: str | bytes, mapping: str = "") -> list[UsageRecord | RejectedRow]:
    return list(UsageReader(data(content), parse_mapping(mapping)))


def records(content: str | bytes, mapping: str = "") -> list[UsageRecord]:
    found = read(content, mapping)
    assert [one for one in found if isinstance(one, RejectedRow)] == []
    return [one for one in found if isinstance(one, UsageRecord)]


def rejected(content: str | bytes, mapping: str = "") -> list[RejectedRow]:
    return [one for one in read(content, mapping) if isinstance(one, RejectedRow)]


def refused(content: str | bytes, mapping: str = "") -> ImportFailure:
    with pytest.raises(FileRefusedError) as caught:
        read(content, mapping)
    return caught.value.failure
