"""Events a lender sends us (CloudEvents 1.0): their closed set of types and the typed data of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from outreach.domain.book import BookEntry
from outreach.domain.book_lines import read_object
from outreach.domain.contacts import ContactChannel, ContactOutcome, read_value
from outreach.domain.places import Place, canonical_zone, countries, place_of
from outreach.domain.words import HoldKind, PointLabel, PointState, Purpose

SPEC_VERSION = "1.0"

_Ref = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]+$")]
_Channel = Literal["sms", "email", "voice", "ivr", "whatsapp", "any"]
_Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
_Minor = Annotated[int, Field(ge=0, le=10**15)]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _point_value(text: str) -> str:
    try:
        return read_value(text)[1]
    except ValueError as error:
        raise PydanticCustomError("value", str(error)) from None


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
Route = Literal[
    "agent_note", "call", "complaint", "letter", "visit", "branch", "sms", "email", "whatsapp", "chat", "web", "portal",
    "other"
]  # fmt: skip
"""How something was said."""
_Value = Annotated[str, StringConstraints(max_length=254), AfterValidator(_point_value)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CaseOpened(_Data):
    """Work starts on an account we know; with ``row`` (one JSON line of the import format) also on one we do not."""

    row: dict[str, Any] | None = None
    _entry: BookEntry | None = PrivateAttr(default=None)

    @property
    def entry(self) -> BookEntry | None:
        """The row, checked: what an import would take in."""
        return self._entry


class CaseUpdated(_Data):
    """What is owed or known of the debt changed, or the case is over. Amounts in minor units."""

    amount_due_minor: _Minor | None = None
    balance_minor: _Minor | None = None
    due_on: date | None = None
    state: Literal["open", "closed"] | None = None
    charged_off: bool | None = None
    time_barred: bool | None = None
    accelerated: bool | None = None
    creditor_kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = None


class PaymentDue(_Data):
    """An amount falls due on a date."""

    amount_due_minor: _Minor
    due_on: date
    balance_minor: _Minor | None = None


class PaymentMissed(_Data):
    """The due date passed without payment."""

    amount_due_minor: _Minor
    due_on: date
    balance_minor: _Minor | None = None
    reason: Annotated[str, StringConstraints(max_length=64)] = ""


class PaymentReceived(_Data):
    """Money came in."""

    payment_id: _Ref
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: _Currency


class PaymentReversed(_Data):
    """Money went back (a bounced debit, a chargeback)."""

    payment_id: _Ref


class _Said(_Data):
    """What a borrower said about being contacted: to whom, how, in which words, and what proves it.

    ``topic`` is the creditor it is about; left out: all. ``value`` is the number or mailbox it is about.
    """

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] = "contact"
    wording: Annotated[str, StringConstraints(max_length=2000)] | None = None
    evidence: Annotated[str, StringConstraints(max_length=500)] | None = None
    obtained_by: Annotated[str, StringConstraints(max_length=100)] = "lender"
    route: Route | None = None
    topic: Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z0-9_]+$")] | None = None
    value: _Value | None = None


class ConsentGiven(_Said):
    """A borrower allowed a channel, anywhere. With route, wording and evidence it undoes what they refused before."""

    channel: _Channel
    expires_at: Instant | None = None

    @property
    def proven(self) -> bool:
        """Whether it is on record how it was said, in which words, and what proves it."""
        return bool(self.route and self.wording and self.evidence)


class ConsentRevoked(_Said):
    """A borrower refused contact, by whatever route.

    ``scope`` left out: the channel named, when no route is; else everything, for what is said to somebody reaches every
    channel. ``clarifies``: the answer to the question which programme was meant, which narrows what was refused before.
    """

    channel: _Channel = "any"
    scope: Literal["channel", "topic", "all"] | None = None
    clarifies: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.clarifies and not (self.scope == "topic" and self.wording and self.evidence):
            raise PydanticCustomError("clarifies", "needs scope topic, the wording and the evidence of the answer")
        return self


class ContactRecorded(_Data):
    """Another system or agency was in contact with the borrower; counted beside our own contacts.

    ``accounts`` are further accounts it was about. ``contact_id`` is the maker's own identifier (left out: the id of
    the event); the same one again only moves the outcome forward.
    """

    by: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    channel: ContactChannel
    contact_id: _Ref | None = None
    at: Instant | None = None
    outcome: ContactOutcome = "unknown"
    direction: Literal["out", "in"] = "out"
    purpose: Purpose | None = None
    notice: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")] | None = None
    accounts: Annotated[tuple[_Ref, ...], Field(max_length=20)] = ()
    value: _Value | None = None


class PointReassigned(_Data):
    """A number or mailbox has another owner now. ``since``: what was known before then is no longer theirs."""

    value: _Value
    since: Instant | None = None
    evidence: Annotated[str, StringConstraints(max_length=500)] | None = None


class PointUpdated(_Data):
    """Something new is known of a number or mailbox of the borrower. To use it again there must be evidence."""

    value: _Value
    state: PointState | None = None
    label: PointLabel | None = None
    confirmed: bool | None = None
    evidence: Annotated[str, StringConstraints(max_length=500)] | None = None

    @model_validator(mode="after")
    def _proven(self) -> Self:
        if (self.state == PointState.ACTIVE or self.confirmed) and not self.evidence:
            raise PydanticCustomError("evidence", "needs evidence to be used again or confirmed")
        return self


class BorrowerLocated(_Data):
    """Where the borrower said to be: the strongest belief about their clock, and one more law to keep."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")] | None = None
    postcode: Annotated[str, StringConstraints(max_length=16)] | None = None
    time_zone: Annotated[str, StringConstraints(max_length=64)] | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.country not in countries():
            raise PydanticCustomError("country", "is no ISO 3166-1 code")
        if self.subdivision and not self.subdivision.startswith(f"{self.country}-"):
            raise PydanticCustomError("subdivision", "lies in another country")
        if self.time_zone is not None and canonical_zone(self.time_zone) is None:
            raise PydanticCustomError("time_zone", "is no IANA time zone")
        return self

    @property
    def place(self) -> Place:
        """The jurisdictions and zones of it."""
        zone = canonical_zone(self.time_zone) if self.time_zone else None
        return place_of(self.country, self.subdivision, self.postcode, zone)


class HoldPlaced(_Data):
    """The case, or everything about the borrower, must rest."""

    kind: HoldKind
    until: Instant | None = None
    evidence: Annotated[str, StringConstraints(max_length=500)] | None = None


class HoldLifted(_Data):
    """A hold ends."""

    kind: HoldKind


DATA: Mapping[str, type[_Data]] = {
    "case.opened": CaseOpened,
    "case.updated": CaseUpdated,
    "payment.due": PaymentDue,
    "payment.missed": PaymentMissed,
    "payment.received": PaymentReceived,
    "payment.reversed": PaymentReversed,
    "consent.given": ConsentGiven,
    "consent.revoked": ConsentRevoked,
    "hold.placed": HoldPlaced,
    "hold.lifted": HoldLifted,
    "contact.recorded": ContactRecorded,
    "contact_point.reassigned": PointReassigned,
    "contact_point.updated": PointUpdated,
    "borrower.located": BorrowerLocated,
}
"""Event type -> the shape of its data."""

SUBJECTS = ("account", "borrower")


class _Envelope(BaseModel):
    """CloudEvents attributes. Extensions are allowed by the specification and ignored here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: _Ref
    source: _Ref
    type: str
    subject: Annotated[str, StringConstraints(pattern=r"^(account|borrower)/[^\x00-\x1f]{1,128}$")]
    time: Instant | None = None
    datacontenttype: Literal["application/json"] | None = None
    data: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One event, checked. ``kind`` is account or borrower, ``ref`` its reference at the lender."""

    source: str
    id: str
    type: str
    kind: str
    ref: str
    occurred_at: datetime
    data: _Data


@dataclass(frozen=True, slots=True)
class EventProblem:
    """Why an event was not taken: the field, and what would be valid. Never holds a value."""

    field: str
    detail: str


def read_event(raw: object, received_at: datetime) -> Event | list[EventProblem]:
    """Check one CloudEvent in its JSON form; returns the event or every problem with it."""
    if not isinstance(raw, dict):
        return [EventProblem("", "expected a JSON object")]
    try:
        envelope = _Envelope.model_validate(raw)
    except ValidationError as error:
        return _problems(error, "")
    shape = DATA.get(envelope.type)
    if shape is None:
        return [EventProblem("type", "expected one of " + ", ".join(DATA))]
    kind, ref = envelope.subject.split("/", 1)
    if kind == "borrower" and envelope.type.split(".")[0] in {"case", "payment"}:
        return [EventProblem("subject", f"{envelope.type} is about an account: expected account/<reference>")]
    if _far_ahead(envelope.time, received_at):
        return [EventProblem("time", "more than a day in the future")]
    try:
        data = shape.model_validate(envelope.data)
    except ValidationError as error:
        return _problems(error, "data.")
    if isinstance(data, ContactRecorded) and _far_ahead(data.at, received_at):
        return [EventProblem("data.at", "more than a day in the future")]
    if isinstance(data, CaseOpened) and data.row is not None and (found := _read_row(data, ref, received_at)):
        return found
    return Event(envelope.source, envelope.id, envelope.type, kind, ref, envelope.time or received_at, data)


def _far_ahead(at: datetime | None, received_at: datetime) -> bool:
    return at is not None and (at - received_at).total_seconds() > 86_400


def _read_row(data: CaseOpened, account: str, received_at: datetime) -> list[EventProblem]:
    """Check the row of a case.opened as an import would; returns what is wrong with it."""
    entry = read_object(1, data.row, received_at)
    if not isinstance(entry, BookEntry):
        return [EventProblem(f"data.row.{d.field}".rstrip("."), f"{d.reason}; {d.allowed}".rstrip("; ")) for d in entry]
    if account not in {owed.external_id for owed in entry.accounts}:
        return [EventProblem("data.row.accounts", "the account that the subject names is not among them")]
    data._entry = entry  # noqa: SLF001 - a private attribute of the same module's model
    return []


def _problems(error: ValidationError, prefix: str) -> list[EventProblem]:
    return [
        EventProblem(prefix + ".".join(str(part) for part in each["loc"]), _plain(each["type"], each["msg"]))
        for each in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _plain(kind: str, text: str) -> str:
    return "unknown field" if kind == "extra_forbidden" else text
