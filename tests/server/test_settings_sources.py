"""Where settings come from, and what is said about wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carrel.errors import SettingsError
from carrel.runtime.limits import MOST, RunLimits
from carrel.server.settings import PREFIX, Settings
from carrel.server.settings_sources import CONFIG_VARIABLE, load_settings, read_env_file

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_the_server_is_private() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.on_loopback, settings.guarded) == ("127.0.0.1", 8000, True, False)


def test_environment_beats_env_file_beats_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "carrel.toml").write_text('port = 1\nhost = "::1"\nlog_level = "error"\n')
    (tmp_path / ".env").write_text("CARREL_PORT=2\nCARREL_HOST=localhost\nOPENAI_API_KEY=x\n")
    monkeypatch.setenv("CARREL_PORT", "3")
    settings = load_settings()
    assert (settings.port, settings.host, settings.log_level) == (3, "localhost", "error")
    assert load_settings(port=4, host=None).port == 4


def test_config_file_is_named_by_option_or_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("port = 7")
    assert load_settings(tmp_path / "other.toml").port == 7
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "other.toml"))
    assert load_settings().port == 7
    with pytest.raises(SettingsError, match=r"there is no file .*missing\.toml"):
        load_settings(tmp_path / "missing.toml")


def test_lists_are_written_with_commas_or_as_toml_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "carrel.toml").write_text('allowed_hosts = ["a.example", "b.example"]')
    monkeypatch.setenv("CARREL_AGENTS", "one.two:A, three:B")
    settings = load_settings()
    assert settings.agents == ("one.two:A", "three:B")
    assert settings.hosts == settings.allowed_hosts == ("a.example", "b.example")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_SECRET", "")
    monkeypatch.setenv("CARREL_PORT", "")
    assert load_settings().secret is None


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CARREL_PROT", "1", "did you mean CARREL_PORT"),
        ("CARREL_QQQQQQQ", "1", "there are: CARREL_ENVIRONMENT, "),
        ("CARREL_PORT", "eighty", "a whole number at least 0 and at most 65535"),
        ("CARREL_PORT", "65536", "at most 65535"),
        ("CARREL_ENVIRONMENT", "prod", "development or production"),
        ("CARREL_DEMO_USER", "perhaps", "true or false"),
        ("CARREL_RUN_SECONDS", "0", "a number more than 0"),
        ("CARREL_AGENTS", "no_colon", "package.module:NAME"),
        ("CARREL_AGENTS", "a b:C", "package.module:NAME"),
        ("CARREL_ALLOWED_ORIGINS", "*", "https://chat.example.org"),
        ("CARREL_ALLOWED_ORIGINS", "https://x.example/path", "https://chat.example.org"),
        ("CARREL_OIDC_ISSUER", "https://id.example", "set all three or none"),
        ("CARREL_SECRET", "short", "32 characters"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.setting == variable
    assert said in str(caught.value)


def test_a_wrong_key_in_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "carrel.toml").write_text("prot = 1")
    with pytest.raises(SettingsError, match=r"prot: is not a setting \(in the file carrel.toml\); did you mean port"):
        load_settings()
    (tmp_path / "carrel.toml").write_text("= 1")
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings()
    (tmp_path / "carrel.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read as UTF-8"):
        load_settings()
    (tmp_path / "carrel.toml").unlink()
    (tmp_path / ".env").write_text("CARREL_PROT=1")
    with pytest.raises(SettingsError, match=r"in the file \.env"):
        load_settings()


@pytest.mark.parametrize("setting", ["secret", "port", "environment", "oidc_jwks_url"])
def test_no_value_is_ever_repeated(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv(PREFIX + setting.upper(), "hunter2")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


def test_the_secret_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_SECRET", SECRET)
    settings = load_settings()
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_an_env_file_is_optional(tmp_path: Path) -> None:
    assert read_env_file() == {}
    (tmp_path / ".env").write_text("A=1\nB\n")
    assert read_env_file() == {"A": "1"}


@pytest.mark.parametrize(
    "name", [name for name in Settings.model_fields if name in MOST or name == "max_connections_per_user"]
)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e30", "true", "", "many"])
def test_a_limit_that_is_none_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"CARREL_{name.upper()}"
    monkeypatch.setenv(variable, value)
    if value == "":
        assert load_settings().limits == RunLimits()
        return
    with pytest.raises(SettingsError, match=f"{variable}: .*accepted: a"):
        load_settings()


def test_a_limit_that_is_true_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "carrel.toml").write_text("queued_runs = true")
    with pytest.raises(
        SettingsError, match="CARREL_QUEUED_RUNS: is true or false; accepted: a whole number more than 0"
    ):
        load_settings()
