"""What Twilio's error codes mean to us, as data.

Twilio asks that codes on a text not be used programmatically and has split codes before, so the table carries a
version, every row its source, and a code that is not here is ``unknown``: final for the attempt, never repeated.
"""

from typing import Final

from channels.codes import NEWS, RAISES, Kind, Row, row_in

__all__ = ["CODES", "NEWS", "RAISES", "TABLE_VERSION", "Kind", "Row", "row_of"]

TABLE_VERSION: Final = "2026-11-22"
"""The day the rows were last checked against Twilio's pages. Raise it with every change of a row."""


def _row(code: int, kind: Kind, meaning: str) -> tuple[str, Row]:
    return str(code), Row(kind, meaning, f"https://www.twilio.com/docs/api/errors/{code}")


CODES: dict[str, Row] = dict(
    [
        _row(21610, Kind.OPT_OUT, "the person stopped this sender"),
        _row(63014, Kind.OPT_OUT, "blocked by the person"),
        _row(13224, Kind.BAD_NUMBER, "the called number is not valid"),
        _row(21211, Kind.BAD_NUMBER, "the recipient's number is not valid"),
        _row(21214, Kind.BAD_NUMBER, "the called number cannot be reached"),
        _row(21217, Kind.BAD_NUMBER, "the called number looks invalid"),
        _row(21614, Kind.BAD_NUMBER, "the number cannot take texts"),
        _row(30005, Kind.BAD_NUMBER, "unknown handset"),
        _row(30006, Kind.BAD_NUMBER, "a landline or a carrier that cannot be reached"),
        _row(63024, Kind.BAD_NUMBER, "not a recipient of this messaging channel"),
        _row(63036, Kind.BAD_NUMBER, "the number cannot be reached on this messaging channel"),
        _row(21602, Kind.BLOCKED, "a text needs a body"),
        _row(21617, Kind.BLOCKED, "the body is over 1,600 characters"),
        _row(30004, Kind.BLOCKED, "blocked by the carrier or the handset"),
        _row(30007, Kind.BLOCKED, "filtered by the carrier"),
        _row(63016, Kind.BLOCKED, "free text outside the reply window"),
        _row(63021, Kind.BLOCKED, "content refused by the channel"),
        # The next three are about one destination. Stopping the whole lane for them would let one unroutable number
        # silence every other borrower, so they end the attempt instead.
        _row(21215, Kind.NOT_SERVED, "calls to this country are not enabled"),
        _row(21408, Kind.NOT_SERVED, "texts to this country are not enabled"),
        _row(21612, Kind.NOT_SERVED, "the sender cannot reach this recipient"),
        _row(20003, Kind.MISCONFIGURED, "credentials refused"),
        _row(20404, Kind.MISCONFIGURED, "no such account or resource"),
        _row(21606, Kind.MISCONFIGURED, "the sender cannot send texts"),
        _row(21608, Kind.MISCONFIGURED, "unverified recipient on a trial account"),
        _row(30002, Kind.MISCONFIGURED, "account suspended"),
        _row(30024, Kind.MISCONFIGURED, "sender not provisioned at the carrier"),
        _row(30032, Kind.MISCONFIGURED, "toll-free number not verified"),
        _row(30034, Kind.MISCONFIGURED, "sender not registered for 10DLC"),
        _row(30610, Kind.MISCONFIGURED, "the provider's own quiet hours refused it: ours disagree"),
        _row(30640, Kind.MISCONFIGURED, "the provider's compliance list refused it"),
        _row(10004, Kind.TRANSIENT, "too many calls at once"),
        _row(20429, Kind.TRANSIENT, "too many requests"),
        _row(21611, Kind.TRANSIENT, "the sender's queue is full"),
        _row(30001, Kind.TRANSIENT, "queue overflow"),
        _row(30003, Kind.TRANSIENT, "the handset is off or out of reach"),
        _row(30008, Kind.TRANSIENT, "not delivered, no reason given"),
        _row(30022, Kind.TRANSIENT, "carrier rate exceeded"),
        _row(30036, Kind.TRANSIENT, "validity ran out before it left"),
        _row(63017, Kind.TRANSIENT, "channel rate exceeded"),
        _row(63018, Kind.TRANSIENT, "channel rate exceeded"),
        _row(22005, Kind.QUOTA, "more than a day of calls is queued"),
        _row(35125, Kind.QUOTA, "scheduling quota used up"),
        _row(63038, Kind.QUOTA, "the account's daily cap is used up"),
        _row(30410, Kind.AMBIGUOUS, "the carrier did not answer; it may have arrived"),
    ]
)


def row_of(code: str) -> Row:
    """Return what a code means; a code that is not in the table is ``Kind.UNKNOWN``."""
    return row_in(CODES, code)
