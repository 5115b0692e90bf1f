"""The operator's desk for arrangements: every one of a case as it stands, and the end of one."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from outreach.domain.arrangement_life import Standing
from outreach.domain.money import Money
from outreach.flows.agreements import end_plan
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import load_plan, standing_plan


@dataclass(frozen=True, slots=True)
class AgreedPart:
    """One installment; amounts in major units with their currency."""

    no: int
    due_on: date
    amount: str
    paid: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """One arrangement. ``fee`` None: there was none; ``ended_by`` is borrower, change, or an operator's name."""

    arrangement_id: UUID
    state: str
    frequency: str
    total: str
    left: str
    fee: str | None
    source: str
    agreed_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    parts: tuple[AgreedPart, ...]


async def load_agreed(house: House, ref: str) -> list[Agreed] | None:
    """Return every arrangement of the case that ``ref`` names, oldest first; None when it names none."""
    async with house.store.transaction() as tx:
        case_id = await tx.find_case(ref)
        if case_id is None:
            return None
        found = [await _agreed(tx, key) for key in await tx.arrangements_of_case(case_id)]
    return [one for one in found if one is not None]


async def _agreed(tx: Tx, arrangement_id: UUID) -> Agreed | None:
    row, plan = await tx.arrangement(arrangement_id), await load_plan(tx, arrangement_id)
    if row is None or plan is None:
        return None
    *_, source, _, _, _, confirmed_at, ended_at, ended_by = row
    return Agreed(
        arrangement_id=arrangement_id,
        state=plan.state,
        frequency=plan.frequency,
        total=_text(plan.total),
        left=_text(plan.left),
        fee=_text(Money(plan.fee_minor, plan.total.currency)) if plan.fee_minor else None,
        source=source,
        agreed_at=confirmed_at,
        ended_at=ended_at,
        ended_by=ended_by,
        parts=_parts(plan),
    )


def _parts(plan: Standing) -> tuple[AgreedPart, ...]:
    return tuple(
        AgreedPart(part.installment.number, part.installment.due_on, _text(part.installment.amount), _text(part.paid))
        for part in plan.covered
    )


def _text(amount: Money) -> str:
    return f"{amount.decimal:,} {amount.currency}"


async def cancel_on(house: House, ref: str, by: str, reason: str) -> bool | None:
    """Cancel what stands on the case that ``ref`` names; False when nothing does, None when it names no case.

    Nothing is sent to the borrower: whoever cancels tells them. Raises ArrangementError when it ended meanwhile.
    """
    async with house.store.transaction() as tx:
        case_id = await tx.find_case(ref)
        if case_id is None:
            return None
        await tx.lock_borrowers(await tx.borrowers_of_cases([case_id]))
        plan = await standing_plan(tx, case_id)
        if plan is None:
            return False
        now = house.clock.now()
        await end_plan(tx, case_id, plan, by, now, reason)
    return True
