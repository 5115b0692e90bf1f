"""The demo's world: services, carrier, processes, one stepped clock, and the rule for when time may move."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe

import psycopg

from channels.sandbox.client import Reachable, Sandbox
from outreach.clock import SteppedClock, monotonic, pause
from outreach.stack import Services, Stack, child_environ, free_port, services
from outreach.store.named import queries

START = datetime(2027, 3, 1, tzinfo=UTC)
"""Monday. The example book's due dates are laid out around it."""

TICK = timedelta(hours=3)
"""Time stops every three hours at the finest: what fell due in between leaves together, within the permitted hours."""

PAST_THE_HOUR = timedelta(minutes=10)
"""Stops are a little past the hour: contact hours open five past it, campaigns run and plans step on it."""

BREATH = 0.03
"""Real seconds between two looks at whether everything has come to rest."""

LOOK_EVERY = 0.5
"""Real seconds between two looks at whether a process has died."""

STUCK_AFTER = 120.0
"""Real seconds without the system coming to rest, after which the demo says what it waits for and gives up."""


SENDER = "+12025550100"
"""The number that texts and calls of the demo come from."""


_IS_UNFINISHED = """
select exists (select from touch where state = 'queued')
  or exists (select from attempt where state = 'started')
  or exists (select from inbox where state = 'new')
  or exists (select from touch where state in ('planned', 'deferred') and not_before <= %(now)s)
  or (select min(next_due_at) from enrollment where state = 'active') <= %(now)s
  or exists (select from campaign where state = 'running' and next_run_at <= %(now)s)"""
"""Whether any count of `unfinished` is not nothing: the first that is found answers, since it is asked very often."""


class StuckError(Exception):
    """The system did not come to rest; the text says what is unfinished."""


@dataclass
class World:
    """Everything that runs, and how to move time."""

    clock: SteppedClock
    services: Services
    sandbox: Sandbox
    stack: Stack
    url: str
    api_key: str

    def __post_init__(self) -> None:
        self._line = psycopg.connect(self.services.database_url, autocommit=True)

    def close(self) -> None:
        """Give the observing connection back."""
        self._line.close()

    def unfinished(self) -> tuple[int, ...]:
        """Count unfinished work by kind: queued, started, inbox, ready, due, campaigns."""
        row = self._line.execute(queries("schedule")["unfinished"], {"now": self.clock.now()}).fetchone()
        return tuple(row or ())

    def is_unfinished(self) -> bool:
        """Say whether there is unfinished work of any kind."""
        return self._line.execute(_IS_UNFINISHED, {"now": self.clock.now()}).fetchone() == (True,)

    def rest(self) -> None:
        """Wait until nothing is due and nothing is under way anywhere. Raises StuckError."""
        deadline = monotonic() + STUCK_AFTER
        quiet, looked = 0, monotonic()
        while quiet < 2:
            if monotonic() > deadline:
                raise StuckError(
                    f"still unfinished: {self.unfinished()} and {self.sandbox.client.state().pending} at the carrier"
                )
            busy = self.is_unfinished() or self.sandbox.client.state(wait_seconds=5.0).pending
            quiet = 0 if busy else quiet + 1
            if busy:
                if monotonic() > looked + LOOK_EVERY:
                    self.stack.revive()
                    looked = monotonic()
                pause(BREATH)

    def next_instant(self, until: datetime, lender: datetime | None) -> datetime:
        """Return the next stop at which something has fallen due, at most ``until``."""
        row = self._line.execute(queries("schedule")["next_instant"]).fetchone()
        planned = [at for at in ((row or (None,))[0], self.sandbox.client.state().next_at, lender) if at is not None]
        if not planned:
            return until
        return min(until, max(_ceil(min(planned)), self.clock.now() + TICK))

    def step_to(self, at: datetime) -> None:
        """Move both clocks, wake the schedulers."""
        self.clock.step_to(at)
        self._line.execute("select pg_notify('outreach_due', '')")
        self.sandbox.client.set_clock(at)


def _ceil(at: datetime) -> datetime:
    behind = (at - START - PAST_THE_HOUR) % TICK
    return at + (TICK - behind if behind else timedelta(0))


@contextmanager
def world(
    var: Path, *, start: datetime = START, script: Mapping[str, object], seed: int, environ: dict[str, str]
) -> Iterator[World]:
    """Bring everything up on free ports under ``var`` with a fresh database, and take it down again."""
    port, api_key = free_port(), "demo-key"
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        found = stack.enter_context(services(var, environ, fresh=True))
        with psycopg.connect(found.database_url, autocommit=True) as line:
            # A book that is made anew at every start need not wait for the disk at each of its many small commits.
            line.execute("alter database outreach set synchronous_commit = off")
            # Small batches ask the same questions all the time: planning them anew costs more than asking.
            line.execute("alter database outreach set plan_cache_mode = force_generic_plan")
        sandbox = stack.enter_context(
            Sandbox(callback_base=url, script=script, seed=seed, start=start, log=var / "sandbox.jsonl")
        )
        clock = SteppedClock(var / "clock", start)
        house = child_environ(
            found,
            OUTREACH_CLOCK=f"stepped:{var / 'clock'}",
            OUTREACH_MODE="sandbox",
            OUTREACH_PUBLIC_URL=url,
            OUTREACH_API_KEYS=api_key,
            OUTREACH_PORTAL_SECRET=token_urlsafe(32),
            PORT=str(port),
            **carrier_environ(sandbox),
        )
        processes = stack.enter_context(Stack(house, log_dir=var / "log"))
        made = World(clock, found, sandbox, processes, url, api_key)
        stack.callback(made.close)
        yield made


def carrier_environ(sandbox: Reachable) -> dict[str, str]:
    """Return the settings that point every channel at the sandbox carrier."""
    return {
        "OUTREACH_TWILIO_BASE_URL": sandbox.http_url,
        "OUTREACH_TWILIO_ACCOUNT_SID": sandbox.account_sid,
        "OUTREACH_TWILIO_AUTH_TOKEN": sandbox.auth_token,
        "OUTREACH_SMS_SENDER": SENDER,
        "OUTREACH_SMS_PER_SECOND": "1000",
        "OUTREACH_SMS_BURST": "1000",
        "OUTREACH_EMAIL_PER_SECOND": "1000",
        "OUTREACH_EMAIL_BURST": "1000",
        "OUTREACH_CALLS_PER_SECOND": "200",
        "OUTREACH_SMTP_HOST": sandbox.smtp_host,
        "OUTREACH_SMTP_PORT": str(sandbox.smtp_port),
        "OUTREACH_SMTP_TLS": "none",
        "OUTREACH_INBOUND_MAIL_SECRET": sandbox.inbound_secret,
    }
