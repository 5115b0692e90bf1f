"""Delivery: touches a second from due to settled through the whole house, beside the raw loop of the same adapters."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from outreach.benchmark.machine import Busy, middle
from outreach.benchmark.people import People
from outreach.benchmark.stage import START, Stage, StuckError, Watch, stage
from outreach.clock import monotonic
from outreach.settings import ROOT

PROCESSES = 2
WARM_UP = 800
"""Touches sent before anything is counted, so that every worker has its templates and connections."""

Say = Callable[[str], None]


def measure(var: Path, *, touches: int, runs: int, channels: tuple[str, ...], say: Say) -> dict[str, Any]:
    """Measure each channel ``runs`` times (``email_dkim``: signed by the house, and by the raw loop).

    Pipeline and raw loop take turns, so that both meet the same machine.
    """
    found: dict[str, Any] = {"touches": touches, "runs": runs, "processes": PROCESSES}
    for name in channels:
        channel, _, signed = name.partition("_")
        with stage(var, **(_signing() if signed else {})) as here:
            found[name] = _channel(here, channel, touches, runs, say)
    return found


def _signing() -> dict[str, str]:
    """Return the settings of a house that signs its mails itself, with a key of the usual length."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {"OUTREACH_DKIM_SELECTOR": "bench", "OUTREACH_DKIM_PRIVATE_KEY": pem}


def _channel(here: Stage, channel: str, touches: int, runs: int, say: Say) -> dict[str, Any]:
    people = People(here.services.database_url)
    say(f"delivery {channel}: filling the book")
    batches = [people.add(WARM_UP, START), *(people.add(touches, START) for _ in range(runs))]
    for minute, who in enumerate(batches, start=1):
        people.plan_touches(who, channel, START, START + timedelta(minutes=minute))
    people.settle_down()
    people.close()
    pipeline, raw, busy, raw_busy = [], [], [], []
    lanes = (channel, *(f"{channel}{number}" for number in range(2, PROCESSES + 1)))
    with here.stack(*lanes) as processes:
        watch = Watch(here.services.database_url, processes)
        meter = Busy(_groups(here, processes.processes, lanes))
        _run(here, watch, meter, 1, len(batches[0]))
        for number in range(runs):
            seconds, used = _run(here, watch, meter, number + 2, touches)
            pipeline.append(touches / seconds)
            busy.append({name: 1000 * spent / touches for name, spent in used.items()})
            sends, used = _raw(here, channel, touches)
            raw.append(sends)
            raw_busy.append({name: 1000 * spent / touches for name, spent in used.items()})
            say(f"delivery {channel} {number + 1}/{runs}: {pipeline[-1]:,.0f}/s, raw loop {raw[-1]:,.0f}/s")
        watch.close()
    return {
        "per_second": middle(pipeline),
        "raw_per_second": middle(raw),
        "ratio": middle((ours / theirs for ours, theirs in zip(pipeline, raw, strict=True)), 3),
        "all_per_second": [round(each, 1) for each in pipeline],
        "all_raw_per_second": [round(each, 1) for each in raw],
        "processor_ms_per_touch": _middles(busy),
        "raw_processor_ms_per_send": _middles(raw_busy),
    }


def _middles(busy: list[dict[str, float]]) -> dict[str, float]:
    return {name: middle((each[name] for each in busy), 3) for name in busy[0]}


def _groups(here: Stage, processes: dict[str, Any], lanes: tuple[str, ...]) -> dict[str, list[int]]:
    return {
        "workers": [processes[lane].popen.pid for lane in lanes],
        "scheduler": [processes["scheduler"].popen.pid],
        "postgres": [int((here.var / "postgres" / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])],
        "carrier": [here.sandbox.pid],
    }


def _run(here: Stage, watch: Watch, meter: Busy, minute: int, touches: int) -> tuple[float, dict[str, float]]:
    """Let a batch fall due by stepping the clock; returns the seconds until all of it was settled."""
    before = watch.sent()
    meter.start()
    begun = monotonic()
    here.clock.step_to(due := START + timedelta(minutes=minute))
    ended = watch.until_settled(due)
    used = meter.seconds()
    if (sent := watch.sent() - before) != touches:
        raise StuckError(f"{sent} of {touches} touches were sent; the benchmark counts only whole runs")
    return ended - begun, used


def _raw(here: Stage, channel: str, touches: int) -> tuple[float, dict[str, float]]:
    """Return sends a second of the raw loop over as many processes, and the processor seconds of its parts."""
    share = touches // PROCESSES
    command = [sys.executable, "-m", "outreach.benchmark.rawloop", channel, str(share)]
    loops = [
        subprocess.Popen(  # noqa: S603 - our own module
            command, env=here.environ, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    try:
        for loop in loops:
            _answer(loop)
        meter = Busy({"loops": [loop.pid for loop in loops], "carrier": [here.sandbox.pid]})
        begun = monotonic()
        for loop in loops:
            assert loop.stdin is not None  # noqa: S101 - it is a pipe
            loop.stdin.write("go\n")
            loop.stdin.flush()
        refused = sum(_answer(loop)["refused"] for loop in loops)
        seconds, used = monotonic() - begun, meter.seconds()
    finally:
        for loop in loops:
            loop.communicate()
    if refused:
        raise StuckError(f"the carrier refused {refused} sends of the raw loop")
    return share * PROCESSES / seconds, used


def _answer(loop: subprocess.Popen[str]) -> dict[str, Any]:
    assert loop.stdout is not None  # noqa: S101 - it is a pipe
    line = loop.stdout.readline()
    if not line:
        raise StuckError("a process of the raw loop died; its reason is on standard error")
    return dict(orjson.loads(line))
