"""Permitted hours: wall clocks, boundary seconds, daylight saving in both hemispheres, several candidate zones."""

from datetime import timedelta

import pytest
from policy_samples import (
    ALL_DAYS,
    EVERY_DAY,
    LOS_ANGELES,
    NEW_YORK,
    NOON,
    PHOENIX,
    POINT,
    facts,
    hours,
    pack,
    policy,
    rule,
    utc,
)  # fmt: skip

from outreach.policy.decision import Verdict
from outreach.policy.facts import Override, PersonalWindow
from outreach.policy.gate import decide, next_permitted

REG_F = policy(hours("08:00", "21:00"))


@pytest.mark.parametrize(
    ("zone", "at", "code"),
    [
        (NEW_YORK, "2026-11-19T12:59:59", "before_open"),  # 07:59:59 EST
        (NEW_YORK, "2026-11-19T13:00:00", None),
        (NEW_YORK, "2026-11-20T01:59:59", None),  # 20:59:59
        (NEW_YORK, "2026-11-20T02:00:00", "after_close"),
        (NEW_YORK, "2026-03-08T12:00:00", None),  # 08:00 EDT on the Sunday the clock went forward
        (NEW_YORK, "2026-03-08T11:59:59", "before_open"),
        (NEW_YORK, "2026-11-01T12:59:59", "before_open"),  # 07:59:59 EST on the Sunday it went back
        (NEW_YORK, "2026-11-01T13:00:00", None),
        (PHOENIX, "2026-03-08T14:59:59", "before_open"),
        (PHOENIX, "2026-03-08T15:00:00", None),
        (PHOENIX, "2026-11-01T15:00:00", None),
        ("Pacific/Honolulu", "2026-03-08T17:59:59", "before_open"),
        ("Pacific/Honolulu", "2026-03-08T18:00:00", None),
        ("America/Indiana/Indianapolis", "2026-03-08T12:00:00", None),
        ("America/Indiana/Indianapolis", "2026-11-01T12:59:59", "before_open"),
        ("Asia/Kolkata", "2026-06-01T02:29:59", "before_open"),  # half an hour off
        ("Asia/Kolkata", "2026-06-01T02:30:00", None),
        ("Asia/Kathmandu", "2026-06-01T02:15:00", None),  # quarter of an hour off
        ("Australia/Lord_Howe", "2026-10-03T21:00:00", None),  # 08:00 after half an hour forward, spring in October
        ("Australia/Lord_Howe", "2026-10-03T20:59:59", "before_open"),
        ("America/Santiago", "2026-09-06T10:59:59", "before_open"),  # spring in September
        ("America/Santiago", "2026-09-06T11:00:00", None),
        ("Africa/Casablanca", "2026-02-16T08:00:00", None),  # Ramadan: back to UTC
        ("Pacific/Kiritimati", "2026-06-01T18:00:00", None),  # 08:00 on the 2nd, UTC+14
    ],
)
def test_hours_are_the_borrowers_own_to_the_second(zone: str, at: str, code: str | None) -> None:
    decision = decide(facts(zones=(zone,)), REG_F, utc(at))
    assert [reason.code for reason in decision.reasons] == ([f"quiet_hours.{code}"] if code else [])


def test_a_text_queued_before_close_is_refused_after_it() -> None:
    planned, sent = utc("2026-11-20T01:58:00"), utc("2026-11-20T02:02:00")
    assert decide(facts(), REG_F, planned).verdict is Verdict.SEND
    assert decide(facts(), REG_F, planned).send_before == utc("2026-11-20T02:00:00")
    refused = decide(facts(), REG_F, sent)
    assert refused.verdict is Verdict.DEFER
    assert refused.until == utc("2026-11-20T13:00:00")


def test_until_crosses_the_night_the_clock_changes() -> None:
    evening = utc("2026-03-08T02:30:00")  # Saturday 21:30 EST
    assert decide(facts(), REG_F, evening).until == utc("2026-03-08T12:00:00")  # Sunday 08:00 EDT


@pytest.mark.parametrize(
    ("at", "permitted"),
    [
        ("2026-03-08T06:59:00", True),  # 01:59 EST, then 02:00 to 03:00 does not exist
        ("2026-03-08T07:00:00", False),  # 03:00 EDT
    ],
)
def test_a_skipped_hour_permits_nothing(at: str, permitted: bool) -> None:
    night = policy(hours("01:00", "03:00"))
    assert (decide(facts(), night, utc(at)).verdict is Verdict.SEND) is permitted


@pytest.mark.parametrize(
    ("at", "permitted"),
    [
        ("2026-11-01T05:29:59", False),  # 01:29:59 EDT
        ("2026-11-01T05:30:00", True),
        ("2026-11-01T05:59:59", True),
        ("2026-11-01T06:00:00", False),  # 01:00 again, EST
        ("2026-11-01T06:30:00", True),
        ("2026-11-01T07:00:00", False),
    ],
)
def test_a_doubled_hour_is_judged_by_the_clock_on_the_wall_each_time(at: str, permitted: bool) -> None:
    night = policy(hours("01:30", "02:00"))
    assert (decide(facts(), night, utc(at)).verdict is Verdict.SEND) is permitted


def test_address_and_area_code_in_different_zones_leave_the_hours_both_permit() -> None:
    point = POINT.__class__("p1", "phone", "mobile", "mobile", "active", ("US-CA",), (LOS_ANGELES,))
    both = facts(point=point)
    assert decide(both, REG_F, utc("2026-11-19T15:59:59")).until == utc("2026-11-19T16:00:00")  # 11:00 in New York
    assert decide(both, REG_F, utc("2026-11-19T16:00:00")).send_before == utc("2026-11-20T02:00:00")


def test_zones_that_share_no_hour_are_refused_with_the_reason() -> None:
    far = facts(zones=(NEW_YORK, "Asia/Shanghai"))
    decision = decide(far, policy(hours("09:00", "17:00")), NOON)
    assert decision.verdict is Verdict.BLOCK
    assert "quiet_hours.no_common_hours" in {reason.code for reason in decision.reasons}
    assert next_permitted(far, policy(hours("09:00", "17:00")), NOON) is None


@pytest.mark.parametrize("zones", [(), ("Mars/Olympus",), (NEW_YORK, "Nowhere"), ("../../etc/passwd",), ("",)])
def test_an_unknown_zone_is_never_permission(zones: tuple[str, ...]) -> None:
    decision = decide(facts(zones=zones), REG_F, NOON)
    assert decision.verdict is Verdict.BLOCK
    assert "place.unknown_zone" in {reason.code for reason in decision.reasons}


def test_a_legal_single_zone_is_kept_where_the_sun_says_otherwise() -> None:
    urumqi = facts(jurisdictions=("CN",), zones=("Asia/Urumqi",))
    assert decide(urumqi, pack("cn"), utc("2026-11-19T00:00:00")).verdict is Verdict.SEND  # 08:00 in Beijing
    assert decide(urumqi, pack("cn"), utc("2026-11-19T14:00:00")).verdict is Verdict.DEFER  # 22:00 in Beijing


CANADA_BANK = rule(
    "window",
    jurisdiction="CA",
    hours=[
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat"], "start": "07:00", "end": "21:00"},
        {"days": ["sun"], "start": "13:00", "end": "17:00"},
    ],
)
CANADA = policy(CANADA_BANK, calendars={"CA": {"2026": ["2026-12-25", "2026-12-26"]}}, packs=("CA",))


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-11-22T17:59:59", "quiet_hours.before_open"),  # Sunday 12:59:59 in Toronto
        ("2026-11-22T18:00:00", None),
        ("2026-11-22T22:00:00", "quiet_hours.after_close"),
        ("2026-12-26T18:00:00", "quiet_hours.closed_day"),  # Boxing Day, a Saturday
        ("2027-01-05T18:00:00", "quiet_hours.no_calendar"),  # nobody knows 2027
    ],
)
def test_sundays_and_public_holidays_have_hours_of_their_own(at: str, code: str | None) -> None:
    candidate = facts(jurisdictions=("CA-ON",), zones=("America/Toronto",))
    assert [reason.code for reason in decide(candidate, CANADA, utc(at)).reasons] == ([code] if code else [])


def test_split_hours_close_at_noon() -> None:
    split = rule(
        "window",
        hours=[
            {"days": EVERY_DAY, "start": "09:00", "end": "12:00"},
            {"days": EVERY_DAY, "start": "14:00", "end": "18:00"},
        ],
    )
    decision = decide(facts(), policy(split), NOON)
    assert [reason.code for reason in decision.reasons] == ["quiet_hours.between"]
    assert decision.until == NOON + timedelta(hours=2)


def test_a_whole_week_of_open_hours_never_closes() -> None:
    assert decide(facts(), policy(hours("00:00", "24:00")), NOON).send_before is None


@pytest.mark.parametrize(
    ("window", "at", "permitted"),
    [
        (PersonalWindow("allow", "18:00", "20:00", ()), "2026-11-18T23:00:00", True),
        (PersonalWindow("allow", "18:00", "20:00", ()), "2026-11-19T01:00:00", False),
        (PersonalWindow("allow", "18:00", "20:00", ("thu",)), "2026-11-18T23:00:00", False),
        (PersonalWindow("bar", "12:00", "13:00", ("wed",)), "2026-11-18T17:00:00", False),
        (PersonalWindow("bar", "12:00", "13:00", ("thu",)), "2026-11-18T17:00:00", True),
        (PersonalWindow("bar", "22:00", "14:00", ("tue",)), "2026-11-18T18:59:00", False),  # works nights: Wed 13:59
        (PersonalWindow("bar", "22:00", "14:00", ("tue",)), "2026-11-18T19:00:00", True),
        (PersonalWindow("bar", "12:00", "13:00", (), "email"), "2026-11-18T17:00:00", True),
        (PersonalWindow("bar", "12:00", "13:00", (), "any", utc("2026-11-18T17:00:00")), "2026-11-18T17:00:00", True),
        (PersonalWindow("allow", "18:00", "20:00", (), "any", utc("2026-11-18T16:00:00")), "2026-11-18T17:00:00", True),
        (PersonalWindow("bar", "noon", "13:00", ()), "2026-11-18T19:00:00", False),  # unreadable: nothing is permitted
        (PersonalWindow("bar", "12:00", "13:00", ("someday",)), "2026-11-18T19:00:00", False),
    ],
)
def test_times_a_borrower_named_are_kept_on_their_clock(window: PersonalWindow, at: str, permitted: bool) -> None:
    decision = decide(facts(personal_windows=(window,)), policy(hours("00:00", "24:00")), utc(at))
    assert (decision.verdict is Verdict.SEND) is permitted
    assert [r.code for r in decision.reasons] == ([] if permitted else ["personal_window.closed"])


def test_an_agreed_time_lifts_the_hours_that_name_it_and_expires() -> None:
    late = utc("2026-11-19T14:30:00")  # 22:30 in Shanghai
    agreed = Override("agreed_time", late - timedelta(days=1), late + timedelta(minutes=1), evidence="letter 7")
    chinese = facts(jurisdictions=("CN",), zones=("Asia/Shanghai",), overrides=(agreed,))
    lifted = decide(chinese, pack("cn"), late)
    assert lifted.verdict is Verdict.SEND
    assert lifted.lifted == (("CN-CBA2026-HOURS", "agreed_time"), ("CN-GBT45251-HOURS", "agreed_time"))
    assert lifted.send_before == late + timedelta(minutes=1)
    assert decide(chinese, pack("cn"), late + timedelta(minutes=1)).verdict is Verdict.DEFER


@pytest.mark.parametrize(
    "spoiled",
    [{"evidence": None}, {"evidence": ""}, {"until": None}, {"used": True}, {"channel": "voice"}, {"kind": "guess"}],
)
def test_an_override_without_proof_or_end_lifts_nothing(spoiled: dict[str, object]) -> None:
    late = utc("2026-11-19T14:30:00")
    given = {"kind": "agreed_time", "since": late, "until": late + timedelta(hours=1), "evidence": "letter"} | spoiled
    chinese = facts(jurisdictions=("CN",), zones=("Asia/Shanghai",), overrides=(Override(**given),))  # type: ignore[arg-type]
    assert decide(chinese, pack("cn"), late).verdict is Verdict.DEFER


def test_a_borrower_who_writes_at_night_is_answered_but_not_reminded() -> None:
    night = utc("2026-11-19T04:00:00")  # 23:00 in New York
    wrote = Override("reply_in_thread", night, night + timedelta(minutes=10), "sms", "reply 9")
    agency = {"role": "agency", "overrides": (wrote,)}
    lawful = policy(hours("08:00", "21:00", lifted_by=["reply_in_thread"]))
    assert decide(facts(purpose="reply", **agency), lawful, night).verdict is Verdict.SEND
    assert decide(facts(purpose="reminder", **agency), lawful, night).verdict is Verdict.DEFER


def test_a_weekday_rule_defers_over_the_weekend() -> None:
    weekdays = policy(hours("09:00", "18:00", ALL_DAYS[:5], holidays="like_any_day"))
    friday_evening = utc("2026-11-21T00:00:00")
    assert decide(facts(), weekdays, friday_evening).until == utc("2026-11-23T14:00:00")
