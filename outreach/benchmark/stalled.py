"""Stalled: how fast one lane is while the provider of another answers nothing, and what memory that lane needs."""

from collections.abc import Callable
from datetime import timedelta
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
_UNDER_WAY = "select count(*) from touch where channel = 'sms' and state in ('queued', 'started')"


def measure(var: Path, *, touches: int, runs: int, in_flight: int, say: Say) -> dict[str, Any]:
    """Send emails ``runs`` times with a provider of texts at rest, and as often with one that takes 30 s to answer.

    They take turns, so that both meet the same machine. Texts are due in the stalled runs only.
    """
    with Sandbox(mute=True) as slow:
        slow.client.faults(latency_ms=STALL_SECONDS * 1000)
        with stage(var, OUTREACH_TWILIO_BASE_URL=slow.http_url) as here:
            return _measure(here, touches, runs, in_flight, say)


def _measure(here: Stage, touches: int, runs: int, in_flight: int, say: Say) -> dict[str, Any]:
    people = People(here.services.database_url)
    emails = [people.add(WARM_UP, START), *(people.add(touches, START) for _ in range(2 * runs))]
    for minute, who in enumerate(emails, start=1):
        people.plan_touches(who, "email", START, START + timedelta(minutes=minute))
        if minute > 1 and minute % 2:
            texts = people.add(in_flight // runs, START)
            people.plan_touches(texts, "sms", START, START + timedelta(minutes=minute))
    people.settle_down()
    people.close()
    calm, stalled, waiting = [], [], []
    with here.stack("sms", "email") as processes, psycopg.connect(here.services.database_url, autocommit=True) as line:
        _run(here, processes, line, 1, WARM_UP)
        for number in range(runs):
            calm.append(touches / _run(here, processes, line, 2 * number + 2, touches))
            stalled.append(touches / _run(here, processes, line, 2 * number + 3, touches))
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


def _run(here: Stage, processes: Stack, line: psycopg.Connection[Any], minute: int, touches: int) -> float:
    """Let a batch of emails fall due; returns the seconds until the carrier had all of them. Raises StuckError."""
    wanted = _count(line, _LEFT) + touches
    begun, due = monotonic(), START + timedelta(minutes=minute)
    here.clock.step_to(due)
    while _count(line, _LEFT) < wanted:
        if monotonic() > begun + STUCK_AFTER or processes.revive():
            raise StuckError("the emails did not leave; see the logs under var/bench/log")
        pause(LOOK_EVERY)
    return monotonic() - begun


def _count(line: psycopg.Connection[Any], query: str) -> int:
    row = line.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
