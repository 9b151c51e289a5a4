"""The reference page and the settings say the same."""

from __future__ import annotations

from pathlib import Path

from carrel.server.settings import Settings
from carrel.server.settings_reference import settings_reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_page_is_what_the_settings_are() -> None:
    again = "python -c 'from carrel.server.settings_reference import *; print(settings_reference(), end=\"\")'"
    assert PAGE.read_text(encoding="utf-8") == settings_reference(), f"write it again: {again} > {PAGE}"


def test_every_setting_has_a_line_and_a_section() -> None:
    page = settings_reference()
    for name in Settings.model_fields:
        assert f"| [`{name}`](#{name}) | `CARREL_{name.upper()}` |" in page
        assert f"### {name}\n" in page
