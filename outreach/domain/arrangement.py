"""Arrangements: what a policy offers, counter-offers within its bounds, schedules that sum to the unit."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import count as counting
from itertools import islice

from outreach.domain.calendar import WEEKENDS_ONLY, BusinessCalendar
from outreach.domain.money import Money


class Frequency(StrEnum):
    """How far apart installments are."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    SEMIMONTHLY = "semimonthly"
    MONTHLY = "monthly"


_DAYS = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14}

Paydays = tuple[int, int]
"""Two days of the month on which wages come, the earlier first. 31 stands for the last day of every month."""

FIRST_AND_FIFTEENTH: Paydays = (1, 15)


@dataclass(frozen=True, slots=True)
class Shape:
    """A plan a policy offers: how many installments and how far apart.

    ``day`` of the month: monthly ones only. ``paydays``: semimonthly ones only, the 1st and 15th unless named.
    """

    count: int
    frequency: Frequency
    day: int | None = None
    paydays: Paydays | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """What besides the debt decides what may be offered.

    ``jurisdictions`` are all whose law may apply; ``broken`` counts the borrower's arrangements broken in a year;
    ``extended_on`` is the local day of the case's latest extension. ``calendar`` is that of the borrower's place.
    """

    jurisdictions: tuple[str, ...] = ()
    broken: int = 0
    extended_on: date | None = None
    calendar: BusinessCalendar = WEEKENDS_ONLY


NO_BACKGROUND = Background()


@dataclass(frozen=True, slots=True)
class ArrangementPolicy:
    """What may be offered to the cases it fits. Amounts in minor units of ``currency``, bounds inclusive.

    ``minimum_minor`` is the floor of one installment; ``first_after_days`` counts from the day the offer is made,
    ``first_within_days`` bounds a first day the borrower names, ``max_length_days`` runs from that day to the last
    installment. ``grace_days`` is how late an installment may be before the arrangement is broken,
    ``promise_grace_days`` the same for a promise. ``promise_max_days`` is how far off a promise to pay may be,
    ``extension_max_days`` how far an extension may move the due date (0: none), once in ``extension_every_days``.
    ``fee_minor`` is added to the total and disclosed. ``jurisdictions`` empty: any.
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
    jurisdictions: frozenset[str] = frozenset()
    broken_from: int = 0
    broken_to: int = 1000
    fee_minor: int = 0
    first_within_days: int = 31
    business_days: bool = False
    promise_grace_days: int = 1
    extension_max_days: int = 0
    extension_every_days: int = 180

    def fits(self, amount_due: Money, dpd: int, product: str, background: Background = NO_BACKGROUND) -> bool:
        """Say whether a case with this amount, days past due and product may be offered this policy's plans.

        Every jurisdiction whose law may apply must be one the policy names: a country covers its parts.
        """
        return (
            amount_due.currency == self.currency
            and self.min_due_minor <= amount_due.minor <= self.max_due_minor
            and self.dpd_from <= dpd <= self.dpd_to
            and bool(self.products & {"any", product})
            and self.broken_from <= background.broken <= self.broken_to
            and self._covers(background.jurisdictions)
        )

    def _covers(self, places: tuple[str, ...]) -> bool:
        if not self.jurisdictions:
            return True
        return bool(places) and all(self.jurisdictions & {place, place.split("-", 1)[0]} for place in places)


@dataclass(frozen=True, slots=True)
class Installment:
    """One part of an arrangement, numbered from 1."""

    number: int
    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan on the table. ``option`` is the number the borrower is told; ``count`` includes the down payment.

    ``total`` includes ``fee_minor``. ``day`` is the day of the month that monthly installments keep to (None: that of
    ``first_on``), ``paydays`` the two that semimonthly ones keep to. With a ``calendar`` a date nobody works on moves
    to the next working day.
    """

    option: int
    count: int
    frequency: Frequency
    total: Money
    first_on: date
    policy_id: str
    down_payment_minor: int = 0
    grace_days: int = 0
    fee_minor: int = 0
    day: int | None = None
    calendar: BusinessCalendar | None = None
    paydays: Paydays | None = None

    @property
    def regular(self) -> Money:
        """The largest regular installment: what the borrower is told to expect each time."""
        return max((part.amount for part in schedule(self)[-self.count + bool(self.down_payment_minor) :]), key=_minor)


def _minor(amount: Money) -> int:
    return amount.minor


def fitting_policy(
    policies: Iterable[ArrangementPolicy],
    amount_due: Money,
    dpd: int,
    product: str,
    background: Background = NO_BACKGROUND,
) -> ArrangementPolicy | None:
    """Return the first policy that fits the case; None when a person must decide."""
    return next((policy for policy in policies if policy.fits(amount_due, dpd, product, background)), None)


def compute_offers(
    policy: ArrangementPolicy,
    amount_due: Money,
    dpd: int,
    product: str,
    today: date,
    *,
    first_on: date | None = None,
    background: Background = NO_BACKGROUND,
) -> tuple[Offer, ...]:
    """Return the plans ``policy`` allows this case on the borrower's day ``today``, numbered from 1. May be empty.

    ``first_on`` is a day the borrower named, such as their payday: every plan begins on it and keeps to it.
    """
    if not policy.fits(amount_due, dpd, product, background):
        return ()
    made = (offer_of(policy, amount_due, shape, today, first_on, background) for shape in policy.shapes)
    return tuple(replace(offer, option=option) for option, offer in enumerate(filter(None, made), 1))


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
    paydays: Paydays | None = None,
    first_on: date | None = None,
    background: Background = NO_BACKGROUND,
) -> Offer | None:
    """Return the plan the borrower asks for ("40 a week", "in 5 payments") if it is within bounds, else None.

    ``each`` is the most they can pay at a time, ``first_on`` the day they want to begin (``first_days`` says which may
    be; semimonthly plans begin on the payday that follows). ``frequency`` and ``paydays`` None: any that the policy
    offers. None means a person decides: nothing is refused automatically.
    """
    if not policy.fits(amount_due, dpd, product, background) or not policy.shapes:
        return None
    if each is not None:
        if each.currency != amount_due.currency or each.minor < policy.minimum_minor:
            return None
        down = _down_payment(policy, amount_due)
        count = max(2, -(-(amount_due.minor + policy.fee_minor - down) // each.minor) + bool(down))
    if count is None or not 2 <= count <= policy.max_count:
        return None
    shapes = (replace(each_time, count=count) for each_time in _wanted(policy, frequency, paydays))
    fitting = (_wished(policy, amount_due, shape, today, first_on, background) for shape in shapes)
    offer = next((offer for offer in fitting if offer), None)
    if offer and each and any(part.amount.minor > each.minor for part in schedule(offer)):
        return None
    return replace(offer, option=1) if offer else None


def rhythms(policy: ArrangementPolicy) -> list[tuple[Frequency, Paydays | None]]:
    """Return how far apart the installments of ``policy`` may be, as in its plans, in their order.

    Semimonthly ones come with their paydays.
    """
    return list(dict.fromkeys((shape.frequency, _paydays(shape)) for shape in policy.shapes))


def _wanted(policy: ArrangementPolicy, frequency: Frequency | None, paydays: Paydays | None) -> list[Shape]:
    known = rhythms(policy)
    if frequency is not None and all(each is not frequency for each, _ in known):
        known = [(frequency, _paydays(Shape(2, frequency)))]
    return [
        Shape(2, each, paydays=days)
        for each, days in known
        if frequency in (None, each) and (paydays is None or paydays == days)
    ]


def _paydays(shape: Shape) -> Paydays | None:
    return (shape.paydays or FIRST_AND_FIFTEENTH) if shape.frequency is Frequency.SEMIMONTHLY else None


def _wished(
    policy: ArrangementPolicy,
    amount_due: Money,
    shape: Shape,
    today: date,
    first_on: date | None,
    background: Background,
) -> Offer | None:
    """Return the plan of a wish; one that is just what the policy offers keeps the day of the month of that offer."""
    for own in policy.shapes:
        same = (own.count, own.frequency) == (shape.count, shape.frequency)
        if same and own.day and first_on == _begins(policy, own, today, None)[0]:
            return offer_of(policy, amount_due, own, today, None, background)
    return offer_of(policy, amount_due, shape, today, first_on, background)


def first_days(policy: ArrangementPolicy, today: date) -> tuple[date, date]:
    """Return the first and last day on which a plan made ``today`` may begin, whoever names it and wherever.

    Sooner than the policy proposes is the borrower's own choice; later is as far off as ``first_within_days``, or as
    the policy's own offers begin.
    """
    soonest = today + timedelta(days=min(1, policy.first_after_days))
    proposed = (_begins(policy, shape, today, None)[0] for shape in policy.shapes)
    return soonest, max(today + timedelta(days=policy.first_within_days), soonest, *proposed)


def _within(day: date, bounds: tuple[date, date]) -> bool:
    return bounds[0] <= day <= bounds[1]


def _down_payment(policy: ArrangementPolicy, amount_due: Money) -> int:
    return amount_due.minor * policy.down_payment_percent // 100


def offer_of(
    policy: ArrangementPolicy,
    amount_due: Money,
    shape: Shape,
    today: date,
    first_on: date | None = None,
    background: Background = NO_BACKGROUND,
) -> Offer | None:
    """Return the plan of one shape for this amount; None when a bound of the policy forbids it."""
    first, day = _begins(policy, shape, today, first_on)
    offer = Offer(
        option=0,
        count=shape.count,
        frequency=shape.frequency,
        total=Money(amount_due.minor + policy.fee_minor, amount_due.currency),
        first_on=first,
        policy_id=policy.id,
        down_payment_minor=_down_payment(policy, amount_due),
        grace_days=policy.grace_days,
        fee_minor=policy.fee_minor,
        day=day,
        calendar=background.calendar if policy.business_days else None,
        paydays=_paydays(shape),
    )
    if offer.total.minor - offer.down_payment_minor < shape.count:
        return None  # fewer units than parts
    if first_on is not None and not all(_within(each, first_days(policy, today)) for each in (first_on, first)):
        return None
    parts = schedule(offer)
    floor = all(part.amount.minor >= policy.minimum_minor for part in parts)
    short = (parts[-1].due_on - today).days <= policy.max_length_days
    return offer if floor and short and shape.count <= policy.max_count else None


def _begins(policy: ArrangementPolicy, shape: Shape, today: date, named: date | None) -> tuple[date, int | None]:
    """Return the first date and the day of the month to keep: the borrower's own day goes before the policy's.

    Whoever pays on paydays begins with the first of them, then or later.
    """
    paydays = _paydays(shape)
    if paydays is not None:
        earliest = named if named is not None else today + timedelta(days=policy.first_after_days)
        return next(_paydays_from(earliest, paydays)), None
    monthly = shape.frequency is Frequency.MONTHLY
    if named is not None:
        return named, named.day if monthly else None
    earliest = today + timedelta(days=policy.first_after_days)
    if shape.day is None or not monthly:
        return earliest, None
    this_month = _clamped(earliest.year * 12 + earliest.month - 1, shape.day)
    following = _clamped(earliest.year * 12 + earliest.month, shape.day)
    return (this_month if this_month >= earliest else following), shape.day


def is_current(offer: Offer, policy: ArrangementPolicy, amount_due: Money, today: date) -> bool:
    """Tell whether an offer made earlier still says what is owed today, and begins neither in the past nor later."""
    return (
        offer.policy_id == policy.id
        and offer.total == Money(amount_due.minor + offer.fee_minor, amount_due.currency)
        and offer.fee_minor == policy.fee_minor
        and schedule(offer)[0].due_on >= today
        and (schedule(offer)[-1].due_on - today).days <= policy.max_length_days
    )


def schedule(offer: Offer) -> tuple[Installment, ...]:
    """Return the dated parts of ``offer``. They sum to its total exactly; the odd units fall on the first parts.

    Monthly dates keep their day, clamped to the length of the month. Raises ValueError when the total cannot be split
    into that many parts.
    """
    return tuple(
        Installment(place, day, Money(minor, offer.total.currency))
        for place, (day, minor) in enumerate(zip(_days(offer), _parts(offer), strict=True), 1)
    )


def _parts(offer: Offer) -> list[int]:
    down = [offer.down_payment_minor] if offer.down_payment_minor else []
    rest = offer.total.minor - sum(down)
    count = offer.count - len(down)
    if count < 1 or rest < count:
        raise ValueError("the amount cannot be split into that many installments")
    each, odd = divmod(rest, count)
    return down + [each + (place < odd) for place in range(count)]


def _days(offer: Offer) -> list[date]:
    """Return every date; two that a long holiday moves to one working day stay two days."""
    days: list[date] = []
    for place in range(offer.count):
        day = due_on(offer, place)
        if offer.calendar is not None:
            day = offer.calendar.shift(day, 0)
            if days and day <= days[-1]:
                day = offer.calendar.shift(days[-1], 1)
        days.append(day)
    return days


def due_on(offer: Offer, place: int) -> date:
    """Return the day installment ``place`` (from 0) is due before any rule about working days."""
    if offer.frequency is Frequency.SEMIMONTHLY:
        if place == 0:
            return offer.first_on
        later = _paydays_from(offer.first_on + timedelta(days=1), offer.paydays or FIRST_AND_FIFTEENTH)
        return next(islice(later, place - 1, None))
    if offer.frequency is not Frequency.MONTHLY:
        return offer.first_on + timedelta(days=_DAYS[offer.frequency] * place)
    if place == 0:
        return offer.first_on
    return _clamped(offer.first_on.year * 12 + offer.first_on.month - 1 + place, offer.day or offer.first_on.day)


def _paydays_from(earliest: date, paydays: Paydays) -> Iterator[date]:
    """Yield every payday from ``earliest`` on, without end."""
    for months in counting(earliest.year * 12 + earliest.month - 1):
        yield from (day for day in (_clamped(months, each) for each in paydays) if day >= earliest)


def _clamped(months: int, day: int) -> date:
    """Return ``day`` of a month counted from year 0; the 31st of a shorter month is its last day."""
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))
