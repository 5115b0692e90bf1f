"""What the statistical reader's vote may change: make a reading safer, or decide where rules say nothing or guess."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from outreach.replies.matching import Found
from outreach.replies.reading import PAUSING, Intent
from outreach.replies.voter import Vote

STOP_IN_DOUBT = 0.30
"""Share from which a reply that no rule understood, and that speaks of contact, is a stop until a person has looked."""

STOP_UNHEARD = 0.45
"""The same, for a reply without one word known to speak of contact or of ending it."""

STOP_AGAINST = 0.45
"""Share from which a stop is added to what rules understood as something harmless."""

STOP_BESIDE = 0.50
"""Share from which a stop is added to another safety intent."""

SAFE_IN_DOUBT = 0.30
"""Share from which a reply that no rule understood is taken for wrong person, dispute, hardship and the like.

Low, because such a reply would pause outreach anyway, as one nobody understood: named, it goes to the right person.
"""

SAFE_IN_ANSWER = 0.40
"""The same, while a question is open."""

SAFE_AGAINST = 0.50
"""Share from which such an intent is added to what rules understood, be it harmless or not."""

ANY_IN_DOUBT = 0.30
"""Share from which a reply that no rule understood is taken for anything else."""

ANY_IN_ANSWER = 0.30
"""The same, while a question is open."""

OVER_A_GUESS = 0.45
"""Share from which the vote replaces a harmless guess of the rules."""

OVER_A_RULE = 0.95
"""Share from which the vote replaces something harmless that a rule found by a phrase."""

GUESS = 0.6
"""Confidence up to which a finding of the rules counts as a guess."""

_CONFIDENT = 0.6
_CONSENTS = frozenset({Intent.CHOOSE_OPTION, Intent.CONFIRM_YES})
"""What binds a borrower: never by vote."""

_NEVER = _CONSENTS | {Intent.CONFIRM_NO, Intent.UNCLEAR}
"""Intents that hang on what was asked, and none at all."""

_ANSWERS = frozenset({Intent.CONFIRM_YES, Intent.CONFIRM_NO})
_SMALL = frozenset({Intent.CHIT_CHAT, Intent.CONFIRM_YES, Intent.CONFIRM_NO})
"""Intents that settle nothing when no question is open."""

_ENDING = frozenset({"@stopping"})
_PERSONAL = frozenset({"@bothering", "@alone", "@list"})
_ELSEWHERE = frozenset({"@fees", "@job", "@illness", "@despair", "@kin"})
"""What else can be stopped, removed or ended: interest, work."""

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
        return Outcome(add=_raised(vote, STOP_BESIDE, SAFE_AGAINST, besides=found))
    if asked and found.keys() & _ANSWERS:
        return Outcome()
    said = {intent: each for intent, each in found.items() if asked or intent not in _SMALL or _plain_talk(each)}
    raised = _raised(vote, *_bars(found, said, asked=asked))
    if raised:
        return Outcome(add=raised)
    winner, share = vote.winner
    if winner in PAUSING or winner in found:
        return Outcome()
    if asked:
        heard = not found and winner not in _CONSENTS and winner is not Intent.UNCLEAR and share >= ANY_IN_ANSWER
        return Outcome(add=(_finding(winner, share),)) if heard else Outcome()
    if winner in _NEVER:
        return Outcome()
    if not found:
        return Outcome(add=(_finding(winner, share),)) if share >= ANY_IN_DOUBT else Outcome()
    guessed = all(each.confidence <= GUESS for each in said.values())
    if share >= (OVER_A_GUESS if guessed else OVER_A_RULE):
        return Outcome(add=(_finding(winner, share),), drop=tuple(found))
    return Outcome()


def _plain_talk(found: Found) -> bool:
    """Say whether the whole reply is small talk written down as such: "you're welcome" insults nobody."""
    return found.intent is Intent.CHIT_CHAT and found.confidence >= _WHOLE


def _bars(found: Mapping[Intent, Found], said: Mapping[Intent, Found], *, asked: bool) -> tuple[float, float]:
    """Return the shares that a stop and another safety intent must reach: the more the rules found, the higher."""
    if not found:
        return STOP_IN_DOUBT, SAFE_IN_ANSWER if asked else SAFE_IN_DOUBT
    guessed = all(each.confidence <= GUESS for each in said.values())
    return STOP_AGAINST, SAFE_IN_ANSWER if guessed else SAFE_AGAINST


def _raised(vote: Vote, stop: float, safe: float, besides: Container[Intent] = ()) -> tuple[Found, ...]:
    raised = [
        _finding(intent, share)
        for intent, share in vote.shares.items()
        if intent in PAUSING - {Intent.STOP, Intent.UNCLEAR} and intent not in besides and share >= safe
    ]
    share = vote.share(Intent.STOP)
    if Intent.STOP not in besides and share >= stop and (share >= STOP_UNHEARD or _sounds_like_stop(vote.concepts)):
        raised.append(_finding(Intent.STOP, share))
    return tuple(raised)


def _sounds_like_stop(concepts: frozenset[str]) -> bool:
    """Say whether any word at all speaks of ending or of not being contacted, and not of ending interest or work."""
    if concepts & _ELSEWHERE and not concepts & (_REACHING | _PERSONAL):
        return False
    return bool(concepts & (_ENDING | _PERSONAL)) or ("@not" in concepts and bool(concepts & _REACHING))


def _finding(intent: Intent, share: float) -> Found:
    doubtful = 0.5 if intent is Intent.STOP else _CONFIDENT
    return Found(intent, round(min(doubtful, share), 2), _NAME)
