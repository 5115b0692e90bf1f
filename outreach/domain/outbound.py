"""What the lender's systems hear: public events derived from timeline entries, as CloudEvents 1.0."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from outreach.domain.outbound_types import FIELDS, Type
from outreach.domain.words import Outcome

Data = Mapping[str, Any]

REACHED = frozenset({
    Outcome.DELIVERED, Outcome.READ, Outcome.VOICEMAIL_POSSIBLE, Outcome.VOICEMAIL_LEFT, Outcome.LIMITED_CONTENT_LEFT,
    Outcome.ANSWERED_UNVERIFIED, Outcome.CONVERSATION,
})  # fmt: skip
"""Outcomes after which something came through to the number or mailbox; the event says which."""

_LOST = frozenset({"invalid", "reassigned"})


@dataclass(frozen=True, slots=True)
class Told:
    """One timeline entry with the lender's own references. ``words`` is what a borrower wrote: personal, else None."""

    position: int
    case_id: UUID
    seq: int
    at: datetime
    kind: str
    data: Data
    account_ref: str
    borrower_ref: str
    creditor_id: str
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Public:
    """One event for the lender. ``id`` is the same however often and wherever it is read or sent."""

    type: Type
    told: Told
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """Return the id: the case and the entry's place on its timeline."""
        return f"{self.told.case_id}-{self.told.seq}"

    def to_json(self, source: str) -> dict[str, Any]:
        """Return the CloudEvents document; ``source`` names this installation."""
        told = self.told
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": self.type.value,
            "subject": f"account/{told.account_ref}",
            "time": told.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "caseseq": told.seq,
            "cursor": str(told.position),
            "data": {
                "case_id": str(told.case_id),
                "account_id": told.account_ref,
                "borrower_id": told.borrower_ref,
                "creditor_id": told.creditor_id,
                **self.data,
            },
        }


def publish(told: Told) -> Public | None:
    """Return what the lender hears of an entry; None when it is none of the closed list."""
    source = _SOURCES.get(told.kind)
    found = source[0](told.data) if source else None
    if found is None:
        return None
    kind, data = found
    if kind is Type.REPLY_RECEIVED and told.words is not None:
        data = {**data, "words": told.words}
    # What stands on a timeline may grow; only what is documented leaves.
    return Public(kind, told, {name: data[name] for name in FIELDS[kind] if data.get(name) is not None})


def kinds_of(types: frozenset[Type] | None) -> list[str]:
    """Return the kinds of timeline entries that can become one of ``types`` (None: any)."""
    return sorted(kind for kind, (_, made) in _SOURCES.items() if types is None or made & types)


Found = tuple[Type, Data] | None


def _as(kind: Type, **more: str) -> tuple[Callable[[Data], Found], frozenset[Type]]:
    """Return a source whose entries always become one type of event, with ``more`` said in it."""
    return lambda data: (kind, {**data, **more}), frozenset({kind})


def _receipt(data: Data) -> Found:
    return Type.CONTACT_DELIVERED if data.get("outcome") in REACHED else Type.CONTACT_FAILED, data


def _sent(data: Data) -> Found:
    return Type.CONTACT_ATTEMPTED, {**data, "outcome": "accepted"}


def _rejected(data: Data) -> Found:
    return Type.CONTACT_FAILED, {**data, "outcome": "rejected"}


def _consent(state: str) -> Callable[[Data], Found]:
    return lambda data: (Type.CONSENT_CHANGED, {**data, "state": state, "topic": data.get("creditor_id")})


def _hold(kind: Type) -> Callable[[Data], Found]:
    return lambda data: (kind, {**data, "hold": data.get("hold") or data.get("kind")})


def _task(data: Data) -> Found:
    return Type.CASE_HANDED_OFF, {**data, "about": data.get("kind")}


def _task_closed(data: Data) -> Found:
    return Type.HAND_OFF_CLOSED, {**data, "about": data.get("kind"), "holds": data.get("holds") or None}


def _cancelled(data: Data) -> Found:
    """Tell one that another took the place of from one that is over."""
    change = "replaced" if data.get("by") == "change" else "cancelled"
    return Type.ARRANGEMENT_CHANGED, {**data, "change": change, "by": data.get("by") if change == "cancelled" else None}


def _event(data: Data) -> Found:
    """Read an event that the lender, or another of its systems, told us: others of them may not know it yet."""
    if data.get("result"):
        return None
    data = {**data, "told_by": data.get("source")}
    match data.get("event"):
        case "consent.given":
            return _consent("given")(data)
        case "consent.revoked" if data.get("clarifies"):
            # A refusal stands on the timeline as suppression.set already; only its narrowing does not.
            return _consent("narrowed")(data)
        case "hold.placed":
            return _hold(Type.HOLD_PLACED)(data)
        case "hold.lifted":
            return _hold(Type.HOLD_LIFTED)(data)
        case "contact_point.updated" if data.get("state") in _LOST:
            return Type.CONTACT_POINT_DEMOTED, {**data, "reasons": ["told"]}
    return None


_SOURCES: dict[str, tuple[Callable[[Data], Found], frozenset[Type]]] = {
    "touch.sent": (_sent, frozenset({Type.CONTACT_ATTEMPTED})),
    "touch.unknown": _as(Type.CONTACT_ATTEMPTED, outcome="unknown"),
    "touch.rejected": (_rejected, frozenset({Type.CONTACT_FAILED})),
    "touch.blocked": _as(Type.CONTACT_BLOCKED, state="blocked"),
    "touch.superseded": _as(Type.CONTACT_BLOCKED, state="superseded"),
    "touch.expired": _as(Type.CONTACT_BLOCKED, state="expired"),
    "receipt": (_receipt, frozenset({Type.CONTACT_DELIVERED, Type.CONTACT_FAILED})),
    "reply": _as(Type.REPLY_RECEIVED),
    "suppression.set": (_consent("revoked"), frozenset({Type.CONSENT_CHANGED})),
    "consent.given": (_consent("given"), frozenset({Type.CONSENT_CHANGED})),
    "promise.made": _as(Type.PROMISE_MADE),
    "promise.kept": _as(Type.PROMISE_KEPT),
    "promise.broken": _as(Type.PROMISE_BROKEN),
    "promise.part_paid": _as(Type.PROMISE_CHANGED, change="part_paid"),
    "promise.reopened": _as(Type.PROMISE_CHANGED, change="reopened"),
    "promise.cancelled": _as(Type.PROMISE_CHANGED, change="cancelled"),
    "arrangement.proposed": _as(Type.ARRANGEMENT_PROPOSED),
    "arrangement.confirmed": _as(Type.ARRANGEMENT_CONFIRMED),
    "arrangement.cancelled": (_cancelled, frozenset({Type.ARRANGEMENT_CHANGED})),
    "arrangement.reopened": _as(Type.ARRANGEMENT_CHANGED, change="reopened"),
    "arrangement.paid": _as(Type.ARRANGEMENT_CHANGED, change="paid"),
    "arrangement.broken": _as(Type.ARRANGEMENT_BROKEN),
    "arrangement.kept": _as(Type.ARRANGEMENT_COMPLETED),
    "extension.granted": _as(Type.EXTENSION_GRANTED),
    "hold.placed": (_hold(Type.HOLD_PLACED), frozenset({Type.HOLD_PLACED})),
    "hold.lifted": (_hold(Type.HOLD_LIFTED), frozenset({Type.HOLD_LIFTED})),
    "task.opened": (_task, frozenset({Type.CASE_HANDED_OFF})),
    "task.closed": (_task_closed, frozenset({Type.HAND_OFF_CLOSED})),
    "contact_point.demoted": _as(Type.CONTACT_POINT_DEMOTED),
    "case.escalated": _as(Type.CASE_ESCALATED),
    "event": (
        _event, frozenset({Type.CONSENT_CHANGED, Type.HOLD_PLACED, Type.HOLD_LIFTED, Type.CONTACT_POINT_DEMOTED})
    ),
}  # fmt: skip
"""What an entry of each kind is read by, and what it can become."""
