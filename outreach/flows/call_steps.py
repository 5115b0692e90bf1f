"""What a call says next: a small machine that knows neither store nor clock, and says no word of the debt too early."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from outreach.domain.words import Channel, Outcome

IDENTITY_TRIES = 3
SILENCES = 3
"""Questions that may stay unanswered, or answers that may stay unclear, before the call ends politely."""
MOST_TURNS = 15
YEAR_DIGITS = 4
WRONG_PERSON = "0"
"""The key that the identity question gives to somebody who is not the borrower."""


class CallState(StrEnum):
    """Where a call stands."""

    LIVE = "live"  # one-way: listens for the stop key only
    IDENTITY = "identity"
    MENU = "menu"
    OVER = "over"


class Act(StrEnum):
    """What a turn changes on the case."""

    STOP_CALLS = "stop_calls"
    WRONG_PERSON = "wrong_person"
    PAID = "paid"
    DISPUTE = "dispute"
    PERSON = "person"
    INSTALLMENTS = "installments"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: the spoken parts, how many digits it waits for (0: hangs up), and what it means for the case.

    ``what`` is the word for the timeline: never what was pressed. ``tries`` and ``silent`` count towards giving up.
    """

    state: CallState
    say: tuple[str, ...]
    what: str
    listen: int = 0
    tries: int = 0
    silent: int = 0
    act: Act | None = None
    outcome: Outcome | None = None


def open_call(channel: str, answered_by: str | None, parts: Collection[str], birth_year: int | None) -> Turn:
    """Return the first turn of an answered call, by who (or what) answered it."""
    if answered_by == "fax":
        return Turn(CallState.OVER, (), "machine")
    if answered_by == "machine":
        if "voicemail" not in parts:
            return Turn(CallState.OVER, (), "machine")
        return Turn(CallState.OVER, ("voicemail",), "voicemail", outcome=Outcome.LIMITED_CONTENT_LEFT)
    if channel == Channel.VOICE:
        return Turn(CallState.LIVE, ("live",), "answered", listen=1)
    if birth_year is None:
        return Turn(CallState.OVER, ("greeting", "identity_failed"), "identity.impossible")
    return Turn(CallState.IDENTITY, ("greeting", "identity"), "answered", listen=YEAR_DIGITS)


def next_turn(so_far: Turn, digits: str | None, menu: Mapping[str, str], birth_year: int | None, turns: int) -> Turn:
    """Return what follows from what was pressed (None: nothing). ``menu`` maps choices to keys."""
    if digits is not None and digits == menu["stop_calls"]:
        # Whoever answers may stop the calls, identified or not: opt-out wins.
        return Turn(CallState.OVER, ("stop_calls",), "stop_calls", act=Act.STOP_CALLS)
    if turns >= MOST_TURNS:
        return _goodbye()
    match so_far.state:
        case CallState.IDENTITY:
            return _identify(so_far, digits, birth_year)
        case CallState.MENU:
            return _choose(so_far, digits, {key: choice for choice, key in menu.items()})
        case _:
            return Turn(CallState.OVER, (), "goodbye")


def at_rest(taken: Turn) -> Turn:
    """Return what a turn becomes once the case has come to rest: the call ends politely, with no word of the debt.

    What somebody chose is still done, and one-way words, which never say what they are about, are still said.
    """
    telling = taken.state in {CallState.IDENTITY, CallState.MENU} or "voicemail" in taken.say
    if not telling or taken.act is not None:
        return taken
    if "voicemail" in taken.say:
        return Turn(CallState.OVER, (), "at_rest")
    greeting = tuple(part for part in taken.say if part == "greeting")
    return Turn(CallState.OVER, (*greeting, "goodbye"), "at_rest", outcome=taken.outcome)


def _goodbye() -> Turn:
    return Turn(CallState.OVER, ("goodbye",), "goodbye")


def _identify(so_far: Turn, digits: str | None, birth_year: int | None) -> Turn:
    if digits is None:
        silent = so_far.silent + 1
        if silent >= SILENCES:
            return _goodbye()
        return Turn(CallState.IDENTITY, ("identity",), "silence", YEAR_DIGITS, so_far.tries, silent)
    if digits == WRONG_PERSON:
        return Turn(
            CallState.OVER, ("wrong_person",), "wrong_person", act=Act.WRONG_PERSON, outcome=Outcome.WRONG_PARTY
        )
    if birth_year is not None and digits == str(birth_year):
        return Turn(CallState.MENU, ("balance", "menu"), "identity.passed", 1, outcome=Outcome.CONVERSATION)
    tries = so_far.tries + 1
    if tries >= IDENTITY_TRIES:
        return Turn(CallState.OVER, ("identity_failed",), "identity.given_up")
    return Turn(CallState.IDENTITY, ("identity_retry",), "identity.failed", YEAR_DIGITS, tries, so_far.silent)


def _choose(so_far: Turn, digits: str | None, choices: Mapping[str, str]) -> Turn:
    choice = choices.get(digits or "")
    if choice is None:
        silent = so_far.silent + 1
        if silent >= SILENCES:
            return _goodbye()
        if digits is None:
            return Turn(CallState.MENU, ("menu",), "silence", 1, silent=silent)
        return Turn(CallState.MENU, ("menu_retry", "menu"), "unclear", 1, silent=silent)
    if choice == "repeat":
        return Turn(CallState.MENU, ("balance", "menu"), "menu.repeat", 1, silent=so_far.silent)
    act = Act(choice) if choice in set(Act) else None
    return Turn(CallState.OVER, (choice,), f"menu.{choice}", act=act)
