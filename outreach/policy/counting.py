"""One stream of past contacts, many counters: which raw outcome each kind of count takes in.

Outcomes are stored raw and counted by rule. Anything pending or unknown counts as if it had reached the person. What
certainly never left (released, rejected) counts nowhere; what left and failed later (failed, bounced) is still a touch
of the house's own caps, which count attempts, but no communication.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from outreach.domain.words import SPOKEN, Channel, Outcome, Purpose
from outreach.policy.facts import Contact, Facts
from outreach.policy.rules import Counted, Events, Scope

_ALL: Final = frozenset(Counted)
_TEXT: Final = frozenset({Counted.TOUCHES, Counted.ATTEMPTS, Counted.COMMUNICATIONS})
_RANG: Final = frozenset({Counted.TOUCHES, Counted.ATTEMPTS, Counted.ATTEMPTS_UNANSWERED})
_TALKED: Final = frozenset({Counted.TOUCHES, Counted.ATTEMPTS, Counted.CONVERSATIONS, Counted.COMMUNICATIONS})
_LEFT_WORDS: Final = frozenset({Counted.TOUCHES, Counted.ATTEMPTS, Counted.COMMUNICATIONS})
_DIALLED: Final = frozenset({Counted.TOUCHES})
_NOTHING: Final[frozenset[Counted]] = frozenset()

_NEVER_LEFT: Final = frozenset({Outcome.RELEASED, Outcome.REJECTED})
_FAILED: Final = frozenset({Outcome.FAILED, Outcome.BOUNCED})

CALL_COUNTS: Final = {
    Outcome.BUSY: _DIALLED,
    Outcome.NOT_CONNECTED: _DIALLED,
    Outcome.NO_ANSWER: _RANG,
    Outcome.VOICEMAIL_POSSIBLE: _RANG,
    Outcome.VOICEMAIL_LEFT: _LEFT_WORDS,
    # Only Reg F leaves a limited-content message out of communications; counting it is the stricter reading.
    Outcome.LIMITED_CONTENT_LEFT: _LEFT_WORDS,
    # Whoever picked up may have been the borrower: a rest after conversations must not be missed.
    Outcome.ANSWERED_UNVERIFIED: _TALKED,
    Outcome.CONVERSATION: _TALKED,
    Outcome.WRONG_PARTY: frozenset({Counted.TOUCHES, Counted.ATTEMPTS}),
}
"""What a call with a known end counts as. Any other outcome that may have reached somebody counts as everything."""

_BY_TEXT: Final = {str(outcome): counters for outcome, counters in CALL_COUNTS.items()}
_CHANNELS: Final = frozenset(str(channel) for channel in Channel)


def counts_as(channel: str, outcome: str) -> frozenset[Counted]:
    """Return the counters one past contact is in. An outcome nobody knows counts as everything."""
    if outcome in _NEVER_LEFT:
        return _NOTHING
    if outcome in _FAILED:
        return _DIALLED
    if channel in SPOKEN:
        return _BY_TEXT.get(outcome, _ALL)
    return _TEXT if channel in _CHANNELS else _ALL


# One bit each, so that "is this contact counted by that rule" is a handful of integer operations.
_WORDS: Final = (
    *(f"counted:{counted}" for counted in Counted),
    *(f"scope:{scope}" for scope in Scope),
    *(f"channel:{channel}" for channel in Channel),
    *(f"direction:{direction}" for direction in ("out", "in")),
    *(f"purpose:{purpose}" for purpose in Purpose),
)
_BIT: Final = {word: 1 << place for place, word in enumerate(_WORDS)}


def _bits(kind: str, values: Sequence[str]) -> int:
    """Return the bits of some words; a word outside the closed set gets every bit of its kind: it counts."""
    mask = 0
    for value in values:
        mask |= _BIT.get(f"{kind}:{value}") or _every(kind)
    return mask


@lru_cache(maxsize=16)
def _every(kind: str) -> int:
    return sum(bit for word, bit in _BIT.items() if word.startswith(f"{kind}:"))


ANY_COUNTER: Final = sum(_BIT[f"counted:{counted}"] for counted in Counted)
CASE, CREDITOR, BORROWER, NUMBER = (_BIT[f"scope:{scope}"] for scope in Scope)


@lru_cache(maxsize=4096)
def nature(channel: str, outcome: str, direction: str, purpose: str) -> int:
    """Return the bits that say what a contact was, whoever it was with."""
    return (
        _bits("counted", tuple(counts_as(channel, outcome)))
        | _bits("channel", (channel,))
        | _bits("direction", (direction,))
        | _bits("purpose", (purpose,))
    )


def mark(contact: Contact, facts: Facts, point_id: str) -> int:
    """Return all bits of one past contact, seen from the candidate contact."""
    bits = nature(contact.channel, contact.outcome, contact.direction, contact.purpose)
    if contact.same_borrower:
        bits |= BORROWER
        if not contact.case_ids or facts.case_id in contact.case_ids:
            bits |= CASE
        if not contact.creditor_id or contact.creditor_id == facts.creditor_id:
            bits |= CREDITOR
        if not contact.point_id:  # it may have been this number
            bits |= NUMBER
    if contact.point_id == point_id:
        bits |= NUMBER
    return bits


def marked(facts: Facts, point_id: str) -> list[tuple[datetime, int]]:
    """Return the past contacts that count anywhere, newest first, each with its bits."""
    events = [(contact.at, bits) for contact in facts.history if (bits := mark(contact, facts, point_id)) & ANY_COUNTER]
    events.sort(reverse=True)
    return events


def filters(events: Events, channels: frozenset[str]) -> tuple[int, int, int, int]:
    """Return what a contact's bits must have: all of the first, and one at least of each of the others."""
    purposes = (events.purposes or frozenset(Purpose)) - events.except_purposes
    wanted = events.channels or channels or frozenset(Channel)
    return (
        _bits("counted", (events.counted,)) | _bits("scope", (events.scope,)),
        _bits("channel", tuple(wanted)),
        _bits("direction", tuple(events.directions)),
        _bits("purpose", tuple(purposes)),
    )
