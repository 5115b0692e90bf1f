"""Kill switches: pause and resume what may leave, count beforehand what a pause would stop, take back calls."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from channels.contract import Cancels, Receipt, ReceiptStatus
from channels.errors import SendError
from channels.exchange import Tape, recording
from outreach.domain.plan import Plan
from outreach.domain.timeline import Entry
from outreach.domain.words import SPOKEN, TouchState
from outreach.flows.callbacks import take_news
from outreach.flows.exchanges import Asked, keep, ref_of, row_of_asking
from outreach.flows.house import House
from outreach.flows.lookout import SWITCHED_OFF, Scope, scopes_of
from outreach.flows.plan_versions import plan_of_version
from outreach.flows.ports import Row, Tx

AHEAD = timedelta(hours=24)
"""How far ahead a preview looks."""

CALL_LASTS = timedelta(minutes=30)
"""A call placed longer ago than this is over, whether or not anybody told us."""

DROPPED = "paused.dropped"
WINDOW_CLOSED = "call.window_closed"
PAGE = 500

_FIRST = UUID(int=0)
RECALLED_AT_ONCE = 10

_log = structlog.get_logger(__name__)


class CatchUp(StrEnum):
    """What becomes of that which a pause held back, once it is lifted."""

    DROP = "drop"
    RE_DECIDE = "re-decide"


@dataclass(frozen=True, slots=True)
class Group:
    """Some of what a pause would stop: ``what`` is queued, due or calls. Places are jurisdictions it lies in."""

    what: str
    channel: str
    plan: str | None
    campaign_id: UUID | None
    places: tuple[str, ...]
    many: int


@dataclass(slots=True)
class Preview:
    """What a pause would stop now and within a day, in all and by what else it could be told apart.

    ``by`` maps channel, plan, campaign and jurisdiction to a name and its counts of queued, due and calls.
    """

    total: Counter[str] = field(default_factory=Counter)
    by: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def add(self, group: Group) -> None:
        """Count a group. Somebody who may be in several places counts for each of them."""
        self.total[group.what] += group.many
        names = {"channel": (group.channel,), "jurisdiction": group.places or ("unknown",)}
        names["plan"] = (group.plan or "(none)",)
        names["campaign"] = (str(group.campaign_id) if group.campaign_id else "(none)",)
        for dimension, values in names.items():
            for value in values:
                self.by.setdefault(dimension, {}).setdefault(value, Counter())[group.what] += group.many


async def preview(house: House, scope: Scope) -> Preview:
    """Count what a switch would stop: in lanes, due within a day, calls in progress. Changes nothing."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        groups = await _groups(house, tx, now)
    found = Preview()
    for group in groups:
        if scope in scopes_of(group.channel, group.plan, group.campaign_id, group.places):
            found.add(group)
    return found


async def _groups(house: House, tx: Tx, now: datetime) -> list[Group]:
    groups = []
    for what, channel, plan, version, step, campaign, places, many in await tx.waiting_groups(now, now + AHEAD):
        by = channel or _first_channel(await plan_of_version(house, tx, plan, version), step)
        groups.append(Group(what, by, plan, campaign, tuple(places), many))
    calls = await tx.calls_under_way(now - CALL_LASTS, now)
    return groups + [Group("calls", row[2], row[5], row[6], tuple(row[7]), 1) for row in calls]


def _first_channel(plan: Plan, step: int) -> str:
    """Return the channel a step begins with; one beyond the plan's end is counted with its last."""
    return str(plan.steps[min(step, len(plan.steps) - 1)].channels[0])


async def pause(house: House, scope: Scope, reason: str, by: str, until: datetime | None = None) -> None:
    """Set a switch: read in every decision from now on, and twice a second by what is being sent."""
    async with house.store.transaction() as tx:
        await tx.set_switch(*scope, reason, house.clock.now(), by=by, until=until)
        await tx.notify_due()
    _log.warning("paused", scope=scope[0], key=scope[1], until=until.isoformat() if until else None)


async def resume(house: House, scope: Scope, catch_up: CatchUp, by: str) -> Counter[str] | None:
    """Lift a switch; returns what became of what it held back (planned, cancelled), None when it was not paused.

    To drop is to cancel everything that fell due meanwhile; to re-decide is to ask the gate again, within expiry. What
    another switch holds back stays held.
    """
    now = house.clock.now()
    async with house.store.transaction() as tx:
        if scope not in await tx.switches(now):
            return None
    done: Counter[str] = Counter()
    if catch_up is CatchUp.DROP:
        done[TouchState.CANCELLED] += await _drop_waiting(house, scope, now)
    async with house.store.transaction() as tx:
        await tx.clear_switch(*scope, now, by=by, catch_up=catch_up)
        await tx.close_alerts(scope[1], now)
        await tx.notify_due()
    done += await release(house)
    _log.warning("resumed", scope=scope[0], key=scope[1], catch_up=str(catch_up))
    return done


async def _drop_waiting(house: House, scope: Scope, now: datetime) -> int:
    """Cancel what fell due and nobody has decided: its lane was down, or is busy. The switch is still on meanwhile."""
    after, dropped = _FIRST, 0
    while True:
        async with house.store.transaction() as tx:
            page = await tx.due_waiting(now, after, PAGE)
            if not page:
                return dropped
            after = page[-1][0]
            mine = [row for row in page if scope in scopes_of(row[2], row[3], row[4], row[5])]
            if not mine:
                continue
            await tx.lock_borrowers(sorted({row[1] for row in mine}))
            gone = await tx.drop_waiting([row[0] for row in mine], now)
            await tx.append([_dropped(row, now) for row in gone])
            dropped += len(gone)


async def release(house: House, limit: int = PAGE) -> Counter[str]:
    """Let everything go on that no switch holds any more, as whoever lifted it chose; returns how many ended how.

    Safe to call at any time by anybody: what was held back a moment too late is found here, too.
    """
    done: Counter[str] = Counter()
    while True:
        now = house.clock.now()
        async with house.store.transaction() as tx:
            free = await tx.free_touches(now, limit)
            if not free:
                return done
            await tx.lock_borrowers(sorted({row[1] for row in free}))
            released = await tx.release_held([row[0] for row in free], now)
            await tx.append([_dropped(row, now) for row in released if row[4] == TouchState.CANCELLED])
            await tx.notify_due()
        done.update(row[4] for row in released)


def _dropped(row: Sequence[Any], now: datetime) -> Entry:
    told = {"touch_id": row[0], "step": row[2], "channel": row[3], "reasons": [DROPPED]}
    return Entry(row[1], now, "touch.cancelled", told)


async def tend_switches(house: House, *, recalling: bool = True) -> int:
    """End switches whose time has come and let go what they held; take back calls. Returns how much there was to do.

    Without ``recalling`` no provider is asked.
    """
    async with house.store.transaction() as tx:
        ended = await tx.end_switches(house.clock.now())
    released = (await release(house)).total() if ended else 0
    return ended + released + (await recall_switched_off(house) if recalling else 0)


async def recall_switched_off(house: House) -> int:
    """Take back the calls that are switched off now; returns how many were."""
    async with house.store.transaction() as tx:
        off = await tx.switches(house.clock.now())
    return await recall_calls(house, off) if off else 0


async def recall_calls(house: House, off: set[Scope]) -> int:
    """Ask the providers to take back calls that are switched off and that nobody has answered; returns how many did."""
    now = house.clock.now()
    able = {name for name in SPOKEN if isinstance(house.channels.get(name), Cancels)}
    if not able:
        return 0
    async with house.store.transaction() as tx:
        calls = await tx.calls_under_way(now - CALL_LASTS, now)
    wanted = [row for row in calls if row[2] in able and row[4] and not row[8] and not row[9]]
    reached = [row for row in wanted if off & scopes_of(row[2], row[5], row[6], row[7])]
    return await _recall_all(house, reached, now, SWITCHED_OFF)


async def recall_late_calls(house: House, limit: int = 50) -> int:
    """Ask the providers to take back calls whose permitted hours ended before anybody answered; returns how many did.

    Providers hold no call to a time: what exceeds their calls per second waits there, and would ring whenever it can.
    """
    now = house.clock.now()
    async with house.store.transaction() as tx:
        late = await tx.late_calls(now - CALL_LASTS, now, limit)
    able = [row for row in late if isinstance(house.channels.get(row[2]), Cancels)]
    return await _recall_all(house, able, now, WINDOW_CLOSED)


async def _recall_all(house: House, rows: Sequence[Row], now: datetime, reason: str) -> int:
    """Take calls back beside each other: a provider that does not answer makes nobody's call ring longer."""
    gate, kept = asyncio.Semaphore(RECALLED_AT_ONCE), list[dict[str, Any] | None]()

    async def one(row: Row) -> bool:
        async with gate:
            return await _recall(house, row, now, reason, kept)

    recalled = sum(await asyncio.gather(*(one(row) for row in rows)))
    await keep(house, kept)
    return recalled


async def _recall(house: House, row: Row, now: datetime, reason: str, kept: list[dict[str, Any] | None]) -> bool:
    """Take back one call. A provider that says it is too late is not asked again; one that cannot be asked, is.

    What went over the wire is put into ``kept``.
    """
    attempt_id, case_id, channel, token, provider_ref = row[:5]
    adapter, tape = house.channels[channel], Tape()
    assert isinstance(adapter, Cancels)  # noqa: S101 - its caller looked
    asked = Asked("recall", channel, ref_of(token, None), [("token", token)])
    try:
        with recording(tape):
            recalled = await adapter.cancel(provider_ref)
    except SendError as error:
        _log.warning("a call could not be taken back; trying again", channel=channel, attempt_id=str(attempt_id),
                     code=error.code)  # fmt: skip
        kept.append(row_of_asking(house, asked, tape.trips, error.code, now, once=f"recall:{attempt_id}"))
        return False
    kept.append(row_of_asking(house, asked, tape.trips, "recalled" if recalled else "too_late", now))
    async with house.store.transaction() as tx:
        await tx.insert_recalls([{"attempt_id": attempt_id, "at": now, "recalled": recalled}])
        if recalled:
            told = {"attempt_id": attempt_id, "channel": channel, "reasons": [reason]}
            await tx.append([Entry(case_id, now, "touch.recalled", told)])
    if recalled:
        key = f"recall:{attempt_id}"
        await take_news(house, channel, [Receipt(key, ReceiptStatus.CANCELLED, token=token, provider_ref=provider_ref)])
    return recalled


async def call_is_off(tx: Tx, channel: str, attempt_id: UUID, now: datetime) -> bool:
    """Tell whether a call that is being answered is switched off by now."""
    off = await tx.switches(now)
    if not off:
        return False
    row = await tx.scopes_of_call(attempt_id)
    return row is None or bool(off & scopes_of(channel, row[0], row[1], row[2]))
