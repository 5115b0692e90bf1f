"""What the statistical reader's vote may change: make a reading safer, or decide where rules say nothing or guess."""

from collections.abc import Mapping
from dataclasses import dataclass

from outreach.replies.matching import Found
from outreach.replies.reading import PAUSING, Intent
from outreach.replies.voter import Vote

STOP_IN_DOUBT = 0.40
"""Share from which a reply that no rule understood is treated as a stop until a person has looked."""

STOP_ABOUT_CONTACT = 0.30
"""The same, for a reply that speaks of texts, calls or a number."""

STOP_UNHEARD = 0.80
"""The same, for a reply without one word known to speak of contact or of ending it."""

STOP_AGAINST = 0.90
"""Share from which a stop is added to what rules understood as something harmless."""

SAFE_IN_DOUBT = 0.45
"""Share from which a reply that no rule understood is taken for wrong person, dispute, hardship and the like."""

SAFE_AGAINST = 0.90
"""Share from which such an intent is added to what rules understood as something harmless."""

ANY_IN_DOUBT = 0.35
"""Share from which a reply that no rule understood is taken for anything else."""

SURE = 0.75
"""Share from which the vote replaces a guess of the rules."""

GUESS = 0.6
"""Confidence up to which a finding of the rules counts as a guess."""

_CONFIDENT = 0.6
_NEVER = frozenset({Intent.CHOOSE_OPTION, Intent.CONFIRM_YES, Intent.CONFIRM_NO})
"""Intents that hang on what was asked; the model sees words only."""

_ANSWERS = frozenset({Intent.CONFIRM_YES, Intent.CONFIRM_NO})
_SMALL = frozenset({Intent.CHIT_CHAT, Intent.CONFIRM_YES, Intent.CONFIRM_NO})
"""Intents that settle nothing when no question is open."""

_ENDING = frozenset({"@stopping"})
_PERSONAL = frozenset({"@bothering", "@alone", "@list"})
_ELSEWHERE = frozenset({"@fees", "@job", "@illness", "@despair", "@kin"})
"""What else can be stopped, removed or ended: interest, work."""

_CONTACT = frozenset({"@contacting", "@calling", "@number", "@list", "@bothering"})
_REACHING = frozenset({"@contacting", "@calling", "@again"})

_WHOLE = 0.99
"""Confidence of a rule that the whole reply fits."""

_NAME = "the statistical reader"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to add to the findings, and which guesses to take back."""

    add: tuple[Found, ...] = ()
    drop: tuple[Intent, ...] = ()


def weigh(found: Mapping[Intent, Found], vote: Vote, *, asked: bool) -> Outcome:
    """Hold the vote against what the rules found. ``asked``: a question to the borrower is open.

    A stop and every safety intent the rules found stay. The vote can add one, or settle what the rules left open.
    """
    if any(intent in PAUSING for intent in found):
        return _beside_safe(found, vote)
    if asked and found.keys() & _ANSWERS:
        return Outcome()
    said = {intent: each for intent, each in found.items() if asked or intent not in _SMALL or _plain_talk(each)}
    raised = _raised(vote, *_bars(found, said, asked=asked))
    if raised:
        return Outcome(add=raised)
    winner, share = vote.winner
    if winner in _NEVER or winner is Intent.UNCLEAR or winner in PAUSING:
        return Outcome()
    if asked or winner in found:
        return Outcome()
    if not found:
        return Outcome(add=(_finding(winner, share),)) if share >= ANY_IN_DOUBT else Outcome()
    if share >= SURE and all(each.confidence <= GUESS for each in said.values()):
        return Outcome(add=(_finding(winner, share),), drop=tuple(found))
    return Outcome()


def _plain_talk(found: Found) -> bool:
    """Say whether the whole reply is small talk written down as such: "you're welcome" insults nobody."""
    return found.intent is Intent.CHIT_CHAT and found.confidence >= _WHOLE


def _bars(found: Mapping[Intent, Found], said: Mapping[Intent, Found], *, asked: bool) -> tuple[float, float]:
    """Return the shares that a stop and another safety intent must reach: the more the rules found, the higher."""
    if not found:
        return STOP_IN_DOUBT, SURE if asked else SAFE_IN_DOUBT
    return (STOP_AGAINST, SAFE_AGAINST) if said else (SURE, SURE)


def _raised(vote: Vote, stop: float, safe: float) -> tuple[Found, ...]:
    raised = [
        _finding(intent, share)
        for intent, share in vote.shares.items()
        if intent in PAUSING and intent is not Intent.STOP and share >= safe
    ]
    share = vote.share(Intent.STOP)
    unheard = stop <= STOP_IN_DOUBT and _might_be_stop(vote, share)
    if unheard or (share >= stop and _sounds_like_stop(vote.concepts)):
        raised.append(_finding(Intent.STOP, share))
    return tuple(raised)


def _might_be_stop(vote: Vote, share: float) -> bool:
    """Say whether a reply no rule understood could refuse contact: it speaks of it, or the vote is all but sure."""
    if vote.concepts & _ELSEWHERE:
        return False
    return share >= STOP_UNHEARD or (share >= STOP_ABOUT_CONTACT and bool(vote.concepts & _CONTACT))


def _sounds_like_stop(concepts: frozenset[str]) -> bool:
    """Say whether any word at all speaks of ending or of not being contacted, and not of ending interest or work."""
    if concepts & _ELSEWHERE and not concepts & (_REACHING | _PERSONAL):
        return False
    return bool(concepts & (_ENDING | _PERSONAL)) or ("@not" in concepts and bool(concepts & _REACHING))


def _beside_safe(found: Mapping[Intent, Found], vote: Vote) -> Outcome:
    """Add a stop the rules missed beside another safety intent; leave everything else to the rules."""
    share = vote.share(Intent.STOP)
    missed = Intent.STOP not in found and share >= STOP_AGAINST and _sounds_like_stop(vote.concepts)
    return Outcome(add=(_finding(Intent.STOP, share),)) if missed else Outcome()


def _finding(intent: Intent, share: float) -> Found:
    doubtful = 0.5 if intent is Intent.STOP else _CONFIDENT
    return Found(intent, round(min(doubtful, share), 2), _NAME)
