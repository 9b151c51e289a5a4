"""The reference page of the settings, written from the settings themselves."""

from __future__ import annotations

from typing import Final

from carrel.server.settings import PREFIX, Settings
from carrel.server.settings_sources import CONFIG_VARIABLE
from carrel.server.settings_wording import accepted, default_in_words

__all__ = ["settings_reference"]

_HEAD: Final = f"""\
# Settings

Every setting can be given in four places. The first that names it counts:

1. an option of `carrel serve`, where there is one (`--port 8080`);
2. an environment variable (`CARREL_PORT=8080`);
3. the file `.env` in the current directory (`CARREL_PORT=8080`);
4. the file `carrel.toml` in the current directory, or the one that `--config` or `{CONFIG_VARIABLE}` names
   (`port = 8080`).

Lists are written with commas in variables (`a,b`) and as arrays in TOML (`["a", "b"]`). An empty variable counts as
not given. A name that is no setting, and a value that is not accepted, keep the server from starting; the message
names what is accepted and never repeats the value. `carrel doctor` checks them without starting anything.

This page is written by `carrel.server.settings_reference`; a test compares the two.

| setting | variable | accepts | default |
|---|---|---|---|
"""


def settings_reference() -> str:
    """`docs/reference/settings.md`, Markdown."""
    rows = [
        f"| [`{name}`](#{name}) | `{PREFIX}{name.upper()}` | {accepted(name)} | {default_in_words(name)} |"
        for name in Settings.model_fields
    ]
    sections = [f"### {name}\n\n{field.description}\n" for name, field in Settings.model_fields.items()]
    return _HEAD + "\n".join(rows) + "\n\n## What they mean\n\n" + "\n".join(sections)
