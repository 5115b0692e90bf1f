"""The words of a reading: intents in acting order, what was on the table, and the one value a reply turns into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from outreach.replies.day_times import Times


class Intent(StrEnum):
    """What a reply asks for, in the order in which it must be acted on: the safest first."""

    STOP = "stop"
    WRONG_PARTY = "wrong_party"
    DECEASED = "deceased"
    ATTORNEY = "attorney"
    BANKRUPTCY = "bankruptcy"
    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    COMPLAINT = "complaint"
    ABUSIVE = "abusive"
    INCONVENIENT_TIME = "inconvenient_time"
    ALREADY_PAID = "already_paid"
    START = "start"
    CHOOSE_OPTION = "choose_option"
    CONFIRM_NO = "confirm_no"
    CALLBACK_REQUEST = "callback_request"
    INSTALLMENTS = "installments"
    EXTENSION_REQUEST = "extension_request"
    PROMISE_TO_PAY = "promise_to_pay"
    QUESTION_HOW_TO_PAY = "question_how_to_pay"
    PAY_NOW = "pay_now"
    QUESTION_BALANCE = "question_balance"
    HELP = "help"
    CONFIRM_YES = "confirm_yes"
    CHIT_CHAT = "chit_chat"
    UNCLEAR = "unclear"


RANK: Mapping[Intent, int] = {intent: place for place, intent in enumerate(Intent)}
"""Place of an intent in the acting order, 0 first."""

PAUSING = frozenset(
    {
        Intent.STOP,
        Intent.WRONG_PARTY,
        Intent.DECEASED,
        Intent.ATTORNEY,
        Intent.BANKRUPTCY,
        Intent.DISPUTE,
        Intent.HARDSHIP,
        Intent.COMPLAINT,
        Intent.ABUSIVE,
    }
)
"""Intents after which automated outreach rests until a person has looked."""

SAFETY = PAUSING - {Intent.STOP, Intent.COMPLAINT, Intent.ABUSIVE}
"""Intents whose miss could harm a person although nobody said stop."""


class Awaiting(StrEnum):
    """What the last prompt asked for; decides what a bare answer means."""

    OFFER_CHOICE = "offer_choice"
    PROMISE_DATE = "promise_date"
    CONFIRMATION = "confirmation"
    OPT_IN = "opt_in"


ALL_CHANNELS = ("sms", "email", "voice", "ivr")
"""Every channel a refusal can cover, in the order they are printed."""

READING_CHANNELS = ("sms", "email", "ivr", "portal")
"""Where a reply may come from."""


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """One offer on the table: ``option`` is the number the borrower was told, ``count`` its installments."""

    option: int
    count: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What the conversation was about.

    ``keys`` says what the last prompt promised a bare token means (``{"R": Intent.STOP}``); it is looked at first.
    """

    awaiting: Awaiting | None = None
    offers: tuple[OpenOffer, ...] = ()
    keys: Mapping[str, Intent] = field(default_factory=dict)


NO_CONTEXT = ReplyContext()


@dataclass(frozen=True, slots=True)
class Reading:
    """One reply, understood.

    ``also`` holds the other intents in acting order. ``confidence`` runs from 0 to 1. ``amount_minor`` is in minor
    units of ``currency``; ``on`` is a local date; ``count`` is a number of installments. ``must_stop`` asks for an
    opt-out on ``stop_channels`` before anything else: on all of them unless ``names_channel``. ``must_pause`` asks that
    automated outreach rests until a person has looked. ``explanation`` names the rules that decided, never the
    borrower's words.
    """

    intent: Intent
    confidence: float
    also: tuple[Intent, ...] = ()
    choice: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    on: date | None = None
    count: int | None = None
    must_stop: bool = False
    must_pause: bool = False
    stop_channels: tuple[str, ...] = ()
    explanation: str = ""
    every: str | None = None  # weekly | fortnightly | monthly, when the reply said how often; a form: any Frequency
    names_channel: bool = False
    times: Times | None = None  # the hours it names
    language: str | None = None  # en | es | zh, when it asks to be answered in one
    payday: bool = False  # it says when they get paid
    plan_wish: str | None = None  # change | cancel, when it speaks of a plan they have
    first_on: date | None = None  # the day installments should begin; only a form asks for it
    paydays: tuple[int, int] | None = None  # the days of the month that semimonthly ones keep to; only a form, too

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Every intent, the acting one first."""
        return (self.intent, *self.also)

    def to_json(self, reply_id: str | int | None = None) -> dict[str, object]:
        """Return the JSON object that ``outreach replies parse`` prints; ``reply_id`` is echoed as ``id``."""
        return {
            "id": reply_id,
            "intent": self.intent.value,
            "also": [intent.value for intent in self.also],
            "confidence": self.confidence,
            "choice": self.choice,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "date": self.on.isoformat() if self.on else None,
            "count": self.count,
            "must_stop": self.must_stop,
            "must_pause": self.must_pause,
            "stop_channels": list(self.stop_channels),
            "times": self.times.to_json() if self.times else None,
            "explanation": self.explanation,
        }
