"""Promises to pay: what may be promised, and whether it was kept.

open -> kept | broken | cancelled
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from outreach.domain.money import Money
from outreach.domain.words import PromiseState


class PromiseRefusal(StrEnum):
    """Why a promise cannot be recorded as it was said. The borrower is asked again or a person takes over."""

    NO_DATE = "promise.no_date"
    PAST = "promise.date_in_the_past"
    TOO_FAR = "promise.date_too_far"
    TOO_MUCH = "promise.more_than_is_due"
    NOTHING = "promise.nothing_is_due"
    CURRENCY = "promise.other_currency"


class PromiseError(ValueError):
    """A change of state that a promise cannot make."""


@dataclass(frozen=True, slots=True)
class Promise:
    """``amount`` will be paid by the end of the borrower's day ``on``; ``grace_days`` later it counts as broken."""

    amount: Money
    on: date
    grace_days: int = 0
    state: PromiseState = PromiseState.OPEN

    def cancel(self) -> "Promise":
        """Return it cancelled. Raises PromiseError when it is already kept or broken."""
        if self.state in (PromiseState.KEPT, PromiseState.BROKEN):
            raise PromiseError(f"a promise that is {self.state} cannot become cancelled")
        return replace(self, state=PromiseState.CANCELLED)


def decide_promise(
    amount: Money | None, on: date | None, *, amount_due: Money, today: date, max_days: int, grace_days: int
) -> Promise | PromiseRefusal:
    """Return the promise as it may be recorded, or why not. Without an ``amount`` all that is due is promised."""
    if amount_due.minor <= 0:
        return PromiseRefusal.NOTHING
    if on is None:
        return PromiseRefusal.NO_DATE
    if on < today:
        return PromiseRefusal.PAST
    if (on - today).days > max_days:
        return PromiseRefusal.TOO_FAR
    promised = amount or amount_due
    if promised.currency != amount_due.currency:
        return PromiseRefusal.CURRENCY
    if not 0 < promised.minor <= amount_due.minor:
        return PromiseRefusal.TOO_MUCH
    return Promise(promised, on, grace_days)


def assess_promise(promise: Promise, paid: Money, today: date) -> Promise:
    """Return the promise as payments since it was made leave it on ``today``. Part payments count toward it.

    Raises ValueError on mixed currencies.
    """
    if promise.state is not PromiseState.OPEN:
        return promise
    if (promise.amount - paid).minor <= 0:
        return replace(promise, state=PromiseState.KEPT)
    late = (today - promise.on).days
    return replace(promise, state=PromiseState.BROKEN) if late > promise.grace_days else promise
