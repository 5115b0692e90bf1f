"""Cases of contact law, the rest of the world: days off, stacked caps, rests between texts, and how time itself counts.

Each case stands here once with the tests that prove it; a test without a path is in this file.

7. Canadian banks on Sundays and holidays
    test_a_canadian_bank_keeps_sundays_and_holidays
    test_a_guarantor_in_another_province_is_contacted_by_their_own_clock
    test_only_banks_are_bound_by_the_rule_for_banks
8. Thailand's weekends and holidays
    test_thailand_rests_earlier_on_days_off
9. Peru's and Colombia's weekends, moved holidays, and Indonesia's Sundays
    test_peru_takes_no_calls_on_days_off
    test_colombia_ends_its_saturdays_at_three_and_keeps_its_moved_mondays
    test_indonesia_rests_on_sundays_unless_it_was_agreed_before
10. China's night, and a time agreed in writing
    test_china_sleeps_from_ten_to_eight_unless_another_time_was_agreed
11. China's unanswered calls by number and conversations by lender and agencies together
    test_china_closes_a_number_after_six_unanswered_calls_until_midnight
    test_china_ends_the_day_of_calls_after_three_conversations_whoever_held_them
21. Stacked caps: Australia's week and month, Russia's day, week and month
    test_australia_lets_three_a_week_and_ten_a_month_go
    test_russia_binds_by_day_by_week_and_by_month_in_turn
    test_russia_binds_messages_by_day_by_week_and_by_month_in_turn
22. Colombia: one channel a week once contact was made
    test_colombia_stays_on_one_channel_and_away_for_the_day
23. Chile: two days between messages, two a week
    test_chile_lets_two_messages_a_week_go_two_days_apart
24. Ireland: three successful contacts a calendar month
    test_ireland_lets_three_contacts_a_calendar_month_go
25. Korea: seven in seven days for each claim, and 28 hours a week of one's own
    test_korea_counts_seven_contacts_for_each_claim_but_no_statutory_notice
    test_korea_lets_28_hours_a_week_be_named_and_no_29th
26. The exact end of a rolling window, a clock set back, a leap day, a month of 28 days
    test_a_rolling_week_lets_go_at_the_same_instant_a_week_later
    test_an_hour_set_back_makes_neither_the_seven_days_nor_the_night_shorter
    test_a_calendar_month_of_28_and_of_29_days_ends_on_its_last_night
    test_a_contact_that_a_fast_clock_put_in_the_future_counts
    tests/unit/policy/test_policy_counts.py::test_a_rolling_window_lets_go_at_its_exact_end
"""

from dataclasses import replace
from datetime import datetime

import pytest
from law_samples import (
    CENTRAL,
    DAY,
    HOUR,
    LAW,
    SECOND,
    SHANGHAI,
    agency,
    alone,
    calls,
    notice,
    on,
    opens,
    past,
    phone,
    refusing,
    touch,
    word,
)

from outreach.policy.facts import Contact, PersonalWindow
from outreach.policy.personal import may_name

TORONTO, VANCOUVER, BANGKOK, LIMA, BOGOTA = (
    *("America/Toronto", "America/Vancouver", "Asia/Bangkok", "America/Lima", "America/Bogota"),
)
JAKARTA, SYDNEY, MOSCOW, SANTIAGO, DUBLIN, SEOUL = (
    *("Asia/Jakarta", "Australia/Sydney", "Europe/Moscow", "America/Santiago", "Europe/Dublin", "Asia/Seoul"),
)
BANK = touch("CA-ON", TORONTO, creditor_kind="bank")


@pytest.mark.parametrize(
    ("clock", "refused"),
    [
        ("2026-11-22T12:59:59", "CA-BANK-HOURS-SUN"),
        ("2026-11-22T13:00:00", None),
        ("2026-11-22T16:59:59", None),
        ("2026-11-22T17:00:00", "CA-BANK-HOURS-SUN"),
        ("2026-11-23T06:59:59", "CA-BANK-HOURS-MS"),
        ("2026-11-23T07:00:00", None),
        ("2026-12-26T12:00:00", "CA-BANK-HOLIDAY"),  # Boxing Day
        ("2026-04-06T12:00:00", "CA-BANK-HOLIDAY"),  # Easter Monday
    ],
)
def test_a_canadian_bank_keeps_sundays_and_holidays(clock: str, refused: str | None) -> None:
    """
    CA-BANK-HOURS-MS: SOR/2021-181, s 13 and Schedule item 5(1)(c)
    CA-BANK-HOURS-SUN: SOR/2021-181, s 13 and Schedule item 5(1)(a)
    CA-BANK-HOLIDAY: SOR/2021-181, s 13 and Schedule item 5(1)(b)
    """
    assert refusing(BANK, on(clock, TORONTO)) == ({refused} if refused else set())


def test_a_guarantor_in_another_province_is_contacted_by_their_own_clock() -> None:
    """
    CA-BANK-HOURS-SUN: SOR/2021-181, s 13 and Schedule item 5(1)(a)
    CA-BANK-HOLIDAY: SOR/2021-181, s 13 and Schedule item 5(1)(b)
    """
    guarantor = touch("CA-BC", VANCOUVER, recipient="guarantor", creditor_kind="bank")
    one_in_toronto = on("2026-11-22T13:00", TORONTO)  # ten in the morning in Vancouver
    assert refusing(guarantor, one_in_toronto) == {"CA-BANK-HOURS-SUN"}
    assert opens(guarantor, one_in_toronto) == on("2026-11-22T13:00", VANCOUVER)
    family_day = on("2026-02-16T12:00", VANCOUVER)  # a holiday of the province, not of the federation
    assert refusing(guarantor, family_day) == {"CA-BANK-HOLIDAY"}


def test_only_banks_are_bound_by_the_rule_for_banks() -> None:
    """CA-BANK-HOURS-SUN: SOR/2021-181, s 13 and Schedule item 5(1)(a)"""
    sunday = on("2026-11-22T12:59:59", TORONTO)
    assert refusing(replace(BANK, creditor_kind="online_lender"), sunday) == set()
    assert refusing(replace(BANK, creditor_kind=""), sunday) == {"CA-BANK-HOURS-SUN"}, "it may be a bank"


@pytest.mark.parametrize(
    ("clock", "refused"),
    [
        ("2026-11-27T18:30", None),  # Friday
        ("2026-11-27T20:00", "TH-DCA-HOURS-WD"),
        ("2026-11-28T17:59", None),  # Saturday
        ("2026-11-28T18:30", "TH-DCA-HOURS-HOL"),
        ("2027-12-10T18:30", "TH-DCA-HOURS-HOL"),  # Constitution Day, a Friday
    ],
)
def test_thailand_rests_earlier_on_days_off(clock: str, refused: str | None) -> None:
    """
    TH-DCA-HOURS-WD: Debt Collection Act B.E. 2558 s 9
    TH-DCA-HOURS-HOL: Debt Collection Act B.E. 2558 s 9
    """
    assert refusing(touch("TH", BANGKOK), on(clock, BANGKOK)) == ({refused} if refused else set())


@pytest.mark.parametrize(
    ("clock", "refused"),
    [
        ("2026-11-27T19:59", None),  # Friday
        ("2026-11-27T20:00", "PE-62-HOURS"),
        ("2026-11-28T12:00", "PE-62-WEEKEND"),  # Saturday
        ("2026-12-08T12:00", "PE-62-WEEKEND"),  # Immaculate Conception, a Tuesday
    ],
)
def test_peru_takes_no_calls_on_days_off(clock: str, refused: str | None) -> None:
    """
    PE-62-HOURS: Ley 29571 Art. 62(b)
    PE-62-WEEKEND: Ley 29571 Art. 62(b)
    """
    assert refusing(touch("PE", LIMA, "voice"), on(clock, LIMA)) == ({refused} if refused else set())


@pytest.mark.parametrize(
    ("clock", "refused"),
    [
        ("2026-11-14T14:59", None),  # Saturday
        ("2026-11-14T15:00", "CO-2300-HOURS-SAT"),
        ("2026-11-15T12:00", "CO-2300-HOLIDAY"),  # Sunday
        ("2026-11-16T12:00", "CO-2300-HOLIDAY"),  # Cartagena's day of the 11th, moved to this Monday
        ("2026-11-11T12:00", None),
        ("2026-11-17T19:00", "CO-2300-HOURS-WD"),
    ],
)
def test_colombia_ends_its_saturdays_at_three_and_keeps_its_moved_mondays(clock: str, refused: str | None) -> None:
    """
    CO-2300-HOURS-SAT: Ley 2300 de 2023 Art. 3
    CO-2300-HOLIDAY: Ley 2300 de 2023 Art. 3
    CO-2300-HOURS-WD: Ley 2300 de 2023 Art. 3
    """
    assert refusing(touch("CO", BOGOTA), on(clock, BOGOTA)) == ({refused} if refused else set())


def test_indonesia_rests_on_sundays_unless_it_was_agreed_before() -> None:
    """
    ID-POJK22-HOLIDAY: POJK 22/2023 Art. 62(2)(f),(3)
    ID-POJK22-HOURS: POJK 22/2023 Art. 62(2)(f)
    """
    text, sunday = touch("ID", JAKARTA), on("2026-11-22T12:00", JAKARTA)
    assert refusing(text, sunday) == {"ID-POJK22-HOLIDAY", "ID-POJK22-HOURS"}
    assert opens(text, sunday) == on("2026-11-23T08:00", JAKARTA)
    agreed = word("agreed_time", sunday - DAY, sunday + HOUR)
    assert refusing(replace(text, overrides=(agreed,)), sunday) == set()
    assert refusing(replace(text, overrides=(replace(agreed, since=sunday + SECOND),)), sunday) != set()


CHINA_HOURS = {"CN-GBT45251-HOURS", "CN-CBA2026-HOURS"}


@pytest.mark.parametrize("zone", [SHANGHAI, "Asia/Urumqi"])
def test_china_sleeps_from_ten_to_eight_unless_another_time_was_agreed(zone: str) -> None:
    """
    CN-GBT45251-HOURS: GB/T 45251-2025
    CN-CBA2026-HOURS: 中国银行业协会 金融机构个人消费类贷款催收工作指引
    """
    text = touch("CN", zone)
    ten, late, eight = (on(clock, SHANGHAI) for clock in ("2026-11-23T22:00", "2026-11-23T22:30", "2026-11-24T08:00"))
    assert refusing(text, ten - SECOND) == set()
    assert refusing(text, ten) == CHINA_HOURS
    assert opens(text, ten) == eight
    assert refusing(text, eight) == set()
    agreed = word("agreed_time", ten - 30 * DAY, ten + 30 * DAY)
    assert refusing(replace(text, overrides=(agreed,)), late) == set()
    assert refusing(replace(text, overrides=(replace(agreed, until=ten),)), late) == CHINA_HOURS, "it has expired"
    assert refusing(replace(text, overrides=(replace(agreed, evidence=None),)), late) == CHINA_HOURS, "nothing shows it"


CHINA_CALL = touch("CN", SHANGHAI, "voice", creditor_kind="bank")
IN_THE_EVENING = on("2026-11-23T21:00", SHANGHAI)


def test_china_closes_a_number_after_six_unanswered_calls_until_midnight() -> None:
    """CN-CBA2026-ATTEMPTS: 中国银行业协会 金融机构个人消费类贷款催收工作指引"""
    rang = calls(on("2026-11-23T09:00", SHANGHAI), 6)
    assert refusing(replace(CHINA_CALL, history=rang[:5]), IN_THE_EVENING) == set()
    tried = replace(CHINA_CALL, history=rang)
    assert refusing(tried, IN_THE_EVENING) == {"CN-CBA2026-ATTEMPTS"}
    assert alone(tried, IN_THE_EVENING, "CN-CBA2026-ATTEMPTS") == on("2026-11-24T00:00", SHANGHAI)
    assert refusing(replace(tried, point=phone("p2")), IN_THE_EVENING) == set()
    assert refusing(replace(tried, channel="sms"), IN_THE_EVENING) == set()


@pytest.mark.parametrize("role", ["first_party", "agency", "debt_buyer"])
@pytest.mark.parametrize("channel", ["voice", "ivr"])
def test_china_ends_the_day_of_calls_after_three_conversations_whoever_held_them(role: str, channel: str) -> None:
    """CN-GBT45251-FREQ: GB/T 45251-2025"""
    placed = notice(on("2026-10-01T09:00", SHANGHAI), "placement_notice")
    by_the_bank, *by_agencies = calls(on("2026-11-23T09:00", SHANGHAI), 3, "conversation")
    talked = (placed, by_the_bank, *(replace(one, point_id="p9", case_ids=("c9",)) for one in by_agencies))
    fourth = replace(CHINA_CALL, channel=channel, role=role, history=talked)
    assert refusing(fourth, IN_THE_EVENING) == {"CN-GBT45251-FREQ"}
    assert opens(fourth, IN_THE_EVENING) == on("2026-11-24T08:00", SHANGHAI)
    assert refusing(replace(fourth, history=talked[:3]), IN_THE_EVENING) == set()
    assert refusing(replace(fourth, creditor_id="k2", history=talked[1:], role="first_party"), IN_THE_EVENING) == set()


def test_australia_lets_three_a_week_and_ten_a_month_go() -> None:
    """
    AU-RG96-WEEK: RG 96
    AU-RG96-MONTH: RG 96
    """
    first = on("2026-11-02T10:00", SYDNEY)
    days = (0, 2, 4, 7, 9, 11, 14, 16, 18, 21)
    sent = [past(first + day * DAY) for day in days]
    text = touch("AU", SYDNEY)

    def after(number: int) -> set[str]:
        return refusing(replace(text, history=tuple(sent[:number])), sent[number].at)

    assert [after(number) for number in range(len(days))] == [set()] * len(days), "three every week, ten in all"
    friday = first + 5 * DAY
    assert refusing(replace(text, history=tuple(sent[:3])), friday) == {"AU-RG96-WEEK"}
    eleventh = replace(text, history=tuple(sent))
    later = on("2026-11-26T10:00", SYDNEY)
    assert refusing(eleventh, later) == {"AU-RG96-MONTH"}
    assert opens(eleventh, later) == on("2026-12-01T00:00", SYDNEY)


RUSSIAN_NOON = "2026-11-{:02}T12:00"


def test_russia_binds_by_day_by_week_and_by_month_in_turn() -> None:
    """
    RU-230-CALL-DAY: 230-FZ Art. 7
    RU-230-CALL-WEEK: 230-FZ Art. 7
    RU-230-CALL-MONTH: 230-FZ Art. 7
    """
    days = (2, 5, 9, 12, 16, 19, 23, 26)
    talks = tuple(past(on(RUSSIAN_NOON.format(day), MOSCOW), "voice", "conversation") for day in days)

    def bound(number: int, clock: str) -> tuple[set[str], datetime | None]:
        call, at = touch("RU", MOSCOW, "voice", history=talks[:number]), on(clock, MOSCOW)
        return refusing(call, at), opens(call, at)

    assert bound(1, "2026-11-02T15:00") == ({"RU-230-CALL-DAY"}, on("2026-11-03T08:00", MOSCOW))
    assert bound(2, "2026-11-06T15:00") == ({"RU-230-CALL-WEEK"}, on("2026-11-09T12:00", MOSCOW))
    assert bound(8, "2026-11-30T15:00") == ({"RU-230-CALL-MONTH"}, on("2026-12-01T08:00", MOSCOW))


@pytest.mark.parametrize(
    ("days", "clock"),
    [
        ((10, 10), "2026-11-10T20:00"),
        ((10, 10, 11, 12), "2026-11-13T20:00"),
        ((2, 2, 3, 3, 9, 9, 10, 10, 16, 16, 17, 17, 23, 23, 24, 24), "2026-11-30T20:00"),
    ],
)
def test_russia_binds_messages_by_day_by_week_and_by_month_in_turn(days: tuple[int, ...], clock: str) -> None:
    """RU-230-SMS: 230-FZ Art. 7"""
    sent = tuple(past(on(RUSSIAN_NOON.format(day), MOSCOW) + index * SECOND) for index, day in enumerate(days))
    text = touch("RU", MOSCOW, history=sent)
    assert refusing(text, on(clock, MOSCOW)) == {"RU-230-SMS"}
    assert refusing(replace(text, history=sent[1:]), on(clock, MOSCOW)) == set()


def test_colombia_stays_on_one_channel_and_away_for_the_day() -> None:
    """
    CO-2300-DAY: Ley 2300 de 2023 Art. 3
    CO-2300-CHANNEL-WEEK: Ley 2300 de 2023 Art. 3
    """
    talked = past(on("2026-11-23T09:00", BOGOTA), "voice", "conversation")
    call = touch("CO", BOGOTA, "voice", history=(talked,))
    assert refusing(call, on("2026-11-23T15:00", BOGOTA)) == {"CO-2300-DAY"}
    assert refusing(call, on("2026-11-24T09:00", BOGOTA)) == set()
    text = replace(call, channel="sms")
    assert refusing(text, on("2026-11-25T09:00", BOGOTA)) == {"CO-2300-CHANNEL-WEEK"}
    assert opens(text, on("2026-11-25T09:00", BOGOTA)) == talked.at + 7 * DAY
    chat = replace(talked, channel="whatsapp", outcome="delivered")  # by another system
    assert refusing(replace(call, history=(chat,)), on("2026-11-24T09:00", BOGOTA)) == {"CO-2300-CHANNEL-WEEK"}


def test_chile_lets_two_messages_a_week_go_two_days_apart() -> None:
    """
    CL-21320-SPACING: Ley 21.320
    CL-21320-MSG: Ley 21.320
    """
    monday, tuesday, wednesday, friday = (on(f"2026-11-{day}T11:00", SANTIAGO) for day in (23, 24, 25, 27))
    text = touch("CL", SANTIAGO, history=(past(monday),))
    assert refusing(text, tuesday) == {"CL-21320-SPACING"}
    assert opens(text, tuesday) == on("2026-11-25T00:00", SANTIAGO)
    assert refusing(text, wednesday) == set()
    third = replace(text, history=(past(monday), past(wednesday, "email", point_id="m1")))
    assert refusing(third, friday) == {"CL-21320-MSG"}
    assert opens(third, friday) == monday + 7 * DAY


def in_november(zone: str, *days: int) -> tuple[Contact, ...]:
    return tuple(past(on(f"2026-11-{day:02}T10:00", zone)) for day in days)


def test_ireland_lets_three_contacts_a_calendar_month_go() -> None:
    """IE-CPC-ARREARS: Consumer Protection Code 2012 ch. 8"""
    text = touch("IE", DUBLIN, history=in_november(DUBLIN, 2, 9, 16))
    at = on("2026-11-23T12:00", DUBLIN)
    assert refusing(text, at) == {"IE-CPC-ARREARS"}
    assert opens(text, at) == on("2026-12-01T00:00", DUBLIN)
    assert refusing(replace(text, channel="voice"), at) == {"IE-CPC-ARREARS"}
    bounced = (*text.history[:2], replace(text.history[2], outcome="bounced"))
    assert refusing(replace(text, history=bounced), at) == set(), "what did not arrive did not succeed"
    assert refusing(replace(text, days_past_due=0), at) == set(), "nobody is in arrears yet"


START_NOTICE = notice(on("2026-10-01T10:00", SEOUL), "start_notice")
KOREA = touch("KR", SEOUL, history=(START_NOTICE,))


def test_korea_counts_seven_contacts_for_each_claim_but_no_statutory_notice() -> None:
    """
    KR-PFDA-7IN7: 개인금융채권의 관리 및 개인금융채무자의 보호에 관한 법률 Art. 16
    KR-PFDA-STARTNOTICE: 개인금융채권의 관리 및 개인금융채무자의 보호에 관한 법률 Art. 15
    """
    seven = in_november(SEOUL, 17, 18, 19, 20, 21, 22, 23)
    at = on("2026-11-23T15:00", SEOUL)
    eighth = replace(KOREA, history=(START_NOTICE, *seven))
    assert refusing(eighth, at) == {"KR-PFDA-7IN7"}
    assert opens(eighth, at) == seven[0].at + 7 * DAY
    letter = notice(on("2026-11-20T10:00", SEOUL), "statement")
    assert refusing(replace(KOREA, history=(START_NOTICE, letter, *seven[1:])), at) == set()
    assert refusing(replace(eighth, purpose="statutory_notice"), at) == set()
    other_claim = replace(eighth, case_id="c2", history=(*eighth.history, replace(START_NOTICE, case_ids=("c2",))))
    assert refusing(other_claim, at) == set()
    assert refusing(replace(KOREA, history=()), at) == {"KR-PFDA-STARTNOTICE"}


def test_korea_lets_28_hours_a_week_be_named_and_no_29th() -> None:
    """KR-PFDA-QUIET28: 개인금융채권의 관리 및 개인금융채무자의 보호에 관한 법률 Art. 18"""
    at = on("2026-11-23T18:30", SEOUL)
    evenings = PersonalWindow("bar", "17:00", "21:00", ())  # four hours a day
    answer = may_name(KOREA, LAW, at, evenings)
    assert (answer.permitted, answer.hours, answer.most, answer.rule_id) == (True, 28.0, 28, "KR-PFDA-QUIET28")
    named = replace(KOREA, personal_windows=(evenings,))
    assert refusing(named, at) == {"core.personal_window"}
    assert opens(named, at) == on("2026-11-24T08:00", SEOUL)
    one_more = may_name(named, LAW, at, PersonalWindow("bar", "09:00", "10:00", ("mon",)))
    assert (one_more.permitted, one_more.hours) == (False, 29.0)


def test_a_rolling_week_lets_go_at_the_same_instant_a_week_later() -> None:
    """AU-RG96-WEEK: RG 96"""
    first = on("2026-11-16T10:00", SYDNEY)
    text = touch("AU", SYDNEY, history=tuple(past(first + index * HOUR) for index in range(3)))
    end = first + 7 * DAY
    assert refusing(text, end - SECOND / 1_000_000) == {"AU-RG96-WEEK"}
    assert refusing(text, end) == set()
    assert opens(text, first + DAY) == end


def test_an_hour_set_back_makes_neither_the_seven_days_nor_the_night_shorter() -> None:
    """
    US-REGF-7IN7: 12 CFR 1006.14(b)(2)(i)(A)
    US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)
    """
    saturday = on("2026-10-31T20:00", CENTRAL)  # the clock goes back that night
    seven = tuple(past(saturday, "voice", "no_answer") for _ in range(7))
    call = agency("US-TX", CENTRAL, "voice", history=seven)
    # 168 hours end at 19:00 on the wall, an hour before the wall shows the hour of the calls again.
    assert opens(call, saturday) == saturday + 7 * DAY == on("2026-11-07T19:00", CENTRAL)
    night = replace(call, history=())
    closed = on("2026-10-31T21:00", CENTRAL)
    assert opens(night, closed) == closed + 12 * HOUR == on("2026-11-01T08:00", CENTRAL)


@pytest.mark.parametrize(("year", "last"), [(2027, "28"), (2028, "29")])
def test_a_calendar_month_of_28_and_of_29_days_ends_on_its_last_night(year: int, last: str) -> None:
    """IE-CPC-ARREARS: Consumer Protection Code 2012 ch. 8"""
    sent = tuple(past(on(f"{year}-02-{day}T10:00", DUBLIN)) for day in ("01", "14", last))
    text = touch("IE", DUBLIN, history=sent)
    evening = on(f"{year}-02-{last}T23:59:59", DUBLIN)
    assert refusing(text, evening) == {"IE-CPC-ARREARS"}
    assert opens(text, evening) == evening + SECOND == on(f"{year}-03-01T00:00", DUBLIN)


def test_a_contact_that_a_fast_clock_put_in_the_future_counts() -> None:
    """AU-RG96-WEEK: RG 96"""
    at = on("2026-11-23T12:00", SYDNEY)
    ahead = tuple(past(at + index * HOUR) for index in (-2, -1, 1))
    assert refusing(touch("AU", SYDNEY, history=ahead), at) == {"AU-RG96-WEEK"}
