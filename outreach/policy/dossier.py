"""All that is known about one borrower before it is narrowed to the facts of one candidate contact."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from outreach.domain.calendar import load_zone
from outreach.domain.case import Borrower, Case, ContactPoint
from outreach.domain.words import POINT_KIND, Channel, PointKind, PointLabel
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

REFUSED_BY_THE_PERSON = frozenset({"consent_revoked", "consent.revoked_in_book", "caller_pressed_stop"})
"""Reasons, besides every ``opt_out.*``, of refusals that the person's own later consent undoes."""


@dataclass(frozen=True, slots=True)
class Reopened:
    """A consent that undoes what was refused before it: on one channel, at one contact point, about one programme.

    ``point_id`` and ``creditor_id`` None cover all.
    """

    at: datetime
    channel: str
    point_id: str | None = None
    creditor_id: str | None = None

    def covers(self, channel: str, point_id: str | None, creditor_id: str) -> bool:
        """Tell whether it speaks of a candidate contact."""
        return self.channel == channel and self.point_id in {None, point_id} and self.creditor_id in {None, creditor_id}


@dataclass(frozen=True, slots=True)
class Heard:
    """When somebody last wrote a text from a number, and when last by WhatsApp."""

    at: datetime
    by_whatsapp_at: datetime | None


@dataclass(slots=True)
class Dossier:
    """One borrower's facts of one batch, read under the borrower's lock.

    ``consents`` and ``suppressions`` are those about every programme; ``topical`` are those about one creditor's.
    ``history`` grows while the batch is decided: a touch that was just allowed counts for the next one. ``heard`` is by
    contact point, and filled only where texts may go by WhatsApp.
    """

    borrower: Borrower
    points: list[ContactPoint] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    topical: list[tuple[str, Consent | Suppression]] = field(default_factory=list)
    reopened: list[Reopened] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    windows: list[PersonalWindow] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    history: list[Contact] = field(default_factory=list)
    heard: dict[UUID, Heard] = field(default_factory=dict)

    def points_for(self, channel: str) -> list[ContactPoint]:
        """Return the contact points a channel could use, best first, dead ones last: their reason is recorded too."""
        kind = POINT_KIND[Channel(channel)]
        usable = [point for point in self.points if point.kind == kind]
        return sorted(usable, key=lambda point: (point.state != "active", point.type == "fixed_line", point.priority))

    def local_date(self, at: datetime) -> date:
        """Return the borrower's calendar date at ``at``, the earliest of the candidate zones: nothing runs early."""
        zones = [zone for name in self.borrower.zones if (zone := load_zone(name)) is not None]
        return min((at.astimezone(zone).date() for zone in zones), default=at.date())

    def said_about(
        self, channel: str, point_id: str | None, creditor_id: str
    ) -> tuple[tuple[Consent, ...], tuple[Suppression, ...]]:
        """Return what the person allowed and refused, as far as it bears on one candidate contact.

        A refusal on another channel bears on it too, because some laws let it reach further, unless the person has
        since opened this very channel, contact point and programme again.
        """
        consents, suppressions = tuple(self.consents), tuple(self.suppressions)
        about = [said for creditor, said in self.topical if creditor == creditor_id]
        if about:
            consents += tuple(said for said in about if isinstance(said, Consent))
            suppressions += tuple(said for said in about if isinstance(said, Suppression))
        since = [again.at for again in self.reopened if again.covers(channel, point_id, creditor_id)]
        if since:
            last = max(since)
            consents = tuple(said for said in consents if said.state == "given" or said.at >= last)
            suppressions = tuple(said for said in suppressions if said.since >= last or not _persons_own(said))
        return consents, suppressions

    def add(self, contacts: Iterable[Contact]) -> None:
        """Add contacts that were decided in this batch."""
        self.history.extend(contacts)


def _persons_own(said: Suppression) -> bool:
    return said.reason.startswith("opt_out.") or said.reason in REFUSED_BY_THE_PERSON


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
    employers: frozenset[str] = frozenset(),
) -> Facts:
    """Narrow a dossier to the facts of one candidate contact. ``employers`` are domains whose mailboxes are at work."""
    borrower = dossier.borrower
    target = gate_point(point, employers) if point else None
    consents, suppressions = dossier.said_about(channel, target.id if target else None, case.creditor_id)
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
        charged_off=case.charged_off,
        time_barred=case.time_barred,
        accelerated=case.accelerated,
        creditor_kind=case.creditor_kind,
        jurisdictions=_places(borrower),
        zones=borrower.zones,
        located_zones=borrower.located_zones,
        locale=borrower.locale,
        point=target,
        expires_at=expires_at,
        consents=consents,
        suppressions=suppressions,
        holds=tuple(dossier.holds),
        history=tuple(dossier.history),
        personal_windows=tuple(dossier.windows),
        overrides=(*dossier.overrides, *overrides),
        paused=paused,
    )


def _places(borrower: Borrower) -> tuple[str, ...]:
    """Return the jurisdictions of the address and of where the person last said to be."""
    if not borrower.located_jurisdictions:
        return borrower.jurisdictions
    return tuple(dict.fromkeys((*borrower.jurisdictions, *borrower.located_jurisdictions)))


def gate_point(point: ContactPoint, employers: frozenset[str] = frozenset()) -> Point:
    """Return what the gate may know of a contact point: everything but the number or address itself.

    A mailbox in one of the domains of ``employers``, or below one, is at work whatever its label says.
    """
    return Point(
        id=str(point.contact_point_id),
        kind=point.kind,
        type=point.type,
        label=PointLabel.WORK if employers and at_work(point, employers) else point.label,
        state=point.state,
        regions=point.regions,
        zones=point.zones,
        confirmed=point.confirmed,
    )


def at_work(point: ContactPoint, employers: frozenset[str]) -> bool:
    """Tell whether a mailbox lies in the domain of an employer, or below it."""
    if point.kind != PointKind.EMAIL:
        return False
    labels = point.value.rpartition("@")[2].lower().split(".")
    return any(".".join(labels[start:]) in employers for start in range(len(labels)))
