"""Guards: what a transition may ask before it is taken. Each returns the turn, with what it found, or None."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from outreach.domain.money import Money
from outreach.domain.promise import Promise, decide_promise
from outreach.replies import terms

if TYPE_CHECKING:
    from outreach.replies.dialogue import Turn


def _always(turn: "Turn") -> "Turn | None":
    return turn


def _offers_exist(turn: "Turn") -> "Turn | None":
    offers = terms.offers(turn.facts, turn.before.first_on)
    return replace(turn, offers=offers) if offers else None


def _option_open(turn: "Turn") -> "Turn | None":
    """Find the option that was named, as it is worth today; how often they said goes before its number."""
    named = [offer for offer in turn.before.offers if offer.option == turn.reading.choice]
    if not named or turn.reading.every not in (None, named[0].frequency):
        return None
    offer = terms.renewed(named[0], turn.facts)
    return replace(turn, offer=offer) if offer else None


def _counter_asked(turn: "Turn") -> "Turn | None":
    return turn if turn.reading.amount_minor or turn.reading.count else None


def _counter_fits(turn: "Turn") -> "Turn | None":
    offer = terms.counter(turn.reading, turn.facts, turn.before.first_on) if _counter_asked(turn) else None
    return replace(turn, offer=offer) if offer else None


def _choice_stands(turn: "Turn") -> "Turn | None":
    chosen = turn.before.chosen
    return turn if chosen and terms.stands(chosen, turn.facts) else None


def _choice_renewed(turn: "Turn") -> "Turn | None":
    """Read the choice back anew when a payment or the days that passed changed it."""
    offer = terms.renewed(turn.before.chosen, turn.facts) if turn.before.chosen else None
    return replace(turn, offer=offer) if offer else None


def _payday_named(turn: "Turn") -> "Turn | None":
    """Move every plan to the day the borrower gets paid; the one they had chosen, too."""
    reading = turn.reading
    if not reading.on or not (reading.payday or (reading.every and not reading.amount_minor)):
        return None
    before = replace(turn.before, first_on=reading.on)
    offers = terms.offers(turn.facts, reading.on)
    return replace(turn, before=before, offers=offers) if offers else None


def _plan_stands(turn: "Turn") -> "Turn | None":
    return turn if turn.facts.plan else None


def _change_asked(turn: "Turn") -> "Turn | None":
    asked = turn.reading.plan_wish == "change" or turn.reading.choice == 1
    return turn if turn.facts.plan and asked else None


def _change_fits(turn: "Turn") -> "Turn | None":
    return _offers_exist(turn) if _change_asked(turn) else None


def _cancel_asked(turn: "Turn") -> "Turn | None":
    asked = turn.reading.plan_wish == "cancel" or turn.reading.choice == 2
    return turn if turn.facts.plan and asked else None


def _extension_fits(turn: "Turn") -> "Turn | None":
    """Take the day that was named, or the one that was read back, if it may still be granted."""
    earlier = turn.before.extension
    extension = terms.extension(turn.reading.on or (earlier.to_on if earlier else None), turn.facts)
    return replace(turn, extension=extension) if extension else None


def _extension_open(turn: "Turn") -> "Turn | None":
    return turn if terms.extension_open(turn.facts) else None


def _promise_fits(turn: "Turn") -> "Turn | None":
    reading, facts = turn.reading, turn.facts
    if facts.policy is None:
        return None
    amount = Money(reading.amount_minor, reading.currency) if reading.amount_minor and reading.currency else None
    promise = decide_promise(
        amount, reading.on, amount_due=facts.amount_due, today=facts.today,
        max_days=facts.policy.promise_max_days, grace_days=facts.policy.promise_grace_days,
    )  # fmt: skip
    return replace(turn, promise=promise) if isinstance(promise, Promise) else None


def _date_named(turn: "Turn") -> "Turn | None":
    return turn if turn.reading.on else None


def _identity_ok(turn: "Turn") -> "Turn | None":
    return turn if turn.facts.identity_ok is True else None


def _tries_left(turn: "Turn") -> "Turn | None":
    return turn if turn.before.tries < turn.spec.identity_tries else None


GUARDS: Mapping[str, Callable[["Turn"], "Turn | None"]] = {
    "always": _always,
    "offers_exist": _offers_exist,
    "option_open": _option_open,
    "counter_asked": _counter_asked,
    "counter_fits": _counter_fits,
    "promise_fits": _promise_fits,
    "date_named": _date_named,
    "choice_stands": _choice_stands,
    "choice_renewed": _choice_renewed,
    "payday_named": _payday_named,
    "plan_stands": _plan_stands,
    "change_asked": _change_asked,
    "change_fits": _change_fits,
    "cancel_asked": _cancel_asked,
    "extension_fits": _extension_fits,
    "extension_open": _extension_open,
    "identity_ok": _identity_ok,
    "tries_left": _tries_left,
}
"""Every guard by the name that dialogue files use."""
