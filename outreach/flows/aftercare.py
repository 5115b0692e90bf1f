"""Aftercare: once it is over, what a text or call cost is read at its provider; a text's words are taken off there."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from channels.contract import Aftermath, LooksAfter
from channels.errors import SendError
from channels.exchange import HttpTrip, Tape, recording
from outreach.flows.exchanges import Asked, row_of_asking
from outreach.flows.house import House
from outreach.flows.ports import Row

FIRST = timedelta(minutes=10)
"""How long after an attempt was taken its provider is asked first: most are over and priced by then."""

AGAIN = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=12), timedelta(days=1), timedelta(days=2))
"""How long to wait after each time that brought less than all. A text may wait 10 hours at its provider."""

BACK = timedelta(days=2)
"""How far back a channel begins whose aftercare is new, or was off."""

PAGE = 500
BATCH = 200
"""Attempts a provider is asked about in one go."""

PATIENCE = 60.0
"""Seconds for one go; what was not answered by then is asked again."""

WORDS_LEFT = "the provider still holds words that it was to drop; its console finds them by reference"

_log = structlog.get_logger(__name__)


async def look_after(house: House) -> int:
    """Look once after what is due on every channel; returns how many attempts need nothing more.

    Safe for any number of processes at once. Nothing of it is urgent, and nothing of it changes an outcome.
    """
    done = 0
    for channel, adapter in house.channels.items():
        if isinstance(adapter, LooksAfter) and adapter.cares:
            await _enlist(house, channel)
            done += await _ask(house, channel, adapter)
    return done


async def _enlist(house: House, channel: str) -> None:
    """Put what ended since the last time on the list, page by page, each attempt once."""
    while True:
        async with house.store.transaction() as tx:
            now = house.clock.now()
            page = await tx.aftercare_page(channel, now - BACK, now - FIRST, PAGE)
            if page:
                await tx.list_aftercare(channel, [row[0] for row in page if row[2]], page[-1], now)
        if len(page) < PAGE:
            return


async def _ask(house: House, channel: str, adapter: LooksAfter) -> int:
    """Ask about one batch. Its rows wait for their next time before anybody is asked, so nothing is asked twice."""
    async with house.store.transaction() as tx:
        now = house.clock.now()
        due = await tx.due_aftercare(channel, now, BATCH)
        await tx.postpone_aftercare([_postponed(row, now) for row in due])
    known = {row[1]: row for row in due if row[1] is not None}
    if not known:
        return 0
    tape = Tape()
    with recording(tape):
        said = {each.provider_ref: each for each in await _answers(channel, adapter, list(known))}
    rows = [_recorded(row, said[ref]) for ref, row in known.items() if ref in said]
    left = [ref for ref, row in known.items() if row[2] >= len(AGAIN) and _words_left(adapter, said.get(ref))]
    async with house.store.transaction() as tx:
        await tx.record_aftercare(rows, now)
        await tx.insert_exchanges(_exchanged(house, channel, tape, said, now))
        if left:
            await tx.open_alert("aftercare.words_left", channel, WORDS_LEFT, now)
    complete: int = sum(row["complete"] for row in rows)
    _log.info("looked after", channel=channel, attempts=len(known), complete=complete, words_left=len(left))
    return complete


def _exchanged(
    house: House, channel: str, tape: Tape, said: Mapping[str, Aftermath], now: datetime
) -> list[dict[str, Any]]:
    """Return what is kept of redactions. A price that was read has changed nothing there; it stands in the ledger."""
    rows = []
    for trip in tape.trips:
        if isinstance(trip, HttpTrip) and trip.about is not None and trip.method != "GET":
            ended = "words_off" if (got := said.get(trip.about)) and got.words_off else "words_left"
            rows.append(row_of_asking(house, Asked("redaction", channel, trip.about), [trip], ended, now))
    return [row for row in rows if row is not None]


def _words_left(adapter: LooksAfter, said: Aftermath | None) -> bool:
    """Tell whether words stay at the provider that were to go. Silence counts as yes where any are to go."""
    return adapter.takes_words_off if said is None else said.words_off is False


async def _answers(channel: str, adapter: LooksAfter, refs: Sequence[str]) -> list[Aftermath]:
    try:
        async with asyncio.timeout(PATIENCE):
            return list(await adapter.look_after(refs))
    except SendError as error:
        _log.warning("aftercare failed", channel=channel, code=error.code)
    except Exception as error:  # noqa: BLE001 - an adapter's bug must not keep the other channels from their turn
        _log.error("aftercare broke", channel=channel, error=type(error).__name__)
    return []


def _postponed(row: Row, now: datetime) -> dict[str, Any]:
    asked = row[2]
    return {
        "attempt_id": row[0],
        "aftercares": asked + 1,
        "aftercare_at": now + AGAIN[asked] if asked < len(AGAIN) else None,
    }


def _recorded(row: Row, said: Aftermath) -> dict[str, Any]:
    return {
        "attempt_id": row[0],
        "segments": said.segments,
        "price_micros": said.price_micros,
        "currency": said.currency,
        "words_off": said.words_off,
        "complete": said.complete,
    }
