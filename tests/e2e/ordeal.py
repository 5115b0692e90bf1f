"""A real house and its carrier, to be hurt: every process, both services, one stepped clock, and a wait for rest."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from channels.sandbox.client import Sandbox
from outreach.clock import SteppedClock, monotonic, pause
from outreach.demo.world import carrier_environ
from outreach.stack import Services, Stack, child_environ, free_port, services
from outreach.store.named import queries
from tests.support.book import START

PATIENCE = 90.0
"""Real seconds the house gets to come to rest after the last blow."""


@dataclass
class Ordeal:
    """The house under test, its witness, and what was done to it."""

    found: Services
    sandbox: Sandbox
    stack: Stack
    clock: SteppedClock
    chance: random.Random
    blows: list[str] = field(default_factory=list)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the store, however often it has to be asked until it is there again."""
        deadline = monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(self.found.database_url, autocommit=True) as line:
                    return line.execute(query, values or None).fetchall()  # type: ignore[arg-type]
            except psycopg.OperationalError:
                if monotonic() > deadline:
                    raise
                pause(0.05)

    def until(self, query: str, wanted: str, seconds: float = PATIENCE) -> None:
        """Wait until a query returns something but zeros, keeping every process alive meanwhile."""
        deadline = monotonic() + seconds
        while not any(self.ask(query)[0]):
            assert monotonic() < deadline, f"{wanted}: not within {seconds:g} s; {self.standing()}"
            self.stack.revive()
            pause(0.02)

    def kill(self, name: str) -> None:
        self.stack.kill(name)
        self.blows.append(name)

    def step(self, ahead: timedelta) -> None:
        """Move both clocks."""
        self.clock.step_to(self.clock.now() + ahead)
        self.sandbox.client.set_clock(self.clock.now())

    def unfinished(self) -> tuple[int, ...]:
        query = queries("schedule")["unfinished"].replace("%(now)s", f"'{self.clock.now().isoformat()}'")
        return tuple(self.ask(query)[0])

    def standing(self) -> str:
        touches = self.ask("select state, reason, count(*) from touch group by 1, 2 order by 1, 2")
        restarts = {name: process.restarts for name, process in self.stack.processes.items()}
        return f"unfinished={self.unfinished()} touches={touches} blows={self.blows} restarts={restarts}"

    def rest(self, lookups: int = 2, stride: timedelta = timedelta(minutes=5)) -> None:
        """Let the house come to rest: step past every wait, look up what may be looked up, keep everything alive.

        Texts of unknown outcome are waited for until they were looked up so often.
        """
        deadline = monotonic() + PATIENCE
        quiet = 0
        while quiet < 3:
            assert monotonic() < deadline, f"the house does not come to rest: {self.standing()}"
            self.stack.revive()
            waiting = self.ask(
                """select (select count(*) from touch where state in ('planned', 'deferred')),
                     (select count(*) from attempt where state = 'unknown' and channel = 'sms' and lookups < %s)""",
                lookups,
            )[0]
            carrier = self.sandbox.client.state(wait_seconds=0.2)
            busy = any(self.unfinished()) or carrier.pending
            if waiting[0] and not busy and self.clock.now() < START + timedelta(hours=6):
                self.step(stride)
            quiet = 0 if busy or any(waiting) else quiet + 1
            pause(0.05)

    def taken(self) -> Counter[str]:
        """Count what the carrier took, by attempt: by our token for a text or call, by Message-ID for an email."""
        attempts = dict(self.ask("select token, attempt_id::text from attempt"))
        counted: Counter[str] = Counter()
        for entry in self.sandbox.client.log():
            if entry["kind"] in {"text_taken", "call_taken"}:
                counted[attempts[entry["token"]]] += 1
            elif entry["kind"] == "mail_taken":
                counted[entry["message_id"].strip("<>").split("@")[0]] += 1
        return counted


@contextmanager
def an_ordeal(
    var: Path, seed: int, script: dict[str, object], prepare: Callable[[str], None] | None = None, **more: str
) -> Iterator[Ordeal]:
    """Bring up services, carrier and every process under ``var``. ``more`` are settings of the house.

    ``prepare`` is called with the carrier's address before anything of the house starts.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        found = stack.enter_context(services(var, {}, database="ordeal"))
        sandbox = stack.enter_context(
            Sandbox(callback_base=url, script=script, seed=seed, start=START, log=var / "sandbox.jsonl")
        )
        if prepare is not None:
            prepare(sandbox.http_url)
        clock = SteppedClock(var / "clock", START)
        environ = child_environ(
            found,
            **{
                **carrier_environ(sandbox),
                "OUTREACH_CLOCK": f"stepped:{var / 'clock'}",
                "OUTREACH_MODE": "sandbox",
                "OUTREACH_PUBLIC_URL": url,
                "OUTREACH_API_KEYS": "ordeal",
                "OUTREACH_BATCH": "6",
                "OUTREACH_LEASE_SECONDS": "3",
                "OUTREACH_STRANDED_SECONDS": "6",
                "OUTREACH_VAR": str(var),
                "PORT": str(port),
                **more,
            },
        )
        processes = stack.enter_context(Stack(environ, log_dir=var / "log"))
        yield Ordeal(found, sandbox, processes, clock, random.Random(seed))  # noqa: S311 - which blow falls when
