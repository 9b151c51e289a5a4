"""Options that several migration commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["FormatOption", "JobsOption", "OutputOption", "RecipeOption", "RootOption"]

RecipeOption = Annotated[Path, typer.Option("--recipe", metavar="FILE", help="The migration, written as data.")]
RootOption = Annotated[Path, typer.Option("--root", metavar="DIRECTORY", help="The code base.")]
JobsOption = Annotated[int, typer.Option("--jobs", metavar="N", min=0, help="Processes; 0 is one per processor.")]
FormatOption = Annotated[str, typer.Option("--format", metavar="FORMAT", help="How the result is written.")]
OutputOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the result here, not to the terminal.")]
