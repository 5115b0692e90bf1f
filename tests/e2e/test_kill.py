"""The kill test: every process, the queue and the database die under load; nothing is sent twice and nothing is lost.

The witness is the carrier's own log: what it took, by our token for a text and by Message-ID for an email.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import redis

from channels.sandbox.client import Sandbox
from outreach import embedded
from outreach.clock import SteppedClock, monotonic, pause
from outreach.demo.world import carrier_environ
from outreach.stack import Services, Stack, child_environ, free_port, services
from outreach.store.named import queries
from tests.support.book import START, Someone, put
from tests.support.touching import plan_touch

WAVES = 8
PEOPLE_A_WAVE = 36
PATIENCE = 90.0
"""Real seconds the house gets to come to rest after the last blow."""

FAULTS = {
    "latency_ms": 120,
    "reset_after_accept_next": 0.04,
    "reset_before_accept_next": 0.04,
    "http_429_next": 0.04,
    "http_500_after_accept_next": 0.02,
    "smtp_drop_after_data_next": 0.03,
    "duplicate_callbacks": 0.3,
    "shuffle_callbacks": 0.3,
}
STOPPERS = 5
"""Every fifth person of the last waves answers STOP, while the web process is being killed."""


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

    def rest(self) -> None:
        """Let the house come to rest: step past every wait, look up what may be looked up, keep everything alive."""
        deadline = monotonic() + PATIENCE
        quiet = 0
        while quiet < 3:
            assert monotonic() < deadline, f"the house does not come to rest: {self.standing()}"
            self.stack.revive()
            waiting = self.ask(
                """select (select count(*) from touch where state in ('planned', 'deferred')),
                          (select count(*) from attempt where state = 'unknown' and channel = 'sms' and lookups < 2)"""
            )[0]
            carrier = self.sandbox.client.state(wait_seconds=0.2)
            busy = any(self.unfinished()) or carrier.pending
            if waiting[0] and not busy and self.clock.now() < START + timedelta(hours=6):
                self.step(timedelta(minutes=5))
            quiet = 0 if busy or any(waiting) else quiet + 1
            pause(0.05)


@contextmanager
def an_ordeal(var: Path, seed: int) -> Iterator[Ordeal]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    script = {"patterns": [{"match": "*", "temperament": "deliver"}]}
    with ExitStack() as stack:
        found = stack.enter_context(services(var, {}, database="kill"))
        sandbox = stack.enter_context(
            Sandbox(callback_base=url, script=script, seed=seed, start=START, log=var / "sandbox.jsonl")
        )
        clock = SteppedClock(var / "clock", START)
        environ = child_environ(
            found,
            **carrier_environ(sandbox),
            OUTREACH_CLOCK=f"stepped:{var / 'clock'}",
            OUTREACH_MODE="sandbox",
            OUTREACH_PUBLIC_URL=url,
            OUTREACH_API_KEYS="kill-test",
            OUTREACH_BATCH="6",
            OUTREACH_LEASE_SECONDS="3",
            OUTREACH_STRANDED_SECONDS="6",
            OUTREACH_VAR=str(var),
            PORT=str(port),
        )
        processes = stack.enter_context(Stack(environ, log_dir=var / "log"))
        yield Ordeal(found, sandbox, processes, clock, random.Random(seed))  # noqa: S311 - which process dies when


def wave(ordeal: Ordeal, number: int) -> list[Someone]:
    """Make more people due: two texts for every email."""
    people = []
    for each in range(PEOPLE_A_WAVE):
        n = number * PEOPLE_A_WAVE + each
        people.append(Someone(ref=f"K{n}", phone=f"+1212555{n:04}", email=f"k{n}@borrower.test"))
    put(ordeal.found.database_url, *people)
    for each, one in enumerate(people):
        plan_touch(ordeal.found.database_url, one, channel="email" if each % 3 == 2 else "sms")
    return people


def taken(ordeal: Ordeal) -> Counter[str]:
    """Count what the carrier took, by attempt."""
    attempts = dict(ordeal.ask("select token, attempt_id::text from attempt"))
    counted: Counter[str] = Counter()
    for entry in ordeal.sandbox.client.log():
        if entry["kind"] == "text_taken":
            counted[attempts[entry["token"]]] += 1
        elif entry["kind"] == "mail_taken":
            counted[entry["message_id"].strip("<>").split("@")[0]] += 1
    return counted


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [20270301])
def test_nothing_is_sent_twice_and_nothing_is_lost_whatever_dies(seed: int) -> None:
    # Not under pytest's own directory: every session that starts closes it to other users, of whom Postgres may be one.
    with TemporaryDirectory(prefix="outreach-kill-") as var, an_ordeal(Path(var), seed) as ordeal:
        ordeal.sandbox.client.faults(**FAULTS)
        stoppers: dict[str, Someone] = {}
        for number in range(WAVES):
            people = wave(ordeal, number)
            ordeal.until("select count(*) from attempt where state = 'started'", f"wave {number} under way")
            if number == 2:
                with redis.Redis.from_url(ordeal.found.redis_url) as valkey:
                    valkey.flushall()
                ordeal.blows.append("valkey.flush")
            elif number == 3:
                assert ordeal.found.valkey is not None
                ordeal.found.valkey.kill()
                assert ordeal.found.revive() == ["valkey"]
                ordeal.blows.append("valkey.kill")
            elif number == 5:
                embedded.restart_postgres(ordeal.found.postgres, "immediate")
                ordeal.blows.append("postgres.restart")
            for name in ordeal.chance.sample(["sms", "email", "scheduler", "web", "intake", "calls"], k=2):
                ordeal.kill(name)
            if number >= WAVES - 3:
                for one in people[::STOPPERS]:
                    assert one.phone is not None
                    stoppers[ordeal.sandbox.client.say(one.phone, "+12025550100", "STOP")] = one
        ordeal.sandbox.client.faults(**dict.fromkeys(FAULTS, 0))
        ordeal.rest()
        assert_nothing_twice(ordeal)
        assert_nothing_lost(ordeal)
        assert_every_receipt_and_stop_is_in(ordeal, stoppers)
        assert {"valkey.flush", "valkey.kill", "postgres.restart", "scheduler", "web", "sms"} <= set(ordeal.blows), (
            ordeal.blows
        )


def assert_nothing_twice(ordeal: Ordeal) -> None:
    counted = taken(ordeal)
    assert counted, "the carrier saw nothing: the test proves nothing"
    assert [key for key, times in counted.items() if times > 1] == []
    by_touch = Counter(
        touch for touch, attempt in ordeal.ask("select touch_id, attempt_id::text from attempt") if counted[attempt]
    )
    assert [touch for touch, times in by_touch.items() if times > 1] == [], "two attempts of one touch left"


def assert_nothing_lost(ordeal: Ordeal) -> None:
    counted = taken(ordeal)
    fates = ordeal.ask(
        """select t.touch_id, t.state, t.reason, t.channel, a.attempt_id::text, a.state, a.lookups
           from touch t left join lateral (
             select * from attempt a where a.touch_id = t.touch_id order by started_real_at desc limit 1) a on true"""
    )
    assert len(fates) >= WAVES * PEOPLE_A_WAVE
    for touch, state, reason, channel, attempt, how, lookups in fates:
        where = (touch, state, reason, channel, how, lookups)
        if state == "sent":
            assert counted[attempt] == 1, where
            assert how == "accepted", where
        elif state == "unknown":
            # Listed for a person; a text was looked up, and the carrier has no trace of it.
            assert how == "unknown", where
            assert channel == "email" or (lookups >= 2 and counted[attempt] == 0), where
        else:
            assert state in {"blocked", "expired", "cancelled", "failed"}, where
            assert reason, where
            assert not counted[attempt], where
    states = Counter(fate[1] for fate in fates)
    assert states["sent"] > states["unknown"], states


def assert_every_receipt_and_stop_is_in(ordeal: Ordeal, stoppers: dict[str, Someone]) -> None:
    """Hold what the house said it had taken against what it knows. What nobody took, the carrier gives up on."""
    assert ordeal.ask("select state, count(*) from inbox group by 1") == [
        ("applied", ordeal.ask("select count(*) from inbox")[0][0])
    ]
    log = list(ordeal.sandbox.client.log())
    delivered = {entry["ref"] for entry in log if entry["kind"] == "text_status" and entry["status"] == "delivered"}
    answered = [
        entry for entry in log if entry["kind"] in {"status_posted", "inbound_posted"} and entry["answer"] < 300
    ]
    taken_in = {entry["ref"] for entry in answered if entry.get("status") == "delivered"}
    heard = {entry["ref"] for entry in answered if entry["kind"] == "inbound_posted"}
    known = {
        row[0] for row in ordeal.ask("select provider_ref from attempt where outcome = 'delivered' and channel = 'sms'")
    }
    assert taken_in, "no receipt arrived: the test proves nothing"
    assert heard, "no stop arrived: the test proves nothing"
    assert taken_in <= known <= delivered
    stopped = ordeal.ask("select distinct borrower_id from suppression where channel = 'sms' and lifted_at is null")
    assert {row[0] for row in stopped} == {one.borrower_id for ref, one in stoppers.items() if ref in heard}
