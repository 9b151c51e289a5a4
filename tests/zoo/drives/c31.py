"""Alice sends something long, Bob something short."""

from __future__ import annotations

import io

from tests.zoo.stage import Stage

__all__ = ["export", "frames"]


def frames(stage: Stage) -> tuple[str, str]:
    echo = stage.module.echo
    return echo(io.BytesIO(f"a long frame: {stage.alice.canary}".encode())), echo(io.BytesIO(b"hi"))


def export(stage: Stage) -> tuple[str, str]:
    to_csv = stage.module.to_csv
    return to_csv([["a name", "an address"], ["alice", stage.alice.canary]]), to_csv([["bob"]])
