"""The trade's own words as closed sets. Enum values are the stored text."""

from enum import StrEnum


class Channel(StrEnum):
    """How a touch reaches a person; one lane each."""

    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"
    IVR = "ivr"


WHATSAPP_CONSENT = "whatsapp"
"""What consents and refusals call WhatsApp: no channel, but a way that texts may go with a consent of its own."""

SPOKEN = frozenset({Channel.VOICE, Channel.IVR})


class PointKind(StrEnum):
    """What a contact point is."""

    PHONE = "phone"
    EMAIL = "email"


POINT_KIND = {
    Channel.SMS: PointKind.PHONE,
    Channel.VOICE: PointKind.PHONE,
    Channel.IVR: PointKind.PHONE,
    Channel.EMAIL: PointKind.EMAIL,
}


class PointType(StrEnum):
    """Line type of a phone number, or ``mailbox``."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    VOIP = "voip"
    TOLL_FREE = "toll_free"
    MAILBOX = "mailbox"
    UNKNOWN = "unknown"


class PointState(StrEnum):
    """Whether a contact point may be used at all."""

    ACTIVE = "active"
    INVALID = "invalid"
    WRONG_PARTY = "wrong_party"
    REASSIGNED = "reassigned"
    SILENT = "silent"  # what is sent there never arrives; news of an arrival or a reply puts it back


class PointLabel(StrEnum):
    """Where a contact point belongs."""

    HOME = "home"
    MOBILE = "mobile"
    WORK = "work"
    OTHER = "other"


class CaseState(StrEnum):
    """Whether there is still work on a case."""

    OPEN = "open"
    CLOSED = "closed"


class HoldKind(StrEnum):
    """Why a case, or everything about a borrower, must rest."""

    DISPUTE = "dispute"
    ATTORNEY = "attorney"
    BANKRUPTCY = "bankruptcy"
    DECEASED = "deceased"
    CEASE = "cease"
    HARDSHIP = "hardship"
    WRONG_PARTY = "wrong_party"
    COMPLAINT = "complaint"
    REVIEW = "review"
    OPERATOR = "operator"
    BREATHING_SPACE = "breathing_space"
    MORATORIUM = "moratorium"
    INCAPACITY = "incapacity"
    MINOR = "minor"
    DISASTER = "disaster"
    BEREAVEMENT = "bereavement"
    IDENTITY_THEFT = "identity_theft"
    LITIGATION = "litigation"
    DEBT_COUNSELLING = "debt_counselling"


class ConsentState(StrEnum):
    """One entry of the consent ledger."""

    GIVEN = "given"
    REVOKED = "revoked"


class EnrollmentState(StrEnum):
    """A case on a plan version."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"


class TouchState(StrEnum):
    """The life of one touch. Transitions live in domain.touch."""

    PLANNED = "planned"  # due at not_before, waiting for the scheduler
    QUEUED = "queued"  # leased to a lane
    DEFERRED = "deferred"  # decided: later, at not_before
    PAUSED = "paused"  # its campaign is paused, or a kill switch holds it back
    STARTED = "started"  # an attempt exists and may have left
    SENT = "sent"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # another touch of the borrower used the slot it needed


class Level(StrEnum):
    """The three levels of a lane: what stands on a higher one never waits for what stands below it."""

    URGENT = "urgent"  # someone waits for an answer
    PROMPT = "prompt"  # something just happened
    BULK = "bulk"


class AttemptState(StrEnum):
    """The life of one provider call."""

    STARTED = "started"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RELEASED = "released"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """The raw outcome of a past contact: what is known, never a counter. Each rule derives its own count.

    ``pending`` and ``unknown`` count as if it had reached the person.
    """

    PENDING = "pending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    RELEASED = "released"
    UNKNOWN = "unknown"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NOT_CONNECTED = "not_connected"
    VOICEMAIL_LEFT = "voicemail_left"
    VOICEMAIL_POSSIBLE = "voicemail_possible"
    LIMITED_CONTENT_LEFT = "limited_content_left"
    ANSWERED_UNVERIFIED = "answered_unverified"
    CONVERSATION = "conversation"
    WRONG_PARTY = "wrong_party"


class Purpose(StrEnum):
    """Why a contact is made."""

    REMINDER = "reminder"
    REPLY = "reply"
    CONFIRMATION = "confirmation"
    REQUESTED_CALLBACK = "requested_callback"
    STATUTORY_NOTICE = "statutory_notice"
    CONSENT_REQUEST = "consent_request"
    ARRANGEMENT = "arrangement"


class StopCondition(StrEnum):
    """What ends an enrollment early."""

    PAID = "paid"
    PROMISE = "promise"
    ARRANGEMENT = "arrangement"
    HOLD = "hold"
    OPT_OUT = "opt_out"
    CLOSED = "closed"


class ArrangementState(StrEnum):
    """An installment plan's life."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    ACTIVE = "active"
    KEPT = "kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"


class PromiseState(StrEnum):
    """A promise to pay's life."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"


class CampaignState(StrEnum):
    """A campaign's life."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
