"""The exports of OpenAI and LiteLLM, as they are documented and as they are found."""

from __future__ import annotations

import json

import pytest

from carrel.optimizer.imports.layouts import LAYOUTS, find_layout
from tests.optimizer.imports.reading import records, rejected

OPENAI_HEADER = (
    "start_time\tend_time\tstart_time_iso\tend_time_iso\tproject_id\tnum_model_requests\tuser_id\tapi_key_id\tmodel\t"
    "batch\tservice_tier\tinput_tokens\toutput_tokens\tinput_cached_tokens\tinput_uncached_tokens"
)
LITELLM = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "spend": 0.00125,
    "total_tokens": 120,
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "startTime": "2026-10-31T12:00:00.000Z",
    "endTime": "2026-10-31T12:00:01.500Z",
    "model": "gpt-4o",
    "custom_llm_provider": "openai",
    "metadata": {"additional_usage_values": {"prompt_tokens_details": {"cached_tokens": 64}}},
    "request_tags": ["bot", "User-Agent: x"],
}


def test_openais_export_counts_requests_and_writes_numbers_with_a_point() -> None:
    row = "1759622400\t1759708800\ta\tb\tproj_1\t10.0\tu\tk\tgpt-4o-2024-08-06\tTRUE\tx\t59200.0\t10646.0\t5760.0\t1"
    (record,) = records(f"{OPENAI_HEADER}\n{row}\n")
    assert record[:6] == (1_759_622_400_000_000, "openai", "gpt-4o-2024-08-06", 59200, 10646, 5760)
    assert (record.requests, record.batch, record.tag) == (10, True, "proj_1")


def test_a_bucket_in_which_nothing_was_used_is_no_record() -> None:
    assert records(f"{OPENAI_HEADER}\n1759622400\t1759708800\ta\tb{chr(9) * 11}\n") == []


def test_an_export_that_is_not_grouped_by_model_says_so() -> None:
    row = "1759622400\t1759708800\ta\tb\t\t10\t\t\t\t\t\t59200\t10646\t0\t1"
    (found,) = rejected(f"{OPENAI_HEADER}\n{row}\n")
    assert (found.row, found.field) == (2, "model")
    assert "grouped by model" in found.reason


def test_openais_usage_interface() -> None:
    result = {"input_tokens": 1000, "output_tokens": 500, "input_cached_tokens": 800, "num_model_requests": 5}
    page = {"data": [{"start_time": 1730419200, "results": [{**result, "model": "gpt-4o", "batch": None}]}]}
    (record,) = records(json.dumps(page))
    assert (record.model, record.input_tokens, record.cached_input_tokens, record.requests) == ("gpt-4o", 1000, 800, 5)


def test_litellms_spend_log_as_json_lines() -> None:
    (record,) = records(json.dumps(LITELLM))
    assert record[1:6] == ("openai", "gpt-4o", 100, 20, 64)
    assert (record.cost, record.latency_ms, record.tag) == (1_250_000, 1500.0, "bot")


def test_litellms_spend_log_as_csv_holds_json_in_cells() -> None:
    header = "startTime,endTime,model,prompt_tokens,completion_tokens,spend,metadata,request_tags,request_duration_ms"
    metadata = '"{""additional_usage_values"": {""cache_read_input_tokens"": 7}}"'
    row = f'2026-10-31 12:00:00.1234567,,claude-opus-5,100,20,0.5,{metadata},"[""bot""]",42'
    (record,) = records(f"{header}\n{row}")
    assert (record.provider, record.cached_input_tokens, record.tag) == ("anthropic", 7, "bot")
    assert (record.latency_ms, record.cost) == (42.0, 500_000_000)


@pytest.mark.parametrize("metadata", [None, "", "{", "[]", 5, {"additional_usage_values": None}])
@pytest.mark.parametrize("tags", [None, "", [], {}, "plain"])
def test_litellms_free_fields_may_hold_anything(metadata: object, tags: object) -> None:
    (record,) = records(json.dumps({**LITELLM, "metadata": metadata, "request_tags": tags}))
    assert record.cached_input_tokens == 0
    assert record.tag == ("plain" if tags == "plain" else "")


def test_a_duration_that_makes_no_sense_is_left_out() -> None:
    for end in ("2026-10-31T11:00:00Z", "soon"):
        (record,) = records(json.dumps({**LITELLM, "endTime": end}))
        assert record.latency_ms is None


def test_layouts_are_told_apart_by_their_columns() -> None:
    assert [layout.name for layout in LAYOUTS] == ["openai", "litellm", "carrel"]
    assert find_layout(("TIMESTAMP", "ContextTokens")) is None
