"""The whole way from a question to its answer."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from carrel.optimizer.agents.desk import PIECE, pieces
from tests.optimizer import independent
from tests.optimizer.agents.conftest import Desk
from tests.optimizer.conftest import EXAMPLE, Fill

GOLDEN = Path(__file__).with_name("where_can_i_cut.md")
RECORDS = independent.read()
pytestmark = pytest.mark.usefixtures("example_file")


def charts(answer: str) -> list[dict[str, object]]:
    return [json.loads(block) for block in re.findall(r"```carrel-chart\n(.*?)\n```", answer, re.DOTALL)]


async def test_where_the_bill_can_be_cut_is_answered_the_same_every_time(desk: Desk) -> None:
    result = await desk.ask("Where can I cut my AI bill?")
    assert result.status == "succeeded"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(result.output, encoding="utf-8")
    assert result.output == GOLDEN.read_text(encoding="utf-8")


async def test_its_figures_are_those_of_an_independent_computation(desk: Desk) -> None:
    answer = (await desk.ask("Where can I cut my AI bill?")).output
    savings = independent.savings(RECORDS)
    spent, saved = independent.total(RECORDS), sum(one.saved for one in savings)
    assert f"**${spent:,.2f}** from 2 to 31 October 2026" in answer
    assert f"**${saved:,.2f} a month**, {saved / spent:.0%} of it" in answer
    (chart,) = charts(answer)
    assert chart["series"] == [{"name": "saved per month", "values": [float(round(one.saved, 2)) for one in savings]}]


async def test_it_can_be_watched(desk: Desk) -> None:
    await desk.ask("Where can I cut my AI bill?")
    events = desk.events()
    assert [event.agent for event in events if event.type == "agent_started"] == [
        *("supervisor", "triage", "data", "optimization", "report"),
    ]
    thoughts = [event.data["text"] for event in events if event.type == "agent_thinking"]
    assert f"{len(RECORDS):,} records, 2 to 31 October 2026, 5 models, 5 tags." in thoughts
    assert {event.data["tool"] for event in events if event.type == "tool_executing"} == {
        *("usage_overview", "usage_breakdown", "usage_savings"),
    }
    said = "".join(event.data["text"] for event in events if event.type == "agent_message")
    assert said == events[-1].data["output"]


@pytest.mark.parametrize(
    ("question", "inside"),
    [
        ("What did I spend last week?", lambda record: record.time.date().isoformat() >= "2026-10-25"),
        ("What did I spend on gpt-5.4?", lambda record: record.model == "gpt-5.4"),
        ("What did I spend by tag?", lambda record: True),
        ("What did the support bot cost per day?", lambda record: record.tag == "support-bot"),
        ("Which model costs most?", lambda record: True),
        ("What goes to output tokens?", lambda record: True),
    ],
)
async def test_what_was_spent(desk: Desk, question: str, inside: object) -> None:
    assert callable(inside)
    answer = (await desk.ask(question)).output
    some = [record for record in RECORDS if inside(record)]
    assert f"**${independent.total(some):,.2f}**" in answer
    assert f"{len(some):,} requests" in answer
    assert charts(answer)


async def test_why_the_bill_rose(desk: Desk) -> None:
    answer = (await desk.ask("Why did my bill rise?")).output
    weeks = [
        independent.total(record for record in RECORDS if first <= record.time.date().isoformat() <= last)
        for first, last in (("2026-10-18", "2026-10-24"), ("2026-10-25", "2026-10-31"))
    ]
    assert f"rose from ${weeks[0]:,.2f} to ${weeks[1]:,.2f}" in answer
    assert "**support-bot on claude-opus-5**" in answer


async def test_what_a_move_would_save(desk: Desk) -> None:
    from dataclasses import replace

    answer = (await desk.ask("What if I moved claude-opus-5 to claude-haiku-4-5?")).output
    some = [record for record in RECORDS if record.model == "claude-opus-5"]
    after = independent.total(replace(record, model="claude-haiku-4-5") for record in some)
    assert f"**${after:,.2f}** instead of ${independent.total(some):,.2f}" in answer


async def test_a_follow_up_uses_the_thread(desk: Desk) -> None:
    answer = (await desk.ask("and only for the summariser?", earlier=["Where can I cut my AI bill?"])).output
    some = [record for record in RECORDS if record.tag == "summariser"]
    assert f"**${independent.total(some):,.2f}** for summariser from 2 to 31 October 2026" in answer
    assert "Cache the first" in answer
    assert "support-bot" not in answer


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("What is the capital of France?", "does not look like one"),
        ("hello", "I look at your own AI usage records"),
        ("What did gpt-9 cost?", "no records of the model gpt-9"),
        ("What did I spend in July?", "no records from 1 to 31 July 2026"),
        ("What did I spend before 2026-01-01?", "no records until 31 December 2025"),
        ("What did the support bot cost since 2027-01-01?", "with the tag support-bot since 1 January 2027"),
        ("What if I moved gpt-5.4 to foo-1?", "No list price is known for 'foo-1'"),
        ("Why did my bill rise on 5 October?", "records of two days or more"),
    ],
)
async def test_what_cannot_be_answered_is_said(desk: Desk, question: str, says: str) -> None:
    result = await desk.ask(question)
    assert result.status == "succeeded"
    assert says in result.output


async def test_without_records_it_says_what_to_upload(desk: Desk) -> None:
    answer = (await desk.ask("Where can I cut my AI bill?", user_id="new")).output
    assert "no usage records yet" in answer
    assert "examples/usage.csv" in answer


async def test_without_the_permission_nothing_is_read(desk: Desk) -> None:
    answer = (await desk.ask("Where can I cut my AI bill?", permissions=frozenset())).output
    assert "cannot be read" in answer
    assert "usage:read" in answer


async def test_a_users_answer_has_nothing_of_another(desk: Desk, fill: Fill) -> None:
    mine = (await desk.ask("Where can I cut my AI bill?")).output
    secret = [record._replace(tag="secret-project", model="gpt-4o") for record in EXAMPLE[:300]]
    await fill(secret, "eve")
    assert (await desk.ask("Where can I cut my AI bill?")).output == mine
    theirs = (await desk.ask("What did I spend by tag?", user_id="eve")).output
    assert "secret-project" in theirs
    assert "summariser" not in theirs
    assert {event.user_id for event in desk.events("ada")} == {"ada"}


@pytest.mark.parametrize("text", ["", "a", "a\n\nb", "x" * 2000, "\n\n".join("p" * 250 for _ in range(9)), "\n\na\n\n"])
def test_pieces_are_the_whole_text(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert all(len(piece) <= PIECE + 2100 for piece in found)
