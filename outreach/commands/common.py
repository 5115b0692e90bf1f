"""What every command shares: output for people or machines, a house to work in, errors without traceback."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import psycopg
import typer
from rich.console import Console

from channels.errors import ConfigError as ChannelConfigError
from outreach.bootstrap import open_house
from outreach.domain.located_yaml import ConfigError
from outreach.domain.words import Level
from outreach.flows.campaigns import CampaignError
from outreach.flows.house import House
from outreach.flows.pacing import NoPacing
from outreach.logging import configure_logging
from outreach.settings import Settings, SettingsError, load_settings
from outreach.stack import services

T = TypeVar("T")

console = Console()
complaints = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

WRONG = 2
"""Exit code: the input or the configuration is wrong. 1 means that something was found or refused."""


class NoQueue:
    """Commands change the store; the scheduler finds what became due there."""

    async def dispatch(self, channel: str, touches: Iterable[object], *, level: Level = Level.BULK) -> None:
        """Leave it to the sweep."""

    async def intake(self, kind: str, inbox: Iterable[object]) -> None:
        """Leave it to the sweep."""


def fail(text: str, code: int = WRONG) -> NoReturn:
    """Say what is wrong and end."""
    complaints.print(text, style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode() + "\n")


def settings_or_fail() -> Settings:
    """Read the settings, or say what is wrong with them."""
    try:
        settings = load_settings()
    except SettingsError as error:
        fail(str(error))
    configure_logging("WARNING")
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; what users can cause becomes a sentence, not a traceback."""
    try:
        return asyncio.run(work)
    except ConfigError as error:
        fail("\n".join(str(problem) for problem in error.problems))
    except (CampaignError, ChannelConfigError, SettingsError) as error:
        fail(str(error))
    except psycopg.OperationalError as error:
        fail(f"the store does not answer: {type(error).__name__}")


@contextmanager
def reachable(settings: Settings) -> Iterator[Settings]:
    """Yield settings whose database is there: the one named, else the embedded one (started for as long as needed)."""
    with ExitStack() as stack:
        environ = dict(settings.environ) | {"OUTREACH_REDIS_URL": settings.redis_url or "unused"}
        found = stack.enter_context(services(settings.var, environ))
        yield replace(settings, database_url=found.database_url, redis_url=settings.redis_url)


@asynccontextmanager
async def a_house(settings: Settings) -> AsyncIterator[House]:
    """Open a house for one command: it reads and writes the store and never sends."""
    with reachable(settings) as ready:
        house = await open_house(ready, NoQueue(), channels={}, pacer=NoPacing())
        try:
            yield house
        finally:
            await house.close()


def read_instant(text: str | None) -> datetime | None:
    """Read ``2027-03-01T21:30:00-05:00``; an instant needs its offset."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is not an instant; write 2027-03-01T21:30:00-05:00")
    if at.tzinfo is None:
        fail(f"{text!r} has no offset from UTC; write 2027-03-01T21:30:00-05:00 or ...Z")
    return at.astimezone(UTC)


def lines_of(path: Path | None) -> Iterator[bytes]:
    """Yield the lines of a file, or of standard input for ``-``."""
    if path is None or str(path) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with path.open("rb") as source:
            yield from source
    except OSError as error:
        fail(f"{path}: {error.strerror}")
