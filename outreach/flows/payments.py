"""Payments: what came in lowers what is owed, counts toward promises and installments, and can be taken back."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from outreach.domain.arrangement import Installment, allocate
from outreach.domain.money import Money
from outreach.domain.timeline import Entry
from outreach.domain.words import ArrangementState, PromiseState
from outreach.flows.enroll import stop_causes
from outreach.flows.ports import Tx

if TYPE_CHECKING:
    from outreach.domain.events import Event, PaymentReversed
    from outreach.flows.events import Desk


async def apply_payment(desk: "Desk", event: "Event", case_id: UUID, amount: Money, payment_id: str) -> bool:
    """Record a payment on a case; False when it was known already."""
    case = desk.cases[case_id]
    stored = await desk.tx.insert_payment(
        {
            "source": event.source,
            "external_id": payment_id,
            "case_id": case_id,
            "amount_minor": amount.minor,
            "currency": amount.currency,
            "at": event.occurred_at,
        }
    )
    if not stored:
        desk.tell(case_id, event, {"result": "known_payment"})
        return False
    desk.change(
        case_id,
        amount_due_minor=max(0, case.amount_due_minor - amount.minor),
        balance_minor=max(0, case.balance_minor - amount.minor),
    )
    desk.tell(case_id, event, {"amount_minor": amount.minor, "currency": amount.currency})
    desk.entries += await _count_promise(desk.tx, case_id, amount.minor, desk.now)
    desk.entries += await _count_installments(desk.tx, case_id, amount.minor, desk.now)
    return True


async def undo_payment(desk: "Desk", event: "Event", data: "PaymentReversed") -> None:
    """Take a payment back: the amount is owed again. Installments it had paid are open again, newest first."""
    row = await desk.tx.reverse_payment(event.source, data.payment_id, desk.now)
    if row is None:
        return
    case_id, minor = row
    if case_id not in desk.cases:
        desk.cases |= await desk.tx.cases([case_id])
    case = desk.cases[case_id]
    desk.change(case_id, amount_due_minor=case.amount_due_minor + minor, balance_minor=case.balance_minor + minor)
    desk.tell(case_id, event, {"amount_minor": -minor, "currency": case.currency})
    desk.entries += await _count_installments(desk.tx, case_id, -minor, desk.now)


async def _count_promise(tx: Tx, case_id: UUID, minor: int, now: datetime) -> list[Entry]:
    promise = (await tx.live_promises([case_id])).get(case_id)
    if promise is None:
        return []
    _, promise_id, promised, _, _, paid = promise
    paid += minor
    kept = paid >= promised
    await tx.move_promise(promise_id, PromiseState.KEPT if kept else PromiseState.OPEN, paid, now if kept else None)
    kind = "promise.kept" if kept else "promise.part_paid"
    return [Entry(case_id, now, kind, {"promise_id": promise_id, "paid_minor": paid, "promised_minor": promised})]


async def _count_installments(tx: Tx, case_id: UUID, minor: int, now: datetime) -> list[Entry]:
    arrangement = (await tx.live_arrangements([case_id])).get(case_id)
    if arrangement is None:
        return []
    arrangement_id = arrangement[1]
    rows = (await tx.installments([arrangement_id])).get(arrangement_id, [])
    currency = arrangement[5]
    total = max(0, sum(paid for _, _, _, paid in rows) + minor)
    parts = [Installment(no, due_on, Money(amount, currency)) for no, due_on, amount, _ in rows]
    known = {no: paid for no, _, _, paid in rows}
    changed: list[dict[str, Any]] = [
        {"arrangement_id": arrangement_id, "no": part.installment.number, "paid_minor": part.paid.minor}
        for part in allocate(parts, Money(total, currency))
        if part.paid.minor != known[part.installment.number]
    ]
    await tx.pay_installments(changed)
    covered = [
        row["no"]
        for row in changed
        for part in parts
        if part.number == row["no"] and part.amount.minor <= row["paid_minor"]
    ]
    await stop_causes(tx, case_id, [f"installment:{arrangement_id}:{no}" for no in covered], "paid", now)
    owed = sum(amount for _, _, amount, _ in rows)
    kept = total >= owed
    state = ArrangementState.KEPT if kept else ArrangementState.ACTIVE
    await tx.move_arrangement(arrangement_id, state, now if kept else None)
    kind = "arrangement.kept" if kept else "arrangement.paid"
    return [Entry(case_id, now, kind, {"arrangement_id": arrangement_id, "paid_minor": total, "total_minor": owed})]
