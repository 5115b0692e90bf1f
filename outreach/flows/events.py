"""Events: what the lender tells us changes the case at once, and starts or stops plans."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog

from outreach.domain.case import Case
from outreach.domain.events import (
    BorrowerLocated,
    CaseOpened,
    CaseUpdated,
    ConsentGiven,
    ConsentRevoked,
    ContactRecorded,
    Event,
    HoldLifted,
    HoldPlaced,
    PaymentDue,
    PaymentMissed,
    PaymentReceived,
    PaymentReversed,
    PointReassigned,
    PointUpdated,
)
from outreach.domain.ids import new_id
from outreach.domain.money import Money
from outreach.domain.timeline import Entry
from outreach.domain.words import CaseState, StopCondition
from outreach.flows.consents import allow, revoke
from outreach.flows.enroll import Cause, enrol, stop_for
from outreach.flows.house import House
from outreach.flows.payments import apply_payment, undo_payment
from outreach.flows.ports import Tx
from outreach.flows.recorded import located, reassigned, record, updated
from outreach.flows.tasks import close_claims

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one event: applied, known already, or of an unknown subject."""

    source: str
    id: str
    result: str


@dataclass(slots=True)
class Desk:
    """The cases of one batch of events under lock, and what the batch changes."""

    tx: Tx
    house: House
    now: datetime
    cases: dict[UUID, Case]
    touched: set[UUID] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    stops: dict[tuple[StopCondition, str], set[UUID]] = field(default_factory=lambda: defaultdict(set))
    starts: list[tuple[str, Event, UUID]] = field(default_factory=list)
    settled: set[UUID] = field(default_factory=set)
    """Cases whose due amount a payment cleared."""

    def change(self, case_id: UUID, **values: Any) -> None:  # noqa: ANN401 - the fields of Case
        """Change what a case says; written once at the end of the batch."""
        self.cases[case_id] = replace(self.cases[case_id], **values)
        self.touched.add(case_id)

    async def put_down(self) -> None:
        """Put what was told so far on the timelines, so that what follows from it stands behind it."""
        told, self.entries = self.entries, []
        await self.tx.append(told)

    def tell(self, case_id: UUID, event: Event, more: dict[str, Any]) -> None:
        """Put an event on the timeline."""
        told = {"event": event.type, "source": event.source, "event_id": event.id, "occurred_at": event.occurred_at}
        self.entries.append(Entry(case_id, self.now, "event", told | more))


async def take_events(house: House, events: Sequence[Event]) -> list[Taken]:
    """Apply events in the order given, once each (source, id); returns what became of each.

    A payment that clears the amount due stops everything not yet started, in the same transaction.
    """
    if not events:
        return []
    async with house.store.transaction() as tx:
        now = house.clock.now()
        accounts = await tx.cases_by_account({event.ref for event in events if event.kind == "account"})
        people = await tx.borrowers_by_ref({event.ref for event in events if event.kind == "borrower"})
        fresh = await tx.insert_events([_row(event, now) for event in events if _known(event, accounts, people)])
        accounts |= await _bring_in(tx, [event for event in events if (event.source, event.id) in fresh], now)
        borrowers = {pair[1] for pair in accounts.values()} | set(people.values())
        await tx.lock_borrowers(sorted(borrowers))
        desk = Desk(tx, house, now, await tx.cases({pair[0] for pair in accounts.values()}))
        taken = []
        for event in events:
            taken.append(Taken(event.source, event.id, await _take(desk, event, accounts, people, fresh)))
            fresh.discard((event.source, event.id))
        await _write(desk)
    _log.info("events taken", events=len(events), applied=sum(each.result == "applied" for each in taken))
    return taken


async def _bring_in(tx: Tx, events: Sequence[Event], now: datetime) -> dict[str, tuple[UUID, UUID]]:
    """Take in what case.opened events bring with them; returns account -> (case, borrower)."""
    entries = {
        event.ref: event.data.entry for event in events if isinstance(event.data, CaseOpened) and event.data.entry
    }
    if not entries:
        return {}
    for conflict in await tx.put_book_entries(list(entries.values()), now):
        await tx.open_alert("event.row_conflict", "case.opened", f"{conflict.field}: {conflict.code}", now)
    return await tx.cases_by_account(entries)


def _known(event: Event, accounts: dict[str, tuple[UUID, UUID]], people: dict[str, UUID]) -> bool:
    if isinstance(event.data, CaseOpened) and event.data.entry:
        return True
    return event.ref in (accounts if event.kind == "account" else people)


async def _take(
    desk: Desk,
    event: Event,
    accounts: dict[str, tuple[UUID, UUID]],
    people: dict[str, UUID],
    fresh: set[tuple[str, str]],
) -> str:
    if not _known(event, accounts, people):
        return "unknown_subject"
    if (event.source, event.id) not in fresh:
        return "known"
    if event.kind == "account":
        if event.ref not in accounts:
            return "conflict"
        case_id, borrower = accounts[event.ref]
        await _about_account(desk, event, case_id, borrower)
        desk.starts.append((event.type, event, case_id))
    else:
        await _about_borrower(desk, event, people[event.ref])
    return "applied"


async def _about_account(desk: Desk, event: Event, case_id: UUID, borrower: UUID) -> None:
    match event.data:
        case PaymentReceived() as data:
            await _payment(desk, event, case_id, data)
        case PaymentReversed() as data:
            await undo_payment(desk, event, data)
        case PaymentDue() | PaymentMissed() as data:
            balance = data.balance_minor if data.balance_minor is not None else desk.cases[case_id].balance_minor
            desk.change(
                case_id,
                amount_due_minor=data.amount_due_minor,
                due_on=await _due_day(desk, case_id, data.due_on),
                balance_minor=max(balance, data.amount_due_minor),
            )
            desk.tell(case_id, event, {"amount_due_minor": data.amount_due_minor, "due_on": data.due_on})
        case CaseUpdated() as data:
            _updated(desk, event, case_id, data)
        case HoldPlaced() | HoldLifted() as data:
            await _hold(desk, event, borrower, case_id, data)
        case CaseOpened():
            await _opened(desk, event, case_id)
        case _:
            await _about_person(desk, event, borrower, case_id)


async def _due_day(desk: Desk, case_id: UUID, said: date) -> date:
    """Return the due date to keep: one the borrower was given in the meantime goes before an earlier one."""
    _, _, extended_to, _ = (await desk.tx.at_rest([case_id], desk.now))[case_id]
    if extended_to is None or extended_to < desk.now.date():
        return said
    return max(said, extended_to)


async def _about_borrower(desk: Desk, event: Event, borrower: UUID) -> None:
    match event.data:
        case HoldPlaced() | HoldLifted() as data:
            await _hold(desk, event, borrower, None, data)
        case _:
            await _about_person(desk, event, borrower, None)


async def _about_person(desk: Desk, event: Event, borrower: UUID, case_id: UUID | None) -> None:
    """Take what is about the borrower on whichever account it came, and say it on each of their cases."""
    told: dict[str, object] = {}
    match event.data:
        case ConsentGiven() as data:
            told = await allow(desk, event, borrower, data)
        case ConsentRevoked() as data:
            told = await revoke(desk, event, borrower, case_id, data)
        case ContactRecorded() as data:
            told = await record(desk, event, borrower, data)
        case PointReassigned() as data:
            told = await reassigned(desk, borrower, data)
        case PointUpdated() as data:
            told = await updated(desk, borrower, data)
        case BorrowerLocated() as data:
            told = await located(desk, event, borrower, data)
        case _:
            return
    for each in await cases_of(desk, borrower, None):
        desk.tell(each, event, told)


async def _payment(desk: Desk, event: Event, case_id: UUID, data: PaymentReceived) -> None:
    case = desk.cases[case_id]
    if data.currency != case.currency:
        await desk.tx.open_alert(
            "payment.currency", str(case_id), "a payment in another currency than the account", desk.now
        )
        desk.tell(case_id, event, {"result": "other_currency"})
        return
    if not await apply_payment(desk, event, case_id, Money(data.amount_minor, data.currency), data.payment_id):
        return
    if desk.cases[case_id].amount_due_minor <= 0:
        desk.stops[StopCondition.PAID, "paid"].add(case_id)
        desk.settled.add(case_id)


def _updated(desk: Desk, event: Event, case_id: UUID, data: CaseUpdated) -> None:
    case = desk.cases[case_id]
    desk.change(
        case_id,
        amount_due_minor=case.amount_due_minor if data.amount_due_minor is None else data.amount_due_minor,
        balance_minor=case.balance_minor if data.balance_minor is None else data.balance_minor,
        due_on=data.due_on or case.due_on,
        state=data.state or case.state,
        charged_off=case.charged_off if data.charged_off is None else data.charged_off,
        time_barred=case.time_barred if data.time_barred is None else data.time_barred,
        accelerated=case.accelerated if data.accelerated is None else data.accelerated,
        creditor_kind=data.creditor_kind or case.creditor_kind,
    )
    desk.tell(case_id, event, data.model_dump(mode="json", exclude_none=True))
    if data.state == CaseState.CLOSED.value:
        desk.stops[StopCondition.CLOSED, "closed"].add(case_id)
    elif desk.cases[case_id].amount_due_minor <= 0:
        desk.stops[StopCondition.PAID, "paid"].add(case_id)


async def _opened(desk: Desk, event: Event, case_id: UUID) -> None:
    opened = await desk.tx.open_case(new_id(desk.now), event.ref, desk.now)
    if opened is not None:
        desk.cases |= await desk.tx.cases([opened[0]])
        case_id = opened[0]
    desk.tell(case_id, event, {"result": "opened" if opened else "open_already"})


async def _hold(desk: Desk, event: Event, borrower: UUID, case_id: UUID | None, data: HoldPlaced | HoldLifted) -> None:
    if isinstance(data, HoldLifted):
        await desk.tx.lift_holds(borrower, case_id, data.kind, desk.now)
    else:
        await place_hold(
            desk.tx, borrower, case_id, data.kind, f"event:{event.source}", desk.now, data.until, data.evidence
        )
    for each in await cases_of(desk, borrower, case_id):
        desk.tell(each, event, {"kind": data.kind})
        if isinstance(data, HoldPlaced):
            desk.stops[StopCondition.HOLD, f"hold.{data.kind}"].add(each)


async def cases_of(desk: Desk, borrower: UUID, case_id: UUID | None) -> list[UUID]:
    """Return the cases a change is about: the one named, or every open case of the borrower."""
    if case_id is not None:
        return [case_id]
    mine = await desk.tx.open_cases_of(borrower)
    desk.cases |= await desk.tx.cases([each for each in mine if each not in desk.cases])
    return mine


async def place_hold(
    tx: Tx,
    borrower: UUID,
    case_id: UUID | None,
    kind: str,
    source: str,
    now: datetime,
    until: datetime | None = None,
    evidence: str | None = None,
) -> None:
    """Place a hold on a case, or on everything about a borrower."""
    row = {
        "hold_id": new_id(now),
        "borrower_id": borrower,
        "case_id": case_id,
        "kind": kind,
        "since_at": now,
        "until_at": until,
        "source": source,
        "evidence": evidence,
    }
    await tx.insert_holds([row])


def _row(event: Event, now: datetime) -> dict[str, Any]:
    return {
        "source": event.source,
        "event_id": event.id,
        "type": event.type,
        "subject": f"{event.kind}/{event.ref}",
        "occurred_at": event.occurred_at,
        "received_at": now,
        "data": event.data.model_dump(mode="json"),
    }


async def _write(desk: Desk) -> None:
    """Write the batch: accounts, timelines, then what stops, then what starts."""
    await desk.tx.save_cases([desk.cases[case_id] for case_id in sorted(desk.touched)], desk.now)
    await desk.put_down()
    for (condition, reason), cases in desk.stops.items():
        await stop_for(desk.tx, desk.house, sorted(cases), condition, reason, desk.now)
    for case in [desk.cases[case_id] for case_id in sorted(desk.settled)]:
        if case.amount_due_minor <= 0:  # no later event of the batch took it back
            await close_claims(desk.house, desk.tx, case, desk.now)
    await start_plans(desk)
    await desk.tx.notify_due()


async def start_plans(desk: Desk) -> None:
    """Start the plans that an event of this batch triggers, unless the same batch already settled the case."""
    for plan in desk.house.plans.values():
        wanted = [(event, case_id) for kind, event, case_id in desk.starts if kind == plan.trigger]
        if not wanted:
            continue
        rows = await desk.tx.condition_rows({case_id for _, case_id in wanted})
        causes = [
            Cause(
                rows[case_id],
                f"event:{event.source}:{event.id}",
                event.occurred_at,
                context=_context(event, desk, case_id),
            )
            for event, case_id in wanted
            if desk.cases[case_id].state == CaseState.OPEN and desk.cases[case_id].amount_due_minor > 0
        ]
        await enrol(desk.tx, plan, causes, desk.now)


def _context(event: Event, desk: Desk, case_id: UUID) -> dict[str, Any]:
    case = desk.cases[case_id]
    minor = getattr(event.data, "amount_due_minor", None) or getattr(event.data, "amount_minor", None) or 0
    reason = getattr(event.data, "reason", "")
    return {"trigger": {"type": event.type, "amount": str(Money(minor, case.currency).decimal), "reason": reason}}
