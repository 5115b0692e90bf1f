"""Ways in which senders of reminders are known to go wrong, each tried on everything that ships."""

from dataclasses import replace

import pytest
from law_samples import DAY, EASTERN, HOUR, calls, on, past, phone, touch
from policy_samples import SHIPPED

from outreach.policy.decision import Verdict
from outreach.policy.facts import Facts, PersonalWindow
from outreach.policy.gate import decide

NOON = on("2026-11-18T12:00", EASTERN)  # a Wednesday
TEXT = touch("US-NY", EASTERN)


def codes(facts: Facts) -> dict[str, str]:
    return {reason.rule_id: reason.code for reason in decide(facts, SHIPPED, NOON).reasons}


def test_what_a_cap_holds_back_is_neither_lost_nor_silent() -> None:
    capped = replace(TEXT, history=(past(NOON - 3 * HOUR),))
    decision = decide(capped, SHIPPED, NOON)
    assert decision.verdict is Verdict.DEFER
    assert codes(capped)["house.touches"] == "frequency_cap.reached"
    assert decision.until == on("2026-11-19T08:05", EASTERN)
    assert decide(capped, SHIPPED, decision.until).verdict is Verdict.SEND


@pytest.mark.parametrize("purpose", ["reply", "confirmation", "statutory_notice"])
def test_a_cap_on_reminders_holds_no_answer_and_no_notice_back_and_they_use_no_slot(purpose: str) -> None:
    full = replace(TEXT, history=tuple(past(NOON - days * DAY) for days in (0, 1, 2, 3, 4)))
    assert "house.touches" in codes(full)
    assert not {"house.touches", "house.gap", "house.shared_point"} & set(codes(replace(full, purpose=purpose)))
    answered = replace(TEXT, history=(past(NOON - HOUR, purpose=purpose),))
    assert codes(answered) == {}


@pytest.mark.parametrize("channel", ["sms", "email", "voice", "ivr"])
def test_one_cap_counts_what_left_on_any_channel_under_any_plan(channel: str) -> None:
    this_morning = past(NOON - 3 * HOUR, channel, "pending", case_ids=("c9",), creditor_id="k9", point_id="p9")
    assert "house.touches" in codes(replace(TEXT, history=(this_morning,)))


def test_a_slot_that_somebody_else_at_the_number_used_is_refused_without_saying_whose() -> None:
    theirs = past(NOON - HOUR, case_ids=("c-of-ben",), creditor_id="k-of-ben", same_borrower=False)
    decision = decide(replace(TEXT, history=(theirs,)), SHIPPED, NOON)
    assert {reason.rule_id for reason in decision.reasons} == {"house.shared_point"}
    assert "of-ben" not in str(decision)
    assert decide(replace(TEXT, history=(theirs,), point=phone("p2")), SHIPPED, NOON).verdict is Verdict.SEND


def test_a_time_that_somebody_barred_moves_the_reminder_and_does_not_drop_it() -> None:
    lunch = PersonalWindow("bar", "12:00", "13:30", ("wed",))
    decision = decide(replace(TEXT, personal_windows=(lunch,)), SHIPPED, NOON)
    assert (decision.verdict, decision.until) == (Verdict.DEFER, on("2026-11-18T13:30", EASTERN))
    before = decide(replace(TEXT, personal_windows=(lunch,)), SHIPPED, NOON - HOUR)
    assert (before.verdict, before.send_before) == (Verdict.SEND, NOON), "it must have left by then"


def test_a_night_shift_is_barred_across_midnight_and_not_turned_inside_out() -> None:
    asleep = PersonalWindow("bar", "21:00", "11:00", ())
    assert decide(replace(TEXT, personal_windows=(asleep,)), SHIPPED, NOON).verdict is Verdict.SEND
    morning = on("2026-11-18T10:00", EASTERN)
    decision = decide(replace(TEXT, personal_windows=(asleep,)), SHIPPED, morning)
    assert (decision.verdict, decision.until) == (Verdict.DEFER, on("2026-11-18T11:00", EASTERN))


def test_of_two_rests_at_once_the_later_ends_the_wait() -> None:
    talked = past(NOON - 2 * DAY, "voice", "conversation")
    tried = calls(NOON - DAY, 2, "voicemail_left")
    call = touch("US-NY", EASTERN, "voice", role="agency", history=(talked, *tried))
    found = {reason.rule_id: reason.until for reason in decide(call, SHIPPED, NOON).reasons}
    assert {"US-REGF-COOLDOWN", "house.calls"} <= set(found)
    until = decide(call, SHIPPED, NOON).until
    assert until is not None
    assert until >= max(one for one in found.values() if one is not None)
    assert decide(call, SHIPPED, until).verdict is Verdict.SEND


def test_an_area_code_adds_a_clock_and_never_replaces_the_address() -> None:
    moved = replace(TEXT, point=phone(zones=("Pacific/Honolulu",)))
    assert decide(moved, SHIPPED, NOON).until == on("2026-11-18T13:05", EASTERN)  # 08:05 in Hawaii
    assert decide(moved, SHIPPED, on("2026-11-18T20:50", EASTERN)).verdict is Verdict.DEFER
