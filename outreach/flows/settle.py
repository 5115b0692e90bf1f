"""Send a decided batch and settle it: the one place that acts on how a provider call ended."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from channels.contract import WHATSAPP, Accepted, Mail, Outbound, Text
from channels.errors import (
    BadAddress,
    Misconfigured,
    NotSent,
    OptedOut,
    OutcomeUnknown,
    Rejected,
    SendError,
    Unavailable,
)
from channels.exchange import Tape, recording
from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry
from outreach.domain.touch import RANK, Settlement, Touch, TouchMove
from outreach.domain.words import WHATSAPP_CONSENT, AttemptState, Outcome, TouchState
from outreach.flows.contactability import demoted
from outreach.flows.exchanges import row_of_send
from outreach.flows.house import House
from outreach.flows.lookout import SWITCHED_OFF, Lookout, Scope
from outreach.flows.ports import Tx
from outreach.flows.unsaid import hand_over_unsaid

SEND_TIMEOUT = 90.0
"""Seconds after which a send that its adapter did not end is treated as of unknown outcome."""

FIRST_LOOKUP = timedelta(seconds=20)
BACKOFF = timedelta(minutes=2)
MAX_TRIES = 6
"""Attempts of one touch on one channel that may be turned away before its next channel is asked for."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt on its way: what is needed to settle it. After ``leave_by`` it may not reach anybody.

    ``tape`` holds what went over the wire, raw, until then.
    """

    touch: Touch
    attempt_id: UUID
    contact_point_id: UUID
    outbound: Outbound
    decision_id: UUID
    scopes: frozenset[Scope]
    leave_by: datetime
    tape: Tape = field(default_factory=Tape, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Halted:
    """It was not handed to the provider: switched off after it was decided, or nobody can say whether it is."""

    reason: str
    switches: tuple[str, ...]


Ending = tuple[Sent, Accepted | SendError | Halted]

_BACK = frozenset({TouchState.DEFERRED, TouchState.PLANNED, TouchState.PAUSED})


async def send_all(house: House, channel: str, sends: Sequence[Sent]) -> list[Ending]:
    """Make the provider calls of a batch concurrently; no connection to the store is held meanwhile.

    A kill switch that is set meanwhile stops what has not been handed over yet.
    """
    adapter = house.channels[channel]
    gate = asyncio.Semaphore(house.pacer.concurrency(channel))

    async def one(sent: Sent, lookout: Lookout) -> Ending:
        async with gate:
            if (against := lookout.objects(sent.scopes)) is not None:
                return sent, Halted(*against)
            try:
                with recording(sent.tape):
                    async with asyncio.timeout(SEND_TIMEOUT):
                        return sent, await adapter.send(_in_time(sent, house.clock.now()))
            except SendError as error:
                return sent, error
            except Exception as error:  # noqa: BLE001 - whatever else happened around a send, it may have left
                return sent, OutcomeUnknown(type(error).__name__)

    async with Lookout(house) as lookout:
        return list(await asyncio.gather(*(one(sent, lookout) for sent in sends)))


def _in_time(sent: Sent, now: datetime) -> Outbound:
    """Return what leaves, valid for what is left of its window now: it may have waited long for its turn.

    Raises Unavailable when nothing is left.
    """
    left = sent.leave_by - now
    if left <= timedelta(0):
        raise Unavailable("window closed while it waited for its turn")
    return replace(sent.outbound, validity=left)


@dataclass(slots=True)
class _Books:
    settlements: list[Settlement]
    moves: list[TouchMove]
    entries: list[Entry]
    dead_points: list[dict[str, Any]]
    demotions: list[Entry]
    suppressions: list[dict[str, Any]]
    alerts: list[tuple[str, str]]
    unlisted: list[tuple[str, str | None]]
    tally: dict[str, int]
    exchanges: list[dict[str, Any]] = field(default_factory=list)


async def settle(house: House, endings: Sequence[Ending]) -> dict[str, int]:
    """Record how every attempt of a batch ended; tries again while the store is away, because a retry is harmless."""
    now = house.clock.now()
    books = _Books([], [], [], [], [], [], [], [], {})
    for sent, ending in endings:
        if isinstance(ending, Accepted):
            _accepted(books, sent, ending, now)
        elif isinstance(ending, Halted):
            _halted(books, sent, ending, now)
        else:
            _refused(house, books, sent, ending, now)
        if not isinstance(ending, Halted):
            _exchanged(house, books, sent, ending, now)
    async for attempt in house.retry_store():
        with attempt:
            await _write(house, books, now)
    return books.tally


async def _write(house: House, books: _Books, now: datetime) -> None:
    async with house.store.transaction() as tx:
        await tx.lock_attempts([row.attempt_id for row in books.settlements])
        states = await tx.settle_attempts(books.settlements)
        overtaken = [row for row in books.settlements if row.state != states.get(row.attempt_id, row.state)]
        moves, entries = _believe_receipts(books, overtaken, now) if overtaken else (books.moves, books.entries)
        await tx.move_touches(moves)
        if any(move.state is TouchState.PLANNED for move in moves):
            await tx.notify_due()
        entries = entries + books.demotions + await _call_off(tx, moves, now)
        await tx.mark_points(books.dead_points, now)
        await tx.insert_suppressions(books.suppressions)
        for kind, subject in books.alerts:
            await tx.open_alert(kind, subject, "nothing leaves on this channel until an operator resumes it", now)
            await tx.set_switch("channel", subject, kind, now)
        for channel, code in books.unlisted:
            await tx.open_alert("codes.unlisted", channel, unlisted(code), now)
        await tx.insert_exchanges(books.exchanges)
        await tx.append(entries)
        await hand_over_unsaid(tx, moves, now)


def unlisted(code: str | None) -> str:
    """Say that a provider used a code whose meaning nobody has put down."""
    return f"the provider gave code {code}, which is not in the data of this version; such attempts are not tried again"


def _exchanged(house: House, books: _Books, sent: Sent, ending: Accepted | SendError, now: datetime) -> None:
    row = row_of_send(house, sent.attempt_id, sent.touch.channel, sent.outbound, sent.tape, ending, now)
    if row is not None:
        books.exchanges.append(row)


def _believe_receipts(
    books: _Books, overtaken: Sequence[Settlement], now: datetime
) -> tuple[list[TouchMove], list[Entry]]:
    """Correct what a faster receipt proved wrong: it did leave, so its touch must not come back."""
    touches, attempts = {row.touch_id for row in overtaken}, {row.attempt_id for row in overtaken}
    moves = [
        TouchMove(move.touch_id, TouchState.SENT, None, settled_at=now) if move.touch_id in touches else move
        for move in books.moves
    ]
    entries = [
        replace(each, kind="touch.sent") if each.data["attempt_id"] in attempts else each for each in books.entries
    ]
    return moves, entries


async def _call_off(tx: Tx, moves: Sequence[TouchMove], now: datetime) -> list[Entry]:
    """Call off what came back: a stop or a pause reaches only what has not started."""
    back = [move.touch_id for move in moves if move.state in _BACK]
    return [
        Entry(case, now, "touch.cancelled", {"touch_id": touch, "step": step, "channel": channel, "reasons": [reason]})
        for touch, case, step, channel, state, reason in (await tx.withdraw_returned(back, now) if back else ())
        if state == TouchState.CANCELLED
    ]


def _accepted(books: _Books, sent: Sent, ending: Accepted, now: datetime) -> None:
    books.settlements.append(
        Settlement(
            sent.attempt_id,
            sent.touch.touch_id,
            sent.touch.case_id,
            AttemptState.ACCEPTED,
            Outcome.ACCEPTED,
            RANK[Outcome.ACCEPTED],
            now,
            provider_ref=ending.provider_ref,
            segments=ending.segments,
            price_micros=ending.price_micros,
            currency=ending.currency,
        )
    )
    books.moves.append(TouchMove(sent.touch.touch_id, TouchState.SENT, None, settled_at=now))
    _tell(books, sent, "touch.sent", now, {"content_sha256": content_digest(sent.outbound)})


def _halted(books: _Books, sent: Sent, ending: Halted, now: datetime) -> None:
    """Free the slot: it certainly never left. It waits for the switch, or is decided anew once the store answers."""
    touch = sent.touch
    books.settlements.append(
        Settlement(
            sent.attempt_id,
            touch.touch_id,
            touch.case_id,
            AttemptState.RELEASED,
            Outcome.RELEASED,
            RANK[Outcome.RELEASED],
            now,
            error_code=ending.reason,
        )
    )
    off = ending.reason == SWITCHED_OFF
    state = TouchState.PAUSED if off else TouchState.PLANNED
    held = ending.switches if off else None
    again = now if held == (f"channel:{touch.channel}",) and touch.fallback else None
    books.moves.append(
        TouchMove(touch.touch_id, state, ending.reason, not_before=now, tries=touch.tries, paused_by=held,
                  reconsider_at=again)
    )  # fmt: skip
    told = {"reasons": [ending.reason]} | ({"switches": ending.switches} if off else {})
    _tell(books, sent, "touch.paused" if off else "touch.released", now, told)


def _refused(house: House, books: _Books, sent: Sent, error: SendError, now: datetime) -> None:
    if isinstance(error, NotSent | Misconfigured):
        _released(books, sent, error, now)
    elif isinstance(error, Rejected):
        _rejected(books, sent, error, now)
    else:
        _unknown(house, books, sent, error, now)


def _released(books: _Books, sent: Sent, error: SendError, now: datetime) -> None:
    """Free the slot of what never left; the touch is decided anew later, or expires."""
    reason = f"provider.{error.code}"
    wait = timedelta(seconds=error.retry_after) if error.retry_after else BACKOFF * 2 ** min(sent.touch.tries, 6)
    if isinstance(error, Misconfigured):
        books.alerts.append(("channel.misconfigured", sent.touch.channel))
    _settle(books, sent, AttemptState.RELEASED, Outcome.RELEASED, error, now)
    if sent.touch.tries + 1 == MAX_TRIES and sent.touch.fallback and not isinstance(error, Misconfigured):
        wait = timedelta(0)  # at once, because dispatch now asks the gate whether the next channel may take it
    books.moves.append(TouchMove(sent.touch.touch_id, TouchState.DEFERRED, reason, not_before=now + wait))
    _tell(books, sent, "touch.released", now, {"reasons": [reason], "until": now + wait})


def _next_channel(sent: Sent, reason: str, now: datetime) -> TouchMove:
    """Return the move to the next channel of the step's preference, or to the end when there is none."""
    if not sent.touch.fallback:
        return TouchMove(sent.touch.touch_id, TouchState.FAILED, reason, settled_at=now)
    following, rest = sent.touch.fallback[0], sent.touch.fallback[1:]
    return TouchMove(
        sent.touch.touch_id, TouchState.PLANNED, reason, not_before=now, channel=following, fallback=rest, tries=0
    )


def _rejected(books: _Books, sent: Sent, error: Rejected, now: datetime) -> None:
    """Refused for good: what it says about the address or the person is recorded before the next channel is tried."""
    _settle(books, sent, AttemptState.REJECTED, Outcome.REJECTED, error, now)
    reason = f"provider.{error.code}"
    if error.decided_by and type(error) is Rejected:  # of the codes in the data, none means just that
        books.unlisted.append((sent.touch.channel, error.provider_code))
    if isinstance(error, BadAddress):
        books.dead_points.append({"contact_point_id": sent.contact_point_id, "state": "invalid", "reason": reason})
        books.demotions.append(demoted(sent.touch.case_id, sent.contact_point_id, now))
    if isinstance(error, OptedOut):
        books.suppressions.append(
            {
                "suppression_id": new_id(now),
                "borrower_id": sent.touch.borrower_id,
                "contact_point_id": None,
                "channel": sent.touch.channel,
                "reason": "opt_out.at_provider",
                "since_at": now,
            }
        )
    books.moves.append(_next_channel(sent, reason, now))
    _tell(books, sent, "touch.rejected", now, {"reasons": [reason], "provider_code": error.provider_code})


def _unknown(house: House, books: _Books, sent: Sent, error: SendError, now: datetime) -> None:
    """Keep the cap slot of what may have left; it is looked up, never sent again (promise 3)."""
    _settle(
        books, sent, AttemptState.UNKNOWN, Outcome.UNKNOWN, error, now, lookup_real_at=house.clock.real() + FIRST_LOOKUP
    )
    books.moves.append(TouchMove(sent.touch.touch_id, TouchState.UNKNOWN, "provider.outcome_unknown", settled_at=now))
    _tell(books, sent, "touch.unknown", now, {"reasons": ["provider.outcome_unknown"]})


def _settle(
    books: _Books,
    sent: Sent,
    state: AttemptState,
    outcome: Outcome,
    error: SendError,
    now: datetime,
    lookup_real_at: datetime | None = None,
) -> None:
    books.settlements.append(
        Settlement(
            sent.attempt_id,
            sent.touch.touch_id,
            sent.touch.case_id,
            state,
            outcome,
            RANK[outcome],
            now,
            provider_code=error.provider_code,
            error_code=error.code,
            lookup_real_at=lookup_real_at,
            decided_by=error.decided_by,
        )
    )


def _tell(books: _Books, sent: Sent, kind: str, now: datetime, more: dict[str, Any]) -> None:
    touch = sent.touch
    books.entries.append(
        Entry(
            touch.case_id,
            now,
            kind,
            {
                "touch_id": touch.touch_id,
                "attempt_id": sent.attempt_id,
                "decision_id": sent.decision_id,
                "channel": touch.channel,
                "step": touch.step_id,
                "template": touch.template,
                **({"way": WHATSAPP_CONSENT} if sent.outbound.address.startswith(WHATSAPP) else {}),
                **more,
            },
        )
    )
    short = kind.removeprefix("touch.")
    books.tally[short] = books.tally.get(short, 0) + 1


def content_digest(outbound: Outbound) -> str | None:
    """Return the SHA-256 of what left, keyed by the attempt's token so that a short text cannot be guessed from it."""
    match outbound.content:
        case Text(body):
            text = body
        case Mail(subject=subject, text=body):
            text = f"{subject}\n{body}"
        case _:
            return None
    return hashlib.sha256(f"{outbound.token}\n{text}".encode()).hexdigest()
