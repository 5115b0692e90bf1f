"""A touch and its attempts: their states, and how delivery news merges so that it only ever moves forward."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.words import Outcome

# News is a join-semilattice: the higher rank wins, so any order and any repetition of receipts ends the same way.
# "delivered" outranks "failed" because a touch that reached a person must count; the clash is kept as an anomaly.
RANK: dict[str, int] = {
    Outcome.PENDING: 0,
    Outcome.RELEASED: 0,
    Outcome.REJECTED: 0,
    Outcome.UNKNOWN: 1,
    Outcome.ACCEPTED: 10,
    Outcome.SENT: 20,
    Outcome.BUSY: 30,
    Outcome.NOT_CONNECTED: 30,
    Outcome.NO_ANSWER: 31,
    Outcome.BOUNCED: 40,
    Outcome.FAILED: 40,
    Outcome.DELIVERED: 50,
    Outcome.READ: 60,
    Outcome.VOICEMAIL_POSSIBLE: 61,
    Outcome.VOICEMAIL_LEFT: 62,
    Outcome.LIMITED_CONTENT_LEFT: 63,
    Outcome.ANSWERED_UNVERIFIED: 70,
    Outcome.WRONG_PARTY: 80,
    Outcome.CONVERSATION: 90,
}

FAILED = frozenset({Outcome.FAILED, Outcome.BOUNCED})
_REACHED = frozenset({Outcome.DELIVERED, Outcome.READ})


def merge(known: str, news: str) -> tuple[str, str | None]:
    """Merge delivery news into what is known; returns (outcome, anomaly or None).

    Commutative, associative and idempotent: duplicates and late news change nothing wrongly (promise 6).
    """
    outcome = news if (RANK[news], news) > (RANK[known], known) else known
    clash = (known in FAILED and news in _REACHED) or (known in _REACHED and news in FAILED)
    return outcome, "delivered_and_failed" if clash else None


def outcome_of_text(status: str) -> Outcome:
    """Return the raw outcome that a receipt's normalised status means for a text or an email."""
    return _TEXT[status]


def outcome_of_call(status: str, answered_by: str | None) -> Outcome:
    """Return the raw outcome of a call.

    An answer is never proof of the right person: ``conversation`` is set only by a passed identity check.
    """
    if status in {"answered", "completed", "delivered", "read"}:
        return Outcome.VOICEMAIL_POSSIBLE if answered_by in _MACHINES else Outcome.ANSWERED_UNVERIFIED
    return _CALL[status]


def who_answered(known: str | None, news: str | None) -> str | None:
    """Merge what is known of who answered a call: whoever says more wins, a human over a machine, in any order."""
    return max(known, news, key=lambda word: _SAYS_MORE.get(word or "", -1))


def merge_call(known: str, status: str, answered_by: str | None) -> tuple[str, str | None]:
    """Merge one receipt of a call into its outcome; ``answered_by`` is all that is known of who answered.

    An answer that did not say by whom was a machine's when another receipt says so: the one correction that goes back,
    so that the order of receipts makes no difference.
    """
    if known in {Outcome.ANSWERED_UNVERIFIED, Outcome.VOICEMAIL_POSSIBLE}:
        known = outcome_of_call("answered", answered_by)
    return merge(known, outcome_of_call(status, answered_by))


_MACHINES = frozenset({"machine", "fax"})
_SAYS_MORE = {"human": 3, "machine": 2, "fax": 1, "unknown": 0}


_TEXT: dict[str, Outcome] = {
    "accepted": Outcome.ACCEPTED,
    "sending": Outcome.ACCEPTED,
    "sent": Outcome.SENT,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.READ,
    "undelivered": Outcome.FAILED,
    "failed": Outcome.FAILED,
    "cancelled": Outcome.FAILED,
    "ringing": Outcome.ACCEPTED,
    "answered": Outcome.DELIVERED,
    "completed": Outcome.DELIVERED,
    "busy": Outcome.FAILED,
    "no_answer": Outcome.FAILED,
}

_CALL: dict[str, Outcome] = {
    "accepted": Outcome.ACCEPTED,
    "sending": Outcome.ACCEPTED,
    "sent": Outcome.ACCEPTED,
    "ringing": Outcome.ACCEPTED,
    "busy": Outcome.BUSY,
    "no_answer": Outcome.NO_ANSWER,
    "failed": Outcome.NOT_CONNECTED,
    "undelivered": Outcome.NOT_CONNECTED,
    "cancelled": Outcome.NOT_CONNECTED,
}


@dataclass(frozen=True, slots=True)
class NewTouch:
    """A touch to be inserted; field names are the columns of table ``touch``."""

    touch_id: UUID
    case_id: UUID
    borrower_id: UUID
    channel: str
    template: str
    purpose: str
    state: str
    due_at: datetime
    not_before: datetime
    expires_at: datetime
    created_at: datetime
    enrollment_id: UUID | None = None
    campaign_id: UUID | None = None
    plan: str | None = None
    plan_version: str | None = None
    step_id: str | None = None
    fallback: tuple[str, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)
    priority: int = 0
    lease_until: datetime | None = None
    tries: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """A touch as the dispatcher reads it under lock."""

    touch_id: UUID
    enrollment_id: UUID | None
    campaign_id: UUID | None
    case_id: UUID
    borrower_id: UUID
    plan: str | None
    plan_version: str | None
    step_id: str | None
    channel: str
    fallback: tuple[str, ...]
    template: str
    purpose: str
    context: dict[str, Any]
    priority: int
    due_at: datetime
    expires_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """An attempt about to be made; field names are the columns of table ``attempt``."""

    attempt_id: UUID
    touch_id: UUID
    decision_id: UUID
    case_id: UUID
    borrower_id: UUID
    creditor_id: str
    contact_point_id: UUID
    channel: str
    purpose: str
    token: str
    state: str
    outcome: str
    rank: int
    template: str
    template_hash: str
    locale: str
    policy_version: str
    subject: str | None
    body: str | None
    segments: int | None
    started_at: datetime
    started_real_at: datetime
    lookups: int = 0
    leave_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended at the provider's door; field names are the columns of table ``attempt``."""

    attempt_id: UUID
    touch_id: UUID
    case_id: UUID
    state: str
    outcome: str
    rank: int
    settled_at: datetime
    provider_ref: str | None = None
    provider_code: str | None = None
    error_code: str | None = None
    segments: int | None = None
    price_micros: int | None = None
    lookup_real_at: datetime | None = None
    currency: str | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class TouchMove:
    """One state change of a touch; field names are columns of table ``touch``. None fields keep their value.

    ``channel`` and ``fallback`` change together when a touch moves on to its next channel. ``paused_by`` names the kill
    switches that hold it back, as ``scope:key``; any other move lets go of them, and of ``reconsider_at``: when to ask
    again whether another channel may carry what an outage holds.
    """

    touch_id: UUID
    state: str
    reason: str | None
    not_before: datetime | None = None
    channel: str | None = None
    fallback: tuple[str, ...] | None = None
    contact_point_id: UUID | None = None
    tries: int | None = None
    settled_at: datetime | None = None
    paused_by: tuple[str, ...] | None = None
    reconsider_at: datetime | None = None
