"""What the settings accept, and what they say together."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.errors import SettingsError
from carrel.runtime.limits import USER_LIMITS, RunLimits
from carrel.server.settings import Settings, default_data_dir


def test_all_three_openid_settings_together_are_accepted() -> None:
    settings = Settings(oidc_issuer="https://id", oidc_audience="carrel", oidc_jwks_url="https://id/keys")
    assert settings.oidc_audience == "carrel"
    with pytest.raises(SettingsError, match="https://"):
        Settings(oidc_issuer="https://id", oidc_audience="carrel", oidc_jwks_url="file:///etc/passwd")


@pytest.mark.parametrize(
    ("host", "environment", "guarded"),
    [
        ("127.0.0.1", "development", False),
        ("127.8.8.8", "development", False),
        ("::1", "development", False),
        ("localhost", "development", False),
        ("127.0.0.1", "production", True),
        ("0.0.0.0", "development", True),
        ("::", "development", True),
        ("192.168.1.5", "development", True),
        ("localhost.example.org", "development", True),
    ],
)
def test_what_others_can_reach_is_guarded(host: str, environment: str, guarded: bool) -> None:
    settings = Settings.model_validate({"host": host, "environment": environment})
    assert settings.guarded is guarded


def test_only_loopback_names_are_answered_on_loopback() -> None:
    assert "localhost" in Settings().hosts
    assert Settings(host="0.0.0.0").hosts == ()


def test_the_data_directory_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "carrel"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_data_dir() == Path.home() / ".local" / "share" / "carrel"
    assert Settings(data_dir=Path("~/x")).data_dir == Path.home() / "x"


def test_every_limit_can_be_set() -> None:
    settings = Settings(queued_runs=5, max_connections_per_user=6, events_per_second=7, run_seconds=1.5)
    assert settings.limits == RunLimits(queued_runs=5, connections_per_user=6, events_per_second=7, run_seconds=1.5)
    assert {"max_connections_per_user" if name == "connections_per_user" else name for name in USER_LIMITS} <= set(
        Settings.model_fields
    )
