"""Cases of contact law, the United States: hours and whose clock they go by, and what counts how often.

Each case stands here once with the tests that prove it; a test without a path is in this file.

1. A text leaves until 20:59:59, and what was queued before nine does not leave after it
    test_a_text_leaves_until_the_last_second_before_nine
    test_a_text_queued_before_nine_does_not_leave_after_it
    tests/flows/test_dispatch.py::test_the_provider_is_given_the_rest_of_the_window_and_no_more
2. Eight in the morning where clocks change and where they never do
    test_eight_in_the_morning_on_both_sundays_of_the_clocks
3. An address and an area code in different zones; Florida goes by the area code
    test_an_address_and_an_area_code_leave_the_hours_that_suit_both
    test_florida_goes_by_the_area_code_of_a_call_unless_told_otherwise
    test_florida_let_emails_go_and_keeps_texts_to_every_clock
4. The District's own clock, and landlines against mobiles in Washington
    test_the_district_keeps_its_own_clock_wherever_people_are
    test_washington_goes_by_the_code_of_a_landline_and_by_the_home_of_a_mobile
5. A household of Massachusetts that lives in the west
    test_a_household_of_massachusetts_is_called_by_the_eastern_clock
6. Candidate zones without a common hour
    test_places_without_a_common_hour_are_refused_for_good
    tests/unit/policy/test_policy_hours.py::test_zones_that_share_no_hour_are_refused_with_the_reason
12. Seven unanswered calls in seven days
    test_the_eighth_call_about_a_debt_is_refused_and_about_another_only_by_the_house
13. What uses one of the seven
    test_a_busy_line_uses_no_slot_and_a_voicemail_does
14. A conversation on a Monday
    test_after_a_conversation_calls_rest_until_the_next_monday
15. They called, and asked to be called back
    test_a_conversation_they_began_starts_the_rest_and_one_callback_is_theirs
16. Consent to more calls
    test_consent_to_more_calls_lifts_the_cap_and_lapses
17. Massachusetts: what could have left a voicemail counts
    test_massachusetts_counts_what_could_have_left_a_voicemail
    test_massachusetts_refuses_the_third_contact_it_counts
18. Washington: three a week in any form, two a day to a mobile
    test_washington_counts_letters_calls_and_emails_together
    test_washington_answers_whoever_answers
    test_washington_lets_a_mobile_be_tried_twice_a_day
19. The District of Columbia: messages, the question for consent, the mailed notice
    test_the_district_lets_five_messages_about_an_account_go
    test_the_district_lets_consent_be_asked_for_once_a_week
    test_the_district_wants_a_letter_before_a_text
20. New York City before and after the first of September 2026
    test_new_york_city_counts_by_person_until_august_and_by_account_from_september
    test_new_york_city_binds_a_creditor_once_the_debt_is_accelerated
"""

from dataclasses import replace

import pytest
from law_samples import (
    CENTRAL,
    DAY,
    EASTERN,
    HAWAII,
    HOUR,
    LAW,
    PACIFIC,
    SECOND,
    agency,
    alone,
    calls,
    given,
    house_refusing,
    mailbox,
    notice,
    on,
    opens,
    past,
    phone,
    refusing,
    touch,
    word,
)

from outreach.policy.decision import Verdict
from outreach.policy.facts import Contact
from outreach.policy.gate import decide

NOON = "2026-11-23T12:00"  # a Monday
REG_F_HOURS = {"US-REGF-HOURS", "US-REGF-HOURS-AMBIGUOUS"}
LATELY = given("contact", "express", at=on("2026-11-01T00:00", EASTERN))
TEXAS = agency("US-TX", CENTRAL, "voice")
NOW = on("2026-11-23T11:00", CENTRAL)
WEEK_AGO = on("2026-11-17T10:00", CENTRAL)


@pytest.mark.parametrize(
    ("clock", "refused"), [("20:59:59", set()), ("21:00:00", REG_F_HOURS), ("07:59:59", REG_F_HOURS)]
)
def test_a_text_leaves_until_the_last_second_before_nine(clock: str, refused: set[str]) -> None:
    """
    US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)
    US-REGF-HOURS-AMBIGUOUS: 12 CFR 1006 Supp. I, cmt. 6(b)(1)(i)-2
    """
    text = agency("US-NY", EASTERN, consents=LATELY)
    assert refusing(text, on(f"2026-11-23T{clock}", EASTERN)) == refused
    assert refusing(replace(text, role="first_party"), on(f"2026-11-23T{clock}", EASTERN)) == set()


def test_a_text_queued_before_nine_does_not_leave_after_it() -> None:
    """US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)"""
    text = agency("US-NY", EASTERN, consents=LATELY)
    queued = decide(text, LAW, on("2026-11-23T20:58", EASTERN))
    assert (queued.verdict, queued.send_before) == (Verdict.SEND, on("2026-11-23T21:00", EASTERN))
    late = on("2026-11-23T21:02", EASTERN)
    assert refusing(text, late) == REG_F_HOURS
    assert opens(text, late) == on("2026-11-24T08:00", EASTERN)


@pytest.mark.parametrize("sunday", ["2026-03-08", "2026-11-01"])
@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("US-AZ", "America/Phoenix"),
        ("US-HI", HAWAII),
        ("US-IN", "America/Indiana/Indianapolis"),
        ("US-IN", "America/Indiana/Knox"),
    ],
)
def test_eight_in_the_morning_on_both_sundays_of_the_clocks(place: str, zone: str, sunday: str) -> None:
    """US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)"""
    early, eight = on(f"{sunday}T07:59:59", zone), on(f"{sunday}T08:00:00", zone)
    text = agency(place, zone, consents=given("contact", at=early - DAY))
    assert eight - early == SECOND
    assert refusing(text, early) == REG_F_HOURS
    assert opens(text, early) == eight
    assert refusing(text, eight) == set()


def test_an_address_and_an_area_code_leave_the_hours_that_suit_both() -> None:
    """
    US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)
    US-REGF-HOURS-AMBIGUOUS: 12 CFR 1006 Supp. I, cmt. 6(b)(1)(i)-2
    """
    call = agency("US-NY", EASTERN, "voice", point=phone(regions=("US-CA",), zones=(PACIFIC,)))
    early, eleven = on("2026-11-23T10:59", EASTERN), on("2026-11-23T11:00", EASTERN)
    assert refusing(call, early) >= REG_F_HOURS
    assert opens(call, early) == eleven
    assert decide(call, LAW, eleven).send_before == on("2026-11-23T21:00", EASTERN)


def test_florida_goes_by_the_area_code_of_a_call_unless_told_otherwise() -> None:
    """US-FL-HOURS: Fla. Stat. 559.72(17)"""
    call = touch("US-FL", EASTERN, "voice", point=phone(zones=(PACIFIC,)))
    late = on("2026-11-23T23:00", EASTERN)  # 20:00 where the code is from
    assert refusing(call, on("2026-11-23T10:59", EASTERN)) == {"US-FL-HOURS"}
    assert refusing(call, on("2026-11-23T11:00", EASTERN)) == set()
    assert refusing(call, late) == set()
    assert refusing(replace(call, located_zones=(EASTERN,)), late) == {"US-FL-HOURS"}


def test_florida_let_emails_go_and_keeps_texts_to_every_clock() -> None:
    """
    US-FL-HOURS.email: Fla. Stat. 559.72(17)
    US-FL-HOURS.texts: Fla. Stat. 559.72(17)
    """
    email = touch("US-FL", EASTERN, "email")
    assert refusing(email, on("2025-05-15T23:00", EASTERN)) == {"US-FL-HOURS.email"}
    assert refusing(email, on("2025-05-16T23:00", EASTERN)) == set()
    text = touch("US-FL", EASTERN, point=phone(zones=(PACIFIC,)))
    assert refusing(text, on("2026-11-23T23:00", EASTERN)) == {"US-FL-HOURS.texts"}
    assert opens(text, on("2026-11-23T10:00", EASTERN)) == on("2026-11-23T11:00", EASTERN)


@pytest.mark.parametrize("zones", [(EASTERN, HAWAII), (HAWAII,)])
def test_the_district_keeps_its_own_clock_wherever_people_are(zones: tuple[str, ...]) -> None:
    """US-DC-HOURS: D.C. Code 28-3814(k)"""
    call = touch("US-DC", zones, "voice", located_zones=(HAWAII,))
    late = on("2026-11-23T21:30", EASTERN)  # 16:30 in Hawaii
    assert refusing(call, late) == {"US-DC-HOURS"}
    assert opens(call, late) == on("2026-11-24T08:00", EASTERN)  # 03:00 in Hawaii


@pytest.mark.parametrize(
    ("type_", "pacific", "refused"),
    [("fixed_line", "18:30", True), ("mobile", "18:30", False), ("mobile", "07:45", False), ("mobile", "07:29", True)],
)
def test_washington_goes_by_the_code_of_a_landline_and_by_the_home_of_a_mobile(
    type_: str, pacific: str, refused: bool
) -> None:
    """US-WA-HOURS: RCW 19.16.250(13)(c)"""
    call = agency("US-WA", PACIFIC, "voice", point=phone(type=type_, label="home", zones=(EASTERN,)))
    assert ("US-WA-HOURS" in refusing(call, on(f"2026-11-23T{pacific}", PACIFIC))) is refused


@pytest.mark.parametrize(("clock", "refused"), [("07:59", True), ("08:00", False), ("20:59", False), ("21:00", True)])
def test_a_household_of_massachusetts_is_called_by_the_eastern_clock(clock: str, refused: bool) -> None:
    """US-MA-HOUSEHOLD-HOURS: 940 CMR 7.05(3)(e)"""
    call = touch("US-MA", PACIFIC, "voice", recipient="household")
    at = on(f"2026-11-23T{clock}", EASTERN)
    assert refusing(call, at) == ({"US-MA-HOUSEHOLD-HOURS"} if refused else set())
    own = replace(call, recipient="debtor")
    assert refusing(own, on("2026-11-23T08:00", EASTERN)) == {"US-MA-HOURS"}  # 05:00 where they live


def test_places_without_a_common_hour_are_refused_for_good() -> None:
    """US-REGF-HOURS-AMBIGUOUS: 12 CFR 1006 Supp. I, cmt. 6(b)(1)(i)-2"""
    text = agency("US-TX", (EASTERN, "Pacific/Guam", "Europe/Moscow"), consents=LATELY)
    at = on(NOON, EASTERN)
    decision = decide(text, LAW, at)
    assert (decision.verdict, decision.until, opens(text, at)) == (Verdict.BLOCK, None, None)
    assert {"quiet_hours.no_common_hours"} <= {reason.code for reason in decision.reasons}


def test_the_eighth_call_about_a_debt_is_refused_and_about_another_only_by_the_house() -> None:
    """
    US-REGF-7IN7: 12 CFR 1006.14(b)(2)(i)(A)
    house.calls: house policy
    """
    seven = calls(WEEK_AGO, 7)
    assert refusing(replace(TEXAS, history=seven[:6]), NOW) == set()
    assert refusing(replace(TEXAS, history=seven), NOW) == {"US-REGF-7IN7"}
    other_debt = replace(TEXAS, history=seven, case_id="c2")
    assert refusing(other_debt, NOW) == set()
    assert "house.calls" in house_refusing(other_debt, NOW)
    # By dates and by hours, the stricter: the first call's seventh date ends before its 168 hours do.
    assert opens(replace(TEXAS, history=seven), NOW) == WEEK_AGO + 7 * DAY


def test_a_busy_line_uses_no_slot_and_a_voicemail_does() -> None:
    """US-REGF-7IN7: 12 CFR 1006.14(b)(2)(i)(A)"""
    vain = calls(WEEK_AGO, 7, "busy") + calls(WEEK_AGO + DAY, 7, "not_connected")
    heard = calls(WEEK_AGO, 4, "voicemail_left") + calls(WEEK_AGO + DAY, 3, "limited_content_left")
    assert refusing(replace(TEXAS, history=vain), NOW) == set()
    assert refusing(replace(TEXAS, history=heard), NOW) == {"US-REGF-7IN7"}


@pytest.mark.parametrize(
    ("monday", "sunday", "next_monday"),
    [
        ("2026-11-09", "2026-11-15", "2026-11-16"),
        ("2026-10-26", "2026-11-01", "2026-11-02"),  # the clock goes back on that Sunday
        ("2026-03-02", "2026-03-08", "2026-03-09"),  # and forward on that one
    ],
)
def test_after_a_conversation_calls_rest_until_the_next_monday(monday: str, sunday: str, next_monday: str) -> None:
    """US-REGF-COOLDOWN: 12 CFR 1006.14(b)(2)(i)(B)"""
    talked = replace(TEXAS, history=(past(on(f"{monday}T20:00", CENTRAL), "voice", "conversation"),))
    late = on(f"{sunday}T20:59", CENTRAL)
    assert refusing(talked, late) == {"US-REGF-COOLDOWN"}
    assert alone(talked, late, "US-REGF-COOLDOWN") == on(f"{next_monday}T00:00", CENTRAL)
    assert opens(talked, late) == on(f"{next_monday}T08:00", CENTRAL)
    text = agency("US-TX", CENTRAL, history=talked.history, consents=given("contact", at=late - DAY))
    assert refusing(text, late) == set()


def test_a_conversation_they_began_starts_the_rest_and_one_callback_is_theirs() -> None:
    """US-REGF-COOLDOWN: 12 CFR 1006.14(b)(2)(i)(B)"""
    began = past(NOW - DAY, "voice", "conversation", direction="in")
    assert refusing(replace(TEXAS, history=(began,)), NOW) == {"US-REGF-COOLDOWN"}
    wish = (word("requested_callback", NOW - DAY, NOW + 2 * DAY, "voice"),)
    callback = replace(TEXAS, history=(began,), overrides=wish, purpose="requested_callback")
    assert refusing(callback, NOW) == set()
    rang = past(NOW - HOUR, "voice", "no_answer", purpose="requested_callback")
    assert refusing(replace(callback, history=(began, rang)), NOW) == {"US-REGF-COOLDOWN"}
    assert refusing(replace(callback, overrides=(replace(wish[0], used=True),)), NOW) == {"US-REGF-COOLDOWN"}
    assert refusing(replace(callback, purpose="reminder"), NOW) == {"US-REGF-COOLDOWN"}


def test_consent_to_more_calls_lifts_the_cap_and_lapses() -> None:
    """US-REGF-7IN7: 12 CFR 1006.14(b)(2)(i)(A)"""
    more = word("consent_to_extra", NOW - DAY, NOW + 6 * DAY, "voice")
    asked = replace(TEXAS, history=calls(WEEK_AGO, 7), overrides=(more,))
    assert refusing(asked, NOW) == set()
    later = NOW + 6 * DAY
    assert refusing(replace(asked, history=calls(later - 5 * DAY, 7)), later) == {"US-REGF-7IN7"}


@pytest.mark.parametrize(("outcome", "counts"), [("voicemail_possible", True), ("no_answer", False), ("busy", False)])
def test_massachusetts_counts_what_could_have_left_a_voicemail(outcome: str, counts: bool) -> None:
    """US-MA-FREQ-HOME: 940 CMR 7.04(1)(f)"""
    rang = calls(on("2026-11-20T10:00", EASTERN), 2, outcome)
    call = touch("US-MA", EASTERN, "voice", history=rang)
    assert refusing(call, on(NOON, EASTERN)) == ({"US-MA-FREQ-HOME"} if counts else set())


@pytest.mark.parametrize("channel", ["sms", "voice", "ivr"])
def test_massachusetts_refuses_the_third_contact_it_counts(channel: str) -> None:
    """US-MA-FREQ-HOME: 940 CMR 7.04(1)(f)"""
    first = on("2026-11-20T10:00", EASTERN)
    both = (past(first), past(first + DAY, "voice", "voicemail_left"))
    third = touch("US-MA", EASTERN, channel, history=both)
    assert refusing(replace(third, history=both[1:]), on(NOON, EASTERN)) == set()
    assert refusing(third, on(NOON, EASTERN)) == {"US-MA-FREQ-HOME"}
    assert opens(third, on(NOON, EASTERN)) == first + 7 * DAY
    assert refusing(replace(third, channel="email", point=mailbox()), on(NOON, EASTERN)) == set()
    assert refusing(replace(third, case_id="c2"), on(NOON, EASTERN)) == set()


WASHINGTON = agency("US-WA", PACIFIC, consents=LATELY)
WEEK_IN_WASHINGTON = (
    past(on("2026-11-18T10:00", PACIFIC), "mail", "sent", point_id=""),
    past(on("2026-11-19T10:00", PACIFIC), "voice", "conversation", case_ids=("c9",)),
    past(on("2026-11-20T10:00", PACIFIC), "email", point_id="m1"),
)


def test_washington_counts_letters_calls_and_emails_together() -> None:
    """US-WA-FREQ-WEEK: RCW 19.16.250(13)(a)"""
    at = on(NOON, PACIFIC)
    assert refusing(replace(WASHINGTON, history=WEEK_IN_WASHINGTON[1:]), at) == set()
    fourth = replace(WASHINGTON, history=WEEK_IN_WASHINGTON)
    assert refusing(fourth, at) == {"US-WA-FREQ-WEEK"}
    assert opens(fourth, at) == on("2026-11-25T10:00", PACIFIC)
    assert refusing(replace(fourth, case_id="c7"), at) == {"US-WA-FREQ-WEEK"}, "per person, whatever the debts"


def test_washington_answers_whoever_answers() -> None:
    """US-WA-FREQ-WEEK: RCW 19.16.250(13)(a)"""
    answer = replace(WASHINGTON, history=WEEK_IN_WASHINGTON, purpose="reply")
    assert refusing(answer, on(NOON, PACIFIC)) == set()
    assert refusing(replace(answer, purpose="reminder"), on(NOON, PACIFIC)) == {"US-WA-FREQ-WEEK"}
    answered = past(on("2026-11-21T10:00", PACIFIC), purpose="reply")
    after = replace(WASHINGTON, history=(*WEEK_IN_WASHINGTON[1:], answered))
    assert refusing(after, on(NOON, PACIFIC)) == set(), "an answer uses no slot"


def test_washington_lets_a_mobile_be_tried_twice_a_day() -> None:
    """US-WA-CELL-DAY: RCW 19.16.250(18)"""
    today = calls(on("2026-11-23T09:00", PACIFIC), 2)
    third = replace(WASHINGTON, history=today)
    assert refusing(third, on(NOON, PACIFIC)) == {"US-WA-CELL-DAY"}
    assert alone(third, on(NOON, PACIFIC), "US-WA-CELL-DAY") == on("2026-11-24T00:00", PACIFIC)
    assert refusing(replace(third, point=phone("p2")), on(NOON, PACIFIC)) == set()


RIGHTS = notice(on("2026-10-01T10:00", EASTERN), "document_rights_notice")
DISTRICT = touch("US-DC", EASTERN, history=(RIGHTS,))


def messages(number: int, purpose: str = "reminder") -> tuple[Contact, ...]:
    start = on("2026-11-18T10:00", EASTERN)
    mixed = ("email", "sms")
    return tuple(past(start + index * HOUR, mixed[index % 2], purpose=purpose) for index in range(number))


def test_the_district_lets_five_messages_about_an_account_go() -> None:
    """US-DC-FREQ-MSG: D.C. Code 28-3814(d)(4)(B)(iii)(I)-(II)"""
    at = on(NOON, EASTERN)
    assert refusing(replace(DISTRICT, history=(RIGHTS, *messages(4))), at) == set()
    sixth = replace(DISTRICT, history=(RIGHTS, *messages(5)))
    assert refusing(sixth, at) == {"US-DC-FREQ-MSG"}
    assert opens(sixth, at) == on("2026-11-25T10:00", EASTERN)
    assert refusing(replace(sixth, channel="email", point=mailbox()), at) == {"US-DC-FREQ-MSG"}
    assert refusing(replace(sixth, history=(replace(RIGHTS, case_ids=("c2",)), *sixth.history), case_id="c2"), at) == (
        set()
    )


def test_the_district_lets_consent_be_asked_for_once_a_week() -> None:
    """
    US-DC-CONSENT-ASK: D.C. Code 28-3814(d)(4)(B)(ii)
    US-DC-CONSENT-ASK.consent: D.C. Code 28-3814(d)(4)(B)(ii)
    """
    at = on(NOON, EASTERN)
    unasked = replace(DISTRICT, consents=())
    assert refusing(unasked, at) == {"US-DC-CONSENT-ASK.consent"}
    question = replace(unasked, purpose="consent_request")
    assert refusing(question, at) == set()
    again = replace(question, history=(RIGHTS, *messages(1, "consent_request")))
    assert refusing(again, at) == {"US-DC-CONSENT-ASK"}
    assert opens(again, at) == on("2026-11-25T10:00", EASTERN)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_the_district_wants_a_letter_before_a_text(channel: str) -> None:
    """US-DC-NOTICE-FIRST: D.C. Code 28-3814(d)(4)(B)(i)"""
    at = on(NOON, EASTERN)
    text = touch("US-DC", EASTERN, channel)
    assert refusing(text, at) == {"US-DC-NOTICE-FIRST"}
    assert refusing(replace(text, history=(RIGHTS,)), at) == set()
    assert refusing(replace(text, history=(replace(RIGHTS, channel="email"),)), at) == {"US-DC-NOTICE-FIRST"}
    assert refusing(touch("US-DC", EASTERN, "voice"), at) == set()


AUGUST, SEPTEMBER = on("2026-08-31T12:00", EASTERN), on("2026-09-01T12:00", EASTERN)
CITY = agency("US-NY-NYC", EASTERN, "voice")


def test_new_york_city_counts_by_person_until_august_and_by_account_from_september() -> None:
    """
    US-NY-NYC-FREQ-OLD: 6 RCNY 5-77(b)(1)(iv)
    US-NY-NYC-FREQ: 6 RCNY 5-77(b)
    """
    other_account = replace(CITY, history=calls(on("2026-08-28T10:00", EASTERN), 2, case_ids=("c9",)))
    assert refusing(other_account, AUGUST) == {"US-NY-NYC-FREQ-OLD"}
    assert refusing(other_account, SEPTEMBER) == set()
    same_account = replace(CITY, history=calls(on("2026-08-29T10:00", EASTERN), 3))
    assert refusing(same_account, AUGUST) == {"US-NY-NYC-FREQ-OLD"}
    assert refusing(same_account, SEPTEMBER) == {"US-NY-NYC-FREQ"}
    assert opens(other_account, AUGUST) == on("2026-09-01T08:00", EASTERN), "the old cap ends with its law"


def test_new_york_city_binds_a_creditor_once_the_debt_is_accelerated() -> None:
    """
    US-NY-NYC-FREQ.creditor: 6 RCNY 5-77(b)
    US-NY-NYC-FIRSTPARTY: 6 RCNY 5-76, 5-77
    """
    creditor = replace(CITY, role="first_party", history=calls(on("2026-08-29T10:00", EASTERN), 3))
    assert refusing(creditor, SEPTEMBER) == set()
    assert refusing(replace(creditor, accelerated=True), SEPTEMBER) == {"US-NY-NYC-FREQ.creditor"}
    assert refusing(replace(creditor, accelerated=None), SEPTEMBER) == {"US-NY-NYC-FREQ.creditor"}, "not known"
    assert refusing(replace(creditor, accelerated=True), AUGUST) == set()
