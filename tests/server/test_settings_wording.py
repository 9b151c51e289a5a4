"""Every setting is told in words."""

from __future__ import annotations

from carrel.server.settings import Settings
from carrel.server.settings_wording import accepted, default_in_words


def test_every_setting_is_described_in_words() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert accepted(name), name
        assert default_in_words(name), name
