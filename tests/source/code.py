"""Small code bases written into a test."""

from __future__ import annotations

from textwrap import dedent

from carrel.source import Outline, Project, read_outline


def project(files: dict[str, str], **options: object) -> Project:
    """A project of files given as text, by path."""
    outlines: dict[str, Outline] = {path: read_outline(dedent(text).encode()) for path, text in files.items()}
    return Project(files, outlines.__getitem__, **options)  # type: ignore[arg-type]
