"""What gates are given and what they give."""

from __future__ import annotations

import msgspec

from carrel.migrate.gates import GATES, judge
from carrel.migrate.gates.evidence import ChangedFile, Fired, PhaseEvidence
from carrel.migrate.recipe import Gates, parse_recipe

BROKEN = (ChangedFile(path="a.py", data=b"x =", compiled=True),)


def test_every_trigger_of_a_recipe_has_one_gate():
    assert sorted(gate.trigger for gate in GATES) == sorted(Gates().triggers)


def test_a_trigger_that_the_recipe_leaves_out_is_not_asked():
    assert [fired.trigger for fired in judge(PhaseEvidence(settings=Gates(), files=BROKEN))] == ["unparsable"]
    recipe = parse_recipe(
        'schema_version = 1\nname = "n"\n[[modules]]\nold = "a"\nnew = "b"\n[gates]\ntriggers = ["slower"]\n'
    )
    assert judge(PhaseEvidence(settings=recipe.gates, files=BROKEN)) == ()


def test_evidence_without_anything_is_no_reason():
    assert judge(PhaseEvidence(settings=Gates())) == ()


def test_a_reason_survives_the_journal():
    fired = Fired(trigger="slower", gate="suite", message="it is", details=("a", "b"))
    assert msgspec.json.decode(msgspec.json.encode(fired), type=Fired) == fired
