"""Contacts that other systems and agencies made: what one of them says, and how a line of a file is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from outreach.domain.book import Defect
from outreach.domain.book_checks import Checks
from outreach.domain.mailboxes import MAX_WRITTEN as LONGEST_MAILBOX
from outreach.domain.mailboxes import read_mailbox
from outreach.domain.phones import read_phone
from outreach.domain.words import PointKind, Purpose

ContactChannel = Literal["sms", "email", "voice", "ivr", "mail", "visit", "whatsapp", "other"]
"""How somebody else made contact."""

ContactOutcome = Literal[
    "accepted", "sent", "delivered", "read", "failed", "bounced", "unknown", "busy", "no_answer", "not_connected",
    "voicemail_left", "voicemail_possible", "limited_content_left", "answered_unverified", "conversation",
    "wrong_party",
]  # fmt: skip
"""The raw outcome of a contact that was made. Unknown counts as if it had reached the person."""

WRITTEN = frozenset({"sms", "email", "whatsapp"})
"""What a person writes confirms the number or mailbox they wrote from."""

CHANNELS: tuple[str, ...] = get_args(ContactChannel)
OUTCOMES: tuple[str, ...] = get_args(ContactOutcome)
DIRECTIONS = ("out", "in")
PURPOSES = tuple(purpose.value for purpose in Purpose)

REQUIRED_COLUMNS = ("contact_id", "by", "at", "channel")
OPTIONAL_COLUMNS = ("borrower_id", "account_id", "outcome", "direction", "purpose", "notice", "value")
COLUMNS = REQUIRED_COLUMNS + OPTIONAL_COLUMNS

MOST_ACCOUNTS = 20
_NOTICE = re.compile(r"[a-z_]{1,60}\Z")
_AHEAD = timedelta(days=1)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_VALUE_FORM = "E.164 such as +12025550143, or name@domain"


@dataclass(frozen=True, slots=True)
class ContactEntry:
    """One contact as its maker tells it. ``accounts`` are references; empty: about the person, or not known.

    ``value`` (personal) is the number or mailbox that was used. ``notice`` names the notice it was; empty: none.
    """

    line: int
    contact_id: str
    by: str
    at: datetime
    channel: str
    borrower: str | None
    accounts: tuple[str, ...]
    outcome: str
    direction: str
    purpose: str
    notice: str
    value: str | None


def purpose_of(purpose: str | None, notice: str | None) -> str:
    """Return why a contact was made; a notice that does not say so is one the law asks for."""
    return purpose or (Purpose.STATUTORY_NOTICE if notice else Purpose.REMINDER).value


def read_value(text: str) -> tuple[PointKind, str]:
    """Read a number in E.164 or a mailbox in its one spelling. Raises ValueError, which never quotes it."""
    trimmed = text.strip()
    if "@" in trimmed:
        return PointKind.EMAIL, read_mailbox(trimmed)
    if not trimmed.startswith("+"):
        raise ValueError("is neither a number with its country code nor a mailbox")
    return PointKind.PHONE, read_phone(trimmed, None).e164


def read_contact(
    line: int, row: Mapping[str, Any], at: datetime, *, printable: bool = False
) -> ContactEntry | list[Defect]:
    """Read one line of a file of contacts (CSV fields or a JSON object). ``at`` is the instant of the import."""
    checks = Checks(line, at, printable=printable)
    contact_id = checks.text("contact_id", row.get("contact_id"), 128, required=True)
    made_by = checks.text("by", row.get("by"), 100, required=True)
    made_at = _instant(checks, row.get("at"))
    channel = checks.word("channel", row.get("channel"), CHANNELS)
    outcome = checks.word("outcome", row.get("outcome"), OUTCOMES, "unknown")
    direction = checks.word("direction", row.get("direction"), DIRECTIONS, "out")
    purpose = checks.word("purpose", row.get("purpose"), PURPOSES, "")
    notice = checks.text("notice", row.get("notice"), 60)
    if notice and not _NOTICE.match(notice):
        checks.refuse("notice", notice, "is not the name of a notice", "small letters and _, such as placement_notice")
    value = _value(checks, row.get("value"))
    borrower = checks.text("borrower_id", row.get("borrower_id"), 64)
    accounts = _accounts(checks, row.get("account_id"))
    if borrower is None and not accounts and not checks.defects:
        checks.refuse("borrower_id", None, "is missing, and so is account_id", "at least one of the two")
    if checks.defects or contact_id is None or made_by is None or made_at is None or channel is None:
        return checks.defects
    return ContactEntry(
        line, contact_id, made_by, made_at, channel, borrower, accounts, outcome or "unknown", direction or "out",
        purpose_of(purpose, notice), notice or "", value,
    )  # fmt: skip


def read_contact_object(line: int, value: object, at: datetime) -> ContactEntry | list[Defect]:
    """Read one JSON line. ``account_id`` may be a list."""
    checks = Checks(line, at)
    if not isinstance(value, dict):
        checks.refuse("", value, "is not an object", "one JSON object a line")
        return checks.defects
    checks.known_keys("", value, COLUMNS)
    return checks.defects or read_contact(line, value, at)


def _instant(checks: Checks, value: object) -> datetime | None:
    allowed = "date, time and offset from UTC, such as 2027-03-01T14:30:00-05:00"
    text = checks.text("at", value, 40, required=True)
    if text is None:
        return None
    if not _INSTANT.match(text):
        checks.refuse("at", value, "is not an instant", allowed)
        return None
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        checks.refuse("at", value, "is an instant that does not exist", allowed)
        return None
    if found > checks.at + _AHEAD:
        checks.refuse("at", value, "is more than a day in the future", "when the contact was made")
        return None
    return found


def _value(checks: Checks, value: object) -> str | None:
    text = checks.text("value", value, LONGEST_MAILBOX)
    if text is None:
        return None
    try:
        return read_value(text)[1]
    except ValueError as error:
        checks.refuse("value", value, str(error), _VALUE_FORM)
        return None


def _accounts(checks: Checks, value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else str(value).split(";") if isinstance(value, str) else []
    if value is not None and not isinstance(value, list | str):
        checks.refuse("account_id", value, "is not an account", "a reference, or several")
    if len(parts) > MOST_ACCOUNTS:
        checks.refuse("account_id", value, "names too many accounts", f"at most {MOST_ACCOUNTS}")
        return ()
    found = (checks.text("account_id", part.strip() if isinstance(part, str) else part, 64) for part in parts)
    return tuple(dict.fromkeys(account for account in found if account))
