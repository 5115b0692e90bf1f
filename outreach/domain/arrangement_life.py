"""An arrangement's life: its states, what payments have covered of it, and when it counts as kept or broken.

proposed -> confirmed -> active -> kept | broken
    any of the first three -> cancelled; confirmed -> broken
    confirmed waits for its down payment; a payment taken back makes kept active again
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from outreach.domain.arrangement import Frequency, Installment, Offer, schedule
from outreach.domain.money import Money
from outreach.domain.words import ArrangementState


class ArrangementError(ValueError):
    """A change of state that an arrangement cannot make."""


_NEXT = {
    ArrangementState.PROPOSED: {ArrangementState.CONFIRMED, ArrangementState.CANCELLED},
    ArrangementState.CONFIRMED: {ArrangementState.ACTIVE, ArrangementState.BROKEN, ArrangementState.CANCELLED},
    ArrangementState.ACTIVE: {ArrangementState.KEPT, ArrangementState.BROKEN, ArrangementState.CANCELLED},
    ArrangementState.KEPT: set[ArrangementState](),
    ArrangementState.BROKEN: set[ArrangementState](),
    ArrangementState.CANCELLED: set[ArrangementState](),
}

GOOD_STANDING = frozenset({ArrangementState.CONFIRMED, ArrangementState.ACTIVE})
"""While an arrangement is in one of these, other outreach on the case rests."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """An installment plan on a case. ``offer`` is what the borrower confirmed, word for word."""

    offer: Offer
    state: ArrangementState = ArrangementState.PROPOSED

    @property
    def installments(self) -> tuple[Installment, ...]:
        """The dated parts."""
        return schedule(self.offer)

    def move(self, state: ArrangementState) -> "Arrangement":
        """Return it in ``state``. The same state again changes nothing. Raises ArrangementError when not allowed."""
        if state is self.state:
            return self
        if state not in _NEXT[self.state]:
            raise ArrangementError(f"an arrangement that is {self.state} cannot become {state}")
        return replace(self, state=state)

    def agreed(self) -> "Arrangement":
        """Return it as an explicit yes leaves it: active, or confirmed while a down payment is still to come."""
        confirmed = self.move(ArrangementState.CONFIRMED)
        return confirmed if self.offer.down_payment_minor else confirmed.move(ArrangementState.ACTIVE)


def after_payment(state: ArrangementState, total: int, owed: int) -> ArrangementState:
    """Return the state once ``total`` of ``owed`` has come in (minor units); what is broken or cancelled stays so.

    Money taken back makes a kept arrangement active again.
    """
    if state in (ArrangementState.BROKEN, ArrangementState.CANCELLED):
        return state
    if total >= owed:
        return ArrangementState.KEPT
    return ArrangementState.ACTIVE if total > 0 or state is not ArrangementState.CONFIRMED else state


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one installment has been paid."""

    installment: Installment
    paid: Money

    @property
    def open(self) -> Money:
        """What is still missing."""
        return self.installment.amount - self.paid


@dataclass(frozen=True, slots=True)
class Standing:
    """An arrangement as it stands on a case: its parts with what has been paid of each."""

    arrangement_id: UUID
    state: ArrangementState
    frequency: Frequency
    total: Money
    covered: tuple[Coverage, ...]
    fee_minor: int = 0

    @property
    def left(self) -> Money:
        """What is still to be paid under it."""
        return Money(sum(part.open.minor for part in self.covered), self.total.currency)

    @property
    def open_fee(self) -> Money:
        """How much of the fee is still owed: it is the last to be paid, and falls away when the plan ends early."""
        return Money(min(self.fee_minor, self.left.minor), self.total.currency)

    @property
    def following(self) -> Coverage | None:
        """The oldest part that is not paid in full."""
        return next((part for part in self.covered if part.open.minor), None)


def allocate(installments: Iterable[Installment], paid: Money) -> tuple[Coverage, ...]:
    """Spread what was paid since the arrangement began over its installments, oldest first.

    What exceeds the total stays unallocated; reversed payments must be taken off ``paid`` by the caller.
    Raises ValueError on mixed currencies.
    """
    left = max(paid.minor, 0)
    covered: list[Coverage] = []
    for installment in sorted(installments, key=lambda part: (part.due_on, part.number)):
        if installment.amount.currency != paid.currency:
            raise ValueError(f"cannot mix {installment.amount.currency} and {paid.currency}")
        part = min(left, installment.amount.minor)
        left -= part
        covered.append(Coverage(installment, Money(part, paid.currency)))
    return tuple(covered)


def next_open(arrangement: Arrangement, paid: Money) -> Coverage | None:
    """Return the oldest installment that is not paid in full; None when all are."""
    return next((part for part in allocate(arrangement.installments, paid) if part.open.minor), None)


def assess(arrangement: Arrangement, paid: Money, today: date) -> Arrangement:
    """Return the arrangement as payments leave it on ``today``: kept, broken after the grace days, or unchanged."""
    if arrangement.state not in GOOD_STANDING:
        return arrangement
    missing = next_open(arrangement, paid)
    if missing is None:
        return arrangement.move(ArrangementState.ACTIVE).move(ArrangementState.KEPT)
    late = (today - missing.installment.due_on).days
    return arrangement.move(ArrangementState.BROKEN) if late > arrangement.offer.grace_days else arrangement
