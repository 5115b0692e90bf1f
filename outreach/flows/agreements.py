"""Agreements: an arrangement, a promise or an extension comes into force, is changed, or is taken back."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from outreach.domain.arrangement import Installment, Offer
from outreach.domain.arrangement_life import Arrangement, Standing
from outreach.domain.case import Case, ContactPoint
from outreach.domain.extension import Extension
from outreach.domain.ids import new_id
from outreach.domain.plan import DueDateOf
from outreach.domain.promise import Promise
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewTouch
from outreach.domain.words import ArrangementState, PromiseState, Purpose, StopCondition, TouchState
from outreach.flows.agreement_words import offer_told, plan_words, promise_words
from outreach.flows.enroll import Cause, enrol, start_on, stop_causes, stop_for
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import Speaker, standing_plan

ASIDE_PRIORITY = 80
"""What is written once about an agreement matters less than the reminder of an installment (arrangement_reminders)."""

BY_MAIL_WITHIN = timedelta(days=3)
"""How long the written confirmation may wait for a permitted hour."""


async def confirm_arrangement(house: House, tx: Tx, speaker: Speaker, offer: Offer, now: datetime) -> bool:
    """Set an arrangement up: dated installments, other plans stopped, reminders before each; False when one is live.

    A fee is owed from now on; with a mailbox on file the schedule follows by email, if the gate allows it.
    """
    key, case = new_id(now), speaker.case
    agreed = Arrangement(offer).agreed()
    stored = await tx.insert_arrangement(
        {
            "arrangement_id": key,
            "case_id": case.case_id,
            "borrower_id": speaker.borrower_id,
            "state": agreed.state,
            "frequency": offer.frequency,
            "total_minor": offer.total.minor,
            "currency": offer.total.currency,
            "at": now,
            "confirmed_at": now,
            "source": speaker.surface,
            "policy": offer.policy_id,
            "grace_days": offer.grace_days,
            "fee_minor": offer.fee_minor,
            "down_payment_minor": offer.down_payment_minor,
            "contact_point_id": speaker.contact_point_id,
        },
        [
            {"arrangement_id": key, "no": part.number, "due_on": part.due_on, "amount_minor": part.amount.minor}
            for part in agreed.installments
        ],
    )
    if not stored:
        return False
    told = offer_told(offer) | {"arrangement_id": key, "evidence": speaker.evidence}
    told["schedule"] = [
        {"no": part.number, "due_on": part.due_on, "amount_minor": part.amount.minor} for part in agreed.installments
    ]
    await tx.append([Entry(case.case_id, now, "arrangement.confirmed", told)])
    await _owe(tx, speaker, offer.fee_minor, now)
    await _drop_promise(tx, case.case_id, "arrangement", now)
    await stop_for(tx, house, [case.case_id], StopCondition.ARRANGEMENT, "arrangement", now)
    await remind(house, tx, case.case_id, key, agreed.installments, now)
    await start_on(tx, house, "arrangement.confirmed", {case.case_id: f"arrangement:{key}"}, now, {})
    await _confirm_by_mail(tx, speaker, plan_words(offer), now)
    return True


async def _owe(tx: Tx, speaker: Speaker, minor: int, now: datetime) -> None:
    """Add a fee to what is owed, or take it off again."""
    if not minor:
        return
    case = (await tx.cases([speaker.case.case_id]))[speaker.case.case_id]
    await tx.save_cases([_owing(case, minor)], now)


def _owing(case: Case, minor: int) -> Case:
    return replace(
        case,
        amount_due_minor=max(0, case.amount_due_minor + minor),
        balance_minor=max(0, case.balance_minor + minor),
    )


async def remind(
    house: House,
    tx: Tx,
    case_id: UUID,
    arrangement_id: UUID,
    installments: tuple[Installment, ...],
    now: datetime,
    *,
    again: str = "",
    not_before: date | None = None,
    count: int | None = None,
) -> None:
    """Start the reminders of installments, of ``count`` in all.

    ``again`` makes it a new cause, ``not_before`` moves dates that passed.
    """
    row = (await tx.condition_rows([case_id]))[case_id]
    for plan in house.plans.values():
        if plan.due_date_of is not DueDateOf.INSTALLMENT:
            continue
        causes = [
            Cause(
                row,
                installment_cause(arrangement_id, part.number, again),
                max(part.due_on, not_before or part.due_on),
                context=_installment_context(part, count or len(installments)),
            )
            for part in installments
        ]
        await enrol(tx, plan, causes, now)


def installment_cause(arrangement_id: UUID, number: int, again: str = "") -> str:
    """Return the cause of an installment's reminders."""
    return f"installment:{arrangement_id}:{number}" + (f":{again}" if again else "")


def _installment_context(part: Installment, count: int) -> dict[str, Any]:
    return {
        "installment": {
            "no": part.number,
            "count": count,
            "amount_minor": part.amount.minor,
            "due_on": part.due_on.isoformat(),
        }
    }


async def _confirm_by_mail(tx: Tx, speaker: Speaker, words: dict[str, Any], now: datetime) -> None:
    """Send the schedule by email as well, to a mailbox on file; an email or a page brings it in its own answer."""
    if speaker.surface in ("email", "portal"):
        return
    if any(point.state == "active" and _may_mail(speaker, point) for point in speaker.dossier.points_for("email")):
        case = speaker.case
        context = {"arrangement": words}
        template = "arrangement_confirmation"
        await plan_one(tx, case.case_id, speaker.borrower_id, template, context, ("email",), now, BY_MAIL_WITHIN)


def _may_mail(speaker: Speaker, point: ContactPoint) -> bool:
    """Tell whether the borrower allowed email, there or anywhere; the gate decides about all else."""
    consents, _ = speaker.dossier.said_about("email", str(point.contact_point_id), speaker.case.creditor_id)
    said = [
        one
        for one in consents
        if one.channel in ("email", "any") and one.point_id in (None, str(point.contact_point_id))
    ]
    return bool(said) and max(said, key=lambda one: one.at).state == "given"


async def plan_one(
    tx: Tx,
    case_id: UUID,
    borrower_id: UUID,
    template: str,
    context: dict[str, Any],
    channels: tuple[str, ...],
    now: datetime,
    within: timedelta,
) -> None:
    """Plan one touch of no plan about an agreement: the gate decides it like any other."""
    touch = NewTouch(
        touch_id=new_id(now),
        case_id=case_id,
        borrower_id=borrower_id,
        channel=channels[0],
        fallback=channels[1:],
        template=template,
        purpose=Purpose.ARRANGEMENT,
        state=TouchState.PLANNED,
        due_at=now,
        not_before=now,
        expires_at=now + within,
        created_at=now,
        step_id=template,
        context=context,
        priority=ASIDE_PRIORITY,
    )
    await tx.insert_touches([touch])
    await tx.notify_due()


async def end_plan(tx: Tx, case_id: UUID, plan: Standing, by: str, now: datetime, reason: str | None = None) -> None:
    """Cancel an arrangement: its reminders stop, its fee is owed no more. Raises ArrangementError once it has ended."""
    Arrangement(_nominal(plan), plan.state).move(ArrangementState.CANCELLED)
    await tx.end_arrangement(plan.arrangement_id, ArrangementState.CANCELLED, by, now)
    told: dict[str, Any] = {"arrangement_id": plan.arrangement_id, "by": by, "left_minor": plan.left.minor}
    if reason:
        told["note"] = reason
    await tx.append([Entry(case_id, now, "arrangement.cancelled", told)])
    await end_reminders(tx, case_id, plan, "arrangement.cancelled", now)
    await forgive_fee(tx, case_id, plan, now)


def _nominal(plan: Standing) -> Offer:
    first = plan.covered[0].installment
    return Offer(0, len(plan.covered), plan.frequency, plan.total, first.due_on, "")


async def end_reminders(tx: Tx, case_id: UUID, plan: Standing, reason: str, now: datetime) -> None:
    """Stop the reminders of every installment of a plan, those started again after a reversal too."""
    causes = [f"installment:{plan.arrangement_id}:{part.installment.number}" for part in plan.covered]
    await stop_causes(tx, case_id, causes, reason, now)


async def forgive_fee(tx: Tx, case_id: UUID, plan: Standing, now: datetime) -> None:
    """Take the fee of a plan that ended early off what is owed, as far as it is still owed."""
    if plan.fee_minor:
        case = (await tx.cases([case_id]))[case_id]
        await tx.save_cases([_owing(case, -plan.open_fee.minor)], now)


async def cancel_arrangement(tx: Tx, speaker: Speaker, now: datetime) -> bool:
    """Cancel what stands on the case for the borrower; False when nothing does."""
    plan = await standing_plan(tx, speaker.case.case_id)
    if plan is None:
        return False
    await end_plan(tx, speaker.case.case_id, plan, "borrower", now)
    return True


async def change_arrangement(house: House, tx: Tx, speaker: Speaker, offer: Offer, now: datetime) -> bool:
    """Put a new arrangement in the place of the one that stands, in one step."""
    plan = await standing_plan(tx, speaker.case.case_id)
    if plan is not None:
        await end_plan(tx, speaker.case.case_id, plan, "change", now)
    return await confirm_arrangement(house, tx, speaker, offer, now)


async def record_promise(house: House, tx: Tx, speaker: Speaker, promise: Promise, now: datetime) -> None:
    """Record a promise: other plans stop, reminders of its day start. A promise already open moves."""
    case = speaker.case
    known = (await tx.live_promises([case.case_id])).get(case.case_id)
    key = await tx.insert_promise(
        {
            "promise_id": new_id(now),
            "case_id": case.case_id,
            "borrower_id": speaker.borrower_id,
            "amount_minor": promise.amount.minor,
            "currency": promise.amount.currency,
            "due_on": promise.on,
            "at": now,
            "source": speaker.surface,
            "grace_days": promise.grace_days,
            "contact_point_id": speaker.contact_point_id,
        }
    )
    told = {
        "promise_id": key,
        "amount_minor": promise.amount.minor,
        "currency": promise.amount.currency,
        "due_on": promise.on,
    }
    await tx.append([Entry(case.case_id, now, "promise.made", told)])
    if known:
        await stop_causes(tx, case.case_id, [promise_cause(known[1], known[4])], "promise", now)
    await stop_for(tx, house, [case.case_id], StopCondition.PROMISE, "promise", now)
    await remind_of_promise(house, tx, case.case_id, key, promise, now)
    await start_on(tx, house, "promise.made", {case.case_id: f"promise:{key}"}, now, {})


def promise_cause(promise_id: UUID, on: date) -> str:
    """Return the cause of a promise's reminders."""
    return f"promise:{promise_id}:{on.isoformat()}"


async def remind_of_promise(
    house: House, tx: Tx, case_id: UUID, promise_id: UUID, promise: Promise, now: datetime
) -> None:
    """Start the reminders keyed to the promised day."""
    row = (await tx.condition_rows([case_id]))[case_id]
    cause = Cause(row, promise_cause(promise_id, promise.on), promise.on, context={"promise": promise_words(promise)})
    for plan in house.plans.values():
        if plan.due_date_of is DueDateOf.PROMISE:
            await enrol(tx, plan, [cause], now)


async def _drop_promise(tx: Tx, case_id: UUID, reason: str, now: datetime) -> None:
    """Take an open promise back: something else was agreed in its place."""
    known = (await tx.live_promises([case_id])).get(case_id)
    if known is None:
        return
    _, promise_id, _, _, due_on, paid = known
    await tx.move_promise(promise_id, PromiseState.CANCELLED, paid, now)
    await stop_causes(tx, case_id, [promise_cause(promise_id, due_on)], reason, now)
    await tx.append([Entry(case_id, now, "promise.cancelled", {"promise_id": promise_id, "by": reason})])


async def grant_extension(house: House, tx: Tx, speaker: Speaker, extension: Extension, now: datetime) -> None:
    """Move the due date: plans that counted from the old one stop, and those of the new one start by themselves."""
    case_id, key = speaker.case.case_id, new_id(now)
    await tx.insert_extension(
        {
            "extension_id": key,
            "case_id": case_id,
            "borrower_id": speaker.borrower_id,
            "from_on": extension.from_on,
            "to_on": extension.to_on,
            "at": now,
            "source": speaker.surface,
            "evidence": speaker.evidence,
        }
    )
    case = (await tx.cases([case_id]))[case_id]
    await tx.save_cases([replace(case, due_on=extension.to_on)], now)
    told = {"extension_id": key, "from_on": extension.from_on, "to_on": extension.to_on, "evidence": speaker.evidence}
    await tx.append([Entry(case_id, now, "extension.granted", told)])
    await _drop_promise(tx, case_id, "extension", now)
    await stop_for(tx, house, [case_id], StopCondition.PROMISE, "extension", now)
