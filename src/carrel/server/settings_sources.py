"""Where settings are read from, and what is said about wrong ones."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, TomlConfigSettingsSource

from carrel.errors import SettingsError
from carrel.server.settings import PREFIX, Settings
from carrel.server.settings_wording import accepted

__all__ = ["CONFIG_VARIABLE", "export_env_file", "load_settings", "read_env_file"]

CONFIG_VARIABLE: Final = "CARREL_CONFIG"
"""Names the TOML file, and is therefore not itself a setting."""
ENV_FILE: Final = Path(".env")


def read_env_file(path: Path = ENV_FILE) -> dict[str, str]:
    """The variables of an `.env` file; empty when there is none."""
    if not path.is_file():
        return {}
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def export_env_file(path: Path = ENV_FILE) -> None:
    """Put what `.env` holds beside settings, such as a model provider's key, where libraries look for it."""
    for name, value in read_env_file(path).items():
        if not name.upper().startswith(PREFIX):
            os.environ.setdefault(name, value)


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """Settings from, strongest first: `overrides`, the environment, `.env`, and `config` or `carrel.toml`.

    An override that is None counts as not given. Raises `SettingsError` naming the first setting that is unknown or
    unusable, and what is accepted; it never contains a value.
    """
    file = _config_file(config)
    if file is not None:
        _refuse_unknown(_read_toml(file), {name: name for name in Settings.model_fields}, f"the file {file}")
    variables = {PREFIX + name.upper(): name for name in Settings.model_fields}
    for source, names in (("the file .env", read_env_file()), ("the environment", os.environ)):
        ours = [name for name in names if name.upper().startswith(PREFIX) and name.upper() != CONFIG_VARIABLE]
        _refuse_unknown(ours, variables, source)
    values: dict[str, Any] = {
        **TomlConfigSettingsSource(Settings, file)(),
        **DotEnvSettingsSource(Settings, ENV_FILE)(),
        **EnvSettingsSource(Settings)(),
        **{name: value for name, value in overrides.items() if value is not None},
    }
    try:
        return Settings(**{name: value for name, value in values.items() if name in Settings.model_fields})
    except ValidationError as error:
        raise _explain(error) from None


def _config_file(config: Path | None) -> Path | None:
    named = config or Path(os.environ.get(CONFIG_VARIABLE, ""))
    if named == Path():
        return Path("carrel.toml") if Path("carrel.toml").is_file() else None
    if not named.is_file():
        raise SettingsError("--config", f"there is no file {named}; write it or leave the option out")
    return named


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), f"is not TOML: {error}") from None
    except (UnicodeDecodeError, OSError) as error:
        raise SettingsError(str(path), f"cannot be read as UTF-8 text ({type(error).__name__})") from None


def _refuse_unknown(names: Iterable[str], known: Mapping[str, str], source: str) -> None:
    for name in names:
        if name not in known and name.upper() not in known:
            raise SettingsError(name, f"is not a setting (in {source}); {_suggest(name, known)}")


def _suggest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"


def _explain(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    problem = first["msg"].removeprefix("Value error, ")
    return SettingsError(PREFIX + name.upper(), f"{problem[:1].lower()}{problem[1:]}; accepted: {accepted(name)}")
