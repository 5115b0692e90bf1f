"""What commands that work in a house share: its services, the house itself, and errors without a traceback."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from channels.errors import ConfigError as ChannelConfigError
from outreach.commands.common import fail
from outreach.domain.located_yaml import ConfigError
from outreach.domain.words import Level
from outreach.flows.pacing import NoPacing
from outreach.settings import Settings, SettingsError

if TYPE_CHECKING:
    from outreach.flows.house import House

T = TypeVar("T")


class NoQueue:
    """Commands change the store; the scheduler finds what became due there."""

    async def dispatch(self, channel: str, touches: Iterable[object], *, level: Level = Level.BULK) -> None:
        """Leave it to the sweep."""

    async def intake(self, kind: str, inbox: Iterable[object]) -> None:
        """Leave it to the sweep."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; what users can cause becomes a sentence, not a traceback."""
    try:
        return asyncio.run(work)
    except Exception as error:
        if (text := _sentence(error)) is None:
            raise
        fail(text)


def _sentence(error: Exception) -> str | None:
    """Say what users can mend; None for what they cannot have caused."""
    import psycopg  # noqa: PLC0415 - loaded long ago where there is a house, and nobody's matter where there is none

    from outreach.flows.campaigns import CampaignError  # noqa: PLC0415 - as psycopg

    if isinstance(error, ConfigError):
        return "\n".join(str(problem) for problem in error.problems)
    if isinstance(error, CampaignError | ChannelConfigError | SettingsError):
        return str(error)
    if isinstance(error, psycopg.OperationalError):
        return f"the store does not answer: {type(error).__name__}"
    return None


@contextmanager
def reachable(settings: Settings) -> Iterator[Settings]:
    """Yield settings whose database is there: the one named, else the embedded one (started for as long as needed)."""
    from outreach.stack import services  # noqa: PLC0415 - help needs neither services nor a house

    with ExitStack() as stack:
        environ = dict(settings.environ) | {"OUTREACH_REDIS_URL": settings.redis_url or "unused"}
        found = stack.enter_context(services(settings.var, environ))
        yield replace(settings, database_url=found.database_url, redis_url=settings.redis_url)


@asynccontextmanager
async def a_house(settings: Settings) -> AsyncIterator["House"]:
    """Open a house for one command: it reads and writes the store and never sends."""
    from outreach.bootstrap import open_house  # noqa: PLC0415 - as services

    with reachable(settings) as ready:
        house = await open_house(ready, NoQueue(), channels={}, pacer=NoPacing())
        try:
            yield house
        finally:
            await house.close()
