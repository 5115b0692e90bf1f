"""Rows of work as it is claimed: touches leased to a lane, and what providers told us."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claimed:
    """A touch that was leased to its lane."""

    touch_id: UUID
    channel: str
    priority: int


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One thing a provider told us, claimed."""

    inbox_id: UUID
    channel: str
    kind: str
    received_at: datetime
    payload: dict[str, Any]
    tries: int


@dataclass(frozen=True, slots=True)
class KnownAttempt:
    """An attempt that news speaks of, locked."""

    attempt_id: UUID
    touch_id: UUID
    case_id: UUID
    borrower_id: UUID
    contact_point_id: UUID
    channel: str
    state: str
    outcome: str
    rank: int
    token: str
    provider_ref: str | None
    answered_by: str | None
    anomaly: str | None
    error_code: str | None


@dataclass(frozen=True, slots=True)
class OpenDialogue:
    """A dialogue that waits for the borrower, locked."""

    dialogue_id: UUID
    case_id: UUID
    kind: str
    surface: str
    state: str
    awaiting: str | None
    data: dict[str, Any]
    turns: int
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A call whose words are asked for. ``body`` is its spoken parts as JSON, made from the template.

    ``leave_by`` is when the permitted hours end, None for a call from before that was stored.
    """

    attempt_id: UUID
    case_id: UUID
    borrower_id: UUID
    contact_point_id: UUID
    channel: str
    locale: str
    body: str | None
    template: str
    template_hash: str
    leave_by: datetime | None
