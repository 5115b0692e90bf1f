"""Cases of contact law, people: what they refuse, what makes a case rest, and who else may be there.

Each case stands here once with the tests that prove it; a test without a path is in this file. What the store and the
flows prove on a real database is named with its path.

27. Two workers at the last slot, a crash after the dial, one outcome told twice
    test_a_slot_is_taken_while_nobody_knows_what_came_of_the_call
    tests/store/test_cap_race.py::test_one_borrowers_last_slot_is_given_away_once
    tests/store/test_cap_race.py::test_processes_race_as_harmlessly_as_tasks
    tests/flows/test_sweeps.py::test_an_attempt_the_provider_does_not_know_is_listed_and_never_sent_again
    tests/flows/test_receipts.py::test_the_same_callback_again_is_not_even_stored
    tests/e2e/test_kill.py::test_nothing_is_sent_twice_and_nothing_is_lost_whatever_dies
28. STOP against everything that waits, confirmed once
    test_a_stop_is_in_force_from_its_own_instant_and_confirmed_once
    tests/flows/test_contact_law_flows.py::test_one_stop_pulls_back_the_text_the_campaign_and_the_call_and_is_confirmed_once
    tests/flows/test_contact_law_flows.py::test_a_refusal_by_text_while_the_telephone_rings_reaches_the_call
    tests/flows/test_stop.py::test_a_stop_is_in_force_when_the_callback_returns
    tests/flows/test_stop.py::test_a_stop_is_confirmed_once_and_only_within_five_minutes
29. Words that refuse
    test_words_that_refuse_stop_everything_they_reach
    test_words_that_may_refuse_stop_until_somebody_has_read_them
    tests/flows/test_contact_law_flows.py::test_words_that_may_be_a_stop_send_nothing_more
30. A refusal about one programme
    test_a_refusal_about_one_case_leaves_the_others_and_one_about_none_leaves_nothing
    tests/flows/test_consents.py::test_a_clarifying_answer_narrows_what_was_refused_and_no_more
    tests/flows/test_consents.py::test_how_far_a_stop_reaches_is_configured_and_all_by_default
31. A refusal said to an agent or to a machine
    test_a_refusal_said_to_somebody_reaches_texts_and_emails
    test_a_refusal_of_one_kind_of_robocall_ends_all_from_the_day_the_rule_begins
    tests/flows/test_consents.py::test_what_is_said_to_somebody_reaches_every_channel
    tests/flows/test_calls.py::test_the_stop_key_works_before_anyone_is_identified_and_pulls_back_waiting_calls
32. START after STOP, and YES to a question about money
    test_what_is_opened_again_is_one_number_and_not_the_others
    tests/flows/test_consents.py::test_start_restores_one_number_for_one_programme_and_nothing_else
    tests/flows/test_consents.py::test_no_other_answer_opens_what_was_refused
    tests/flows/test_stop.py::test_yes_to_a_question_about_money_is_no_consent
33. A refusal at 23:59 on the Friday before a holiday
    test_a_refusal_before_a_long_weekend_has_ten_business_days_and_is_honoured_in_its_second
    tests/flows/test_contact_law_flows.py::test_a_stop_at_the_last_minute_of_a_friday_is_in_force_in_that_minute
34. An attorney
    test_an_attorney_ends_contact_and_only_michigan_lets_silence_end_that
    tests/flows/test_contact_law_flows.py::test_an_attorney_noted_while_a_call_rings_lets_it_end_politely_and_stops_the_rest
    tests/flows/test_contact_law_flows.py::test_what_comes_to_rest_while_they_prove_who_they_are_ends_the_call
    tests/flows/test_contact_law_flows.py::test_nothing_is_left_on_a_machine_once_the_case_rests
    tests/flows/test_contact_law_flows.py::test_a_call_about_another_debt_goes_on
35. Bankruptcy with letters in the queue
    test_a_bankruptcy_rests_every_channel_and_discharge_does_not_wake_them
    tests/flows/test_contact_law_flows.py::test_a_bankruptcy_pulls_back_everything_that_waits_on_every_debt
36. Breathing space on two debts of three
    test_breathing_space_rests_the_debts_it_lists_until_its_end
    test_a_mental_health_moratorium_has_no_end_until_one_is_known
37. A written dispute
    test_a_dispute_rests_the_debt_on_any_day_until_verification_went
38. A letter to cease
    test_a_letter_to_cease_leaves_nothing_that_goes_from_here
39. Notices that must have gone before
    test_nobody_is_called_before_the_notice_and_its_days
    test_a_notice_that_came_back_starts_its_days_again
40. A wrong number, and somebody else of the household
    test_a_wrong_number_is_dead_for_every_debt_and_every_agency
    test_a_household_hears_at_most_the_limited_words
    tests/flows/test_addresses.py::test_a_wrong_number_said_once_is_dead_on_every_debt_for_everyone_who_has_it
    tests/flows/test_calls.py::test_a_machine_hears_the_limited_words_and_a_fax_none
41. A mailbox at work, and consent that has grown old
    test_a_mailbox_at_work_waits_for_its_owners_word
    test_consent_to_texts_is_looked_at_again_after_sixty_days
    tests/flows/test_addresses.py::test_a_mailbox_at_an_employers_rests_until_its_owner_writes_from_it
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from law_samples import (
    CENTRAL,
    DAY,
    EASTERN,
    HOUR,
    LAW,
    LONDON,
    PACIFIC,
    SECOND,
    agency,
    calls,
    given,
    held,
    law_and,
    mailbox,
    missing,
    notice,
    on,
    opens,
    past,
    phone,
    refusing,
    said,
    stopped,
    touch,
    word,
)
from policy_samples import rule

from outreach.policy.facts import Contact, Facts
from outreach.policy.gate import decide
from outreach.policy.rules import Duty
from outreach.replies.reader import read

NOW = on("2026-11-23T11:00", CENTRAL)  # a Monday
LATELY = given("contact", "express", at=on("2026-11-01T00:00", EASTERN))
TEXT = agency("US-TX", CENTRAL, consents=LATELY)
ALL_CHANNELS = ("sms", "email", "voice", "ivr")
MINUTE = timedelta(minutes=1)


def by(channel: str, facts: Facts) -> Facts:
    """Return the same by another channel."""
    return replace(facts, channel=channel, point=mailbox() if channel == "email" else phone())


@pytest.mark.parametrize(
    ("outcome", "counts"), [("pending", True), ("unknown", True), ("released", False), ("rejected", False)]
)
def test_a_slot_is_taken_while_nobody_knows_what_came_of_the_call(outcome: str, counts: bool) -> None:
    """US-REGF-7IN7: 12 CFR 1006.14(b)(2)(i)(A)"""
    last = past(NOW - SECOND, "voice", outcome)
    call = by("voice", replace(TEXT, history=(*calls(NOW - DAY, 6), last)))
    assert ("US-REGF-7IN7" in refusing(call, NOW)) is counts
    assert (opens(call, NOW) == NOW) is not counts


def test_a_stop_is_in_force_from_its_own_instant_and_confirmed_once() -> None:
    """
    core.suppression: 47 CFR 64.1200(a)(12)
    US-TCPA-CONFIRM: 47 CFR 64.1200(a)(12)
    """
    refused = replace(TEXT, suppressions=stopped(NOW, "any"))
    for channel in ALL_CHANNELS:
        assert "core.suppression" in refusing(by(channel, refused), NOW)
        assert opens(by(channel, refused), NOW) is None
    confirmation = replace(refused, purpose="confirmation")
    assert refusing(confirmation, NOW) == set()
    assert refusing(confirmation, NOW + 5 * MINUTE) == {"core.suppression"}
    confirmed = replace(confirmation, history=(past(NOW + SECOND, purpose="confirmation"),))
    assert refusing(confirmed, NOW + MINUTE) == {"core.suppression", "US-TCPA-CONFIRM"}


def after(words: str, facts: Facts) -> Facts:
    """Return the facts once somebody has written these words by text."""
    return replace(facts, suppressions=tuple(one for each in read(words).stop_channels for one in stopped(NOW, each)))


@pytest.mark.parametrize(
    "words", ["STOP", "Stop.", "stop please", "no mas", "退订", "TD", "leave me alone", "ＳＴＯＰ"]
)
def test_words_that_refuse_stop_everything_they_reach(words: str) -> None:
    """
    core.suppression: house policy
    US-CTIA-KEYWORDS: CTIA Messaging Principles
    """
    for channel in ALL_CHANNELS:
        assert "core.suppression" in refusing(after(words, by(channel, TEXT)), NOW), channel


def test_words_that_may_refuse_stop_until_somebody_has_read_them() -> None:
    """core.suppression: house policy"""
    reading = read("I'll stop by Friday")
    assert reading.must_stop
    assert reading.confidence <= 0.6
    assert refusing(after("I'll stop by Friday", TEXT), NOW) == {"core.suppression"}
    assert refusing(after("I'll stop by the bank on Friday", TEXT), NOW) == set()


def test_a_refusal_about_one_case_leaves_the_others_and_one_about_none_leaves_nothing() -> None:
    """core.suppression: house policy"""
    everything = replace(TEXT, suppressions=stopped(NOW))
    only_one = replace(TEXT, suppressions=stopped(NOW, case_id="c1"))
    assert {case: refusing(replace(everything, case_id=case), NOW) for case in ("c1", "c2")} == {
        "c1": {"core.suppression"},
        "c2": {"core.suppression"},
    }
    assert refusing(only_one, NOW) == {"core.suppression"}
    assert refusing(replace(only_one, case_id="c2"), NOW) == set()


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_refusal_said_to_somebody_reaches_texts_and_emails(channel: str) -> None:
    """core.suppression: house policy"""
    told = replace(TEXT, suppressions=stopped(NOW - HOUR, "any"))
    assert refusing(by(channel, told), NOW) == {"core.suppression"}


def test_a_refusal_of_one_kind_of_robocall_ends_all_from_the_day_the_rule_begins() -> None:
    """
    US-TCPA-REVOKE: 47 CFR 64.1200(a)(10)
    US-TCPA-REVOKE-ALL: 47 CFR 64.1200(a)(10)
    """
    heard = stopped(on("2027-01-10T10:00", CENTRAL), "ivr")
    text = touch("US-TX", CENTRAL, actor="automated", suppressions=heard)
    before, since = on("2027-01-30T12:00", CENTRAL), on("2027-01-31T12:00", CENTRAL)
    assert refusing(by("voice", text), before) == {"US-TCPA-REVOKE"}
    assert refusing(text, before) == set()
    assert refusing(text, since) == {"US-TCPA-REVOKE-ALL"}
    assert refusing(replace(text, actor="human"), since) == set()


def test_what_is_opened_again_is_one_number_and_not_the_others() -> None:
    """core.suppression: house policy"""
    left = tuple(one for key in ("p2", "p3") for one in stopped(NOW, point_id=key))  # p1 was opened again
    assert refusing(replace(TEXT, suppressions=left), NOW) == set()
    for key in ("p2", "p3"):
        assert refusing(replace(TEXT, suppressions=left, point=phone(key)), NOW) == {"core.suppression"}


def test_a_refusal_before_a_long_weekend_has_ten_business_days_and_is_honoured_in_its_second() -> None:
    """
    US-TCPA-REVOKE.deadline: 47 CFR 64.1200(a)(10)
    core.suppression: house policy
    """
    duty = LAW.rule("US-TCPA-REVOKE.deadline")
    assert isinstance(duty, Duty)
    assert duty.honour_within == "10bd"
    friday = on("2026-09-04T23:59:00", EASTERN)  # Labor Day is the Monday after
    refused = replace(TEXT, zones=(EASTERN,), suppressions=stopped(friday))
    assert "core.suppression" in refusing(refused, friday)
    assert opens(refused, friday) is None
    # The outer limit, reckoned as the engine reckons business days: the first date after the tenth.
    ten = rule("gap", counts="touches", scope="borrower", wait={"per": "business_days", "length": "10d"})
    waited = decide(replace(refused, suppressions=(), history=(past(friday),)), law_and(ten), friday)
    (limit,) = [reason.until for reason in waited.reasons if reason.rule_id == "test.gap"]
    assert limit == on("2026-09-22T00:00", EASTERN), "Labor Day and two weekends are no business days"


@pytest.mark.parametrize(
    ("place", "zone", "rules"),
    [
        ("US-MI", EASTERN, set()),
        ("US-FL", EASTERN, {"US-FL-ATTORNEY", "core.hold"}),
        ("US-CA", PACIFIC, {"US-CA-ROSENTHAL-FDCPA.attorney", "core.hold"}),
        ("US-PA", EASTERN, {"US-PA-FCEUA-WORK.attorney", "core.hold"}),
    ],
)
def test_an_attorney_ends_contact_and_only_michigan_lets_silence_end_that(
    place: str, zone: str, rules: set[str]
) -> None:
    """
    US-MI-ATTORNEY: MCL 445.252(h)
    US-FL-ATTORNEY: Fla. Stat. 559.72(18)
    US-CA-ROSENTHAL-FDCPA.attorney: Cal. Civ. Code 1788.17
    US-PA-FCEUA-WORK.attorney: 73 P.S. 2270.4(b)
    """
    call = touch(place, zone, "voice", holds=held("attorney", since=NOW - 40 * DAY))
    silent = word("attorney_silent", NOW - 9 * DAY, NOW + 30 * DAY)
    assert "core.hold" in refusing(call, NOW)
    assert opens(call, NOW) is None
    assert refusing(replace(call, overrides=(silent,)), NOW) == rules
    assert "US-REGF-ATTORNEY" in refusing(replace(call, overrides=(silent,), role="agency"), NOW), (
        "no days are set there"
    )


@pytest.mark.parametrize("channel", ALL_CHANNELS)
def test_a_bankruptcy_rests_every_channel_and_discharge_does_not_wake_them(channel: str) -> None:
    """
    US-BANKRUPTCY-STAY: 11 USC 362(a)(6); 11 USC 524(a)(2)
    core.hold: house policy
    """
    filed = by(channel, touch("US-TX", CENTRAL, holds=held("bankruptcy", since=NOW)))
    assert refusing(filed, NOW) == {"US-BANKRUPTCY-STAY", "core.hold"}
    assert opens(filed, NOW + 3650 * DAY) is None, "discharge bars what the stay stopped"
    assert refusing(replace(filed, purpose="reply"), NOW) >= {"US-BANKRUPTCY-STAY", "core.hold"}


BREATHING = {"GB-EAW-BREATHING", "core.hold"}
CRISIS = {"GB-EAW-BREATHING-MH", "core.hold"}
IN_LONDON = touch("GB-ENG", LONDON, currency="GBP")


def test_breathing_space_rests_the_debts_it_lists_until_its_end() -> None:
    """GB-EAW-BREATHING: SI 2020/1311 regs 7, 11, 26"""
    since = on("2026-10-01T00:00", LONDON)
    end, early = on("2026-11-30T00:00", LONDON), on("2026-11-20T00:00", LONDON)
    at = on("2026-11-19T12:00", LONDON)
    listed = tuple(
        one for case in ("c1", "c2") for one in held("breathing_space", since=since, until=end, case_id=case)
    )
    resting = replace(IN_LONDON, holds=listed)
    for case in ("c1", "c2"):
        assert refusing(replace(resting, case_id=case), at) == BREATHING
        assert opens(replace(resting, case_id=case), at) == end
    assert refusing(replace(resting, case_id="c3"), at) == set()
    ended = replace(resting, holds=tuple(replace(one, until=early) for one in listed))
    assert opens(ended, at) == early
    assert refusing(touch("GB-SCT", LONDON, holds=listed), at) == {"core.hold"}, "another law, the same rest"


def test_a_mental_health_moratorium_has_no_end_until_one_is_known() -> None:
    """GB-EAW-BREATHING-MH: SI 2020/1311 Part 3"""
    at = on("2026-11-19T12:00", LONDON)
    in_treatment = replace(IN_LONDON, holds=held("moratorium", since=at - 200 * DAY))
    assert refusing(in_treatment, at) == CRISIS
    assert opens(in_treatment, at) is None
    treated = replace(in_treatment, holds=held("moratorium", since=at - 200 * DAY, until=at + 30 * DAY))
    assert opens(treated, at) == at + 30 * DAY


@pytest.mark.parametrize("day", [30, 31])
def test_a_dispute_rests_the_debt_on_any_day_until_verification_went(day: int) -> None:
    """US-REGF-DISPUTE-HOLD: 12 CFR 1006.38(b)-(d)"""
    validation = notice(NOW - day * DAY, "validation_notice")
    disputed = replace(TEXT, history=(validation,), holds=held("dispute", since=NOW - HOUR, case_id="c1"))
    both = {"US-REGF-DISPUTE-HOLD", "core.hold"}
    assert refusing(disputed, NOW) == both, "of a part of it too: the debt is one"
    assert refusing(replace(disputed, case_id="c2"), NOW) == set()
    sent = word("verification_sent", NOW - MINUTE, NOW + 30 * DAY)
    assert refusing(replace(disputed, overrides=(sent,)), NOW) == set()
    assert refusing(replace(disputed, overrides=(replace(sent, evidence=None),)), NOW) == both


@pytest.mark.parametrize("channel", ALL_CHANNELS)
@pytest.mark.parametrize("purpose", ["reminder", "reply", "statutory_notice", "arrangement", "requested_callback"])
def test_a_letter_to_cease_leaves_nothing_that_goes_from_here(channel: str, purpose: str) -> None:
    """
    US-REGF-CEASE: 12 CFR 1006.6(c)
    core.hold: house policy
    """
    # The two notices that the law still permits are letters, and letters do not go from here.
    ceased = by(channel, replace(TEXT, purpose=purpose, holds=held("cease", since=NOW)))
    assert refusing(ceased, NOW) == {"US-REGF-CEASE", "core.hold"}
    first_party = replace(ceased, role="first_party")
    assert refusing(first_party, NOW) == {"core.hold"}, "whom Regulation F does not bind"
    assert opens(ceased, NOW) is None


PLACES = [
    ("CA-ON", "America/Toronto", "collection_notice", "agency", "personal_loan", 6, "CA-ON-NOTICE"),
    ("CA-QC", "America/Toronto", "payment_notice", "agency", "personal_loan", 5, "CA-QC-NOTICE"),
    ("CA-BC", "America/Vancouver", "collection_notice", "first_party", "personal_loan", 5, "CA-BC-NOTICE"),
    ("US-NV", PACIFIC, "medical_debt_notice", "agency", "medical", 60, "US-NV-MEDICAL-60"),
]


def noticed(place: str, zone: str, name: str, role: str, product: str, *sent: Contact) -> Facts:
    letters = sent or (notice(on("2026-08-05T12:00", zone), name),)
    return touch(place, zone, "voice", role=role, product=product, history=letters)


@pytest.mark.parametrize(("place", "zone", "name", "role", "product", "days", "rule_id"), PLACES)
def test_nobody_is_called_before_the_notice_and_its_days(
    place: str, zone: str, name: str, role: str, product: str, days: int, rule_id: str
) -> None:
    """
    CA-ON-NOTICE: R.R.O. 1990 Reg. 74 s 21
    CA-QC-NOTICE: CQLR c R-2.2, s 34(1),(1.1)
    CA-BC-NOTICE: BPCPA, SBC 2004 c 2, ss 113, 115
    US-NV-MEDICAL-60: NRS 649.366
    """
    call = noticed(place, zone, name, role, product)
    day = call.history[0].at + days * DAY
    assert refusing(replace(call, history=()), day) == {rule_id}
    assert refusing(call, day - SECOND) == {rule_id}
    assert opens(call, day - DAY) == day
    assert refusing(call, day) == set()


@pytest.mark.parametrize(("place", "zone", "name", "role", "product", "days", "rule_id"), PLACES)
def test_a_notice_that_came_back_starts_its_days_again(
    place: str, zone: str, name: str, role: str, product: str, days: int, rule_id: str
) -> None:
    """
    CA-ON-NOTICE: R.R.O. 1990 Reg. 74 s 21
    CA-QC-NOTICE: CQLR c R-2.2, s 34(1),(1.1)
    CA-BC-NOTICE: BPCPA, SBC 2004 c 2, ss 113, 115
    US-NV-MEDICAL-60: NRS 649.366
    """
    first = notice(on("2026-08-05T12:00", zone), name)
    returned, again = replace(first, outcome="bounced"), replace(first, at=first.at + 2 * DAY)
    at = first.at + days * DAY
    assert refusing(noticed(place, zone, name, role, product, returned), at) == {rule_id}
    assert refusing(noticed(place, zone, name, role, product, returned, again), at) == {rule_id}
    assert opens(noticed(place, zone, name, role, product, returned, again), at) == again.at + days * DAY


@pytest.mark.parametrize("role", ["first_party", "agency", "debt_buyer", "platform"])
@pytest.mark.parametrize("case_id", ["c1", "c2"])
def test_a_wrong_number_is_dead_for_every_debt_and_every_agency(role: str, case_id: str) -> None:
    """
    core.point: house policy
    CA-QC-WRITINGONLY.not_the_debtor: CQLR c R-2.2, s 34(2)
    """
    dead = replace(TEXT, role=role, case_id=case_id, point=phone(state="wrong_party"))
    for channel in ("sms", "voice", "ivr"):
        assert "core.point" in refusing(replace(dead, channel=channel), NOW)
        assert opens(replace(dead, channel=channel), NOW) is None
    stranger = agency("CA-QC", "America/Toronto", recipient="wrong_party")
    assert refusing(stranger, NOW) == {"CA-QC-WRITINGONLY.not_the_debtor"}


def test_a_household_hears_at_most_the_limited_words() -> None:
    """
    US-REGF-THIRDPARTY: 12 CFR 1006.6(a),(d)(1)
    US-REGF-LCM: 12 CFR 1006.2(j)
    """
    call = by("voice", TEXT)
    assert refusing(replace(call, recipient="household"), NOW) == {"US-REGF-THIRDPARTY"}
    limited = said("neutral_business_name", "reply_request", "agent_name", "return_number", medium="voicemail")
    assert missing(replace(call, content=limited), NOW) == {}
    telling = replace(limited, families=("debt_mention",))
    assert missing(replace(call, content=telling), NOW)["US-REGF-LCM"] == "debt_mention"


def test_a_mailbox_at_work_waits_for_its_owners_word() -> None:
    """US-REGF-WORKEMAIL: 12 CFR 1006.22(f)(3)"""
    email = replace(by("email", TEXT), point=mailbox(label="work", confirmed=False))
    assert refusing(email, NOW) == {"US-REGF-WORKEMAIL"}
    assert refusing(replace(email, point=mailbox(label="work")), NOW) == set()


def test_consent_to_texts_is_looked_at_again_after_sixty_days() -> None:
    """US-REGF-SMS: 12 CFR 1006.6(d)(3),(5)"""
    text = replace(TEXT, consents=given("contact", at=NOW - 60 * DAY))
    assert refusing(text, NOW - SECOND) == set()
    assert refusing(text, NOW) == {"US-REGF-SMS"}
    checked = (*text.consents, *given("contact", at=NOW - DAY))
    assert refusing(replace(text, consents=checked), NOW) == set()
    they_wrote = past(NOW - DAY, direction="in")
    assert refusing(replace(text, history=(they_wrote,)), NOW) == set()
