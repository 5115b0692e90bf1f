"""One stream of past contacts, many counters: which raw outcome each kind of count takes in.

Outcomes are stored raw and counted by rule. Anything pending or unknown counts as if it had reached the person. What
certainly never left (released, rejected) counts nowhere; what left and failed later (failed, bounced) is still a touch
of the house's own caps, which count attempts, but no communication. What another system did by mail, visit or on a
channel of its own counts beside the lender's own contacts.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Final

from outreach.domain.words import SPOKEN, Channel, Outcome, Purpose
from outreach.policy.facts import Contact, Facts
from outreach.policy.finding import View
from outreach.policy.rules import Counted, Events, Prerequisite, Scope

_NOTHING: Final[frozenset[Counted]] = frozenset()
_ALL: Final = frozenset(Counted)
_TEXT: Final = frozenset(
    {
        Counted.TOUCHES,
        Counted.ATTEMPTS,
        Counted.COMMUNICATIONS,
        Counted.INITIATED_COMMUNICATIONS,
        Counted.MESSAGES_SENT,
        Counted.SUCCESSFUL_CONTACTS,
    }
)
_DIALLED: Final = frozenset({Counted.TOUCHES})
_RANG: Final = _DIALLED | {Counted.ATTEMPTS, Counted.ATTEMPTS_UNANSWERED}
_COULD_SPEAK: Final = _RANG | {Counted.ATTEMPTS_WITH_CONNECTION_OR_MESSAGE, Counted.INITIATED_COMMUNICATIONS}
_CONNECTED: Final = _COULD_SPEAK - {Counted.ATTEMPTS_UNANSWERED}
_LIMITED: Final = _CONNECTED | {Counted.COMMUNICATIONS}
_LEFT_WORDS: Final = _LIMITED | {Counted.SUCCESSFUL_CONTACTS}
_TALKED: Final = _LEFT_WORDS | {Counted.CONVERSATIONS}
_ANY_CALL: Final = _ALL - {Counted.MESSAGES_SENT, Counted.VISITS}

_NEVER_LEFT: Final = frozenset({Outcome.RELEASED, Outcome.REJECTED})
_FAILED: Final = frozenset({Outcome.FAILED, Outcome.BOUNCED})
# What surely left, so that a notice that had to go before did go. Nothing pending, unknown, returned or refused.
_SURELY_LEFT: Final = frozenset({Outcome.ACCEPTED, Outcome.SENT, Outcome.DELIVERED, Outcome.READ, Outcome.CONVERSATION})
# Not begun by the lender: the person wrote, called, or asked to be called.
_ASKED_FOR: Final = frozenset({Purpose.REPLY, Purpose.CONFIRMATION, Purpose.REQUESTED_CALLBACK})

CALL_COUNTS: Final = {
    Outcome.BUSY: _DIALLED,
    Outcome.NOT_CONNECTED: _DIALLED,
    Outcome.NO_ANSWER: _RANG,
    Outcome.VOICEMAIL_POSSIBLE: _COULD_SPEAK,
    Outcome.VOICEMAIL_LEFT: _LEFT_WORDS,
    # Only Reg F leaves a limited-content message out of communications; counting it is the stricter reading.
    Outcome.LIMITED_CONTENT_LEFT: _LIMITED,
    # Whoever picked up may have been the borrower: a rest after conversations must not be missed.
    Outcome.ANSWERED_UNVERIFIED: _TALKED,
    Outcome.CONVERSATION: _TALKED,
    Outcome.WRONG_PARTY: _CONNECTED,
}
"""What a call with a known end counts as. Any other outcome that may have reached somebody counts as everything."""

OTHER_SYSTEMS: Final = ("mail", "visit", "whatsapp", "other")
"""Channels on which only other systems make contact."""

_BY_TEXT: Final = {str(outcome): counters for outcome, counters in CALL_COUNTS.items()}
_MESSAGES: Final = frozenset({str(Channel.SMS), str(Channel.EMAIL), "mail", "whatsapp"})
_CHANNELS: Final = (*(str(channel) for channel in Channel), *OTHER_SYSTEMS)


def counts_as(channel: str, outcome: str) -> frozenset[Counted]:
    """Return the counters one past contact is in. An outcome or channel nobody knows counts as everything."""
    if outcome in _NEVER_LEFT:
        return _NOTHING
    if outcome in _FAILED:
        return _DIALLED
    if channel in SPOKEN:
        return _BY_TEXT.get(outcome, _ANY_CALL)
    if channel == "visit":
        return (_BY_TEXT.get(outcome, _ANY_CALL) & _TRAVELLED) | {Counted.TOUCHES, Counted.VISITS}
    return _TEXT if channel in _MESSAGES else _ALL


# Nobody rings at a door without being there: what a visit counts as besides a visit.
_TRAVELLED: Final = _ANY_CALL - {Counted.ATTEMPTS_UNANSWERED}


# One bit each, so that "is this contact counted by that rule" is a handful of integer operations.
_WORDS: Final = (
    *(f"counted:{counted}" for counted in Counted),
    *(f"scope:{scope}" for scope in Scope),
    *(f"channel:{channel}" for channel in _CHANNELS),
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


CASE, CREDITOR, BORROWER, NUMBER = (_BIT[f"scope:{scope}"] for scope in Scope)


@lru_cache(maxsize=4096)
def nature(channel: str, outcome: str, direction: str, purpose: str) -> int:
    """Return the bits that say what a contact was, whoever it was with. Zero: it counts nowhere."""
    counted = counts_as(channel, outcome)
    if direction == "in" or purpose in _ASKED_FOR:
        counted = counted - {Counted.INITIATED_COMMUNICATIONS}
    if not counted:
        return 0
    return (
        _bits("counted", tuple(counted))
        | _bits("channel", (channel,))
        | _bits("direction", (direction,))
        | _bits("purpose", (purpose,))
    )


def marked(facts: Facts, point_id: str) -> dict[int, list[datetime]]:
    """Return the instants of the past contacts that count anywhere, by their bits.

    The bits say what it was and, seen from the candidate contact, whether it was about the same case, creditor,
    borrower and contact point; what is not known of it counts.
    """
    alike = _Alike(facts.case_id, facts.creditor_id, point_id)
    found: dict[int, list[datetime]] = {}
    for contact, bits in zip(facts.history, map(alike.__getitem__, map(_WHAT, facts.history)), strict=True):
        if bits in found:
            found[bits].append(contact.at)
        else:
            found[bits] = [contact.at]
    found.pop(0, None)
    return found


def mark(contact: Contact, facts: Facts, point_id: str) -> int:
    """Return all bits of one past contact, zero when it counts nowhere."""
    return _Alike(facts.case_id, facts.creditor_id, point_id)[_WHAT(contact)]


_What = tuple[str, str, str, str, tuple[str, ...], str, str, bool]
_WHAT = attrgetter("channel", "outcome", "direction", "purpose", "case_ids", "creditor_id", "point_id", "same_borrower")


class _Alike(dict[_What, int]):
    """The bits of each kind of contact: most of a history is a few kinds, over and over."""

    __slots__ = ("_case_id", "_creditor_id", "_point_id")

    def __init__(self, case_id: str, creditor_id: str, point_id: str) -> None:
        self._case_id = case_id
        self._creditor_id = creditor_id
        self._point_id = point_id

    def __missing__(self, what: _What) -> int:
        channel, outcome, direction, purpose, case_ids, creditor_id, point_id, same_borrower = what
        bits = nature(channel, outcome, direction, purpose)
        if bits and same_borrower:
            bits |= BORROWER
            if not case_ids or self._case_id in case_ids:
                bits |= CASE
            if not creditor_id or creditor_id == self._creditor_id:
                bits |= CREDITOR
        if bits and (point_id == self._point_id or (same_borrower and not point_id)):  # it may have been this number
            bits |= NUMBER
        self[what] = bits
        return bits


class Filter:
    """Which past contacts a rule counts, by their bits. Rules that count alike share one: see filter_of."""

    __slots__ = ("_known", "_masks")

    def __init__(self, masks: tuple[int, int, int, int]) -> None:
        self._masks = masks
        self._known: dict[int, bool] = {}

    def counts(self, bits: int) -> bool:
        """Tell whether a contact with these bits counts."""
        known = self._known.get(bits)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            need, *others = self._masks
            known = self._known[bits] = bits & need == need and all(bits & mask for mask in others)
        return known

    def nth_latest(self, view: View, nth: int, oldest: datetime) -> datetime | None:
        """Return when the n-th latest contact that counts was; None when older than ``oldest`` or not there."""
        counted: list[datetime] | None = view.counted.get(self)
        if counted is None:
            groups = [instants for bits, instants in view.events.items() if self.counts(bits)]
            counted = view.counted[self] = sorted(chain.from_iterable(groups), reverse=True)
        if len(counted) < nth:
            return None
        found = counted[nth - 1]
        return found if found >= oldest else None


def filter_of(events: Events, channels: frozenset[str]) -> Filter:
    """Return what counts for a rule that selects these channels (empty: all)."""
    purposes = (events.purposes or frozenset(Purpose)) - events.except_purposes
    return _filter(
        (
            _bits("counted", (events.counted,)) | _bits("scope", (events.scope,)),
            _bits("channel", tuple(events.channels or channels or _CHANNELS)),
            _bits("direction", tuple(events.directions)),
            _bits("purpose", tuple(purposes)),
        )
    )


@lru_cache(maxsize=1024)
def _filter(masks: tuple[int, int, int, int]) -> Filter:
    return Filter(masks)


_KEPT: Final = 4096  # kinds of contacts a filter remembers


def gone(rule: Prerequisite, facts: Facts, point_id: str) -> datetime | None:
    """Return when the first contact went that surely is what a prerequisite asks for, or None.

    Nothing unknown helps here: purpose, notice, case, creditor and contact point must be the ones asked for.
    """
    events = rule.events
    found = (
        contact.at
        for contact in facts.history
        if contact.outcome in _SURELY_LEFT
        and contact.direction in events.directions
        and contact.same_borrower
        and (not rule.notices or contact.notice in rule.notices)
        and (not events.purposes or contact.purpose in events.purposes)
        and contact.purpose not in events.except_purposes
        and (not events.channels or contact.channel in events.channels)
        and events.counted in counts_as(contact.channel, contact.outcome)
        and _surely_about(contact, events.scope, facts, point_id)
    )
    return min(found, default=None)


def _surely_about(contact: Contact, scope: Scope, facts: Facts, point_id: str) -> bool:
    match scope:
        case Scope.CASE:
            return bool(facts.case_id) and facts.case_id in contact.case_ids
        case Scope.CREDITOR:
            return bool(facts.creditor_id) and contact.creditor_id == facts.creditor_id
        case Scope.NUMBER:
            return contact.point_id == point_id
        case _:
            return True
