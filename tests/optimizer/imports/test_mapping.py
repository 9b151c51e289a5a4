"""Column mappings: what is a column is a column, anything else a constant."""

from __future__ import annotations

import pytest

from carrel.errors import InputError
from carrel.optimizer.imports.mapping import parse_mapping
from tests.optimizer.imports.reading import data, read, records, refused

TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
FULL = "time=TIMESTAMP input_tokens=ContextTokens output_tokens=GeneratedTokens model=gpt-4o"


def test_columns_and_constants() -> None:
    (record,) = records(TRACE, f"{FULL} tag='coding service'")
    assert record[:5] == (1_700_158_623_979_960, "openai", "gpt-4o", 4808, 10)
    assert record.tag == "coding service"


def test_letter_case_of_columns_does_not_matter() -> None:
    assert records(TRACE, FULL.lower().replace("gpt-4o", "GPT-4o"))[0].model == "GPT-4o"


def test_columns_with_blanks_are_quoted() -> None:
    (record,) = records(
        "Start time,in,out\n2026-10-31,1,2\n", 'time="Start time" input_tokens=in output_tokens=out model=x'
    )
    assert record.input_tokens == 1


def test_fields_that_are_not_mapped_come_from_columns_of_their_name() -> None:
    (record,) = records("time,llm,input_tokens,output_tokens,tag\n2026-10-31,gpt-4o,1,2,bot\n", "model=llm")
    assert (record.model, record.tag) == ("gpt-4o", "bot")


def test_a_mapping_also_serves_json() -> None:
    (record,) = records('{"t": 1793448000, "i": 3, "o": 4}', "time=t input_tokens=i output_tokens=o model=gpt-4o")
    assert (record.input_tokens, record.output_tokens) == (3, 4)


@pytest.mark.parametrize(
    ("mapping", "missing"),
    [
        ("model=gpt-4o", ("time", "input_tokens", "output_tokens")),
        ("time=TIMSTAMP input_tokens=ContextTokens output_tokens=GeneratedTokens model=x", ("time",)),
        ("time=TIMESTAMP input_tokens=Context output_tokens=GeneratedTokens model=x", ("input_tokens",)),
    ],
)
def test_a_mapping_that_does_not_fit_names_what_is_missing(mapping: str, missing: tuple[str, ...]) -> None:
    failure = refused(TRACE, mapping)
    assert (failure.code, failure.missing) == ("unknown_columns", missing)
    assert failure.columns == ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time", "not of the form"),
        ("time=", "not of the form"),
        ("when=TIMESTAMP", "there is no field 'when'"),
        ("time=a time=b", "mapped twice"),
        ('time="a', "not closed"),
        ("x" * 5000, "longer than"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_mapping(text)
    assert caught.value.field == "mapping"


def test_a_blank_mapping_is_none() -> None:
    assert parse_mapping("  ") is None
    assert data("") is not None
    assert len(read(TRACE, FULL)) == 1
