"""Arrangements: offers within a policy, schedules that sum to the unit, states, and what payments have covered.

proposed -> confirmed -> active -> kept | broken
    any of the first three -> cancelled
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from outreach.domain.money import Money
from outreach.domain.words import ArrangementState


class Frequency(StrEnum):
    """How far apart installments are."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"


_DAYS = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14}


@dataclass(frozen=True, slots=True)
class Shape:
    """A plan a policy offers: how many installments and how far apart."""

    count: int
    frequency: Frequency


@dataclass(frozen=True, slots=True)
class ArrangementPolicy:
    """What may be offered to the cases it fits. Amounts in minor units of ``currency``, bounds inclusive.

    ``minimum_minor`` is the floor of one installment; ``first_after_days`` counts from the day the offer is made;
    ``max_length_days`` from that day to the last installment. ``grace_days`` is how late an installment may be before
    the arrangement is broken. ``promise_max_days`` is how far off a promise to pay may be.
    """

    id: str
    currency: str
    min_due_minor: int
    max_due_minor: int
    dpd_from: int
    dpd_to: int
    shapes: tuple[Shape, ...]
    minimum_minor: int
    first_after_days: int
    max_length_days: int
    max_count: int
    grace_days: int
    promise_max_days: int
    down_payment_percent: int = 0
    products: frozenset[str] = frozenset({"any"})

    def fits(self, amount_due: Money, dpd: int, product: str) -> bool:
        """Say whether a case with this amount, days past due and product may be offered this policy's plans."""
        return (
            amount_due.currency == self.currency
            and self.min_due_minor <= amount_due.minor <= self.max_due_minor
            and self.dpd_from <= dpd <= self.dpd_to
            and bool(self.products & {"any", product})
        )


@dataclass(frozen=True, slots=True)
class Installment:
    """One part of an arrangement, numbered from 1."""

    number: int
    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan on the table. ``option`` is the number the borrower is told; ``count`` includes the down payment."""

    option: int
    count: int
    frequency: Frequency
    total: Money
    first_on: date
    policy_id: str
    down_payment_minor: int = 0
    grace_days: int = 0

    @property
    def regular(self) -> Money:
        """The largest regular installment: what the borrower is told to expect each time."""
        return max((part.amount for part in schedule(self)[-self.count + bool(self.down_payment_minor) :]), key=_minor)


def _minor(amount: Money) -> int:
    return amount.minor


def fitting_policy(
    policies: Iterable[ArrangementPolicy], amount_due: Money, dpd: int, product: str
) -> ArrangementPolicy | None:
    """Return the first policy that fits the case; None when a person must decide."""
    return next((policy for policy in policies if policy.fits(amount_due, dpd, product)), None)


def compute_offers(
    policy: ArrangementPolicy, amount_due: Money, dpd: int, product: str, today: date
) -> tuple[Offer, ...]:
    """Return the plans ``policy`` allows this case on the borrower's day ``today``, numbered from 1. May be empty."""
    if not policy.fits(amount_due, dpd, product):
        return ()
    offers = [offer for shape in policy.shapes if (offer := _offer(policy, amount_due, shape, today))]
    return tuple(replace(offer, option=option) for option, offer in enumerate(offers, 1))


def counter_offer(
    policy: ArrangementPolicy,
    amount_due: Money,
    dpd: int,
    product: str,
    today: date,
    *,
    each: Money | None = None,
    count: int | None = None,
    frequency: Frequency | None = None,
    first_on: date | None = None,
) -> Offer | None:
    """Return the plan the borrower asks for ("40 a week", "in 5 payments") if it is within bounds, else None.

    ``each`` is the most they can pay at a time, ``first_on`` the day they would begin (``first_days`` says which may
    be). None means a person decides: nothing is refused automatically.
    """
    if not policy.fits(amount_due, dpd, product) or not policy.shapes:
        return None
    if first_on is not None and not _within(first_on, first_days(policy, today)):
        return None
    if each is not None:
        if each.currency != amount_due.currency or each.minor < policy.minimum_minor:
            return None
        count = max(2, -(-amount_due.minor // each.minor))
    if count is None or not 2 <= count <= policy.max_count:
        return None
    wanted = [frequency] if frequency else frequencies(policy)
    fitting = (_offer(policy, amount_due, Shape(count, each_time), today, first_on) for each_time in wanted)
    offer = next((offer for offer in fitting if offer), None)
    if offer and each and offer.regular.minor > each.minor:
        return None
    return replace(offer, option=1) if offer else None


def frequencies(policy: ArrangementPolicy) -> list[Frequency]:
    """Return how far apart the installments of ``policy`` may be, as its plans do, in their order."""
    return list(dict.fromkeys(shape.frequency for shape in policy.shapes))


def first_days(policy: ArrangementPolicy, today: date) -> tuple[date, date]:
    """Return the first and last day on which a plan made ``today`` may begin.

    Sooner than the policy proposes is the borrower's own choice; later is as far off as a promise to pay may be.
    """
    soonest, latest = min(1, policy.first_after_days), max(policy.first_after_days, policy.promise_max_days)
    return today + timedelta(days=soonest), today + timedelta(days=latest)


def _within(day: date, bounds: tuple[date, date]) -> bool:
    return bounds[0] <= day <= bounds[1]


def _offer(
    policy: ArrangementPolicy, amount_due: Money, shape: Shape, today: date, first_on: date | None = None
) -> Offer | None:
    down = amount_due.minor * policy.down_payment_percent // 100
    offer = Offer(
        option=0,
        count=shape.count,
        frequency=shape.frequency,
        total=amount_due,
        first_on=first_on or today + timedelta(days=policy.first_after_days),
        policy_id=policy.id,
        down_payment_minor=down,
        grace_days=policy.grace_days,
    )
    if amount_due.minor - down < shape.count:
        return None  # fewer units than parts
    parts = schedule(offer)
    floor = all(part.amount.minor >= policy.minimum_minor for part in parts)
    short = (parts[-1].due_on - today).days <= policy.max_length_days
    return offer if floor and short and shape.count <= policy.max_count else None


def schedule(offer: Offer) -> tuple[Installment, ...]:
    """Return the dated parts of ``offer``. They sum to its total exactly; the odd units fall on the first parts.

    Monthly dates keep the day of the first one, clamped to the length of the month. Raises ValueError when the total
    cannot be split into that many parts.
    """
    parts = _parts(offer)
    return tuple(
        Installment(place + 1, due_on(offer, place), Money(minor, offer.total.currency))
        for place, minor in enumerate(parts)
    )


def _parts(offer: Offer) -> list[int]:
    down = [offer.down_payment_minor] if offer.down_payment_minor else []
    rest = offer.total.minor - sum(down)
    count = offer.count - len(down)
    if count < 1 or rest < count:
        raise ValueError("the amount cannot be split into that many installments")
    each, odd = divmod(rest, count)
    return down + [each + (place < odd) for place in range(count)]


def due_on(offer: Offer, place: int) -> date:
    """Return the day installment ``place`` (from 0) is due."""
    if offer.frequency is not Frequency.MONTHLY:
        return offer.first_on + timedelta(days=_DAYS[offer.frequency] * place)
    year, month = divmod(offer.first_on.year * 12 + offer.first_on.month - 1 + place, 12)
    return date(year, month + 1, min(offer.first_on.day, monthrange(year, month + 1)[1]))


class ArrangementError(ValueError):
    """A change of state that an arrangement cannot make."""


_NEXT = {
    ArrangementState.PROPOSED: {ArrangementState.CONFIRMED, ArrangementState.CANCELLED},
    ArrangementState.CONFIRMED: {ArrangementState.ACTIVE, ArrangementState.CANCELLED},
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


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one installment has been paid."""

    installment: Installment
    paid: Money

    @property
    def open(self) -> Money:
        """What is still missing."""
        return self.installment.amount - self.paid


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
    if arrangement.state is not ArrangementState.ACTIVE:
        return arrangement
    missing = next_open(arrangement, paid)
    if missing is None:
        return arrangement.move(ArrangementState.KEPT)
    late = (today - missing.installment.due_on).days
    return arrangement.move(ArrangementState.BROKEN) if late > arrangement.offer.grace_days else arrangement
