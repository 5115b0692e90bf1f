"""Sweeps: what was lost on the way is found again; what may have left is looked up, never sent again."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from channels.contract import Found, LooksUp, LookupKey, Receipt
from channels.errors import SendError
from channels.exchange import Tape, known_of, recording
from outreach.domain.timeline import Entry
from outreach.domain.touch import RANK, Settlement, TouchMove
from outreach.domain.words import AttemptState, Outcome, TouchState
from outreach.flows.callbacks import sweep_inbox, take_news
from outreach.flows.exchanges import Asked, keep, purge, ref_of, row_of_asking
from outreach.flows.house import House
from outreach.flows.lines import let_go_of_lines
from outreach.flows.schedule import enqueue
from outreach.flows.switches import recall_late_calls, recall_switched_off, release
from outreach.flows.unsaid import hand_over_unsaid

LOOKUPS = 6
"""Look-ups before an attempt of unknown outcome is left to a person; it stays unknown and keeps its cap slot."""

ASKED_AT_ONCE = 10
"""Look-ups under way beside each other: one provider that does not answer holds up no other's."""

_log = structlog.get_logger(__name__)


async def sweep(house: House) -> dict[str, int]:
    """Run every sweep once; returns what each found."""
    return await sweep_store(house) | await ask_providers(house)


async def ask_providers(house: House) -> dict[str, int]:
    """Run the sweeps that wait for providers: a scheduler runs them beside its rounds, which no provider may stall."""
    found = {
        "called_off": await recall_switched_off(house),
        "recalled": await recall_late_calls(house),
        "looked_up": await look_up_unknown(house),
    }
    if any(found.values()):
        _log.info("asked providers", **found)
    return found


async def sweep_store(house: House) -> dict[str, int]:
    """Run the sweeps that need nothing but the store."""
    found = {
        "released": (await release(house)).total(),
        "requeued": await requeue_lost(house),
        "stranded": await find_stranded(house),
        "expired": await expire(house),
        "inbox": await sweep_inbox(house),
        "lines": await let_go_of_lines(house),
        "purged": await purge(house),
    }
    if any(found.values()):
        _log.info("swept", **found)
    return found


async def requeue_lost(house: House, limit: int = 2000) -> int:
    """Queue touches again whose lease ran out: the wake-up was lost with a process or with Redis."""
    real = house.clock.real()
    async with house.store.transaction() as tx:
        claimed = await tx.claim_lost(real, real + house.lease, limit)
    await enqueue(house, [(each.touch_id, each.channel, each.priority) for each in claimed])
    return len(claimed)


async def find_stranded(house: House, limit: int = 500) -> int:
    """Mark attempts whose process died between commit and settlement as unknown; returns how many."""
    async with house.store.transaction() as tx:
        now, real = house.clock.now(), house.clock.real()
        rows = await tx.claim_stranded(real - house.stranded_after, limit)
        if not rows:
            return 0
        await tx.settle_attempts(
            [
                Settlement(attempt, touch, case, AttemptState.UNKNOWN, Outcome.UNKNOWN, RANK[Outcome.UNKNOWN], now,
                           error_code="process_died", lookup_real_at=real)
                for attempt, touch, case, _ in rows
            ]
        )  # fmt: skip
        await tx.move_touches(
            [TouchMove(touch, TouchState.UNKNOWN, "process.died", settled_at=now) for _, touch, _, _ in rows]
        )
        await tx.append(
            [
                Entry(
                    case, now, "touch.unknown", {"touch_id": touch, "attempt_id": attempt, "reasons": ["process.died"]}
                )
                for attempt, touch, case, _ in rows
            ]
        )
    return len(rows)


async def expire(house: House, limit: int = 1000) -> int:
    """Close touches whose time has passed while they waited; returns how many."""
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = await tx.expire_touches(now, limit)
        await tx.append(
            [
                Entry(case, now, "touch.expired",
                      {"touch_id": touch, "step": step, "template": template, "reasons": ["expiry.passed"]})
                for touch, case, step, template in rows
            ]
        )  # fmt: skip
        await hand_over_unsaid(tx, [TouchMove(row[0], TouchState.EXPIRED, "expiry.passed") for row in rows], now)
    return len(rows)


async def look_up_unknown(house: House, limit: int = 50) -> int:
    """Ask providers what became of attempts of unknown outcome; returns how many were found."""
    async with house.store.transaction() as tx:
        rows = await tx.claim_lookups(house.clock.real(), limit)
        addresses = await tx.addresses({row[4] for row in rows})
        # Claimed rows move out of the way before any provider is asked, so that no connection is held meanwhile.
        await tx.postpone_lookups([_postponed(row, house.clock.real()) for row in rows])
    gate, kept = asyncio.Semaphore(ASKED_AT_ONCE), list[dict[str, Any] | None]()

    async def ask(row: Sequence[Any]) -> bool:
        async with gate:
            return await _look_up(house, row, addresses, kept)

    found = sum(await asyncio.gather(*(ask(row) for row in rows)))
    await keep(house, kept)
    return found


async def _look_up(
    house: House, row: Sequence[Any], addresses: dict[UUID, str], kept: list[dict[str, Any] | None]
) -> bool:
    """Ask about one attempt; what went over the wire is put into ``kept``."""
    attempt_id, _, _, _, point, channel, token, body, started_at, _, _ = row
    adapter = house.channels[channel]
    if not isinstance(adapter, LooksUp):
        return False
    key, tape = LookupKey(str(attempt_id), token, addresses[point], body, started_at.timestamp()), Tape()
    with recording(tape):
        answer = await _ask(adapter, key, channel)
    ended = answer if isinstance(answer, str) else str(answer.status) if answer else "no_trace"
    asked = Asked("look_up", channel, ref_of(token, None), known_of(key))
    kept.append(row_of_asking(house, asked, tape.trips, ended, house.clock.now()))
    if answer is None or isinstance(answer, str):
        return False
    await take_news(house, channel, [_receipt(attempt_id, token, answer)])
    return True


async def _ask(adapter: LooksUp, key: LookupKey, channel: str) -> Found | str | None:
    """Return what a provider knows, None without a trace, and the code of the error when it cannot be asked."""
    try:
        return await adapter.look_up(key)
    except SendError as error:
        _log.warning("look-up failed", channel=channel, attempt_id=key.attempt_id, code=error.code)
        return error.code
    except Exception as error:  # noqa: BLE001 - an adapter's bug must not keep the other attempts from being asked about
        _log.error("look-up broke", channel=channel, attempt_id=key.attempt_id, error=type(error).__name__)
        return "broke"


def _receipt(attempt_id: UUID, token: str, answer: Found) -> Receipt:
    return Receipt(
        dedupe_key=f"lookup:{attempt_id}:{answer.status}",
        status=answer.status,
        token=token,
        provider_ref=answer.provider_ref,
        provider_code=answer.provider_code,
        error_class=answer.error_class,
        decided_by=answer.decided_by,
        segments=answer.segments,
        price_micros=answer.price_micros,
        currency=answer.currency,
    )


def _postponed(row: Sequence[Any], real: datetime) -> dict[str, Any]:
    """Ask again later, with growing patience; after the last try nobody asks any more and the attempt stays listed."""
    tries = row[10] + 1
    again = None if tries >= LOOKUPS else real + timedelta(seconds=20 * 3 ** (tries - 1))
    return {"attempt_id": row[0], "lookups": tries, "lookup_real_at": again}
