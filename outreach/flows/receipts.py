"""Receipts: delivery news merges into what is known, forward only, in any order, any number of times."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from channels.errors import BadAddress, OptedOut, Rejected
from outreach.domain.disposition import disposition_of_call
from outreach.domain.intake import KnownAttempt
from outreach.domain.timeline import Entry
from outreach.domain.touch import FAILED, RANK, TouchMove, merge, merge_call, outcome_of_text, who_answered
from outreach.domain.words import SPOKEN, AttemptState, Outcome, TouchState
from outreach.flows.callbacks import MAX_TRIES, retry_at
from outreach.flows.contactability import give_up_worn, put_back_reached
from outreach.flows.house import House
from outreach.flows.lines import free_lines
from outreach.flows.ports import Tx
from outreach.flows.refusals import Refusals
from outreach.flows.settle import unlisted

# News worth an entry on the timeline; "sent" and "accepted" only repeat what touch.sent says.
_TOLD = frozenset(outcome for outcome, rank in RANK.items() if rank >= RANK[Outcome.BUSY])

# "released" is here for a provider that took what it had seemed to refuse: its touch must not be sent again.
_NOT_SETTLED = frozenset({AttemptState.STARTED, AttemptState.UNKNOWN, AttemptState.RELEASED})
_OPEN = frozenset({TouchState.UNKNOWN, TouchState.STARTED, TouchState.DEFERRED, TouchState.PLANNED, TouchState.QUEUED})

_ENDS = frozenset({BadAddress.code, OptedOut.code})
"""What ends the use of an address or a channel, whatever is known of the attempt."""

_COST = ("segments", "price_micros", "currency")

_log = structlog.get_logger(__name__)


async def apply_receipts(house: House, inbox: Sequence[UUID]) -> int:
    """Apply stored receipts; returns how many moved an attempt forward. Unknown references are retried, then parked."""
    moved = 0
    async for attempt in house.retry_store():
        with attempt:
            moved = await _apply(house, inbox)
    return moved


async def _apply(house: House, inbox: Sequence[UUID]) -> int:
    async with house.store.transaction() as tx:
        rows = await tx.claim_inbox(inbox)
        if not rows:
            return 0
        now = house.clock.now()
        known = _index(
            await tx.attempts_by_news(
                {row.payload["token"] for row in rows if row.payload.get("token")},
                {row.payload["provider_ref"] for row in rows if row.payload.get("provider_ref")},
            )
        )
        closed, news, entries = [], dict[UUID, dict[str, Any]](), list[Entry]()
        refusals, heard = Refusals(), list[tuple[UUID, str, dict[str, Any]]]()
        unread = dict[str, str | None]()
        for row in rows:
            attempt = known.get(row.payload.get("token") or "") or known.get(row.payload.get("provider_ref") or "")
            if attempt is None:
                parked = row.tries + 1 >= MAX_TRIES
                closed.append(
                    {"inbox_id": row.inbox_id, "state": "parked" if parked else "new", "note": "unknown reference",
                     "retry_real_at": None if parked else retry_at(house, row.tries)}
                )  # fmt: skip
                continue
            closed.append({"inbox_id": row.inbox_id, "state": "applied"})
            heard.append((attempt.attempt_id, attempt.channel, row.payload))
            moved = _merge(news.get(attempt.attempt_id), attempt, row.payload)
            if moved is None:
                continue
            news[attempt.attempt_id] = moved
            refusals.note(attempt, row.payload, now)
            entries += _told(attempt, moved, row.payload["status"], now)
            if row.payload.get("decided_by") and row.payload.get("error_class") == Rejected.code:
                unread[attempt.channel] = row.payload.get("provider_code")
        await tx.apply_news(list(news.values()), now)
        await free_lines(tx, heard, now)
        await _found_again(tx, house, [a for a in {id(a): a for a in known.values()}.values() if a.attempt_id in news])
        await refusals.write(tx, now)
        for channel, code in unread.items():
            await tx.open_alert("codes.unlisted", channel, unlisted(code), now)
        await _learn(tx, house, known.values(), news, now)
        await tx.close_inbox(closed)
        await tx.append(entries)
    _log.info("receipts applied", receipts=len(rows), moved=len(news))
    return len(news)


async def _learn(
    tx: Tx, house: House, attempts: Iterable[KnownAttempt], news: dict[UUID, dict[str, Any]], now: datetime
) -> None:
    """Take what arrived, and what did not, as news of the number or mailbox it went to. Calls say nothing of it.

    A complaint says that words were read and a dead address that they were not: neither is proof of a mailbox in use.
    """
    written = {each.attempt_id: each for each in attempts if each.attempt_id in news and each.channel not in SPOKEN}
    reached = [
        key for key in written if news[key]["rank"] >= RANK[Outcome.DELIVERED] and news[key]["error_code"] not in _ENDS
    ]
    if reached:
        await put_back_reached(tx, reached, now)
    failed = {each.contact_point_id for key, each in written.items() if news[key]["outcome"] in FAILED}
    await give_up_worn(tx, house, failed, now)


def _index(attempts: Sequence[KnownAttempt]) -> dict[str, KnownAttempt]:
    found = {attempt.provider_ref: attempt for attempt in attempts if attempt.provider_ref}
    return found | {attempt.token: attempt for attempt in attempts}


def _merge(so_far: dict[str, Any] | None, attempt: KnownAttempt, payload: dict[str, Any]) -> dict[str, Any] | None:
    """Merge one receipt; None when it changes nothing."""
    outcome, anomaly = (so_far["outcome"], so_far["anomaly"]) if so_far else (attempt.outcome, attempt.anomaly)
    answered_by = who_answered((so_far or {}).get("answered_by") or attempt.answered_by, payload.get("answered_by"))
    if attempt.channel in SPOKEN:
        merged, clash = merge_call(outcome, payload["status"], answered_by)
    else:
        merged, clash = merge(outcome, outcome_of_text(payload["status"]))
    known = so_far or {
        "answered_by": attempt.answered_by,
        "duration_seconds": None,
        "provider_ref": attempt.provider_ref,
        "error_code": attempt.error_code,
    }
    lasted = (payload.get("duration_seconds"), known["duration_seconds"])
    changed = {
        "attempt_id": attempt.attempt_id,
        "state": AttemptState.REJECTED if attempt.state == AttemptState.REJECTED else AttemptState.ACCEPTED,
        "outcome": merged,
        "rank": RANK[merged],
        "anomaly": clash or anomaly,
        "provider_ref": payload.get("provider_ref") or known["provider_ref"],
        "provider_code": payload.get("provider_code"),
        "error_code": payload.get("error_class") or known["error_code"],
        "answered_by": answered_by,
        "duration_seconds": max(filter(None, lasted), default=None),
        "decided_by": payload.get("decided_by"),
        **_cost(so_far, payload),
    }
    same = merged == outcome and changed["anomaly"] == anomaly and answered_by == known["answered_by"]
    # "This is spam" about what was delivered, or a dead mailbox behind a time-out: the outcome is no news, the rest is.
    same = same and (payload.get("error_class") in {None, known["error_code"]} or payload["error_class"] not in _ENDS)
    # So is what it cost, which a provider may only know later.
    same = same and all(payload.get(name) is None for name in _COST)
    settled = attempt.state not in {AttemptState.STARTED, AttemptState.UNKNOWN}
    return None if same and settled and changed["duration_seconds"] == known["duration_seconds"] else changed


def _cost(so_far: dict[str, Any] | None, payload: dict[str, Any]) -> dict[str, Any]:
    return {name: (so_far or {}).get(name) if (said := payload.get(name)) is None else said for name in _COST}


def _told(attempt: KnownAttempt, moved: dict[str, Any], status: str, now: datetime) -> list[Entry]:
    if moved["outcome"] not in _TOLD or (moved["outcome"] == attempt.outcome and not moved["anomaly"]):
        return []
    told = {
        "attempt_id": attempt.attempt_id,
        "touch_id": attempt.touch_id,
        "channel": attempt.channel,
        "outcome": moved["outcome"],
        "provider_code": moved["provider_code"],
        "anomaly": moved["anomaly"],
    }
    if attempt.channel in SPOKEN:
        told["disposition"] = disposition_of_call(moved["outcome"], moved["answered_by"], moved["error_code"], status)
    return [Entry(attempt.case_id, now, "receipt", told)]


async def _found_again(tx: Tx, house: House, attempts: Sequence[KnownAttempt]) -> None:
    """Settle touches that a receipt speaks of and nobody else has settled: they did leave, whatever we thought."""
    lost = {a.touch_id for a in attempts if a.state in _NOT_SETTLED}
    if not lost:
        return
    states = await tx.touches_of_attempts(lost)
    await tx.move_touches(
        [
            TouchMove(touch, TouchState.SENT, None, settled_at=house.clock.now())
            for touch, state in states.items()
            if state in _OPEN
        ]
    )
