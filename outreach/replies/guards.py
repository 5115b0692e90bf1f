"""What a transition may ask before it is taken: each guard returns the turn, with what it found, or None. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from outreach.domain.arrangement import Offer
from outreach.domain.extension import Extension
from outreach.domain.money import Money
from outreach.domain.promise import Promise, decide_promise
from outreach.replies import terms
from outreach.replies.dialogue_spec import DialogueFacts, DialogueSpec, DialogueState, Guard
from outreach.replies.reading import Awaiting, Reading


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer being worked on. ``offer``, ``promise`` and ``extension`` are what a guard found to fit."""

    spec: DialogueSpec
    before: DialogueState
    reading: Reading
    facts: DialogueFacts
    offers: tuple[Offer, ...] = ()
    offer: Offer | None = None
    promise: Promise | None = None
    extension: Extension | None = None


def _always(turn: Turn) -> Turn | None:
    return turn


def _offers_exist(turn: Turn) -> Turn | None:
    offers = terms.offers(turn.facts, turn.before.first_on)
    return replace(turn, offers=offers) if offers else None


def _option_open(turn: Turn) -> Turn | None:
    """Find the option that was named, as it is worth today; how often they said goes before its number."""
    named = [offer for offer in turn.before.offers if offer.option == turn.reading.choice]
    if not named or turn.reading.every not in (None, named[0].frequency):
        return None
    offer = terms.renewed(named[0], turn.facts)
    return replace(turn, offer=offer) if offer else None


def _counter_asked(turn: Turn) -> Turn | None:
    return turn if turn.reading.amount_minor or turn.reading.count else None


def _counter_fits(turn: Turn) -> Turn | None:
    offer = terms.counter(turn.reading, turn.facts, turn.before.first_on) if _counter_asked(turn) else None
    return replace(turn, offer=offer) if offer else None


def _choice_stands(turn: Turn) -> Turn | None:
    chosen = turn.before.chosen
    return turn if chosen and terms.stands(chosen, turn.facts) else None


def _choice_renewed(turn: Turn) -> Turn | None:
    """Read the choice back anew when a payment or the days that passed changed it."""
    offer = terms.renewed(turn.before.chosen, turn.facts) if turn.before.chosen else None
    return replace(turn, offer=offer) if offer else None


def _payday_named(turn: Turn) -> Turn | None:
    """Move every plan to the day the borrower gets paid; the one they had chosen, too."""
    reading = turn.reading
    if not reading.on or not (reading.payday or (reading.every and not reading.amount_minor)):
        return None
    before = replace(turn.before, first_on=reading.on)
    offers = terms.offers(turn.facts, reading.on)
    return replace(turn, before=before, offers=offers) if offers else None


def _plan_stands(turn: Turn) -> Turn | None:
    return turn if turn.facts.plan else None


def _change_asked(turn: Turn) -> Turn | None:
    asked = turn.reading.plan_wish == "change" or turn.reading.choice == 1
    return turn if turn.facts.plan and asked else None


def _change_fits(turn: Turn) -> Turn | None:
    return _offers_exist(turn) if _change_asked(turn) else None


def _cancel_asked(turn: Turn) -> Turn | None:
    asked = turn.reading.plan_wish == "cancel" or turn.reading.choice == 2
    return turn if turn.facts.plan and asked else None


def _extension_fits(turn: Turn) -> Turn | None:
    """Take the day that was named, or the one that was read back, if it may still be granted."""
    earlier = turn.before.extension
    extension = terms.extension(turn.reading.on or (earlier.to_on if earlier else None), turn.facts)
    return replace(turn, extension=extension) if extension else None


def _extension_open(turn: Turn) -> Turn | None:
    return turn if terms.extension_open(turn.facts) else None


def _promise_fits(turn: Turn) -> Turn | None:
    reading, facts = turn.reading, turn.facts
    if facts.policy is None:
        return None
    amount = Money(reading.amount_minor, reading.currency) if reading.amount_minor and reading.currency else None
    promise = decide_promise(
        amount, reading.on, amount_due=facts.amount_due, today=facts.today,
        max_days=facts.policy.promise_max_days, grace_days=facts.policy.promise_grace_days,
    )  # fmt: skip
    return replace(turn, promise=promise) if isinstance(promise, Promise) else None


def _date_named(turn: Turn) -> Turn | None:
    return turn if turn.reading.on else None


def _hour_named(turn: Turn) -> Turn | None:
    times = turn.reading.times
    return turn if times and times.at else None


def _times_named(turn: Turn) -> Turn | None:
    times = turn.reading.times
    return turn if times and times.start else None


def _identity_ok(turn: Turn) -> Turn | None:
    return turn if turn.facts.identity_ok is True else None


def _identity_wrong(turn: Turn) -> Turn | None:
    return turn if turn.facts.identity_ok is False else None


def _tries_left(turn: Turn) -> Turn | None:
    wrong = turn.facts.identity_ok is False
    return turn if wrong and turn.before.tries < turn.spec.identity_tries else None


def offers_hold(state: DialogueState, facts: DialogueFacts) -> Iterator[bool]:
    """Say of each offer on the table, and of the one chosen, whether it is for what is due now, from a day to come."""
    for each in (*state.offers, *((state.chosen,) if state.chosen else ())):
        yield terms.stands(each, facts) and each.first_on > facts.today


def _offers_open(turn: Turn) -> Turn | None:
    """Find offers that were made elsewhere and still hold."""
    other = turn.facts.elsewhere
    if other is None or not other.open or not other.offers or not all(offers_hold(other, turn.facts)):
        return None
    return replace(turn, offers=other.offers)


def _choice_open(turn: Turn) -> Turn | None:
    """Find a choice that waits elsewhere for its yes and still holds."""
    other = turn.facts.elsewhere
    if other is None or not other.open or other.awaiting != Awaiting.CONFIRMATION or other.chosen is None:
        return None
    holds = all(offers_hold(other, turn.facts))
    return replace(turn, offers=other.offers, offer=other.chosen) if holds else None


def _if(holds: Callable[[DialogueFacts], bool]) -> Callable[[Turn], Turn | None]:
    return lambda turn: turn if holds(turn.facts) else None


GUARDS: Mapping[Guard, Callable[[Turn], Turn | None]] = {
    Guard.ALWAYS: _always,
    Guard.OFFERS_EXIST: _offers_exist,
    Guard.OPTION_OPEN: _option_open,
    Guard.COUNTER_ASKED: _counter_asked,
    Guard.COUNTER_FITS: _counter_fits,
    Guard.PROMISE_FITS: _promise_fits,
    Guard.DATE_NAMED: _date_named,
    Guard.CHOICE_STANDS: _choice_stands,
    Guard.CHOICE_RENEWED: _choice_renewed,
    Guard.PAYDAY_NAMED: _payday_named,
    Guard.PLAN_STANDS: _plan_stands,
    Guard.CHANGE_ASKED: _change_asked,
    Guard.CHANGE_FITS: _change_fits,
    Guard.CANCEL_ASKED: _cancel_asked,
    Guard.EXTENSION_FITS: _extension_fits,
    Guard.EXTENSION_OPEN: _extension_open,
    Guard.HOUR_NAMED: _hour_named,
    Guard.TIMES_NAMED: _times_named,
    Guard.IDENTITY_OK: _identity_ok,
    Guard.TRIES_LEFT: _tries_left,
    Guard.IDENTITY_WRONG: _identity_wrong,
    Guard.IDENTITY_POSSIBLE: _if(lambda facts: facts.identity_possible),
    Guard.SILENT: _if(lambda facts: facts.silent),
    Guard.OFFERS_OPEN: _offers_open,
    Guard.CHOICE_OPEN: _choice_open,
    Guard.TAKES_TEXTS: _if(lambda facts: facts.takes_texts),
    Guard.AGENT_REACHABLE: _if(lambda facts: facts.agent_reachable),
    Guard.AGENT_ANSWERED: _if(lambda facts: facts.agent_answered),
}
