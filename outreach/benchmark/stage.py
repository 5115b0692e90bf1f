"""The stage of a benchmark: embedded services of its own, a mute carrier, the processes of a house, a stepped clock."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from channels.sandbox.client import Sandbox
from outreach.bootstrap import open_house
from outreach.clock import SteppedClock, monotonic, pause
from outreach.commands.indoors import NoQueue
from outreach.demo.world import carrier_environ
from outreach.flows.house import House
from outreach.flows.pacing import NoPacing
from outreach.settings import Settings, load_settings
from outreach.stack import Services, Stack, child_environ, free_port, read_procfile, services

START = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
"""Monday, ten in the morning in New York: inside every window."""

LOOK_EVERY = 0.02
"""Seconds between two looks at whether everything is settled: the end is never seen early, and at most this late."""

STUCK_AFTER = 180.0
_FAST = "100000"


class StuckError(Exception):
    """What was to be measured did not come to its end; the text says what is missing."""


@dataclass
class Stage:
    """Services, carrier, clock and the environment of every process."""

    services: Services
    sandbox: Sandbox
    clock: SteppedClock
    environ: dict[str, str]
    var: Path

    def stack(self, *lanes: str) -> Stack:
        """Return the scheduler and lanes (``sms2`` is a second process of ``sms``), not started yet."""
        commands = read_procfile()
        commands |= {lane: commands[lane.rstrip("23456789")] for lane in lanes}
        return Stack(self.environ, log_dir=self.var / "log", only=("scheduler", *lanes), commands=commands)

    def settings(self) -> Settings:
        """Return the settings of the processes."""
        return load_settings(self.environ)


@contextmanager
def stage(var: Path, **more: str) -> Iterator[Stage]:
    """Bring services and a mute carrier up under ``var`` with a fresh database, and take everything down again."""
    port = free_port()
    name = f"bench_{port}"
    with ExitStack() as stack:
        found = stack.enter_context(services(var, {}, database=name))
        stack.callback(_drop, found, name)
        sandbox = stack.enter_context(Sandbox(mute=True))
        clock = SteppedClock(var / "clock", START)
        fast = {f"OUTREACH_{lane}_{limit}": _FAST for lane in ("SMS", "EMAIL") for limit in ("PER_SECOND", "BURST")}
        told = {
            **carrier_environ(sandbox),
            **fast,
            "OUTREACH_CLOCK": f"stepped:{var / 'clock'}",
            "OUTREACH_MODE": "sandbox",
            "OUTREACH_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PORT": str(port),
        }
        yield Stage(found, sandbox, clock, child_environ(found, **{**told, **more}), var)


def _drop(found: Services, name: str) -> None:
    with psycopg.connect(found.postgres.get_uri("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


async def quiet_house(settings: Settings) -> House:
    """Open a house that reads and writes the store and sends nothing."""
    return await open_house(settings, NoQueue(), channels={}, pacer=NoPacing())


_UNSETTLED = """select exists (select from touch where state in ('planned', 'deferred') and not_before <= %(now)s)
  or exists (select from touch where state = 'queued') or exists (select from attempt where state = 'started')"""


class Watch:
    """Looks at a database from the outside."""

    def __init__(self, dsn: str, processes: Stack) -> None:
        self._line = psycopg.connect(dsn, autocommit=True)
        self._processes = processes

    def until_settled(self, now: datetime) -> float:
        """Wait until no touch due at ``now`` is unsettled; returns when (monotonic). Raises StuckError."""
        deadline = monotonic() + STUCK_AFTER
        while self._ask(_UNSETTLED, now=now):
            if monotonic() > deadline or self._processes.revive():
                raise StuckError("a process died, or the touches did not settle; see the logs under var/bench/log")
            pause(LOOK_EVERY)
        return monotonic()

    def sent(self) -> int:
        """Return how many attempts the carrier accepted so far."""
        return int(self._ask("select count(*) from attempt where state = 'accepted'"))

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()

    def _ask(self, query: str, **values: datetime) -> int:
        row = self._line.execute(query.encode(), values).fetchone()
        return row[0] if row else 0
