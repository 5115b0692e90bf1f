"""Who answered, about which case, from where, and what was agreed with them before."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from outreach.domain.arrangement import NO_BACKGROUND, Background, Frequency, Installment
from outreach.domain.arrangement_life import Coverage, Standing
from outreach.domain.calendar import BusinessCalendar, first_zone
from outreach.domain.case import Case
from outreach.domain.money import Money
from outreach.domain.words import ArrangementState
from outreach.flows.ports import Row, Tx
from outreach.policy.dossier import Dossier

A_YEAR = timedelta(days=365)
"""How long a broken arrangement counts when new ones are offered."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answered, about which case, from where. ``surface`` is sms, email, ivr or portal.

    ``plan`` is the arrangement that stands on the case, ``background`` what else decides what may be offered.
    """

    dossier: Dossier
    case: Case
    contact_point_id: UUID | None
    surface: str
    heard_at: datetime
    evidence: str
    plan: Standing | None = None
    background: Background = NO_BACKGROUND

    @property
    def borrower_id(self) -> UUID:
        """The borrower."""
        return self.dossier.borrower.borrower_id

    @property
    def today(self) -> date:
        """The borrower's local day when they answered."""
        return self.heard_at.astimezone(first_zone(self.dossier.borrower.zones)).date()


async def informed(tx: Tx, speaker: Speaker, now: datetime) -> Speaker:
    """Return the speaker with the arrangement that stands and what else decides what may be offered."""
    plan = await standing_plan(tx, speaker.case.case_id)
    return told_of(speaker, plan, await tx.background(speaker.borrower_id, speaker.case.case_id, now - A_YEAR))


def told_of(speaker: Speaker, plan: Standing | None, row: Row | None) -> Speaker:
    """Return the speaker with the arrangement that stands and the row of ``background``."""
    if row is None:
        return replace(speaker, plan=plan)
    broken, extended_at, country, subdivision, jurisdictions = row
    zone = first_zone(speaker.dossier.borrower.zones)
    background = Background(
        jurisdictions=tuple(sorted(set(jurisdictions))),
        broken=broken,
        extended_on=extended_at.astimezone(zone).date() if extended_at else None,
        calendar=BusinessCalendar(country, subdivision or ""),
    )
    return replace(speaker, plan=plan, background=background)


async def standing_plan(tx: Tx, case_id: UUID) -> Standing | None:
    """Return the arrangement that is confirmed or active on a case, with what was paid of each installment."""
    row = (await tx.live_arrangements([case_id])).get(case_id)
    return await load_plan(tx, row[1]) if row else None


async def load_plan(tx: Tx, arrangement_id: UUID) -> Standing | None:
    """Return one arrangement, whatever its state."""
    row = await tx.arrangement(arrangement_id)
    if row is None:
        return None
    _, _, _, state, frequency, total_minor, currency, fee_minor, *_ = row
    parts = (await tx.installments([arrangement_id])).get(arrangement_id, [])
    covered = tuple(
        Coverage(Installment(no, due_on, Money(amount, currency)), Money(paid, currency))
        for no, due_on, amount, paid in parts
    )
    total = Money(total_minor, currency)
    return Standing(arrangement_id, ArrangementState(state), Frequency(frequency), total, covered, fee_minor)
