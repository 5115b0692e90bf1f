"""All that is known about one borrower before it is narrowed to the facts of one candidate contact."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from outreach.domain.calendar import load_zone
from outreach.domain.case import Borrower, Case, ContactPoint
from outreach.domain.words import POINT_KIND, Channel
from outreach.policy.facts import (
    Consent,
    Contact,
    Facts,
    Hold,
    Override,
    PersonalWindow,
    Point,
    Suppression,
)


@dataclass(slots=True)
class Dossier:
    """One borrower's facts of one batch, read under the borrower's lock.

    ``history`` grows while the batch is decided: a touch that was just allowed counts for the next one.
    """

    borrower: Borrower
    points: list[ContactPoint] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    windows: list[PersonalWindow] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    history: list[Contact] = field(default_factory=list)

    def points_for(self, channel: str) -> list[ContactPoint]:
        """Return the contact points a channel could use, best first, dead ones last: their reason is recorded too."""
        kind = POINT_KIND[Channel(channel)]
        usable = [point for point in self.points if point.kind == kind]
        return sorted(usable, key=lambda point: (point.state != "active", point.type == "fixed_line", point.priority))

    def local_date(self, at: datetime) -> date:
        """Return the borrower's calendar date at ``at``, the earliest of the candidate zones: nothing runs early."""
        zones = [zone for name in self.borrower.zones if (zone := load_zone(name)) is not None]
        return min((at.astimezone(zone).date() for zone in zones), default=at.date())

    def add(self, contacts: Iterable[Contact]) -> None:
        """Add contacts that were decided in this batch."""
        self.history.extend(contacts)


def facts_for(
    dossier: Dossier,
    case: Case,
    *,
    touch_id: UUID,
    channel: str,
    purpose: str,
    role: str,
    actor: str,
    at: datetime,
    expires_at: datetime | None,
    point: ContactPoint | None,
    paused: tuple[str, ...] = (),
    overrides: tuple[Override, ...] = (),
) -> Facts:
    """Narrow a dossier to the facts of one candidate contact."""
    borrower = dossier.borrower
    return Facts(
        touch_id=str(touch_id),
        channel=channel,
        purpose=purpose,
        role=role,
        actor=actor,
        borrower_id=str(borrower.borrower_id),
        case_id=str(case.case_id),
        creditor_id=case.creditor_id,
        product=case.product,
        case_state=case.state,
        amount_due_minor=case.amount_due_minor,
        currency=case.currency,
        days_past_due=case.days_past_due(dossier.local_date(at)),
        due_on=case.due_on,
        stage=case.stage,
        jurisdictions=borrower.jurisdictions,
        zones=borrower.zones,
        locale=borrower.locale,
        point=gate_point(point) if point else None,
        expires_at=expires_at,
        consents=tuple(dossier.consents),
        suppressions=tuple(dossier.suppressions),
        holds=tuple(dossier.holds),
        history=tuple(dossier.history),
        personal_windows=tuple(dossier.windows),
        overrides=(*dossier.overrides, *overrides),
        paused=paused,
    )


def gate_point(point: ContactPoint) -> Point:
    """Return what the gate may know of a contact point: everything but the number or address itself."""
    return Point(
        id=str(point.contact_point_id),
        kind=point.kind,
        type=point.type,
        label=point.label,
        state=point.state,
        regions=point.regions,
        zones=point.zones,
        confirmed=point.confirmed,
    )
