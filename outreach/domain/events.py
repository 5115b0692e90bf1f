"""Events a lender sends us (CloudEvents 1.0): their closed set of types and the typed data of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
)

from outreach.domain.book import BookEntry
from outreach.domain.book_lines import read_object
from outreach.domain.words import HoldKind

SPEC_VERSION = "1.0"

_Ref = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]+$")]
_Channel = Literal["sms", "email", "voice", "ivr", "any"]
_Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
_Minor = Annotated[int, Field(ge=0, le=10**15)]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]


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
    """What is owed changed, or the case is over. Amounts in minor units."""

    amount_due_minor: _Minor | None = None
    balance_minor: _Minor | None = None
    due_on: date | None = None
    state: Literal["open", "closed"] | None = None


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


class ConsentChanged(_Data):
    """A borrower allowed or refused a channel, anywhere."""

    channel: _Channel
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] = "contact"
    wording: Annotated[str, StringConstraints(max_length=2000)] | None = None
    evidence: Annotated[str, StringConstraints(max_length=500)] | None = None
    expires_at: Instant | None = None
    obtained_by: Annotated[str, StringConstraints(max_length=100)] = "lender"


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
    "consent.given": ConsentChanged,
    "consent.revoked": ConsentChanged,
    "hold.placed": HoldPlaced,
    "hold.lifted": HoldLifted,
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
    if envelope.time is not None and (envelope.time - received_at).total_seconds() > 86_400:
        return [EventProblem("time", "more than a day in the future")]
    try:
        data = shape.model_validate(envelope.data)
    except ValidationError as error:
        return _problems(error, "data.")
    if isinstance(data, CaseOpened) and data.row is not None and (found := _read_row(data, ref, received_at)):
        return found
    return Event(envelope.source, envelope.id, envelope.type, kind, ref, envelope.time or received_at, data)


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
