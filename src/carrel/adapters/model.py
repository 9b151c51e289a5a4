"""The model seam: a language model by name, as the shipped agents and `carrel doctor` use it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from carrel.errors import AgentFailedError, SettingsError
from carrel.runtime.agent import Usage

try:
    from pydantic_ai import exceptions, messages, models
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.usage import RequestUsage, RunUsage
except ImportError as error:
    raise ImportError(
        "carrel.adapters.model needs Pydantic AI: pip install 'carrel[pydantic-ai]'", name=error.name
    ) from error

__all__ = ["PydanticAIText", "model_from_name", "problem_of", "text_of", "usage_of"]

SETTING: Final = "CARREL_MODEL"

_VARIABLE: Final = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")
_INSTALL: Final = re.compile(r"pip install [\"']?([^\s\"'`]+)")

# First match wins, so the more special class stands first. Providers' own messages are left out: they quote the
# request, and some quote the key.
_PROBLEMS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.ModelAuthenticationError, "the model provider refused the key; the operator must check it"),
    (
        exceptions.ModelQuotaExceededError,
        "the model provider's quota is used up; the operator must raise it",
    ),
    (exceptions.ModelRateLimitError, "the model provider limits requests at the moment; try again later"),
    (
        exceptions.ModelNotFoundError,
        "the model provider does not know the model; the operator must check it",
    ),
    (exceptions.ModelContextWindowExceededError, "the conversation is too long for the model; start a new thread"),
    (exceptions.ModelTimeoutError, "the model provider did not answer in time; try again"),
    (exceptions.ModelConnectionError, "the model provider could not be reached; try again"),
    (exceptions.ModelRequestRejectedError, "the model provider rejected the request; ask in another way"),
    (exceptions.ModelAPIError, "the model provider reported an error; try again"),
    (exceptions.ContentFilterError, "the model provider's content filter stopped the answer; ask in another way"),
    (exceptions.UnexpectedModelBehavior, "the model gave no usable answer; try again"),
    (exceptions.UsageLimitExceeded, "the agent's limit for model usage is reached; ask for less"),
    (exceptions.RunCancelled, "the agent stopped itself; try again"),
    (exceptions.FallbackExceptionGroup, "none of the agent's models answered; try again"),
)


def problem_of(error: Exception) -> str | None:
    """What a model's failure means for the person who asked, and what to do; None for any other exception.

    Holds nothing that the provider sent, the HTTP status apart: answers of providers quote requests and keys.
    """
    for kind, problem in _PROBLEMS:
        if isinstance(error, kind):
            status = error.status_code if isinstance(error, exceptions.ModelHTTPError) else None
            return problem if status is None else f"{problem} (HTTP {status})"
    return None


def usage_of(usage: RunUsage | RequestUsage) -> Usage:
    """Tokens and cost as carrel counts them; a cost that Pydantic AI could not work out counts as 0."""
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=float(usage.cost or 0),
    )


def model_from_name(name: str) -> models.Model:
    """The model that `provider:model` names, for example `openai:gpt-5-mini` or `anthropic:claude-sonnet-4-5`.

    Makes no request, so a key is known to be set and not known to be good.
    Raises `SettingsError` naming what is missing: the provider, its package, or its environment variable.
    """
    provider, colon, model = name.partition(":")
    if not (provider and colon and model):
        raise SettingsError(
            SETTING, f"{name!r} is no model name; write provider:model, as in openai:gpt-5-mini or anthropic:…"
        )
    try:
        return models.infer_model(name)
    except (exceptions.UserError, ImportError, ValueError) as error:
        text = str(error)
    raise SettingsError(SETTING, _setting_problem(provider, name, text))


def _setting_problem(provider: str, name: str, text: str) -> str:
    package = _INSTALL.search(text)
    if package is not None:
        return f"{name!r} needs another package: pip install '{package[1]}'"
    variables = _VARIABLE.findall(text)
    if variables:
        return f"{name!r} needs the environment variable {variables[0]}; set it to your key or address for {provider}"
    return f"{name!r} names no provider that Pydantic AI knows; write openai:…, anthropic:… or another of its providers"


class PydanticAIText:
    """A model that turns instructions and a prompt into text; holds no state of any request.

    One instance serves all users: nothing of a call is kept after it.
    """

    __slots__ = ("_model",)

    def __init__(self, model: models.Model) -> None:
        self._model = model

    async def complete(
        self, instructions: str, prompt: str, on_text: Callable[[str], Awaitable[None]]
    ) -> tuple[str, Usage]:
        """The whole answer and what it cost; `on_text` is awaited with each piece as it arrives.

        Raises `AgentFailedError` when the model or its provider fails; what went wrong is said without secrets.
        """
        request = messages.ModelRequest.user_text_prompt(prompt, instructions=instructions)
        problem: str | None = None
        pieces: list[str] = []
        try:
            async with model_request_stream(self._model, [request]) as stream:
                async for event in stream:
                    piece = text_of(event)
                    if piece:
                        pieces.append(piece)
                        await on_text(piece)
                return "".join(pieces), _priced(stream.get())
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
        # Raised outside of the handler, so that the provider's exception does not travel along as its context.
        raise AgentFailedError("model", problem)


def _priced(response: messages.ModelResponse) -> Usage:
    usage = usage_of(response.usage)
    try:
        return replace(usage, cost_usd=float(response.cost().total_price))
    except (LookupError, ValueError):  # a model without a published price, or a provider that counted no tokens
        return usage


def text_of(event: object) -> str:
    """The piece of answer text in an event of Pydantic AI's stream, or an empty string."""
    if isinstance(event, messages.PartStartEvent) and isinstance(event.part, messages.TextPart):
        return event.part.content
    if isinstance(event, messages.PartDeltaEvent) and isinstance(event.delta, messages.TextPartDelta):
        return event.delta.content_delta
    return ""
