"""Offers within every bound of a policy: place, history, fee, payday, working days, currency decimals, length."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.arrangement import (
    ArrangementPolicy,
    Background,
    Frequency,
    Offer,
    Shape,
    compute_offers,
    counter_offer,
    is_current,
    offer_of,
    rhythms,
    schedule,
)
from outreach.domain.arrangement_life import GOOD_STANDING, Arrangement, ArrangementError, after_payment
from outreach.domain.arrangement_policy import load_arrangement_policies
from outreach.domain.calendar import BusinessCalendar
from outreach.domain.extension import Extension, ExtensionRefusal, decide_extension, latest_day
from outreach.domain.located_yaml import ConfigError
from outreach.domain.money import Money
from outreach.domain.words import ArrangementState as State

ROOT = Path(__file__).parents[3]
TODAY = date(2027, 3, 1)
POLICY = ArrangementPolicy(
    "p", "USD", 1, 10**9, -5, 60, (Shape(3, Frequency.MONTHLY), Shape(4, Frequency.WEEKLY)), 100, 3, 200, 24, 3, 14
)
days = st.dates(date(2024, 1, 1), date(2031, 12, 31))
places = st.sampled_from([BusinessCalendar("US", "US-NY"), BusinessCalendar("CN"), BusinessCalendar("MX")])
policies = st.builds(
    ArrangementPolicy,
    id=st.just("any"), currency=st.sampled_from(["JPY", "USD", "KWD"]),
    min_due_minor=st.just(1), max_due_minor=st.just(10**9), dpd_from=st.just(-5), dpd_to=st.just(60),
    shapes=st.lists(
        st.builds(Shape, st.integers(2, 24), st.just(Frequency.MONTHLY), st.none() | st.integers(1, 31))
        | st.builds(Shape, st.integers(2, 24), st.sampled_from(Frequency)),
        min_size=1, max_size=3,
    ).map(tuple),
    minimum_minor=st.integers(1, 5000), first_after_days=st.integers(0, 45), max_length_days=st.integers(30, 800),
    max_count=st.integers(2, 24), grace_days=st.integers(0, 10), promise_max_days=st.just(14),
    down_payment_percent=st.integers(0, 50), fee_minor=st.integers(0, 2000), business_days=st.booleans(),
)  # fmt: skip


def check(offer: Offer, policy: ArrangementPolicy, minor: int, today: date, background: Background) -> None:
    parts = schedule(offer)
    assert sum(part.amount.minor for part in parts) == minor + policy.fee_minor
    assert all(isinstance(part.amount.minor, int) and part.amount.currency == policy.currency for part in parts)
    assert len(parts) == offer.count <= policy.max_count
    assert min(part.amount.minor for part in parts) >= policy.minimum_minor
    assert all(early.due_on < late.due_on for early, late in itertools.pairwise(parts))
    assert today <= parts[0].due_on
    assert parts[-1].due_on <= today + timedelta(days=policy.max_length_days)
    if policy.business_days:
        assert all(background.calendar.is_business_day(part.due_on) for part in parts)


@settings(deadline=None)  # the first look at a year of holidays reads the library
@given(policies, st.integers(1, 10**8), days, places, st.none() | st.integers(-5, 70))
def test_every_offer_keeps_every_bound(
    policy: ArrangementPolicy, minor: int, today: date, place: BusinessCalendar, payday: int | None
) -> None:
    background = Background(calendar=place)
    named = None if payday is None else today + timedelta(days=payday)
    due = Money(minor, policy.currency)
    for offer in compute_offers(policy, due, 10, "loan", today, first_on=named, background=background):
        check(offer, policy, minor, today, background)
        assert is_current(offer, policy, due, today)
        if named is not None:
            assert today <= named <= today + timedelta(days=policy.first_within_days)


@settings(deadline=None)  # as above
@given(policies, st.integers(100, 10**7), st.integers(1, 10**6), days, st.sampled_from(Frequency))
def test_a_wish_within_bounds_keeps_them_and_never_asks_more_at_a_time(
    policy: ArrangementPolicy, minor: int, each: int, today: date, frequency: Frequency
) -> None:
    due, background = Money(minor, policy.currency), Background()
    wish = Money(each, policy.currency)
    offer = counter_offer(policy, due, 10, "loan", today, each=wish, frequency=frequency)
    if offer is None:
        return
    check(offer, policy, minor, today, background)
    assert offer.frequency is frequency
    assert max(part.amount.minor for part in schedule(offer)) <= each


@given(st.integers(1, 31), days, st.integers(2, 24))
def test_a_day_of_the_month_is_kept_or_is_the_last_of_a_shorter_month(day: int, today: date, count: int) -> None:
    policy = replace(POLICY, max_length_days=1000)
    offer = offer_of(policy, Money(10**6, "USD"), Shape(count, Frequency.MONTHLY, day), today)
    assert offer is not None
    for part in schedule(offer):
        following = part.due_on + timedelta(days=1)
        assert part.due_on.day == day or (part.due_on.day < day and following.day == 1)


def test_a_payday_on_the_31st_comes_back_after_february() -> None:
    offers = compute_offers(
        replace(POLICY, first_within_days=31), Money(30000, "USD"), 10, "loan", date(2027, 1, 5),
        first_on=date(2027, 1, 31),
    )  # fmt: skip
    assert [part.due_on for part in schedule(offers[0])] == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]


def test_two_dates_of_a_long_holiday_stay_two_days() -> None:
    policy = replace(POLICY, business_days=True, max_length_days=100, first_within_days=62)
    background = Background(calendar=BusinessCalendar("CN"))
    shape = Shape(3, Frequency.WEEKLY)
    offer = offer_of(policy, Money(30000, "USD"), shape, date(2026, 9, 20), date(2026, 10, 1), background)
    assert offer is not None
    dates = [part.due_on for part in schedule(offer)]
    assert len(set(dates)) == 3
    assert dates[0] > date(2026, 10, 1)


@pytest.mark.parametrize(
    ("named", "living_in", "fits"),
    [
        ({"US"}, ("US-NY",), True),
        ({"US-NY"}, ("US-NY",), True),
        ({"US-NY"}, ("US-NY", "US-CA"), False),
        ({"US-CA"}, ("US-NY",), False),
        ({"US"}, (), False),
        (set[str](), (), True),
    ],
)
def test_a_policy_of_a_place_fits_only_where_all_law_that_may_apply_is_named(
    named: set[str], living_in: tuple[str, ...], fits: bool
) -> None:
    policy = replace(POLICY, jurisdictions=frozenset(named))
    assert policy.fits(Money(5000, "USD"), 10, "loan", Background(jurisdictions=living_in)) is fits


def test_history_narrows_what_is_offered() -> None:
    policy = replace(POLICY, broken_from=0, broken_to=1)
    assert policy.fits(Money(5000, "USD"), 10, "loan", Background(broken=1))
    assert not policy.fits(Money(5000, "USD"), 10, "loan", Background(broken=2))


@pytest.mark.parametrize(("amount", "later"), [(5000, 0), (6000, 4)])
def test_an_offer_is_stale_once_something_was_paid_or_its_day_has_passed(amount: int, later: int) -> None:
    offer = compute_offers(POLICY, Money(6000, "USD"), 10, "loan", TODAY)[0]
    assert not is_current(offer, POLICY, Money(amount, "USD"), TODAY + timedelta(days=later))


MOVES = {
    State.PROPOSED: {State.CONFIRMED, State.CANCELLED},
    State.CONFIRMED: {State.ACTIVE, State.BROKEN, State.CANCELLED},
    State.ACTIVE: {State.KEPT, State.BROKEN, State.CANCELLED},
}


@pytest.mark.parametrize("old", State)
@pytest.mark.parametrize("new", State)
def test_an_arrangement_moves_only_along_its_life(old: State, new: State) -> None:
    offer = compute_offers(POLICY, Money(6000, "USD"), 10, "loan", TODAY)[0]
    arrangement = Arrangement(offer, old)
    if new is old or new in MOVES.get(old, set()):
        assert arrangement.move(new).state is new
    else:
        with pytest.raises(ArrangementError):
            arrangement.move(new)


def test_a_yes_makes_it_active_and_a_down_payment_makes_it_wait() -> None:
    offer = compute_offers(POLICY, Money(6000, "USD"), 10, "loan", TODAY)[0]
    assert Arrangement(offer).agreed().state is State.ACTIVE
    assert Arrangement(replace(offer, down_payment_minor=1000)).agreed().state is State.CONFIRMED


@given(st.sampled_from(State), st.integers(0, 200))
def test_payments_keep_reopen_or_leave_an_arrangement(state: State, total: int) -> None:
    after = after_payment(state, total, 100)
    if state in (State.BROKEN, State.CANCELLED):
        assert after is state
    else:
        assert (after is State.KEPT) == (total >= 100)
        assert after in GOOD_STANDING | {State.KEPT}


@given(st.none() | st.dates(date(2027, 1, 1), date(2027, 6, 1)), st.integers(0, 40), st.integers(-40, 20),
       st.none() | st.integers(0, 400))  # fmt: skip
def test_an_extension_lies_ahead_within_its_bound_and_not_too_often(
    on: date | None, most: int, due: int, ago: int | None
) -> None:
    due_on = TODAY + timedelta(days=due)
    last = None if ago is None else TODAY - timedelta(days=ago)
    decided = decide_extension(
        on, due_minor=100, due_on=due_on, today=TODAY, max_days=most, every_days=180, last_on=last
    )
    if isinstance(decided, Extension):
        assert on == decided.to_on
        assert max(TODAY, due_on) < decided.to_on <= latest_day(due_on, TODAY, most)
        assert last is None or (TODAY - last).days >= 180
        assert most > 0


def test_nothing_due_needs_no_extension() -> None:
    refused = decide_extension(
        TODAY + timedelta(days=3), due_minor=0, due_on=TODAY, today=TODAY, max_days=10, every_days=30, last_on=None
    )
    assert refused is ExtensionRefusal.NOTHING


GOOD: dict[str, Any] = {
    "jurisdictions: [US, CA-QC]": {"jurisdictions": frozenset({"US", "CA-QC"})},
    "broken_before: {from: 1, to: 3}": {"broken_from": 1, "broken_to": 3},
    'fee: "5.00"': {"fee_minor": 500},
    "business_days: true": {"business_days": True},
    "first_within_days: 40": {"first_within_days": 40},
    "promise_grace_days: 2": {"promise_grace_days": 2},
}
SHIPPED = (ROOT / "config" / "arrangements.yaml").read_text("utf-8")


@pytest.mark.parametrize("line", GOOD)
def test_every_optional_key_is_read(tmp_path: Path, line: str) -> None:
    path = tmp_path / "arrangements.yaml"
    plain = SHIPPED.replace("    broken_before: {from: 0, to: 1}\n", "", 1)
    path.write_text(plain.replace("    products: [any]\n", f"    products: [any]\n    {line}\n", 1), "utf-8")
    policy = load_arrangement_policies(path)[0]
    assert {name: getattr(policy, name) for name in GOOD[line]} == GOOD[line]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("jurisdictions: [XX]", "jurisdictions[0]"),
        ("jurisdictions: []", "jurisdictions"),
        ('fee: "0.001"', "fee"),
        ("business_days: often", "business_days"),
        ("first_within_days: 400", "first_within_days"),
    ],
)
def test_a_wrong_optional_key_is_reported_with_its_place(tmp_path: Path, line: str, field: str) -> None:
    path = tmp_path / "arrangements.yaml"
    path.write_text(SHIPPED.replace("    products: [any]\n", f"    products: [any]\n    {line}\n", 1), "utf-8")
    with pytest.raises(ConfigError) as failure:
        load_arrangement_policies(path)
    assert [problem.field for problem in failure.value.problems] == [f"policies[0].{field}"]


paydays = st.tuples(st.integers(1, 14), st.integers(15, 31)).filter(
    lambda pair: min(pair[1], 28) - pair[0] >= 7 and pair[0] + 28 - min(pair[1], 28) >= 7
)


@given(paydays, days, st.integers(2, 24), st.none() | st.integers(1, 31))
def test_paydays_are_kept_in_every_month_and_none_is_left_out(
    pair: tuple[int, int], today: date, count: int, named: int | None
) -> None:
    policy = replace(POLICY, max_length_days=1000, first_within_days=62)
    first_on = None if named is None else today + timedelta(days=named)
    offer = offer_of(policy, Money(10**6, "USD"), Shape(count, Frequency.SEMIMONTHLY, paydays=pair), today, first_on)
    assert offer is not None
    dates = [part.due_on for part in schedule(offer)]
    assert dates[0] >= (first_on or today + timedelta(days=policy.first_after_days))
    for day in dates:
        following = day + timedelta(days=1)
        assert day.day in pair or (following.day == 1 and day.day < max(pair))
    months = [(day.year, day.month) for day in dates]
    assert all(months.count(month) == 2 for month in months if month not in {months[0], months[-1]})
    assert schedule(replace(offer, option=2)) == schedule(offer)


def test_a_plan_on_paydays_begins_with_the_next_one() -> None:
    policy = replace(POLICY, shapes=(Shape(4, Frequency.SEMIMONTHLY, paydays=(15, 31)),))
    (offer,) = compute_offers(policy, Money(40000, "USD"), 10, "loan", date(2027, 2, 2))
    expected = [date(2027, 2, 15), date(2027, 2, 28), date(2027, 3, 15), date(2027, 3, 31)]
    assert [part.due_on for part in schedule(offer)] == expected
    wished = counter_offer(
        policy, Money(40000, "USD"), 10, "loan", date(2027, 2, 2), each=Money(10000, "USD"),
        frequency=Frequency.SEMIMONTHLY, first_on=date(2027, 2, 16),
    )  # fmt: skip
    assert wished is not None
    assert [part.due_on for part in schedule(wished)] == [*expected[1:], date(2027, 4, 15)]


def test_only_paydays_that_the_policy_names_are_offered() -> None:
    policy = replace(POLICY, shapes=(Shape(4, Frequency.SEMIMONTHLY),))
    assert rhythms(policy) == [(Frequency.SEMIMONTHLY, (1, 15))]
    asked = {"count": 3, "frequency": Frequency.SEMIMONTHLY, "paydays": (5, 20)}
    assert counter_offer(policy, Money(40000, "USD"), 10, "loan", TODAY, **asked) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("offer", "problem"),
    [
        ("{count: 4, frequency: semimonthly, paydays: [15, 31]}", ""),
        ("{count: 4, frequency: semimonthly}", ""),
        ("{count: 4, frequency: semimonthly, paydays: [15, 1]}", "at least 7 days apart"),
        ("{count: 4, frequency: semimonthly, paydays: [1, 31]}", "at least 7 days apart"),
        ("{count: 4, frequency: semimonthly, paydays: [1, 32]}", "from 1 to 31"),
        ("{count: 4, frequency: semimonthly, paydays: 15}", "two days of the month"),
        ("{count: 4, frequency: monthly, paydays: [1, 15]}", "goes with frequency semimonthly"),
    ],
)
def test_paydays_are_read_or_refused_with_their_place(tmp_path: Path, offer: str, problem: str) -> None:
    text = (ROOT / "config/arrangements.yaml").read_text("utf-8")
    (tmp_path / "a.yaml").write_text(text.replace("{count: 2, frequency: fortnightly}", offer, 1), "utf-8")
    if not problem:
        assert load_arrangement_policies(tmp_path / "a.yaml")[0].shapes[0].frequency is Frequency.SEMIMONTHLY
        return
    with pytest.raises(ConfigError, match=problem) as refused:
        load_arrangement_policies(tmp_path / "a.yaml")
    assert "offers[0]" in str(refused.value) or "offers.0" in str(refused.value)
