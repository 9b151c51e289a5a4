from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from genai_prices import Usage as GenaiUsage
from genai_prices import calc_price
from pydantic_ai import exceptions, messages, models
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

from carrel.adapters.model import PydanticAIText, model_from_name, problem_of, text_of, usage_of
from carrel.errors import AgentFailedError, SettingsError
from carrel.optimizer import TextModel
from carrel.runtime.agent import Usage

SECRET = "sk-canary-4711"


@pytest.fixture(autouse=True)
def no_real_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


async def ignore(text: str) -> None:
    del text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai:gpt-5-mini", "OPENAI_API_KEY"),
        ("anthropic:claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("openrouter:some/model", "OPENROUTER_API_KEY"),
        ("ollama:llama3", "OLLAMA_BASE_URL"),
        ("groq:some-model", "pip install 'pydantic-ai-slim[groq]'"),
        ("nobody:some-model", "names no provider"),
        ("gpt-5-mini", "write provider:model"),
        ("openai:", "write provider:model"),
        ("", "write provider:model"),
    ],
)
def test_a_model_that_cannot_be_used_says_what_is_missing(name: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        model_from_name(name)
    assert caught.value.setting == "CARREL_MODEL"
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("openai:gpt-5-mini", "OPENAI_API_KEY"), ("anthropic:claude-sonnet-4-5", "ANTHROPIC_API_KEY")],
)
def test_a_model_with_its_key_is_made(name: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, SECRET)
    assert model_from_name(name).model_name == name.partition(":")[2]


async def test_it_is_what_the_shipped_agents_ask_for() -> None:
    model: TextModel = PydanticAIText(TestModel(custom_output_text="Fine."))
    assert (await model.complete("", "Hi", ignore))[0] == "Fine."


async def test_text_arrives_in_pieces_and_as_a_whole() -> None:
    pieces: list[str] = []

    async def take(text: str) -> None:
        pieces.append(text)

    text, usage = await PydanticAIText(TestModel(custom_output_text="One two three")).complete("Be brief.", "Hi", take)
    assert text == "".join(pieces) == "One two three"
    assert len(pieces) > 1
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


async def test_instructions_and_prompt_reach_the_model() -> None:
    async def echo(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        (request,) = history
        (prompt,) = request.parts
        assert isinstance(prompt, messages.UserPromptPart)
        yield f"{info.instructions} / {prompt.content!s}"

    text, _ = await PydanticAIText(FunctionModel(stream_function=echo)).complete("Be brief.", "Hi", ignore)
    assert text == "Be brief. / Hi"


async def test_a_model_with_a_published_price_costs_that() -> None:
    async def answer(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        yield "four words for you"

    model = FunctionModel(stream_function=answer, model_name="gpt-5-mini")
    _, usage = await PydanticAIText(model).complete("", "Hi", ignore)
    price = calc_price(
        GenaiUsage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens), "gpt-5-mini"
    ).total_price
    assert usage.cost_usd == float(price) > 0


async def test_a_failing_provider_is_reported_without_what_it_said() -> None:
    async def refuse(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        yield "Well"
        raise exceptions.ModelHTTPError(500, "gpt", body={"message": f"bad key {SECRET}"})

    with pytest.raises(AgentFailedError) as caught:
        await PydanticAIText(FunctionModel(stream_function=refuse)).complete("", "Hi", ignore)
    assert "HTTP 500" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_a_failure_of_the_caller_stays_what_it_is() -> None:
    async def broken(text: str) -> None:
        raise LookupError(text)

    with pytest.raises(LookupError):
        await PydanticAIText(TestModel()).complete("", "Hi", broken)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.ModelAuthenticationError("gpt", SECRET), "refused the key"),
        (exceptions.ModelHTTPError(418, "gpt", SECRET), "HTTP 418"),
        (exceptions.ModelRateLimitError("gpt", SECRET), "try again later"),
        (exceptions.ModelQuotaExceededError("gpt", SECRET), "quota"),
        (exceptions.ModelNotFoundError("gpt", SECRET), "does not know the model"),
        (exceptions.ModelContextWindowExceededError("gpt", SECRET), "start a new thread"),
        (exceptions.ModelTimeoutError("gpt", SECRET), "in time"),
        (exceptions.ModelConnectionError("gpt", SECRET), "could not be reached"),
        (exceptions.ModelAPIError("gpt", SECRET), "reported an error"),
        (exceptions.UnexpectedModelBehavior(SECRET, SECRET), "no usable answer"),
        (exceptions.UsageLimitExceeded(SECRET), "limit for model usage"),
        (exceptions.FallbackExceptionGroup(SECRET, [ValueError(SECRET)]), "none of the agent's models"),
    ],
)
def test_each_failure_says_what_to_do_and_quotes_nothing(error: Exception, expected: str) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert expected in problem
    assert SECRET not in problem


def test_any_other_exception_is_not_the_models_problem() -> None:
    assert problem_of(ValueError("x")) is None


def test_usage_keeps_tokens_and_cost() -> None:
    usage = RequestUsage(input_tokens=3, output_tokens=4)
    assert usage_of(usage) == Usage(input_tokens=3, output_tokens=4)
    usage.cost = Decimal("0.25")
    assert usage_of(usage).cost_usd == 0.25


def test_only_answer_text_counts_as_text() -> None:
    assert text_of(messages.PartStartEvent(index=0, part=messages.TextPart("a"))) == "a"
    assert text_of(messages.PartDeltaEvent(index=0, delta=messages.TextPartDelta("b"))) == "b"
    assert text_of(messages.PartStartEvent(index=0, part=messages.ThinkingPart("c"))) == ""
    assert text_of(messages.PartDeltaEvent(index=0, delta=messages.ThinkingPartDelta(content_delta="d"))) == ""


@pytest.mark.parametrize("module", ["carrel.adapters.model", "carrel.adapters.pydantic_ai"])
def test_without_the_extra_the_import_says_how_to_install_it(module: str) -> None:
    code = f"import sys; sys.modules['pydantic_ai'] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'carrel[pydantic-ai]'" in done.stderr.splitlines()[-1]
