"""Groups of commands, of which each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """A group whose commands are imported one by one, so that none of them pays for what another one needs.

    `homes` says where each command is, as `package.module:name`.
    """

    def __init__(self, *, homes: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._homes:
            return None
        module, _, attribute = self._homes[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
