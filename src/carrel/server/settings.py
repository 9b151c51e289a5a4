"""Every setting of the server: its name, what it means and what it accepts."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from carrel.errors import SettingsError
from carrel.runtime.limits import MOST, RunLimits, default_limits

__all__ = ["MIN_SECRET_LENGTH", "PREFIX", "Settings", "default_data_dir"]

PREFIX: Final = "CARREL_"
MIN_SECRET_LENGTH: Final = 32


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/carrel`, or `~/.local/share/carrel`."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "carrel"


def _split(value: object) -> object:
    """A list written in one environment variable: separated by commas or blanks."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _origin(value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        scheme, _, rest = origin.partition("://")
        if scheme not in ("http", "https") or not rest or "/" in rest or "*" in rest:
            raise ValueError("each origin is a scheme, a host and perhaps a port: https://chat.example.org")
    return tuple(origin.lower() for origin in value)


def _attribute_path(value: tuple[str, ...]) -> tuple[str, ...]:
    for path in value:
        module, colon, name = path.partition(":")
        if not colon or not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            raise ValueError("each is package.module:NAME, for example my_package.agents:AGENTS")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool):
        # Python counts with them; whoever writes `true` here means something else.
        raise ValueError("is true or false")  # noqa: TRY004 - what pydantic explains
    return value


def _limit(name: str, description: str) -> Any:
    """A setting that is the limit of that name for everybody for whom nothing else was set."""
    return Field(getattr(default_limits(), name), gt=0, le=MOST[name], description=description)


def _expand(value: Path) -> Path:
    return value.expanduser().absolute()


Count = Annotated[int, BeforeValidator(_number)]
Seconds = Annotated[float, BeforeValidator(_number)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[Names, AfterValidator(_origin)]
AttributePaths = Annotated[Names, AfterValidator(_attribute_path)]


class Settings(BaseSettings):
    """What `carrel serve` can be told; see `settings_sources` for where it is read from."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = Field(
        "development",
        description="`production` logs JSON and refuses demo users, sample ids and a missing secret.",
    )
    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on. Anything but a loopback address needs a secret and refuses demo users.",
    )
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes any free one.")
    data_dir: Annotated[Path, AfterValidator(_expand)] = Field(
        default_factory=default_data_dir,
        description="Directory of the database, uploads and the generated secret; made when missing.",
    )
    secret: SecretStr | None = Field(
        None,
        description="Key that signs access tokens, at least 32 characters. On a loopback address in development "
        "one is generated and kept in the data directory.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity logged.")
    demo_user: bool = Field(
        True,
        description="Whether the first start creates the user `demo`; only in development on a loopback address.",
    )
    default_permissions: Names = Field(
        ("usage:read", "usage:write"),
        description="Permissions of users added without any, and of users of the OpenID provider.",
    )
    allowed_hosts: Names = Field(
        (),
        description="Host names that requests may be for; `*.example.org` is any below. Empty: the loopback names "
        "on a loopback address, any otherwise.",
    )
    allowed_origins: Origins = Field(
        (), description="Further web origins whose pages may call the API and open WebSockets. Empty: same origin only."
    )
    trusted_proxies: Names = Field(
        (), description="Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    access_token_seconds: int = Field(900, ge=10, le=86_400, description="How long an access token is valid.")
    refresh_token_seconds: int = Field(
        30 * 86_400, ge=60, le=366 * 86_400, description="How long a session lasts without being used."
    )
    oidc_issuer: str | None = Field(None, description="Issuer (`iss`) of an OpenID provider whose tokens are accepted.")
    oidc_audience: str | None = Field(None, description="Audience (`aud`) that the provider's tokens must be for.")
    oidc_jwks_url: str | None = Field(None, description="Where the provider publishes its keys (`jwks_uri`).")
    model: str | None = Field(
        None,
        description="Model that the shipped agents use, `provider:name`, for example `openai:gpt-5-mini`; "
        "without one they work offline.",
    )
    agents: AttributePaths = Field(
        (), description="Agents to serve instead of the shipped ones: `package.module:NAME` of a tuple of agents."
    )
    tools: AttributePaths = Field(
        (), description="Tools to offer instead of the shipped ones: `package.module:NAME` of a tuple of tools."
    )
    run_seconds: Seconds = _limit("run_seconds", "Wall-clock time after which a run is ended.")
    slots: Count = _limit("slots", "Runs of all users at once; users take turns for them.")
    concurrent_runs: Count = _limit("concurrent_runs", "Runs of one user at once; more wait.")
    queued_runs: Count = _limit("queued_runs", "Runs of one user that may wait; one more is refused.")
    runs_per_minute: Count = _limit(
        "runs_per_minute", "Runs that one user may start: so many at once, and then as many a minute."
    )
    tool_calls_per_run: Count = _limit("tool_calls_per_run", "Tool calls of one run, sub-agents' included.")
    sub_agents_per_run: Count = _limit("sub_agents_per_run", "Sub-agents of one run, at any depth.")
    events_per_second: Count = _limit(
        "events_per_second",
        "Events that one user's runs may write: so many at once, and then as many a second. Beyond it agents can begin "
        "nothing new.",
    )
    max_connections_per_user: Count = _limit(
        "connections_per_user", "WebSocket and SSE connections that one user may have open."
    )
    stored_bytes: Count = _limit(
        "stored_bytes",
        "What the database keeps for one user, in bytes: text, and 100 bytes for every row. Beyond it nothing new is "
        "taken.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=MIN_SECRET_LENGTH,
        description="What a Prometheus server sends as `Authorization: Bearer` to read `/metrics`. Without one only "
        "this machine can, in development on a loopback address.",
    )
    max_body_bytes: int = Field(
        1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest request body, uploads excepted."
    )
    max_upload_bytes: int = Field(
        512 * 1024 * 1024, ge=1024, le=64 * 1024**3, description="Largest uploaded file with its form."
    )
    keep_events: int = Field(
        100_000, ge=100, le=1_000_000_000, description="Events kept in each user's log; older ones are dropped."
    )
    keep_days: float = Field(90.0, gt=0, le=36_500, description="Days for which events are kept.")
    shutdown_seconds: float = Field(
        10.0, ge=0, le=600, description="Time that open runs and connections get when the server stops."
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.secret is not None and len(self.secret.get_secret_value()) < MIN_SECRET_LENGTH:
            raise SettingsError(
                "CARREL_SECRET",
                f"is shorter than {MIN_SECRET_LENGTH} characters; make one with: openssl rand -hex 32",
            )
        provider = (self.oidc_issuer, self.oidc_audience, self.oidc_jwks_url)
        if any(provider) and not all(provider):
            raise SettingsError(
                "CARREL_OIDC_ISSUER", "needs CARREL_OIDC_AUDIENCE and CARREL_OIDC_JWKS_URL too: set all three or none"
            )
        if self.oidc_jwks_url is not None and not self.oidc_jwks_url.startswith(("https://", "http://")):
            raise SettingsError("CARREL_OIDC_JWKS_URL", "must begin with https:// (or http:// in a private network)")
        return self

    @property
    def database_file(self) -> Path:
        """Where everything is kept."""
        return self.data_dir / "carrel.db"

    @property
    def limits(self) -> RunLimits:
        """What every user may use for whom nothing else was set."""
        return RunLimits(
            run_seconds=self.run_seconds,
            slots=self.slots,
            concurrent_runs=self.concurrent_runs,
            queued_runs=self.queued_runs,
            runs_per_minute=self.runs_per_minute,
            tool_calls_per_run=self.tool_calls_per_run,
            sub_agents_per_run=self.sub_agents_per_run,
            events_per_second=self.events_per_second,
            connections_per_user=self.max_connections_per_user,
            stored_bytes=self.stored_bytes,
        )

    @property
    def production(self) -> bool:
        """Whether sample values are refused."""
        return self.environment == "production"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def guarded(self) -> bool:
        """Whether demo users and generated secrets are refused: in production, or when others can connect."""
        return self.production or not self.on_loopback

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that requests may be for; empty means any."""
        if self.allowed_hosts or not self.on_loopback:
            return self.allowed_hosts
        return ("localhost", "127.0.0.1", "[::1]", self.host)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        # `Settings(...)` is what its arguments say; `load_settings` reads the sources, and can say which is wrong.
        return (init_settings,)
