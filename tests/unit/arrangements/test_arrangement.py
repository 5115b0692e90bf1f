"""Arrangements and promises: parts sum, floors hold, dates exist, states only go where they may."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outreach.domain.arrangement import (
    ArrangementPolicy,
    Frequency,
    Offer,
    Shape,
    compute_offers,
    counter_offer,
    first_days,
    schedule,
)
from outreach.domain.arrangement_life import Arrangement, ArrangementError, allocate, assess
from outreach.domain.arrangement_policy import load_arrangement_policies
from outreach.domain.located_yaml import ConfigError
from outreach.domain.money import Money
from outreach.domain.promise import Promise, PromiseRefusal, assess_promise, decide_promise
from outreach.domain.words import ArrangementState, PromiseState

ROOT = Path(__file__).parents[3]
days = st.dates(date(2024, 1, 1), date(2031, 12, 31))
currencies = st.sampled_from(["JPY", "USD", "KWD"])
shapes = st.builds(Shape, st.integers(2, 24), st.sampled_from(Frequency))
policies = st.builds(
    ArrangementPolicy,
    id=st.just("any"), currency=currencies,
    min_due_minor=st.just(1), max_due_minor=st.just(10**9), dpd_from=st.just(-5),
    dpd_to=st.just(60), shapes=st.lists(shapes, min_size=1, max_size=4).map(tuple),
    minimum_minor=st.integers(1, 50_000),
    first_after_days=st.integers(0, 45), max_length_days=st.integers(30, 800), max_count=st.integers(2, 24),
    grace_days=st.integers(0, 10), promise_max_days=st.just(14), down_payment_percent=st.integers(0, 50),
)  # fmt: skip
OFFER = Offer(1, 3, Frequency.MONTHLY, Money(10000, "USD"), date(2026, 1, 31), "p", grace_days=3)


@given(policies, st.integers(1, 10**8), days)
def test_every_offer_sums_keeps_the_floor_and_lies_ahead(policy: ArrangementPolicy, minor: int, today: date) -> None:
    due = Money(minor, policy.currency)
    for option, offer in enumerate(compute_offers(policy, due, 10, "loan", today), 1):
        parts = schedule(offer)
        assert offer.option == option
        assert sum(part.amount.minor for part in parts) == minor
        assert len(parts) == offer.count
        assert min(part.amount.minor for part in parts) >= policy.minimum_minor
        assert all(early.due_on < late.due_on for early, late in itertools.pairwise(parts))
        assert parts[0].due_on >= today
        assert parts[-1].due_on <= today + timedelta(days=policy.max_length_days)


@given(policies, st.integers(100, 10**7), st.integers(1, 10**6), days)
def test_a_counter_offer_never_asks_more_than_was_offered(
    policy: ArrangementPolicy, minor: int, each: int, today: date
) -> None:
    due = Money(minor, policy.currency)
    offer = counter_offer(policy, due, 10, "loan", today, each=Money(each, policy.currency))
    if offer is None:
        return
    assert offer.regular.minor <= each
    assert sum(part.amount.minor for part in schedule(offer)) == minor


@given(policies, st.integers(1, 10**7), days, st.integers(-5, 60))
def test_a_first_day_of_the_borrowers_own_is_kept_within_its_bounds(
    policy: ArrangementPolicy, minor: int, today: date, off: int
) -> None:
    first_on, (soonest, latest) = today + timedelta(days=off), first_days(policy, today)
    due = Money(minor, policy.currency)
    shape = policy.shapes[0]
    wish = {"count": shape.count, "frequency": shape.frequency, "first_on": first_on}
    offer = counter_offer(policy, due, 10, "loan", today, **wish)  # type: ignore[arg-type]
    assert today <= soonest <= latest
    if offer is None:
        return
    parts = schedule(offer)
    assert soonest <= first_on <= parts[0].due_on <= latest
    assert parts[0].due_on == first_on or shape.frequency is Frequency.SEMIMONTHLY  # which waits for the next payday
    assert (parts[-1].due_on - today).days <= policy.max_length_days
    assert sum(part.amount.minor for part in parts) == minor


def test_month_ends_are_clamped_and_come_back() -> None:
    assert [part.due_on for part in schedule(OFFER)] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]


def test_a_case_no_policy_fits_is_offered_nothing() -> None:
    policy = load_arrangement_policies(ROOT / "config" / "arrangements.yaml")[0]
    assert compute_offers(policy, Money(1, "USD"), 10, "loan", date(2026, 3, 11)) == ()
    assert compute_offers(policy, Money(20000, "EUR"), 10, "loan", date(2026, 3, 11)) == ()


@given(st.integers(0, 20000))
def test_payments_fill_the_oldest_installment_first(paid: int) -> None:
    covered = allocate(reversed(schedule(OFFER)), Money(paid, "USD"))
    assert sum(part.paid.minor for part in covered) == min(paid, 10000)
    opened = [part for part in covered if part.open.minor]
    assert all(part.paid.minor == 0 for part in opened[1:])


def test_an_arrangement_breaks_only_after_its_grace_days() -> None:
    active = Arrangement(OFFER).move(ArrangementState.CONFIRMED).move(ArrangementState.ACTIVE)
    due = OFFER.first_on
    assert assess(active, Money(0, "USD"), due + timedelta(days=3)).state is ArrangementState.ACTIVE
    assert assess(active, Money(0, "USD"), due + timedelta(days=4)).state is ArrangementState.BROKEN
    assert assess(active, Money(3334, "USD"), due + timedelta(days=4)).state is ArrangementState.ACTIVE
    assert assess(active, Money(10000, "USD"), due).state is ArrangementState.KEPT


@given(st.sampled_from(ArrangementState), st.sampled_from(ArrangementState))
def test_an_ended_arrangement_never_changes(old: ArrangementState, new: ArrangementState) -> None:
    assume(old in (ArrangementState.KEPT, ArrangementState.BROKEN, ArrangementState.CANCELLED) and new is not old)
    with pytest.raises(ArrangementError):
        replace(Arrangement(OFFER), state=old).move(new)


@pytest.mark.parametrize(
    ("minor", "on", "expected"),
    [
        (None, None, PromiseRefusal.NO_DATE),
        (None, date(2026, 3, 10), PromiseRefusal.PAST),
        (None, date(2026, 4, 30), PromiseRefusal.TOO_FAR),
        (99999, date(2026, 3, 13), PromiseRefusal.TOO_MUCH),
        (None, date(2026, 3, 13), Promise(Money(5000, "USD"), date(2026, 3, 13), 2)),
    ],
)
def test_a_promise_is_taken_only_within_bounds(minor: int | None, on: date | None, expected: object) -> None:
    amount = Money(minor, "USD") if minor else None
    due, today = Money(5000, "USD"), date(2026, 3, 11)
    assert decide_promise(amount, on, amount_due=due, today=today, max_days=14, grace_days=2) == expected


def test_part_payments_count_toward_a_promise() -> None:
    promise = Promise(Money(5000, "USD"), date(2026, 3, 13), 2)
    assert assess_promise(promise, Money(4999, "USD"), date(2026, 3, 15)).state is PromiseState.OPEN
    assert assess_promise(promise, Money(4999, "USD"), date(2026, 3, 16)).state is PromiseState.BROKEN
    assert assess_promise(promise, Money(5000, "USD"), date(2026, 3, 16)).state is PromiseState.KEPT


def test_a_wrong_policy_is_reported_with_its_place(tmp_path: Path) -> None:
    good = (ROOT / "config" / "arrangements.yaml").read_text("utf-8")
    path = tmp_path / "arrangements.yaml"
    path.write_text(good.replace('"20.00"', '"-1"', 1).replace("grace_days: 5", "grace_day: 5", 1), "utf-8")
    with pytest.raises(ConfigError) as failure:
        load_arrangement_policies(path)
    assert {problem.field for problem in failure.value.problems} == {
        "policies[0].minimum_installment",
        "policies[1].grace_day",
        "policies[1].grace_days",
    }
