"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.cli.options import settings_from
from carrel.errors import SettingsError
from tests.cli.conftest import Run


def test_options_are_stronger_than_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text('port = 1234\ndata_dir = "a"')
    settings = settings_from(tmp_path / "some.toml", data_dir=Path("b"), host=None)
    assert (settings.port, settings.data_dir) == (1234, tmp_path / "b")


def test_a_wrong_option_is_named_like_its_variable(run: Run) -> None:
    with pytest.raises(SettingsError, match="CARREL_PORT"):
        settings_from(None, port=70_000)
