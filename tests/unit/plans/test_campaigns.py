import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.campaign import (
    WEEKDAYS,
    Campaign,
    Candidate,
    Daily,
    Exclusion,
    Once,
    Throughput,
    allowance,
    campaign_content,
    decide_audience,
    in_holdout,
    is_too_late,
    local_day_began_at,
    next_run,
    select_audience,
)
from outreach.domain.campaign_config import campaign_from_content
from outreach.domain.condition import Condition
from outreach.domain.condition_facts import BorrowerFacts, CaseFacts, ConditionFacts
from outreach.domain.plan import version_of
from outreach.domain.words import StopCondition

NEW_YORK = "America/New_York"
DAILY = Daily(time(9), NEW_YORK)
ONCE = Once(datetime(2026, 3, 9, 9), NEW_YORK)  # noqa: DTZ001 - a local time beside its zone


def campaign(audience: str = "case.days_past_due > 0", holdout: str = "0", schedule: Daily | Once = DAILY) -> Campaign:
    made = Campaign(
        "sample", "early_stage", Condition.compile(audience), schedule, Throughput(600), "", Decimal(holdout)
    )
    return replace(made, version=version_of(campaign_content(made)))


def candidate(case_id: str, days_past_due: int = 3, **changes: object) -> Candidate:
    case = CaseFacts("harbour", "card", "early", "USD", days_past_due, Decimal(50), 0, 9999)
    return replace(Candidate(case_id, ConditionFacts(case, BorrowerFacts("en-US", "US"))), **changes)  # type: ignore[arg-type]


STOPPED = frozenset(StopCondition)


@pytest.mark.parametrize(
    ("changes", "exclusion"),
    [
        ({}, None),
        ({"stopped_by": STOPPED, "reachable": False, "on_plan": True}, Exclusion.CLOSED),
        ({"stopped_by": STOPPED - {StopCondition.CLOSED}}, Exclusion.HOLD),
        ({"stopped_by": frozenset({StopCondition.OPT_OUT, StopCondition.PAID})}, Exclusion.OPT_OUT),
        ({"stopped_by": frozenset({StopCondition.PROMISE, StopCondition.PAID})}, Exclusion.PROMISE),
        ({"stopped_by": frozenset({StopCondition.ARRANGEMENT})}, Exclusion.ARRANGEMENT),
        ({"stopped_by": frozenset({StopCondition.PAID}), "reachable": False}, Exclusion.PAID),
        ({"reachable": False, "on_plan": True}, Exclusion.UNREACHABLE),
        ({"on_plan": True}, Exclusion.ON_PLAN),
    ],
)
def test_a_case_is_excluded_for_the_first_reason_that_applies(
    changes: dict[str, object], exclusion: Exclusion | None
) -> None:
    (one,) = select_audience(campaign(), [candidate("a", **changes)])
    assert (one.matches, one.exclusion, one.enters) == (True, exclusion, exclusion is None)


def test_a_preview_counts_every_case_exactly_once() -> None:
    cases = [
        candidate("no match", -3, stopped_by=STOPPED),
        candidate("in 1"),
        candidate("in 2"),
        candidate("held", stopped_by=frozenset({StopCondition.HOLD})),
        candidate("nowhere", reachable=False),
        candidate("on it", on_plan=True),
        candidate("on it too", on_plan=True),
    ]
    preview = decide_audience(campaign(), cases)
    assert (preview.considered, preview.matched, preview.entering, preview.errors) == (7, 6, 2, 0)
    assert dict(preview.exclusions) == {Exclusion.HOLD: 1, Exclusion.UNREACHABLE: 1, Exclusion.ON_PLAN: 2}


def test_a_case_the_audience_cannot_be_asked_about_stays_out_and_is_counted() -> None:
    preview = decide_audience(campaign("10 / case.days_past_due > 1"), [candidate("a", 0), candidate("b", 5)])
    assert (preview.considered, preview.matched, preview.entering, preview.errors) == (2, 1, 1, 1)
    assert preview.first_error == "ZeroDivisionError in condition '10 / case.days_past_due > 1'"


def test_an_audience_is_taken_as_a_stream() -> None:
    taken: list[str] = []

    def stream() -> Iterator[Candidate]:
        for name in "abc":
            taken.append(name)
            yield candidate(name)

    selecting = select_audience(campaign(), stream())
    assert next(selecting).case_id == "a"
    assert taken == ["a"]


def test_a_held_out_case_is_counted_apart() -> None:
    everyone = decide_audience(campaign(holdout="100"), [candidate(str(n)) for n in range(50)])
    assert (everyone.matched, everyone.entering, dict(everyone.exclusions)) == (50, 0, {Exclusion.HOLDOUT: 50})


@pytest.mark.parametrize(
    ("percentage", "least", "most"), [("0", 0, 0), ("5", 430, 570), ("50", 4800, 5200), ("100", 10_000, 10_000)]
)
def test_a_holdout_takes_about_its_percentage(percentage: str, least: int, most: int) -> None:
    held = sum(in_holdout(campaign(holdout=percentage), f"case-{n}") for n in range(10_000))
    assert least <= held <= most


@given(st.text(), st.integers(0, 10_000), st.integers(0, 10_000))
def test_raising_the_percentage_only_adds_cases(case_id: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    if in_holdout(campaign(holdout=str(Decimal(low) / 100)), case_id):
        assert in_holdout(campaign(holdout=str(Decimal(high) / 100)), case_id)


def test_the_holdout_survives_edits_and_differs_between_campaigns() -> None:
    base = campaign(holdout="50")
    edited = replace(base, audience=Condition.compile("true"), version="sample@other")
    other = replace(base, name="another")
    ids = [f"case-{n}" for n in range(200)]
    assert [in_holdout(base, each) for each in ids] == [in_holdout(edited, each) for each in ids]
    assert [in_holdout(base, each) for each in ids] != [in_holdout(other, each) for each in ids]


def test_the_holdout_of_a_case_is_fixed_for_ever() -> None:
    held = [n for n in range(40) if in_holdout(campaign(holdout="10"), f"case-{n}")]
    assert held == [1, 3, 14, 27]  # a change here moves borrowers in and out of every running experiment


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (DAILY, datetime(2026, 3, 6, 13, 59, tzinfo=UTC), datetime(2026, 3, 6, 14, 0, tzinfo=UTC)),
        (DAILY, datetime(2026, 3, 6, 14, 0, tzinfo=UTC), datetime(2026, 3, 7, 14, 0, tzinfo=UTC)),
        (DAILY, datetime(2026, 3, 7, 14, 0, tzinfo=UTC), datetime(2026, 3, 8, 13, 0, tzinfo=UTC)),  # clocks went on
        (
            replace(DAILY, at=time(2, 30)),
            datetime(2026, 3, 7, 8, 0, tzinfo=UTC),
            datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        ),
        (
            replace(DAILY, at=time(1, 30)),
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
            datetime(2026, 11, 2, 6, 30, tzinfo=UTC),
        ),
        (
            replace(DAILY, days=frozenset({"mon"})),
            datetime(2026, 3, 9, 13, tzinfo=UTC),
            datetime(2026, 3, 16, 13, tzinfo=UTC),
        ),
        (
            replace(DAILY, starts_on=date(2026, 6, 1)),
            datetime(2026, 3, 9, tzinfo=UTC),
            datetime(2026, 6, 1, 13, tzinfo=UTC),
        ),
        (replace(DAILY, ends_on=date(2026, 3, 9)), datetime(2026, 3, 9, 13, tzinfo=UTC), None),
        (
            Daily(time(0), "Pacific/Kiritimati"),
            datetime(2026, 3, 9, 9, tzinfo=UTC),
            datetime(2026, 3, 9, 10, tzinfo=UTC),
        ),
        (
            Daily(time(23, 59), "Pacific/Pago_Pago"),
            datetime(2026, 3, 9, 9, tzinfo=UTC),
            datetime(2026, 3, 9, 10, 59, tzinfo=UTC),
        ),
        (ONCE, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, 13, tzinfo=UTC)),
        (ONCE, datetime(2026, 3, 9, 13, tzinfo=UTC), None),
    ],
)
def test_the_next_run_is_at_its_local_time(schedule: Daily | Once, after: datetime, expected: datetime | None) -> None:
    assert next_run(schedule, after) == expected


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.times().map(lambda drawn: drawn.replace(second=0, microsecond=0, tzinfo=None)),
    st.sampled_from([NEW_YORK, "Asia/Kolkata", "America/Santiago", "Pacific/Chatham"]),
    st.frozensets(st.sampled_from(WEEKDAYS), min_size=1),
)
def test_runs_come_one_a_permitted_day_and_never_twice(
    after: datetime, at: time, zone: str, days: frozenset[str]
) -> None:
    schedule = Daily(at, zone, days)
    first = next_run(schedule, after)
    assert first is not None
    assert timedelta(0) < first - after <= timedelta(days=8)
    second = next_run(schedule, first)
    assert second is not None
    assert second - first > timedelta(hours=22)


def test_a_stale_run_is_left_out_not_made_up_for() -> None:
    due = datetime(2026, 3, 9, 13, tzinfo=UTC)
    assert not is_too_late(DAILY, due, due + timedelta(hours=2))
    assert is_too_late(DAILY, due, due + timedelta(hours=2, seconds=1))
    assert is_too_late(DAILY, due, due + timedelta(days=40))


@pytest.mark.parametrize(
    ("throughput", "last_minute", "today", "expected"),
    [
        (Throughput(60), 0, 10_000, 60),
        (Throughput(60), 45, 0, 15),
        (Throughput(60), 61, 0, 0),
        (Throughput(60, 100), 0, 90, 10),
        (Throughput(60, 100), 55, 90, 5),
        (Throughput(60, 100), 0, 200, 0),
    ],
)
def test_throughput_is_limited_by_the_minute_and_by_the_day(
    throughput: Throughput, last_minute: int, today: int, expected: int
) -> None:
    assert allowance(throughput, last_minute=last_minute, today=today) == expected


def test_the_daily_limit_counts_from_the_campaigns_own_midnight() -> None:
    assert local_day_began_at(DAILY, datetime(2026, 3, 9, 3, tzinfo=UTC)) == datetime(2026, 3, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule",
    [
        DAILY,
        replace(DAILY, days=frozenset({"sat", "mon"}), starts_on=date(2026, 1, 2), ends_on=date(2026, 2, 2)),
        replace(ONCE, late_after=timedelta(minutes=90)),
    ],
)
def test_a_stored_campaign_is_read_back_as_the_same_version(schedule: Daily | Once) -> None:
    made = replace(campaign(holdout="2.50", schedule=schedule), throughput=Throughput(5, 50))
    made = replace(made, version=version_of(campaign_content(made)))
    assert campaign_from_content(campaign_content(made)) == made


def test_the_order_of_candidates_does_not_change_the_preview() -> None:
    cases = [candidate(str(n), n % 5 - 1, on_plan=n % 7 == 0) for n in range(300)]
    shuffled = random.Random(7).sample(cases, len(cases))  # noqa: S311 - a shuffle, not a secret
    assert decide_audience(campaign(holdout="20"), cases) == decide_audience(campaign(holdout="20"), shuffled)
