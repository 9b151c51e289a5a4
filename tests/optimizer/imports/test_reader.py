"""From bytes to records: whatever the bytes are, the result is records, rows with reasons, or one clear refusal."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carrel.optimizer.imports.reader import MOST_NAMES, UsageReader
from carrel.optimizer.imports.refusal import FileRefusedError
from carrel.storage.usage import RejectedRow, UsageRecord
from tests.optimizer.imports.reading import HEADER, ROW, data, read, records, refused, rejected

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
tokens = st.integers(0, 10**12)


@st.composite
def usage(draw: st.DrawFn) -> UsageRecord:
    input_tokens = draw(tokens)
    return UsageRecord(
        time=draw(st.integers(1_262_304_000_000_000, 4_102_444_799_999_999)),
        provider=draw(names),
        model=draw(names),
        input_tokens=input_tokens,
        output_tokens=draw(tokens),
        cached_input_tokens=draw(st.integers(0, input_tokens)),
        tag=draw(st.just("") | names),
        requests=draw(st.integers(1, 10**9)),
        batch=draw(st.booleans()),
        latency_ms=draw(st.none() | st.integers(0, 10**6).map(float)),
        cost=draw(st.none() | st.integers(0, 10**18)),
    )


def cells(record: UsageRecord) -> dict[str, object]:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=record.time)
    return {
        "time": moment.isoformat(),
        "provider": record.provider,
        "model": record.model,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cached_input_tokens": record.cached_input_tokens,
        "tag": record.tag,
        "requests": record.requests,
        "batch": record.batch,
        "latency_ms": "" if record.latency_ms is None else record.latency_ms,
        "cost_usd": "" if record.cost is None else f"{record.cost // 10**9}.{record.cost % 10**9:09}",
    }


@given(
    st.lists(usage(), min_size=1, max_size=5), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
def test_what_is_written_as_csv_is_read_back(written: list[UsageRecord], delimiter: str, end: str, mark: bool) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(cells(written[0])), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(cells(record) for record in written)
    assert records(text.getvalue().encode("utf-8-sig" if mark else "utf-8")) == written


@given(st.lists(usage(), min_size=1, max_size=5))
def test_what_is_written_as_json_lines_is_read_back(written: list[UsageRecord]) -> None:
    import json

    assert records("\n".join(json.dumps(cells(record)) for record in written)) == written


def check_sound(content: bytes) -> None:
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    try:
        found = list(UsageReader(io.BytesIO(content)))
    except FileRefusedError:
        return
    for one in found:
        if isinstance(one, RejectedRow):
            assert 1 <= one.row <= lines
            assert one.reason
        else:
            assert one.cached_input_tokens <= one.input_tokens


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_clean_result(content: bytes) -> None:
    check_sound(content)


@settings(max_examples=300)
@given(
    st.binary(max_size=200) | st.text(st.sampled_from('",;\n\r\t0123456789eE.-{}[]:aT'), max_size=200).map(str.encode)
)
def test_any_bytes_after_a_header_give_a_clean_result(content: bytes) -> None:
    check_sound(f"{HEADER}\n{ROW}\n".encode() + content)


@settings(max_examples=200)
@given(st.text(st.sampled_from('{}[]",:\n 01e.-"timodelnpu_k'), max_size=200))
def test_any_text_like_json_gives_a_clean_result(text: str) -> None:
    check_sound(b'{"time": 1793448000, "model": "x", "input_tokens": 1, "output_tokens": 1}\n' + text.encode())
    check_sound(b"[" + text.encode())


def test_the_example_is_carrels_own_format() -> None:
    reader = UsageReader(data(f"{HEADER}\n{ROW}\n"))
    assert reader.layout == "carrel"
    assert [record.model for record in reader if isinstance(record, UsageRecord)] == ["gpt-4o"]
    assert reader.rows == 1


def test_own_columns_may_be_written_in_any_case() -> None:
    assert records(f"{HEADER.upper()}\n{ROW}\n")[0].input_tokens == 10
    row = '{"Time": 1793448000, "Model": "gpt-4o", "Input_Tokens": 3, "Output_Tokens": 4}'
    assert records(row)[0].input_tokens == 3


def test_a_provider_is_found_by_the_model_or_unknown() -> None:
    rows = [f"2026-10-31,{model},1,1" for model in ("gpt-4o", "claude-opus-5", "gemini-2.5-pro", "house-llm", "gpt-4o")]
    assert [record.provider for record in records("\n".join([HEADER, *rows]))] == [
        *("openai", "anthropic", "google", "unknown", "openai"),
    ]


def test_what_one_row_says_about_a_provider_is_not_taken_for_another() -> None:
    found = records(f"{HEADER},provider\n{ROW},azure\n{ROW},\n")
    assert [record.provider for record in found] == ["azure", "openai"]


def test_every_bad_row_has_its_line_and_the_good_ones_are_read() -> None:
    content = f"{HEADER}\n{ROW}\n\n2026-10-31,gpt-4o,-1,2\n{ROW}\n2026-10-31,,1,2\n"
    assert [(one.row, one.field) for one in rejected(content)] == [(4, "input_tokens"), (6, "model")]
    assert len(read(content)) == 4


def test_unknown_columns_are_listed_with_what_is_missing() -> None:
    failure = refused("time;llm;input_tokens\n1;2;3\n")
    assert (failure.code, failure.columns) == ("unknown_columns", ("time", "llm", "input_tokens"))
    assert failure.missing == ("model", "output_tokens")


@pytest.mark.parametrize("mapping", ["", "time=when model=gpt-4o"])
@pytest.mark.parametrize("more", ["", ",c1"])
def test_a_refusal_does_not_repeat_all_columns(mapping: str, more: str) -> None:
    header = ",".join(f"c{number}" for number in range(50_000)) + more
    failure = refused(f"{header}\n", mapping)
    assert failure.code == ("duplicate_columns" if more else "unknown_columns")
    assert len(failure.message) < 400
    assert len(failure.columns) <= 100


@pytest.mark.parametrize(
    ("content", "code"), [("", "empty_file"), ("[]", "no_rows"), ("[1]", "no_rows"), ('"x', "bad_quoting")]
)
def test_files_without_records(content: str, code: str) -> None:
    assert refused(content).code == code


def test_a_header_alone_gives_no_rows() -> None:
    assert read(HEADER) == []


def test_a_column_that_is_no_tag_is_refused_before_it_fills_the_memory() -> None:
    rows = "\n".join(f"{ROW},{number}" for number in range(MOST_NAMES + 1))
    assert refused(f"{HEADER},tag\n{rows}").code == "too_many_names"
