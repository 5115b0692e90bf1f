"""What a call came to, in the words of the trade: derived from what is known, never stored apart from it."""

from enum import StrEnum
from typing import Final

from outreach.domain.words import Outcome


class CallDisposition(StrEnum):
    """The end of a call as a call centre files it."""

    RIGHT_PARTY = "right_party"
    WRONG_NUMBER = "wrong_number"
    UNVERIFIED = "unverified"
    VOICEMAIL_LEFT = "voicemail_left"
    MACHINE_NO_MESSAGE = "machine_no_message"
    ANSWERED_UNKNOWN = "answered_unknown"
    FAX = "fax"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    INVALID_NUMBER = "invalid_number"
    NETWORK_FAILURE = "network_failure"
    CANCELLED = "cancelled"


_PLAIN: Final = {
    Outcome.CONVERSATION: CallDisposition.RIGHT_PARTY,
    Outcome.WRONG_PARTY: CallDisposition.WRONG_NUMBER,
    Outcome.VOICEMAIL_LEFT: CallDisposition.VOICEMAIL_LEFT,
    Outcome.LIMITED_CONTENT_LEFT: CallDisposition.VOICEMAIL_LEFT,
    Outcome.BUSY: CallDisposition.BUSY,
    Outcome.NO_ANSWER: CallDisposition.NO_ANSWER,
}


def disposition_of_call(
    outcome: str, answered_by: str | None, error_code: str | None, status: str
) -> CallDisposition | None:
    """Return what a call came to; None while it is under way or nobody knows.

    ``status`` is the receipt's: one taken back is told from one that failed. An answer by a person is no proof of the
    right one, and one by nobody knows whom no proof of a person.
    """
    known = _PLAIN.get(Outcome(outcome))
    if known is not None:
        return known
    match Outcome(outcome):
        case Outcome.ANSWERED_UNVERIFIED:
            return CallDisposition.UNVERIFIED if answered_by == "human" else CallDisposition.ANSWERED_UNKNOWN
        case Outcome.VOICEMAIL_POSSIBLE:
            return CallDisposition.FAX if answered_by == "fax" else CallDisposition.MACHINE_NO_MESSAGE
        case Outcome.NOT_CONNECTED if error_code == "bad_address":
            return CallDisposition.INVALID_NUMBER
        case Outcome.NOT_CONNECTED:
            return CallDisposition.CANCELLED if status == "cancelled" else CallDisposition.NETWORK_FAILURE
    return None
