"""What an allowed touch leaves as: its attempt, as it is stored before, and what its provider is given."""

from datetime import date, datetime
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from channels.contract import Attachment, Call, Capability, Content, Mail, Outbound, Template, Text
from outreach.domain.case import Case, ContactPoint
from outreach.domain.ics import CalendarDay, calendar_text
from outreach.domain.money import Money
from outreach.domain.touch import RANK, NewAttempt, Touch
from outreach.domain.words import SPOKEN, AttemptState, Outcome
from outreach.flows.fields import touch_fields
from outreach.flows.house import House
from outreach.flows.whatsapp import Way
from outreach.policy.decision import Decision
from outreach.policy.dossier import Dossier
from outreach.rendering.formats import money
from outreach.rendering.render import Rendered


def template_of(
    house: House, touch: Touch, dossier: Dossier, case: Case, rendered: Rendered, now: datetime
) -> Template | None:
    """Return the template's values where the channel carries approved templates; elsewhere they would be waste."""
    if Capability.TEMPLATES not in house.channels[touch.channel].capabilities:
        return None
    fields = touch_fields(house, touch, dossier, case, "", now)
    return Template(touch.template, rendered.locale, house.renderer.parameters(rendered, fields))


WITH_DATES = frozenset({"arrangement_confirmation", "installments_done"})
"""Templates whose emails bring the dates of the plan as a calendar file."""


def content_of(channel: str, rendered: Rendered, token: str, attachments: tuple[Attachment, ...] = ()) -> Content:
    """Return what leaves on ``channel``: a text, an email, or a call whose words are fetched when it is answered."""
    if channel in SPOKEN:
        return Call()
    if channel == "email":
        return Mail(rendered.subject, rendered.body, rendered.html, reply_token=token, attachments=attachments)
    return Text(rendered.body)


def attachments_of(house: House, touch: Touch, dossier: Dossier, case: Case, now: datetime) -> tuple[Attachment, ...]:
    """Return the files that go with a touch: the calendar of a plan that was confirmed, by email."""
    parts = touch.context.get("arrangement", {}).get("installments", ())
    if touch.channel != "email" or touch.template not in WITH_DATES or not parts:
        return ()
    locale = house.renderer.catalog.locales.resolve(dossier.borrower.locale)
    creditor = house.creditor(case.creditor_id).name_for(dossier.borrower.locale)
    if locale is None:
        return ()
    days = [
        CalendarDay(
            uid=f"{case.case_id}-{one['due_on']}@{urlsplit(house.public_url).hostname or 'outreach'}",
            on=date.fromisoformat(one["due_on"]),
            summary=f"{creditor}: {money(Money(one['amount_minor'], case.currency), locale.babel)}",
        )
        for one in parts
    ]
    return (Attachment("installments.ics", "text/calendar; method=PUBLISH", calendar_text(days, now)),)


def outbound_of(
    house: House,
    touch: Touch,
    dossier: Dossier,
    case: Case,
    way: Way,
    rendered: Rendered,
    attempt_id: str,
    token: str,
    ends_at: datetime,
    now: datetime,
) -> Outbound:
    """Return what the channel is given: the rendered words, where they go, and how long they may."""
    return Outbound(
        attempt_id=attempt_id,
        token=token,
        address=way.address,
        content=content_of(touch.channel, rendered, token, attachments_of(house, touch, dossier, case, now)),
        validity=ends_at - now,
        template=template_of(house, touch, dossier, case, rendered, now),
        person=str(touch.borrower_id),
        in_thread=way.thread_ends is not None,
    )


def leave_by(decision: Decision, touch: Touch) -> datetime:
    """Return the instant after which it may not reach anybody: the end of the permitted hours, or of its use."""
    return touch.expires_at if decision.send_before is None else min(touch.expires_at, decision.send_before)


def attempt_of(
    touch: Touch,
    case: Case,
    point: ContactPoint,
    decision: Decision,
    decision_id: UUID,
    attempt_id: UUID,
    token: str,
    rendered: Rendered,
    now: datetime,
    house: House,
) -> NewAttempt:
    """Return the attempt as started: from its commit on it counts toward caps."""
    return NewAttempt(
        attempt_id=attempt_id,
        touch_id=touch.touch_id,
        decision_id=decision_id,
        case_id=touch.case_id,
        borrower_id=touch.borrower_id,
        creditor_id=case.creditor_id,
        contact_point_id=point.contact_point_id,
        channel=touch.channel,
        purpose=touch.purpose,
        token=token,
        state=AttemptState.STARTED,
        outcome=Outcome.PENDING,
        rank=RANK[Outcome.PENDING],
        template=touch.template,
        template_hash=rendered.template_hash,
        locale=rendered.locale,
        policy_version=decision.policy_version,
        subject=rendered.subject or None,
        body=orjson.dumps(dict(rendered.spoken)).decode() if rendered.spoken else rendered.body,
        segments=rendered.segments,
        started_at=now,
        started_real_at=house.clock.real(),
        leave_by=leave_by(decision, touch) if touch.channel in SPOKEN else None,
    )
