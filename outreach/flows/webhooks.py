"""Webhooks: one round of one endpoint, from what is due to what became of it. Ids never change: repeating is safe."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import randbelow
from uuid import UUID

import orjson
import structlog

from outreach.clock import monotonic
from outreach.domain.outbound import Public
from outreach.domain.webhook import GIVE_UP_AFTER, Answer, Endpoint, Standing, Wait, Webhooks, sign, wait_after
from outreach.flows.outgoing import publish_all, read_events
from outreach.flows.outgoing_ports import Poster, Row
from outreach.flows.ports import Clock, Store, Tx

BATCH = 100
CONCURRENCY = 8
"""Cases of one endpoint that are told at once; the events of one case go one after another."""
REST_AFTER = 3
"""Failures one after another, with nothing taken between, until an endpoint is only tried with one event at a time."""
BUDGET_SECONDS = 20.0
"""No event of a batch is begun later than this; with the longest time-out it ends well within the lease."""
LEASE = timedelta(seconds=90)
MOST_TRIES = 32_000
"""Where the count of tries ends."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a process that sends webhooks works with; ``holder`` is the process."""

    store: Store
    clock: Clock
    poster: Poster
    webhooks: Webhooks
    holder: UUID


@dataclass(slots=True)
class _Parcel:
    """One event to one endpoint. ``answer`` stays None when it was not its turn."""

    event: Public
    tries: int = 0
    first_at: datetime | None = None
    answer: Answer | None = None


@dataclass(slots=True)
class _Batch:
    """What one round holds: what is sent, what waits behind it, and where the endpoint stood and will stand."""

    endpoint: Endpoint
    began: int
    failures: int
    failing_since: datetime | None
    generation: int
    position: int
    parcels: list[_Parcel] = field(default_factory=list)
    behind: list[Public] = field(default_factory=list)
    unheard: list[int] = field(default_factory=list)

    @property
    def resting(self) -> bool:
        return self.failures >= REST_AFTER


async def begin(desk: Desk) -> None:
    """Make the endpoints of the configuration known; a new one hears what comes from now on."""
    async with desk.store.transaction() as tx:
        settled = await tx.settled()
        for endpoint in desk.webhooks.endpoints:
            await tx.add_endpoint(endpoint.name, settled)


async def send_due(desk: Desk, endpoint: Endpoint) -> int:
    """Send what is due to one endpoint; returns how many events were tried, 0 when there was nothing to do."""
    batch = await _take(desk, endpoint)
    if batch is None:
        return 0
    await _send(desk, batch)
    recorded = await _record(desk, batch)
    tried = [each for each in batch.parcels if each.answer is not None]
    _log.info(
        "webhook", endpoint=endpoint.name, recorded=recorded, tried=len(tried),
        taken=sum(_taken(each) for each in tried), waiting=len(batch.behind), cursor=batch.position,
    )  # fmt: skip
    return max(1, len(tried))


async def _take(desk: Desk, endpoint: Endpoint) -> _Batch | None:
    """Take the lease and what is due; None when there is nothing, or another process has it."""
    real = desk.clock.real()
    async with desk.store.transaction() as tx:
        row = await tx.look_at_endpoint(endpoint.name, desk.holder, real)
        if row is None:
            return None
        position, failures, failing_since, generation = row
        batch = _Batch(endpoint, position, failures, failing_since, generation, position)
        if batch.resting:
            await _take_one(tx, batch, real)
        else:
            await _take_waiting(tx, batch, await tx.due_deliveries(endpoint.name, real, BATCH))
            await _take_new(tx, batch, BATCH)
        if not batch.parcels and not batch.behind and not batch.unheard and batch.position == batch.began:
            return None
        await tx.hold_endpoint(endpoint.name, desk.holder, real + LEASE)
    return batch


async def _take_one(tx: Tx, batch: _Batch, real: datetime) -> None:
    """Take the one event that a failing endpoint is tried with: the least tried, so that none stands in the way."""
    least = await tx.due_deliveries(batch.endpoint.name, real, 1, anyway=True)
    if not least or least[0][2] > 0:
        await _take_new(tx, batch, 1)
    if not batch.parcels:
        await _take_waiting(tx, batch, least)


async def _take_waiting(tx: Tx, batch: _Batch, due: Sequence[Row]) -> None:
    """Take what waits; what this endpoint no longer hears, because its types were changed, is forgotten."""
    rows = {row[0]: row for row in due}
    told = await tx.told_at(rows) if rows else []
    events = await publish_all(tx, told, batch.endpoint.types, words=batch.endpoint.words)
    known = {each.told.position for each in events}
    batch.parcels += [_Parcel(each, rows[each.told.position][2], rows[each.told.position][3]) for each in events]
    batch.unheard += [position for position in rows if position not in known]


async def _take_new(tx: Tx, batch: _Batch, room: int) -> None:
    """Read on. What belongs to a case of which something waits waits behind it."""
    found = await read_events(tx, batch.began, room, batch.endpoint.types, words=batch.endpoint.words)
    batch.position = found.position
    held = await tx.waiting_cases(batch.endpoint.name, {each.told.case_id for each in found.events})
    for each in found.events:
        if each.told.case_id in held:
            batch.behind.append(each)
        else:
            batch.parcels.append(_Parcel(each))


async def _send(desk: Desk, batch: _Batch) -> None:
    """Send to several cases at once, and to each one after another: what failed keeps the rest of its case waiting."""
    lanes: dict[UUID, list[_Parcel]] = {}
    for parcel in batch.parcels:
        lanes.setdefault(parcel.event.told.case_id, []).append(parcel)
    turn = _Turn(asyncio.Semaphore(CONCURRENCY), monotonic() + BUDGET_SECONDS)
    await asyncio.gather(*(_send_lane(desk, batch.endpoint, lane, turn) for lane in lanes.values()))


@dataclass(slots=True)
class _Turn:
    """Whether another event may be begun."""

    room: asyncio.Semaphore
    until: float
    failures: int = 0
    gone: bool = False

    @property
    def over(self) -> bool:
        return self.gone or self.failures >= REST_AFTER or monotonic() >= self.until

    def note(self, answer: Answer) -> None:
        self.failures = 0 if answer.taken else self.failures + 1
        self.gone = self.gone or answer.gone


async def _send_lane(desk: Desk, endpoint: Endpoint, lane: Sequence[_Parcel], turn: _Turn) -> None:
    for parcel in lane:
        async with turn.room:
            if turn.over:
                return
            parcel.answer = await post_event(desk, endpoint, parcel.event)
            turn.note(parcel.answer)
        if not parcel.answer.taken:
            return


async def post_event(desk: Desk, endpoint: Endpoint, event: Public) -> Answer:
    """Sign an event and post it once."""
    return await post_document(desk, endpoint, event.id, event.to_json(desk.webhooks.source))


async def post_document(desk: Desk, endpoint: Endpoint, key: str, document: dict[str, object]) -> Answer:
    """Sign a document under an id and post it once."""
    body = orjson.dumps(document)
    return await desk.poster.post(endpoint, sign(endpoint.secrets, key, desk.clock.real(), body), body)


async def _record(desk: Desk, batch: _Batch) -> bool:
    """Write down what became of it; False when the endpoint was set back, or went to another process, meanwhile."""
    real, name = desk.clock.real(), batch.endpoint.name
    async with desk.store.transaction() as tx:
        if not await tx.is_still_held(name, desk.holder, batch.generation, real):
            return False
        taken = [each.event.told.position for each in batch.parcels if _taken(each)]
        await tx.forget_delivered(name, taken + batch.unheard)
        waits = [_wait(each, real, resting=batch.resting) for each in batch.parcels if not _taken(each)]
        waits += [_wait(_Parcel(each), real, resting=False) for each in batch.behind]
        await tx.keep_waiting(name, waits)
        if taken and batch.resting:
            await tx.wake_waiting(name, real)
        standing = _standing(batch, real)
        await tx.move_endpoint(name, standing)
        await _alert(tx, batch.endpoint, standing, waits, desk.clock.now())
    return True


def _wait(parcel: _Parcel, real: datetime, *, resting: bool) -> Wait:
    """Return how a parcel waits. One that nobody tried yet is due as soon as those before it are gone.

    It is given up only where others get through: an endpoint that takes nothing is disabled, and loses nothing.
    """
    told, answer = parcel.event.told, parcel.answer
    if answer is None:
        return Wait(told.position, told.case_id, "waiting", parcel.tries, parcel.first_at, real, None)
    tries, first_at = min(parcel.tries + 1, MOST_TRIES), parcel.first_at or real
    next_at = real + wait_after(tries, _jitter(), answer.retry_after)
    state = "given_up" if next_at - first_at > GIVE_UP_AFTER and not resting else "waiting"
    return Wait(told.position, told.case_id, state, tries, first_at, next_at, answer.note)


def _standing(batch: _Batch, real: datetime) -> Standing:
    """Return where the endpoint stands after the batch.

    Only events tried for the first time say that it is the endpoint that fails, and not one event it cannot read.
    """
    tried = [(each, each.answer) for each in batch.parcels if each.answer is not None]
    taken, failed = any(answer.taken for _, answer in tried), [answer for _, answer in tried if not answer.taken]
    fresh = sum(not answer.taken for parcel, answer in tried if batch.resting or parcel.tries == 0)
    failures = 0 if taken else batch.failures + fresh
    since = None if failures == 0 else batch.failing_since or real
    note = failed[-1].note if failed else None
    state, next_at = "active", None
    if any(answer.gone for answer in failed):
        state, note = "disabled", "http_410: the receiver wants nothing more"
    elif failures >= REST_AFTER and since is not None:
        asked = max((answer.retry_after or 0.0 for answer in failed), default=0.0)
        next_at = real + wait_after(failures - REST_AFTER + 1, _jitter(), asked)
        if real - since >= GIVE_UP_AFTER:
            state, note = "disabled", f"nothing was taken for {GIVE_UP_AFTER.days} days; last {note}"
    return Standing(batch.position, state, failures, since, next_at, real if taken else None, note)


async def _alert(tx: Tx, endpoint: Endpoint, standing: Standing, waits: Sequence[Wait], now: datetime) -> None:
    """Tell an operator: names, codes and counts, nothing of what was sent."""
    subject = f"webhook:{endpoint.name}"
    if standing.state == "disabled":
        await tx.open_alert("webhook.disabled", subject, str(standing.note), now)
    worst = max((standing.failures, *(each.tries for each in waits)))
    if worst >= endpoint.alert_after:
        last = next((each.note for each in waits if each.note), standing.note)
        await tx.open_alert("webhook.failing", subject, f"{worst} failures one after another; last {last}", now)
    if any(each.state == "given_up" for each in waits):
        await tx.open_alert("webhook.gave_up", subject, f"an event was tried for {GIVE_UP_AFTER.days} days", now)


def _taken(parcel: _Parcel) -> bool:
    return parcel.answer is not None and parcel.answer.taken


def _jitter() -> float:
    return randbelow(1000) / 1000
