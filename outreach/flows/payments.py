"""Payments: what came in lowers what is owed, counts toward promises and installments, and can be taken back."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from outreach.domain.arrangement_life import Standing, after_payment, allocate
from outreach.domain.money import Money
from outreach.domain.timeline import Entry
from outreach.domain.words import ArrangementState, PromiseState
from outreach.flows.agreement_words import standing_words
from outreach.flows.agreements import installment_cause, plan_one, promise_cause, remind
from outreach.flows.enroll import stop_causes
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.flows.speaker import load_plan, standing_plan

if TYPE_CHECKING:
    from outreach.domain.events import Event, PaymentReversed
    from outreach.flows.events import Desk

THANKS_WITHIN = timedelta(days=2)
"""How long a thank-you may wait for a permitted hour."""


async def apply_payment(desk: "Desk", event: "Event", case_id: UUID, amount: Money, payment_id: str) -> bool:
    """Record a payment on a case; False when it was known already. It counts toward what was agreed before it came."""
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
    await desk.put_down()  # the case tells that it was paid before it tells what stops for that
    plan = await standing_plan(desk.tx, case_id)
    promise = (await desk.tx.live_promises([case_id])).get(case_id)
    await desk.tx.count_payment(
        event.source, payment_id, plan.arrangement_id if plan else None, promise[1] if promise else None
    )
    if promise:
        desk.entries += await _count_promise(desk.tx, promise[1], desk.now)
    if plan:
        desk.entries += await _count_installments(desk.tx, case_id, plan, desk.now)
    return True


async def undo_payment(desk: "Desk", event: "Event", data: "PaymentReversed") -> None:
    """Take a payment back: the amount is owed again, and what it had kept is kept no more.

    Installments it had paid are open again, newest first, with a grace that starts anew: nothing breaks on the spot.
    """
    row = await desk.tx.reverse_payment(event.source, data.payment_id, desk.now)
    if row is None:
        return
    case_id, minor = row
    if case_id not in desk.cases:
        desk.cases |= await desk.tx.cases([case_id])
    case = desk.cases[case_id]
    desk.change(case_id, amount_due_minor=case.amount_due_minor + minor, balance_minor=case.balance_minor + minor)
    desk.tell(case_id, event, {"amount_minor": -minor, "currency": case.currency})
    await desk.put_down()
    counted = await desk.tx.payment_counted(event.source, data.payment_id)
    arrangement_id, promise_id = counted or (None, None)
    if promise_id:
        desk.entries += await _uncount_promise(desk.tx, case_id, promise_id, desk.now)
    if arrangement_id:
        desk.entries += await _uncount_installments(desk.house, desk.tx, case_id, arrangement_id, data, desk.now)


async def _count_promise(tx: Tx, promise_id: UUID, now: datetime) -> list[Entry]:
    row = await _promise(tx, promise_id)
    _, case_id, borrower_id, _, promised, _, due_on, *_ = row
    _, paid = await tx.paid_toward(promise_id)
    kept = paid >= promised
    await tx.move_promise(promise_id, PromiseState.KEPT if kept else PromiseState.OPEN, paid, now if kept else None)
    if kept:
        await stop_causes(tx, case_id, [promise_cause(promise_id, due_on)], "paid", now)
        if await tx.thank_for_promise(promise_id, now):
            words = {"promise": {"amount_minor": promised, "due_on": due_on.isoformat()}}
            await _thank(tx, case_id, borrower_id, "promise_kept", words, row[8], now)
    kind = "promise.kept" if kept else "promise.part_paid"
    return [Entry(case_id, now, kind, {"promise_id": promise_id, "paid_minor": paid, "promised_minor": promised})]


async def _promise(tx: Tx, promise_id: UUID) -> Row:
    row = await tx.promise(promise_id)
    assert row is not None  # noqa: S101 - whoever names it has just read it
    return row


async def _uncount_promise(tx: Tx, case_id: UUID, promise_id: UUID, now: datetime) -> list[Entry]:
    _, _, _, state, promised, *_, grace = await _promise(tx, promise_id)
    _, paid = await tx.paid_toward(promise_id)
    if state not in (PromiseState.KEPT, PromiseState.OPEN) or paid >= promised:
        return []
    if await tx.other_open_promise(case_id, promise_id):
        return []
    await tx.move_promise(promise_id, PromiseState.OPEN, paid, None)
    await tx.spare_promise(promise_id, await _local_day(tx, case_id, now) + timedelta(days=grace))
    told = {"promise_id": promise_id, "paid_minor": paid, "promised_minor": promised}
    return [Entry(case_id, now, "promise.reopened", told)] if state == PromiseState.KEPT else []


async def _local_day(tx: Tx, case_id: UUID, now: datetime) -> date:
    row = (await tx.condition_rows([case_id]))[case_id]
    return now.astimezone(row.zone).date()


async def _count_installments(tx: Tx, case_id: UUID, plan: Standing, now: datetime) -> list[Entry]:
    total, covered = await _spread(tx, plan)
    causes = [installment_cause(plan.arrangement_id, no) for no in covered]
    await stop_causes(tx, case_id, causes, "paid", now)
    owed = plan.total.minor
    state = after_payment(plan.state, total, owed)
    await tx.move_arrangement(plan.arrangement_id, state, now if state is ArrangementState.KEPT else None)
    if state is ArrangementState.KEPT and await tx.thank_for_arrangement(plan.arrangement_id, now):
        row = await tx.arrangement(plan.arrangement_id)
        if row is not None:
            words = {"arrangement": standing_words(plan)}
            await _thank(tx, case_id, row[2], "arrangement_kept", words, row[8], now)
    kind = "arrangement.kept" if state is ArrangementState.KEPT else "arrangement.paid"
    told = {"arrangement_id": plan.arrangement_id, "paid_minor": total, "total_minor": owed}
    if total > owed:
        told["over_minor"] = total - owed
    return [Entry(case_id, now, kind, told)]


async def _spread(tx: Tx, plan: Standing) -> tuple[int, list[int]]:
    """Write what has been paid of each installment, oldest first; returns the total and the numbers now paid in full.

    The total is added up from the payments that count, so that what goes in twice or back leaves no trace.
    """
    total, _ = await tx.paid_toward(plan.arrangement_id)
    parts = [part.installment for part in plan.covered]
    known = {part.installment.number: part.paid for part in plan.covered}
    spread = allocate(parts, Money(total, plan.total.currency))
    changed = [part for part in spread if part.paid != known[part.installment.number]]
    await tx.pay_installments(
        [
            {"arrangement_id": plan.arrangement_id, "no": part.installment.number, "paid_minor": part.paid.minor}
            for part in changed
        ]
    )
    return total, [part.installment.number for part in changed if not part.open.minor]


async def _uncount_installments(
    house: House, tx: Tx, case_id: UUID, arrangement_id: UUID, data: "PaymentReversed", now: datetime
) -> list[Entry]:
    plan = await load_plan(tx, arrangement_id)
    if plan is None:
        return []
    total, _ = await _spread(tx, plan)
    state = after_payment(plan.state, total, plan.total.minor)
    replaced = await tx.other_live_arrangement(case_id, arrangement_id)
    if replaced or state not in (ArrangementState.ACTIVE, ArrangementState.CONFIRMED):
        return []
    row = await tx.arrangement(arrangement_id)
    today = await _local_day(tx, case_id, now)
    spared = today + timedelta(days=row[11] if row else 0)
    await tx.move_arrangement(arrangement_id, state, None)
    await tx.spare_arrangement(arrangement_id, spared)
    paid_before = {part.installment.number for part in plan.covered if not part.open.minor}
    again = await load_plan(tx, arrangement_id)
    opened = [part.installment for part in again.covered if part.open.minor] if again else []
    opened = [part for part in opened if part.number in paid_before]
    count = len(plan.covered)
    await remind(house, tx, case_id, arrangement_id, tuple(opened), now, again=f"again-{data.payment_id}",
                 not_before=spared, count=count)  # fmt: skip
    told = {"arrangement_id": arrangement_id, "paid_minor": total, "total_minor": plan.total.minor}
    return [Entry(case_id, now, "arrangement.reopened", told)]


async def _thank(
    tx: Tx,
    case_id: UUID,
    borrower_id: UUID,
    template: str,
    words: dict[str, Any],
    source: str,
    now: datetime,
) -> None:
    """Say thanks, once, the way the agreement was made; by the other way when that one is barred."""
    channels = ("email", "sms") if source == "email" else ("sms", "email")
    await plan_one(tx, case_id, borrower_id, template, words, channels, now, THANKS_WITHIN)
