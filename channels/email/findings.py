"""What a mail that came back says: one finding for each recipient, in closed sets of words."""

from dataclasses import dataclass
from enum import StrEnum


class MailKind(StrEnum):
    """What a mail is. Only a person's own words are a reply."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto_reply"
    REPLY = "reply"


class Action(StrEnum):
    """What a mail system did with our mail (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Reason(StrEnum):
    """Why a mail came back, or what was complained of."""

    UNKNOWN_USER = "unknown_user"
    UNKNOWN_HOST = "unknown_host"
    MOVED = "moved"
    DISABLED = "disabled"
    MAILBOX_FULL = "mailbox_full"
    POLICY = "policy"
    SPAM = "spam"
    TOO_LARGE = "too_large"
    GREYLISTED = "greylisted"
    RATE_LIMITED = "rate_limited"
    RELAY_DENIED = "relay_denied"
    AUTH_REQUIRED = "auth_required"
    NETWORK = "network"
    TIMEOUT = "timeout"
    CONTENT = "content"
    SYSTEM = "system"
    OTHER = "other"
    ABUSE = "abuse"
    FRAUD = "fraud"
    VIRUS = "virus"
    OPT_OUT = "opt_out"
    NOT_SPAM = "not_spam"
    AUTH_FAILURE = "auth_failure"


DEAD = frozenset({Reason.UNKNOWN_USER, Reason.UNKNOWN_HOST, Reason.MOVED, Reason.DISABLED})
"""Reasons that are about the address itself: no later attempt can reach it."""

UNWANTED = frozenset({Reason.ABUSE, Reason.FRAUD, Reason.OPT_OUT, Reason.OTHER})
"""Complaints that are a refusal by a person. A virus, "not spam" and a failed authentication are none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a mail says about one recipient.

    ``recipient`` is the address we wrote to, in lower case (for a reply or an automatic answer: who sent it); ``hard``
    is set only when the address itself is dead; ``status`` is an enhanced code (RFC 3463) such as ``5.1.1``.
    """

    kind: MailKind
    recipient: str | None = None
    hard: bool = False
    status: str | None = None
    action: Action | None = None
    reason: Reason | None = None
