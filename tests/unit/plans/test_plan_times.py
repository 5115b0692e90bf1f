from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.calendar import WEEKENDS_ONLY, BusinessCalendar
from outreach.domain.condition import Condition
from outreach.domain.plan import (
    Anchor,
    DueDateOf,
    Entry,
    Plan,
    ReEntry,
    Step,
    decide_entry,
    due_at,
    duration_text,
    next_step,
    parse_duration,
    parse_offset,
    parse_time,
    plan_content,
    plan_step,
    version_of,
)
from outreach.domain.plan_config import plan_from_content
from outreach.domain.words import Channel, EnrollmentState, Purpose, StopCondition

NEW_YORK, LONDON, KOLKATA = ZoneInfo("America/New_York"), ZoneInfo("Europe/London"), ZoneInfo("Asia/Kolkata")


def step(offset: str, *, expires: str = "1d", when: str | None = None, name: str = "first") -> Step:
    condition = Condition.compile(when) if when else None
    return Step(name, parse_offset(offset), (Channel.SMS, Channel.EMAIL), "pre_due", parse_duration(expires), condition)


def plan(*steps: Step, anchor: Anchor = Anchor.DUE_DATE, re_entry: ReEntry = ReEntry.SKIP) -> Plan:
    named = tuple(replace(each, id=f"step_{index}") for index, each in enumerate(steps))
    trigger = "payment.missed" if anchor is Anchor.EVENT else None
    made = Plan("sample", anchor, named, "", trigger=trigger, re_entry=re_entry)
    return replace(made, version=version_of(plan_content(made)))


@pytest.mark.parametrize(
    ("offset", "anchor", "zone", "calendar", "expected"),
    [
        ("-5d", date(2026, 3, 10), NEW_YORK, "", datetime(2026, 3, 5, 15, 0, tzinfo=UTC)),
        ("0d", date(2026, 3, 10), NEW_YORK, "", datetime(2026, 3, 10, 14, 0, tzinfo=UTC)),  # after the change
        ("-2d at 02:30", date(2026, 3, 10), NEW_YORK, "", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),  # skipped hour
        ("1d at 01:30", date(2026, 10, 31), NEW_YORK, "", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # happens twice
        ("0d at 09:30", date(2026, 3, 10), KOLKATA, "", datetime(2026, 3, 10, 4, 0, tzinfo=UTC)),
        ("3bd", date(2026, 11, 24), NEW_YORK, "US", datetime(2026, 11, 30, 15, 0, tzinfo=UTC)),  # Thanksgiving between
        ("3bd", date(2026, 11, 24), NEW_YORK, "ZZ", datetime(2026, 11, 27, 15, 0, tzinfo=UTC)),
        ("-1bd at 18:00", date(2026, 3, 9), LONDON, "GB", datetime(2026, 3, 6, 18, 0, tzinfo=UTC)),
        ("2h", date(2026, 3, 10), NEW_YORK, "", datetime(2026, 3, 10, 6, 0, tzinfo=UTC)),  # from local midnight
        ("24h", date(2026, 3, 8), NEW_YORK, "", datetime(2026, 3, 9, 5, 0, tzinfo=UTC)),  # a 23-hour day passed
        ("2h", datetime(2026, 3, 8, 6, 0, tzinfo=UTC), NEW_YORK, "", datetime(2026, 3, 8, 8, 0, tzinfo=UTC)),
        ("45m", datetime(2026, 3, 8, 6, 0, tzinfo=UTC), NEW_YORK, "", datetime(2026, 3, 8, 6, 45, tzinfo=UTC)),
        # one day on, same time on the borrower's clock, though only 23 hours later
        ("1d", datetime(2026, 3, 7, 20, 0, tzinfo=UTC), NEW_YORK, "", datetime(2026, 3, 8, 19, 0, tzinfo=UTC)),
        # 20:00 UTC is already tomorrow in Kolkata
        ("0d at 10:00", datetime(2026, 3, 7, 20, 0, tzinfo=UTC), KOLKATA, "", datetime(2026, 3, 8, 4, 30, tzinfo=UTC)),
        ("1bd at 11:00", datetime(2026, 3, 6, 20, 0, tzinfo=UTC), NEW_YORK, "US", datetime(2026, 3, 9, 15, tzinfo=UTC)),
    ],
)
def test_a_step_is_due_on_the_borrowers_clock(
    offset: str, anchor: date, zone: ZoneInfo, calendar: str, expected: datetime
) -> None:
    days = BusinessCalendar(calendar) if calendar else WEEKENDS_ONLY
    assert due_at(step(offset), anchor, zone, calendar=days) == expected


def test_an_event_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="must carry its zone"):
        due_at(step("1h"), datetime(2026, 3, 7, 20, 0), NEW_YORK)  # noqa: DTZ001 - the point of the test


THREE = plan(step("1d"), step("3d"), step("6d", expires="2d"))
DUE = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("after", "now", "index", "dropped"),
    [
        (-1, datetime(2026, 3, 1, tzinfo=UTC), 0, []),
        (-1, datetime(2026, 3, 3, 20, tzinfo=UTC), 0, []),  # due and not expired: may go at once
        (-1, datetime(2026, 3, 4, 14, 59, tzinfo=UTC), 0, []),
        (-1, datetime(2026, 3, 4, 15, 0, tzinfo=UTC), 1, [0]),  # the instant of expiry is too late
        (0, datetime(2026, 3, 3, 20, tzinfo=UTC), 1, []),
        (-1, datetime(2026, 3, 9, tzinfo=UTC), 2, [0, 1]),
        (1, datetime(2026, 3, 9, tzinfo=UTC), 2, []),
        (-1, datetime(2026, 4, 9, tzinfo=UTC), None, [0, 1, 2]),
        (2, datetime(2026, 3, 3, tzinfo=UTC), None, []),
        (99, datetime(2026, 3, 3, tzinfo=UTC), None, []),
    ],
)
def test_a_late_step_is_dropped_and_told_never_sent_late(
    after: int, now: datetime, index: int | None, dropped: list[int]
) -> None:
    upcoming = next_step(THREE, after, DUE, NEW_YORK, now)
    assert (upcoming.planned.index if upcoming.planned else None) == index
    assert [each.index for each in upcoming.dropped] == dropped


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
offsets = st.builds(
    lambda n, unit, at: f"{n}{unit}" + (f" at {at}" if at and unit in {"d", "bd"} else ""),
    st.integers(-20, 20),
    st.sampled_from(["d", "bd", "h", "m"]),
    st.sampled_from([None, "02:30", "10:00", "23:59"]),
)
plans = st.lists(st.builds(step, offsets, expires=st.sampled_from(["1h", "1d", "5d"])), min_size=1, max_size=6).map(
    lambda steps: plan(*steps)
)
zones = st.sampled_from(["America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/St_Johns"]).map(ZoneInfo)


@given(plans, zones, instants, st.integers(-1, 5), st.one_of(st.dates(date(2026, 1, 1), date(2026, 12, 31)), instants))
def test_what_comes_next_is_the_first_that_has_not_expired(
    sample: Plan, zone: ZoneInfo, now: datetime, after: int, anchor: date
) -> None:
    upcoming = next_step(sample, after, anchor, zone, now)
    last = upcoming.planned.index if upcoming.planned else len(sample.steps)
    assert [each.index for each in upcoming.dropped] == list(range(after + 1, last))
    assert all(each.expires_at <= now for each in upcoming.dropped)
    if upcoming.planned:
        assert upcoming.planned.expires_at > now
        assert upcoming.planned == plan_step(sample, last, anchor, zone)
        assert upcoming.planned.due_at.utcoffset() == timedelta(0)


@given(plans)
def test_a_stored_plan_is_read_back_as_the_same_version(sample: Plan) -> None:
    assert plan_from_content(plan_content(sample)) == sample


@given(offsets)
def test_an_offset_reads_back_what_it_writes(text: str) -> None:
    assert str(parse_offset(str(parse_offset(text)))) == str(parse_offset(text))


@given(st.integers(-5000, 5000))
def test_a_duration_reads_back_what_it_writes(minutes: int) -> None:
    assert parse_duration(duration_text(timedelta(minutes=minutes))) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("5", "is not an offset; write -5d"),
        (5, "5 is not an offset"),
        ("5days", "is not an offset"),
        ("1w", "is not an offset"),
        ("٣d", "is not an offset"),
        ("99999d", "is too far away; at most 3660"),
        ("0d at 24:00", "'24:00' is not a time of day; write 09:30"),
        ("2h at 10:00", "a time of day goes with days"),
        ("", "is not an offset"),
        (None, "None is not an offset"),
    ],
)
def test_a_bad_offset_is_refused_with_what_would_be_right(text: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(")):
        parse_offset(text)


@pytest.mark.parametrize("text", ["", "1", "1w", "two hours", 5, None, "999999999999d", "1d12h"])
def test_a_bad_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write 90m, 12h or 2d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "9", "25:00", "10:60", "10:5", 600, None, "10:00:00", "9am", "١٠:٠٠"])
def test_a_bad_time_of_day_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a time of day; write 09:30"):
        parse_time(text)


def test_the_version_changes_with_what_is_sent_and_only_with_that() -> None:
    base = plan(step("1d"), step("3d"))
    assert base.version.startswith("sample@")
    assert version_of(plan_content(replace(base, about="other words"))) == base.version
    assert version_of(plan_content(replace(base, stop_on=frozenset(reversed(list(StopCondition)))))) == base.version
    changed = [
        replace(base, priority=51),
        replace(base, re_entry=ReEntry.RESTART),
        replace(base, stop_on=frozenset({StopCondition.PAID})),
        replace(base, due_date_of=DueDateOf.INSTALLMENT),
        replace(base, steps=base.steps[::-1]),
        *(
            replace(base, steps=(other, *base.steps[1:]))
            for other in (
                replace(base.steps[0], offset=parse_offset("1bd")),
                replace(base.steps[0], channels=(Channel.EMAIL, Channel.SMS)),
                replace(base.steps[0], template="due_today"),
                replace(base.steps[0], expires_after=timedelta(hours=1)),
                replace(base.steps[0], purpose=Purpose.ARRANGEMENT),
                replace(base.steps[0], when=Condition.compile("case.touches_sent == 0")),
            )
        ),
    ]
    versions = {version_of(plan_content(each)) for each in (base, *changed)}
    assert len(versions) == len(changed) + 1


@pytest.mark.parametrize(
    ("state", "same_cause", "rule", "expected"),
    [
        (None, False, ReEntry.SKIP, Entry.START),
        (EnrollmentState.ACTIVE, False, ReEntry.SKIP, Entry.SKIP),
        (EnrollmentState.PAUSED, False, ReEntry.SKIP, Entry.SKIP),
        (EnrollmentState.ACTIVE, False, ReEntry.RESTART, Entry.RESTART),
        (EnrollmentState.ACTIVE, True, ReEntry.RESTART, Entry.SKIP),
        (EnrollmentState.STOPPED, True, ReEntry.RESTART, Entry.SKIP),
        (EnrollmentState.COMPLETED, True, ReEntry.SKIP, Entry.SKIP),
        (EnrollmentState.COMPLETED, False, ReEntry.SKIP, Entry.START),
        (EnrollmentState.STOPPED, False, ReEntry.RESTART, Entry.START),
    ],
)
def test_the_same_cause_never_starts_a_plan_twice(
    state: EnrollmentState | None, same_cause: bool, rule: ReEntry, expected: Entry
) -> None:
    assert decide_entry(plan(step("1d"), re_entry=rule), state, same_cause=same_cause) is expected
