"""Settings: read once from the environment, checked, frozen. Secrets come from nowhere else."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T", bound=str)

LEAST_SECRET = 32
"""Characters a secret must have at least."""

ROOT = Path(__file__).resolve().parent.parent


_LINKABLE = re.compile(r"(?=.{1,70}\Z)https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/-]*)?")


class SettingsError(Exception):
    """An environment variable that cannot be used; the text names it and what would be valid."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process was told.

    Empty ``database_url`` or ``redis_url`` means the embedded default under ``var``. ``clock`` is ``system`` or
    ``stepped:<file>``. ``public_url`` is where providers reach the web process. ``lease_seconds`` and
    ``stranded_seconds`` are how soon lost work is looked for: see outreach.flows.house.
    """

    var: Path
    config: Path
    templates: Path
    database_url: str
    redis_url: str
    public_url: str
    clock: str
    api_keys: tuple[str, ...] = field(repr=False)
    callback_secret: str = field(repr=False)
    portal_secrets: tuple[str, ...] = field(default=(), repr=False)
    mode: str = "production"
    log_level: str = "INFO"
    batch: int = 200
    database_pool: int = 8
    lease_seconds: int = 60
    stranded_seconds: int = 120
    exchange_days: int = 90
    exchange_key: str = field(default="", repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read ``OUTREACH_*``. Raises SettingsError naming the variable and the allowed values."""
    env = dict(os.environ if environ is None else environ)
    clock = env.get("OUTREACH_CLOCK", "system")
    if clock != "system" and not clock.startswith("stepped:"):
        raise SettingsError("OUTREACH_CLOCK: expected 'system' or 'stepped:<file>'")
    mode = env.get("OUTREACH_MODE", "production")
    if mode not in {"production", "sandbox"}:
        raise SettingsError("OUTREACH_MODE: expected 'production' or 'sandbox'")
    return Settings(
        var=Path(env.get("OUTREACH_VAR", ROOT / "var")),
        config=Path(env.get("OUTREACH_CONFIG", ROOT / "config")),
        templates=Path(env.get("OUTREACH_TEMPLATES", ROOT / "templates")),
        database_url=env.get("OUTREACH_DATABASE_URL", ""),
        redis_url=env.get("OUTREACH_REDIS_URL", ""),
        public_url=env.get("OUTREACH_PUBLIC_URL", "http://127.0.0.1:8080").rstrip("/"),
        clock=clock,
        api_keys=tuple(key for key in env.get("OUTREACH_API_KEYS", "").split(",") if key),
        callback_secret=env.get("OUTREACH_CALLBACK_SECRET", ""),
        portal_secrets=_portal_secrets(env),
        mode=mode,
        log_level=choice(env, "OUTREACH_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        batch=number(env, "OUTREACH_BATCH", 200, 1, 1000),
        database_pool=number(env, "OUTREACH_DATABASE_POOL", 8, 2, 100),
        lease_seconds=number(env, "OUTREACH_LEASE_SECONDS", 60, 1, 3600),
        stranded_seconds=number(env, "OUTREACH_STRANDED_SECONDS", 120, 1, 3600),
        exchange_days=number(env, "OUTREACH_EXCHANGE_DAYS", 90, 0, 3650),
        exchange_key=_long_enough(env, "OUTREACH_EXCHANGE_KEY"),
        environ=env,
    )


def _long_enough(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if value and len(value) < LEAST_SECRET:
        raise SettingsError(f"{name}: expected at least {LEAST_SECRET} characters")
    return value


def choice(env: Mapping[str, str], name: str, default: T, allowed: tuple[T, ...]) -> T:
    """Read one of several words, in any case. Raises SettingsError."""
    value = env.get(name) or default
    for each in allowed:
        if each.lower() == value.lower():
            return each
    raise SettingsError(f"{name}: expected one of {', '.join(allowed)}")


def _portal_secrets(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secret that signs portal links, then the one before it; none: there is no portal."""
    secret, previous = env.get("OUTREACH_PORTAL_SECRET", ""), env.get("OUTREACH_PORTAL_SECRET_PREVIOUS", "")
    for name, value in (("OUTREACH_PORTAL_SECRET", secret), ("OUTREACH_PORTAL_SECRET_PREVIOUS", previous)):
        if value and len(value) < LEAST_SECRET:
            raise SettingsError(f"{name}: expected at least {LEAST_SECRET} characters")
    if previous and not secret:
        raise SettingsError("OUTREACH_PORTAL_SECRET: expected a value, because OUTREACH_PORTAL_SECRET_PREVIOUS has one")
    if secret and not _LINKABLE.fullmatch(env.get("OUTREACH_PUBLIC_URL", "").rstrip("/") or "http://127.0.0.1"):
        raise SettingsError(
            "OUTREACH_PUBLIC_URL: expected http(s)://host[:port][/path] of at most 70 characters, for portal links"
        )
    return tuple(one for one in (secret, previous) if one)


def number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Read a whole number within bounds. Raises SettingsError."""
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name}: expected a whole number from {low} to {high}")
    return int(text)
