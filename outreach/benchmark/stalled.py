"""Stalled: how fast one lane is while the provider of another answers nothing, and what memory that lane needs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from channels.sandbox.client import Sandbox
from outreach.benchmark.machine import middle, most_memory
from outreach.benchmark.people import People
from outreach.benchmark.stage import LOOK_EVERY, START, STUCK_AFTER, Stage, StuckError, stage
from outreach.clock import monotonic, pause
from outreach.stack import Stack

STALL_SECONDS = 30
WARM_UP = 400
IN_FLIGHT = 10_000

Say = Callable[[str], None]

_LEFT = "select count(*) from attempt where channel = 'email' and state = 'accepted'"
_HANDED_OVER = "select count(*) from attempt where channel = 'sms' and state = 'started'"
_UNDER_WAY = "select count(*) from touch where channel = 'sms' and state in ('queued', 'started')"


def measure(var: Path, *, touches: int, runs: int, in_flight: int, say: Say) -> dict[str, Any]:
    """Send emails ``runs`` times with a provider of texts at rest, and as often with one that takes 30 s to answer.

    They take turns, so that both meet the same machine. In the stalled runs ``in_flight`` texts in all fall due first;
    emails follow when as many of them as the lane takes at once wait for their answers.
    """
    with Sandbox(mute=True) as slow:
        slow.client.faults(latency_ms=STALL_SECONDS * 1000)
        with stage(var, OUTREACH_TWILIO_BASE_URL=slow.http_url) as here:
            return _measure(here, touches, runs, in_flight, say)


def _measure(here: Stage, touches: int, runs: int, in_flight: int, say: Say) -> dict[str, Any]:
    people = People(here.services.database_url)
    _plan(people, "email", 0, WARM_UP)
    for number in range(runs):
        _plan(people, "email", 3 * number + 1, touches)
        _plan(people, "sms", 3 * number + 2, in_flight // runs)
        _plan(people, "email", 3 * number + 3, touches)
    people.settle_down()
    people.close()
    calm, stalled, waiting = [], [], []
    with here.stack("sms", "email") as processes, psycopg.connect(here.services.database_url, autocommit=True) as line:
        _run(here, processes, line, 0, WARM_UP)
        for number in range(runs):
            calm.append(touches / _run(here, processes, line, 3 * number + 1, touches))
            _stall(here, processes, line, 3 * number + 2)
            stalled.append(touches / _run(here, processes, line, 3 * number + 3, touches))
            waiting.append(_count(line, _UNDER_WAY))
            say(f"stalled {number + 1}/{runs}: {calm[-1]:,.0f}/s calm, {stalled[-1]:,.0f}/s beside a stalled provider")
        memory = most_memory(processes.processes["sms"].popen.pid)
    return {
        "touches": touches,
        "runs": runs,
        "stall_seconds": STALL_SECONDS,
        "calm_per_second": middle(calm),
        "stalled_per_second": middle(stalled),
        "ratio": middle((slowed / well for slowed, well in zip(stalled, calm, strict=True)), 3),
        "waiting_at_the_end": waiting[-1],
        "memory": {"in_flight": waiting[-1], "worker_mib": memory},
    }


def _plan(people: People, channel: str, minute: int, touches: int) -> None:
    people.plan_touches(people.add(touches, START), channel, START, _due(minute))


def _due(minute: int) -> datetime:
    return START + timedelta(minutes=minute + 1)


def _stall(here: Stage, processes: Stack, line: psycopg.Connection[Any], minute: int) -> None:
    """Let texts fall due, and wait until no more of them are handed over for a second. Raises StuckError."""
    here.clock.step_to(_due(minute))
    begun = changed = monotonic()
    before = 0
    while monotonic() < changed + 1 or not before:
        if (now := _count(line, _HANDED_OVER)) != before:
            before, changed = now, monotonic()
        if monotonic() > begun + STUCK_AFTER or processes.revive():
            raise StuckError("the texts did not reach their provider; see the logs under var/bench/log")
        pause(LOOK_EVERY)


def _run(here: Stage, processes: Stack, line: psycopg.Connection[Any], minute: int, touches: int) -> float:
    """Let a batch of emails fall due; returns the seconds until the carrier had all of them. Raises StuckError."""
    wanted = _count(line, _LEFT) + touches
    begun = monotonic()
    here.clock.step_to(_due(minute))
    while _count(line, _LEFT) < wanted:
        if monotonic() > begun + STUCK_AFTER or processes.revive():
            raise StuckError("the emails did not leave; see the logs under var/bench/log")
        pause(LOOK_EVERY)
    return monotonic() - begun


def _count(line: psycopg.Connection[Any], query: str) -> int:
    row = line.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
