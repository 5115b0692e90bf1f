"""Callbacks: signed delivery news a second that one web process takes, and how long each waits at half that rate."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
import uvloop

from channels.sandbox.deliveries import twilio_signature
from outreach.benchmark.machine import Busy, middle, percentile
from outreach.benchmark.people import People
from outreach.benchmark.stage import START, Stage, StuckError, stage
from outreach.benchmark.trigger import until_up
from outreach.clock import monotonic

CONNECTIONS = 64
"""Connections that the provider keeps open, and so requests under way at once."""

Say = Callable[[str], None]

_SENT = """
insert into attempt (attempt_id, touch_id, decision_id, case_id, borrower_id, creditor_id, contact_point_id, channel,
  purpose, token, state, outcome, rank, template, template_hash, locale, policy_version, started_at, started_real_at,
  provider_ref)
select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), c.case_id, c.borrower_id, c.creditor_id,
  p.contact_point_id, 'sms', 'reminder', 'tok-' || row_number() over (), 'accepted', 'accepted', 10, 't', 'h', 'en-US',
  'p', %(at)s, %(at)s, 'SM' || md5(c.case_id::text)
from cases c join contact_point p on p.borrower_id = c.borrower_id and p.kind = 'phone'
returning token, provider_ref
"""


def measure(var: Path, *, callbacks: int, runs: int, say: Say) -> dict[str, Any]:
    """Post ``callbacks`` as fast as they are taken, then as many at half that rate, each of an attempt of its own."""
    with stage(var) as here:
        people = People(here.services.database_url)
        people.add(2 * callbacks * runs + CONNECTIONS, START)
        with psycopg.connect(here.services.database_url, autocommit=True) as line:
            sent = line.execute(_SENT.encode(), {"at": START}).fetchall()
        people.settle_down()
        people.close()
        requests = [_request(here, token, ref) for token, ref in sent]
        with here.stack("web", "intake") as processes:
            until_up(here, processes)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                meter = Busy({"web": [processes.processes["web"].popen.pid]})
                return runner.run(_measure(here, meter, requests, callbacks, runs, say))


async def _measure(
    here: Stage, meter: Busy, requests: list[bytes], callbacks: int, runs: int, say: Say
) -> dict[str, Any]:
    provider = await Provider.open(here.environ["OUTREACH_PUBLIC_URL"])
    await provider.post(requests[:CONNECTIONS])
    left = iter(requests[CONNECTIONS:])
    rates, busy, waits = [], [], list[float]()
    for number in range(runs):
        meter.start()
        begun = monotonic()
        await provider.post([next(left) for _ in range(callbacks)])
        rates.append(callbacks / (monotonic() - begun))
        busy.append(1000 * meter.seconds().get("web", 0.0) / callbacks)
        some = await provider.post([next(left) for _ in range(callbacks)], per_second=rates[-1] / 2)
        waits += some
        say(f"callbacks {number + 1}/{runs}: {rates[-1]:,.0f}/s, p99 {1000 * percentile(some, 0.99):.0f} ms at half")
    provider.close()
    return {
        "callbacks": callbacks,
        "runs": runs,
        "connections": CONNECTIONS,
        "per_second": middle(rates),
        "processor_ms": middle(busy, 3),
        "all_per_second": [round(rate, 1) for rate in rates],
        "p50_ms": round(1000 * percentile(waits, 0.5), 1),
        "p99_ms": round(1000 * percentile(waits, 0.99), 1),
    }


def _request(here: Stage, token: str, ref: str) -> bytes:
    """Return one status callback as the provider writes it, signed beforehand."""
    url = f"{here.environ['OUTREACH_PUBLIC_URL']}/v1/callbacks/sms?t={token}"
    fields = {
        "AccountSid": here.sandbox.account_sid, "ApiVersion": "2010-04-01", "From": "+12025550100",
        "To": "+12025550143", "MessageSid": ref, "SmsSid": ref, "MessageStatus": "delivered", "SmsStatus": "delivered",
    }  # fmt: skip
    body = urlencode(fields).encode()
    parts = urlsplit(url)
    head = (
        f"POST {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"X-Twilio-Signature: {twilio_signature(here.sandbox.auth_token, url, fields)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Provider:
    """Posts over connections that stay open, one request at a time on each."""

    def __init__(self, lines: Sequence[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        self._free = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        for line in lines:
            self._free.put_nowait(line)

    @classmethod
    async def open(cls, url: str) -> "Provider":
        """Open every connection."""
        address = urlsplit(url)
        lines = [await asyncio.open_connection(address.hostname, address.port) for _ in range(CONNECTIONS)]
        return cls(lines)

    async def post(self, requests: Sequence[bytes], per_second: float | None = None) -> list[float]:
        """Post everything; returns the seconds each took from the moment it was due. Raises StuckError."""
        begun = monotonic()
        tasks = [
            asyncio.create_task(self._post(raw, begun + number / per_second if per_second else begun))
            for number, raw in enumerate(requests)
        ]
        return await asyncio.gather(*tasks)

    async def _post(self, raw: bytes, due: float) -> float:
        if (wait := due - monotonic()) > 0:
            await asyncio.sleep(wait)
        reader, writer = line = await self._free.get()
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        self._free.put_nowait(line)
        if not head.startswith(b"HTTP/1.1 204"):
            raise StuckError(f"a callback was answered {head[9:12].decode('latin-1')}; see var/bench/log/web.log")
        return monotonic() - due

    def close(self) -> None:
        """Close every connection."""
        while not self._free.empty():
            self._free.get_nowait()[1].close()
