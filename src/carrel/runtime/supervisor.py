"""The supervisor: the agent that a request goes to first, and that chooses who answers it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from carrel.errors import AgentFailedError
from carrel.runtime.agent import Agent, AgentFunction, AgentResult, AgentRun
from carrel.runtime.registry import AgentRegistry, AgentSpec
from carrel.runtime.workflow import Step, StepResults, WorkflowOrchestrator

__all__ = ["Choose", "Supervisor", "choose_by_words", "supervised"]

Choose = Callable[[AgentRun], Awaitable[Sequence[str] | WorkflowOrchestrator]]
"""Names of agents, executed in order, each given what those before it answered; or a workflow."""

_WORD: Final = re.compile(r"[^\W_]+")
_IGNORED: Final = frozenset(
    {
        *("a", "agent", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "give", "how"),
        *("i", "in", "into", "is", "it", "its", "me", "my", "of", "on", "one", "or", "our", "please", "show", "tell"),
        *("that", "the", "their", "them", "this", "to", "us", "we", "what", "when", "where", "which", "who", "why"),
        *("will", "with", "you", "your"),
    }
)


class Supervisor:
    """Chooses the agents for a request, runs them and passes the last one's answer on.

    `choose` decides; it may `think` to say why. By default: the only other agent there is, else the one whose name and
    description share most words with the request.
    """

    name = "supervisor"
    description = "Chooses who answers a request, and passes the answer on."

    def __init__(self, choose: Choose | None = None) -> None:
        self._choose = choose or choose_by_words

    async def run(self, run: AgentRun) -> AgentResult:
        chosen = await self._choose(run)
        if not isinstance(chosen, WorkflowOrchestrator):
            names = (chosen,) if isinstance(chosen, str) else tuple(chosen)
            if not names:
                raise AgentFailedError(self.name, "no agent was chosen for this request")
            if len(names) == 1:
                return await run.run_agent(names[0], run.input)
            chosen = _in_order(names)
        return (await chosen.execute(run)).answer()


def supervised(
    agents: Iterable[type[Agent] | AgentFunction | AgentSpec], choose: Choose | None = None
) -> AgentRegistry:
    """A registry of `agents` that has a supervisor: their own when one is named so, else one with `choose`."""
    given = tuple(agents)
    names = AgentRegistry(given)
    if Supervisor.name in names:
        return names
    return AgentRegistry((AgentSpec(Supervisor.name, Supervisor.description, lambda: Supervisor(choose)), *given))


async def choose_by_words(run: AgentRun) -> Sequence[str]:
    """The default choice, with one thinking step that says why. Deterministic; calls no model."""
    agents = run.agents
    if not agents:
        raise AgentFailedError(Supervisor.name, "there is no other agent; register one")
    if len(agents) == 1:
        name = next(iter(agents))
        await run.think(f"{name} answers: it is the only agent here.")
        return (name,)
    name, shared = _best(run.input, agents)
    if shared:
        await run.think(f"{name} answers: its description speaks of {', '.join(shared)}, and so does the request.")
    else:
        await run.think(f"{name} answers: no agent's description shares a word with the request, and it comes first.")
    return (name,)


def _best(request: str, agents: Mapping[str, str]) -> tuple[str, Sequence[str]]:
    """The agent that shares most words with the request, the first of several, and those words of the request."""
    asked = _words(request)
    shared = {
        name: sorted(asked[stem] for stem in asked.keys() & _words(f"{name} {description}").keys())
        for name, description in agents.items()
    }
    best = max(shared, key=lambda name: len(shared[name]))
    return best, shared[best]


def _words(text: str) -> dict[str, str]:
    """Words that tell something, by what is left of them without the commonest English endings."""
    return {_stem(word): word for word in _WORD.findall(text.lower()) if word not in _IGNORED}


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + ("y" if ending == "ies" else "")
    return word


def _in_order(names: Sequence[str]) -> WorkflowOrchestrator:
    def given(before: StepResults) -> str:
        answers = [f"{name.split(':', 1)[1]} answered:\n{result.output}" for name, result in before.items()]
        return "\n\n".join([before.input, *answers])

    return WorkflowOrchestrator(
        [Step(f"{number}:{name}", agent=name, input=given) for number, name in enumerate(names, 1)]
    )
