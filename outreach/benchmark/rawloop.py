"""One process of the raw loop: the same adapters sending words rendered beforehand; no store, policy or queue."""

import asyncio
import sys
from datetime import date, timedelta

import orjson
import uvloop

from channels.contract import Channel, Outbound
from channels.errors import SendError
from outreach.benchmark.people import TEMPLATE, number_of
from outreach.bootstrap import make_channels, make_clock, make_pacer
from outreach.clock import monotonic
from outreach.domain import words
from outreach.domain.ids import new_id, new_token
from outreach.domain.money import Money
from outreach.flows.fields import short_ref
from outreach.flows.leaving import content_of
from outreach.rendering.catalog import Catalog
from outreach.rendering.fields import Borrower, CaseFields, Creditor, TouchFields
from outreach.rendering.render import Renderer
from outreach.settings import Settings, load_settings
from outreach.workers.app import spare_the_collector


def main() -> None:
    """Render ``count`` (second argument) contacts on a channel (first), say so, and send them when told to."""
    channel, count = sys.argv[1], int(sys.argv[2])
    settings = load_settings()
    outbounds = _render(settings, channel, count)
    spare_the_collector()  # as the lanes do
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_send(settings, channel, outbounds))


async def _send(settings: Settings, channel: str, outbounds: list[Outbound]) -> None:
    adapter = make_channels(settings, make_clock(settings).now)[channel]
    width = make_pacer(settings).concurrency(channel)
    await _drain(adapter, outbounds[:width], width)  # connections are open before the count begins, as in the lanes
    _say({"ready": True})
    sys.stdin.readline()
    start = monotonic()
    refused = await _drain(adapter, outbounds, width)
    _say({"seconds": monotonic() - start, "refused": refused})
    await adapter.close()


async def _drain(adapter: Channel, outbounds: list[Outbound], width: int) -> int:
    """Send everything, ``width`` at a time; returns how many were refused."""
    left = iter(outbounds)
    refused = 0

    async def sender() -> None:
        nonlocal refused
        for outbound in left:
            try:
                await adapter.send(outbound)
            except SendError:
                refused += 1

    await asyncio.gather(*(sender() for _ in range(width)))
    return refused


def _render(settings: Settings, channel: str, count: int) -> list[Outbound]:
    renderer = Renderer(Catalog.load(settings.templates))
    now = make_clock(settings).now()
    creditor = Creditor(
        "Harbour Card", "+12025550143", "care@example.com", "100 Example Street", "https://pay.example.com/k3f9"
    )
    due = (now - timedelta(days=5)).date()
    found = []
    for number in range(count):
        attempt_id, token = new_id(now), new_token()
        fields = _fields(creditor, short_ref(attempt_id), due, now.date())
        rendered = renderer.render(TEMPLATE, words.Channel(channel), "en-US", fields)
        address = f"b{number}@example.com" if channel == "email" else number_of(number)
        content = content_of(channel, rendered, token)
        found.append(Outbound(str(attempt_id), token, address, content, timedelta(hours=8)))
    return found


def _fields(creditor: Creditor, ref: str, due: date, today: date) -> TouchFields:
    owed = CaseFields("4821", "credit_card", Money(12_000, "USD"), Money(50_000, "USD"), due, (today - due).days)
    return TouchFields(Borrower("Ada", "Example"), creditor, owed, ref, today)


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(orjson.dumps(what).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
