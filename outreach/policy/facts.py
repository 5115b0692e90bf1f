"""What the gate may know when it decides: one frozen value per candidate contact, stored with the decision for replay.

Everything is plain data: ids are text, instants are aware UTC, amounts are minor units. ``to_json``/``from_json`` are
inverse to each other, so that a stored decision can be decided again (promise 7).
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Point:
    """The contact point the touch would go to.

    ``regions`` are ISO 3166 codes the number or address hints at (``US-CA``), ``zones`` the IANA zones it may be in.
    """

    id: str
    kind: str
    type: str
    label: str
    state: str
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """One live entry of the consent ledger, newest per (kind, channel, point). ``channel`` ``any`` covers all."""

    kind: str
    channel: str
    state: str
    at: datetime
    point_id: str | None = None
    expires_at: datetime | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A refusal in force. ``channel`` ``any`` covers all; ``point_id`` None covers every contact point."""

    channel: str
    reason: str
    since: datetime
    point_id: str | None = None
    until: datetime | None = None
    case_id: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A rest in force. ``case_id`` None covers every case of the borrower. ``until`` None: till lifted."""

    kind: str
    since: datetime
    case_id: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One past or pending contact with this borrower, or with someone else at the same contact point.

    ``outcome`` is a value of domain.words.Outcome; ``direction`` is ``out`` or ``in``. ``channel`` may also be
    ``mail``, ``visit``, ``whatsapp`` or ``other``: what another system did. ``case_ids`` are the cases it was about (a
    contact about two cases uses a slot on each). ``same_borrower`` is false for a shared number's other owner.
    ``notice`` names the notice it was (``validation_notice``); empty: none, or not known to be one.
    """

    at: datetime
    channel: str
    outcome: str
    case_ids: tuple[str, ...] = ()
    creditor_id: str = ""
    point_id: str = ""
    direction: str = "out"
    purpose: str = "reminder"
    same_borrower: bool = True
    notice: str = ""


@dataclass(frozen=True, slots=True)
class PersonalWindow:
    """Times or places the borrower named: permitted (``allow``) or barred, on the borrower's own clock.

    ``start``/``end`` are ``HH:MM``; ``days`` are ``mon``..``sun``; ``channel`` ``any`` covers all.
    """

    effect: str
    start: str
    end: str
    days: tuple[str, ...]
    channel: str = "any"
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """Evidence that lifts one kind of rule.

    ``kind``: agreed_time, requested_callback, reply_in_thread, consent_to_extra, agreed_place, debtor_unreachable,
    attorney_silent, verification_sent. ``used`` is true once it has served the one contact it was given for.
    """

    kind: str
    since: datetime
    until: datetime | None = None
    channel: str = "any"
    evidence: str | None = None
    used: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What the words of the contact were found to hold, once they are written.

    ``media`` is ``sms``, ``email``, ``voice``, ``ivr`` or ``voicemail``; ``disclosures`` are those that are there,
    ``families`` the kinds of forbidden words that were found.
    """

    disclosures: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    media: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the gate may use about one candidate contact.

    ``jurisdictions`` and ``zones`` are the *candidates* from residence and from the last thing the borrower told us;
    the point adds its own. An empty tuple means unknown, which is never treated as permission. ``located_zones`` are
    the zones the person told us to be in: the strongest belief about a clock. None for a state of the debt means that
    it is not known. ``content`` None: the words are judged when they are written.
    """

    touch_id: str
    channel: str
    purpose: str
    role: str  # first_party | agency | debt_buyer | platform
    actor: str  # human | automated | prerecorded | ai_voice
    borrower_id: str
    case_id: str
    creditor_id: str
    product: str
    case_state: str
    amount_due_minor: int
    currency: str
    days_past_due: int
    due_on: date | None
    recipient: str = "debtor"
    stage: str = "early"
    charged_off: bool | None = None
    time_barred: bool | None = None
    accelerated: bool | None = None
    creditor_kind: str = ""  # bank, consumer_finance, online_lender ...
    jurisdictions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    located_zones: tuple[str, ...] = ()
    locale: str = ""
    point: Point | None = None
    expires_at: datetime | None = None
    consents: tuple[Consent, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    holds: tuple[Hold, ...] = ()
    history: tuple[Contact, ...] = ()
    personal_windows: tuple[PersonalWindow, ...] = ()
    overrides: tuple[Override, ...] = ()
    paused: tuple[str, ...] = ()  # kill switches in force: channel, plan, campaign, jurisdiction or everything
    content: Content | None = None
