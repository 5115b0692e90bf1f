"""What the person at the other end of a call does: who picks up, and what they press or say to each question. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from channels.sandbox.chance import draw
from channels.sandbox.people import Profile, Temper
from channels.sandbox.wording import BIRTH_WORDS, MENU_WORDS, WORDS

_CLAUSE: Final = re.compile(r"[.;!?。；！？\n]+")
_DIGIT: Final = re.compile(r"(?<![\d.,])([0-9])(?!\s*[\d.,]*\d)")
_WISH_FIRST: Final = re.compile(r"\s*(?:to|for|if|para|si)\b")
_ALL_MENU_WORDS: Final = [word for words in MENU_WORDS.values() for word in words]
_NUMBER_WORDS: Final = (
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
)
_HUMAN: Final = frozenset(
    {"human", "fails_identity", "hangs_up", "says_nothing", "wrong_person", "installments", "promise", "paid", "stop",
     "dispute", "agent"}
)  # fmt: skip
_HEARD_ENOUGH: Final = 2
_GOES_ON: Final = frozenset({"installments", "promise"})


@dataclass(frozen=True, slots=True)
class PickUp:
    """How a call is answered: a final status instead of an answer, or who answers and after how many seconds."""

    status: str  # in-progress, or busy, no-answer, failed
    ring_seconds: float
    machine: bool = False
    sip: int = 200


@dataclass(frozen=True, slots=True)
class Question:
    """One Gather as the person meets it."""

    words: str
    digits: bool
    speech: bool
    number_of_digits: int | None
    locale: str
    nth: int


@dataclass(frozen=True, slots=True)
class Given:
    """What the person gives to a question."""

    digits: str | None = None
    speech: str | None = None


def picks_up(temper: Temper, ring_limit: float, chance: float) -> PickUp:
    """Decide how a call that rings for at most ``ring_limit`` seconds is answered."""
    if temper.name == "busy":
        return PickUp("busy", 0.0, sip=486)
    if temper.name == "unreachable":
        return PickUp("failed", 0.0, sip=404)
    waits = 15 + chance * 8 if temper.name == "voicemail" else 4 + chance * 10
    if waits > ring_limit or (temper.name != "voicemail" and temper.name not in _HUMAN and temper.name != "slow"):
        return PickUp("no-answer", ring_limit, sip=487)
    return PickUp("in-progress", waits, machine=temper.name == "voicemail")


def gives(temper: Temper, profile: Profile, question: Question, *, seed: int, address: str) -> Given | None:
    """Decide what is given to a question; None is silence."""
    if profile.keys or profile.speech:
        return _scripted(profile, question)
    if temper.name in {"voicemail", "says_nothing", "hangs_up"}:
        return None
    lower = question.words.lower()
    if any(word in lower for word in BIRTH_WORDS) and question.number_of_digits != 1:
        return _birth_year(temper, profile, question, seed=seed, address=address)
    if temper.name == "fails_identity" and question.nth > _HEARD_ENOUGH:
        return None
    if question.nth > _HEARD_ENOUGH and question.digits and temper.name in _GOES_ON:
        return _goes_on(temper.name, question)
    for wish in _wishes(temper.name):
        digit = menu_digit(lower, MENU_WORDS[wish])
        if digit is not None and question.digits:
            return Given(digits=digit)
    if question.speech and not question.digits:
        return Given(speech=_speech(temper.name, question.locale))
    return Given(digits="1")


def _goes_on(temper: str, question: Question) -> Given:
    """Settle what was begun at the menu: the first choice, a day said in words, a yes by its key."""
    if temper == "promise" and question.speech and question.number_of_digits != 1:
        return Given(speech=_speech(temper, question.locale))
    return Given(digits="1")


def menu_digit(words: str, wanted: Sequence[str]) -> str | None:
    """Find the key a menu gives to a wish: the digit nearest to the first wanted word within one sentence.

    Both ``For a plan, press 2`` and ``Press 2 for a plan`` are understood, several to a sentence.
    """
    for clause in _CLAUSE.split(_in_figures(words)):
        found = [(m.start(), m.group(1)) for m in _DIGIT.finditer(clause)]
        where = min((at for at in (clause.find(word) for word in wanted) if at >= 0), default=-1)
        if found and where >= 0:
            return _nearest(clause, found, where)
    return None


def _nearest(clause: str, found: list[tuple[int, str]], where: int) -> str:
    """Choose by the menu's manner: a key named first comes before its wish, otherwise after it."""
    opening = clause[: found[0][0]]
    key_first = _WISH_FIRST.match(opening) is None and not any(word in opening for word in _ALL_MENU_WORDS)
    if key_first:
        return next((digit for at, digit in reversed(found) if at < where), found[0][1])
    return next((digit for at, digit in found if at > where), found[-1][1])


def _in_figures(words: str) -> str:
    for names in _NUMBER_WORDS:
        for figure, name in enumerate(names):
            words = re.sub(rf"(?<=[ \"]){name}\b", str(figure), words)
    return words


def _wishes(temper: str) -> tuple[str, ...]:
    if temper == "wrong_person":
        return ("wrong_person",)
    if temper in {"human", "slow"}:
        return ("self", "yes", "pay")
    return (temper, "self", "yes") if temper in MENU_WORDS else ("self", "yes")


def _birth_year(temper: Temper, profile: Profile, question: Question, *, seed: int, address: str) -> Given | None:
    if temper.name == "wrong_person":
        return None
    year = profile.birth_year or 1950 + int(draw(seed, "birth_year", address) * 50)
    if temper.name == "fails_identity":
        year = 1900 + (year + 13) % 100
    digits = str(year)[-(question.number_of_digits or 4) :]
    return Given(digits=digits) if question.digits else Given(speech=digits)


def _scripted(profile: Profile, question: Question) -> Given | None:
    if question.digits and question.nth <= len(profile.keys):
        return Given(digits=profile.keys[question.nth - 1])
    if question.speech and question.nth <= len(profile.speech):
        return Given(speech=profile.speech[question.nth - 1])
    return None


def _speech(temper: str, locale: str) -> str:
    return WORDS[temper if temper in WORDS else "yes"][locale][0]
