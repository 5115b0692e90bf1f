"""Caps, rests, prerequisites and consent: which past contacts count, for how long, for whom."""

from dataclasses import replace
from datetime import timedelta

import pytest
from policy_samples import NEW_YORK, NOON, POINT, call, facts, pack, past, policy, rule, utc

from outreach.policy.decision import Verdict
from outreach.policy.facts import Consent, Contact, Hold, Override
from outreach.policy.gate import decide

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AGENCY = {"role": "agency"}
REG_F = pack("us")


def cap(most: int, per: str, length: str | None = None, **fields: object) -> dict[str, object]:
    limit = {"most": most, "per": per} | ({"length": length} if length else {})
    return rule("cap", **{"counts": "touches", "scope": "borrower", "limits": [limit]} | fields)


def refusals(decision: object) -> list[str]:
    """Return the rules that refuse, each once: a rule with several limits may refuse for several."""
    return list(dict.fromkeys(reason.rule_id for reason in decision.reasons))  # type: ignore[attr-defined]


def test_the_eighth_call_about_one_debt_in_seven_days_is_refused_and_a_second_debt_is_not() -> None:
    calls = tuple(past((index + 1) * 12 * HOUR, "voice", "no_answer") for index in range(7))
    assert refusals(decide(call(history=calls, **AGENCY), REG_F, NOON)) == ["US-REGF-7IN7"]
    assert decide(call(history=calls[:6], **AGENCY), REG_F, NOON).verdict is Verdict.SEND
    assert decide(call(history=calls, case_id="c2", **AGENCY), REG_F, NOON).verdict is Verdict.SEND
    assert decide(call(history=calls, role="first_party"), REG_F, NOON).verdict is Verdict.SEND


def test_a_call_about_two_debts_uses_a_slot_on_each() -> None:
    calls = tuple(past((index + 1) * 12 * HOUR, "voice", "no_answer", case_ids=("c1", "c2")) for index in range(7))
    for case_id in ("c1", "c2"):
        assert refusals(decide(call(history=calls, case_id=case_id, **AGENCY), REG_F, NOON)) == ["US-REGF-7IN7"]


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        ("busy", False), ("not_connected", False), ("released", False), ("rejected", False), ("failed", False),
        ("no_answer", True), ("voicemail_possible", True), ("voicemail_left", True), ("limited_content_left", True),
        ("wrong_party", True), ("pending", True), ("unknown", True), ("accepted", True), ("something_new", True),
    ],
)  # fmt: skip
def test_which_call_outcomes_use_a_slot(outcome: str, counts: bool) -> None:
    seven_calls = policy(cap(1, "rolling", "7d", counts="attempts", scope="case", channels=["voice", "ivr"]))
    decision = decide(call(history=(past(HOUR, "voice", outcome),)), seven_calls, NOON)
    assert (decision.verdict is Verdict.DEFER) is counts


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [("pending", True), ("unknown", True), ("accepted", True), ("delivered", True), ("read", True),
     ("released", False), ("rejected", False), ("failed", True), ("bounced", True)],
)  # fmt: skip
def test_which_text_outcomes_use_a_slot(outcome: str, counts: bool) -> None:
    decision = decide(facts(history=(past(HOUR, "sms", outcome),)), policy(cap(1, "rolling", "1d")), NOON)
    assert (decision.verdict is Verdict.DEFER) is counts


@pytest.mark.parametrize(
    ("ago", "free"), [(timedelta(days=7), True), (timedelta(days=7) - timedelta(microseconds=1), False)]
)
def test_a_rolling_window_lets_go_at_its_exact_end(ago: timedelta, free: bool) -> None:
    decision = decide(facts(history=(past(ago),)), policy(cap(1, "rolling", "7d")), NOON)
    assert (decision.verdict is Verdict.SEND) is free
    assert free or decision.until == NOON + timedelta(microseconds=1)


def test_a_rolling_day_does_not_pass_two_around_midnight_as_a_calendar_day_does() -> None:
    late, early = utc("2026-11-19T04:00:00"), utc("2026-11-19T05:30:00")  # 23:00 and 00:30 in New York
    history = (Contact(late, "sms", "delivered", ("c1",), "k1", "p1"),)
    assert decide(facts(history=history), policy(cap(1, "day")), early).verdict is Verdict.SEND
    assert decide(facts(history=history), policy(cap(1, "rolling", "1d")), early).until == late + DAY


@pytest.mark.parametrize(
    ("per", "length", "until"),
    [
        ("day", None, "2026-11-19T05:00:00"),
        ("week", None, "2026-11-23T05:00:00"),
        ("month", None, "2026-12-01T05:00:00"),
        ("rolling", "36h", "2026-11-20T05:00:00"),
        ("rolling_days", "2d", "2026-11-20T05:00:00"),
        ("full_days", "1d", "2026-11-20T05:00:00"),
    ],
)
def test_each_period_ends_on_the_borrowers_calendar(per: str, length: str | None, until: str) -> None:
    decision = decide(facts(history=(past(timedelta(0)),)), policy(cap(1, per, length)), NOON)
    assert decision.until == utc(until)


def test_with_two_candidate_zones_the_later_midnight_counts() -> None:
    both = facts(zones=(NEW_YORK, "Pacific/Honolulu"), history=(past(timedelta(0)),))
    assert decide(both, policy(cap(1, "day")), NOON).until == utc("2026-11-19T10:00:00")


def test_a_month_of_28_days_and_a_leap_day() -> None:
    once_a_month = policy(cap(1, "month"))
    for day, first_of_march in (("2027-02-28", "2027-03-01"), ("2028-02-29", "2028-03-01")):
        at = utc(f"{day}T17:00:00")
        decision = decide(facts(history=(past(DAY, at=at),)), once_a_month, at)
        assert decision.until == utc(f"{first_of_march}T05:00:00")


def test_stacked_caps_bind_one_after_the_other() -> None:
    limits = [{"most": 1, "per": "day"}, {"most": 2, "per": "week"}, {"most": 3, "per": "month"}]
    stacked = policy(rule("cap", counts="touches", scope="borrower", limits=limits))
    monday = utc("2026-11-16T17:00:00")
    sent = [monday, monday + DAY, monday + 7 * DAY]
    one, two, three = (tuple(Contact(at, "sms", "read") for at in sent[:number]) for number in (1, 2, 3))
    assert decide(facts(history=one), stacked, monday).until == utc("2026-11-17T05:00:00")
    assert decide(facts(history=two), stacked, monday + DAY).until == utc("2026-11-23T05:00:00")
    assert decide(facts(history=three), stacked, monday + 8 * DAY).until == utc("2026-12-01T05:00:00")


def test_a_cap_over_all_channels_counts_all_channels_and_one_on_calls_only_calls() -> None:
    history = (past(HOUR, "email"), past(2 * HOUR, "sms"))
    assert decide(call(history=history), policy(cap(2, "day")), NOON).verdict is Verdict.DEFER
    assert decide(call(history=history), policy(cap(2, "day", channels=["voice", "ivr"])), NOON).verdict is Verdict.SEND


@pytest.mark.parametrize(
    ("scope", "change", "counts"),
    [
        ("case", {"case_ids": ("c2",)}, False), ("case", {"case_ids": ()}, True),
        ("creditor", {"creditor_id": "k2"}, False), ("creditor", {"creditor_id": ""}, True),
        ("borrower", {"case_ids": ("c2",), "creditor_id": "k2"}, True), ("borrower", {"same_borrower": False}, False),
        ("number", {"same_borrower": False}, True), ("number", {"point_id": "p2"}, False),
        ("number", {"point_id": ""}, True),
    ],
)  # fmt: skip
def test_what_a_cap_adds_up_over(scope: str, change: dict[str, object], counts: bool) -> None:
    decision = decide(facts(history=(past(HOUR, **change),)), policy(cap(1, "day", scope=scope)), NOON)
    assert (decision.verdict is Verdict.DEFER) is counts


def test_a_number_shared_by_two_borrowers_leaves_another_point_open() -> None:
    decision = decide(facts(history=(past(HOUR, same_borrower=False),)), policy(cap(1, "day", scope="number")), NOON)
    assert [reason.channel_only for reason in decision.reasons] == [True]


def test_a_contact_from_a_clock_that_ran_ahead_counts() -> None:
    assert decide(facts(history=(past(-HOUR),)), policy(cap(1, "rolling", "1d")), NOON).until == NOON + 25 * HOUR


def test_after_a_conversation_on_monday_calls_rest_to_the_next_monday_also_when_the_clock_changes() -> None:
    for monday, next_monday in (
        ("2026-11-16T15:00:00", "2026-11-23T05:00:00"),
        ("2026-10-26T14:00:00", "2026-11-02T05:00:00"),
    ):
        talked = (Contact(utc(monday), "voice", "conversation", ("c1",), "k1", "p1"),)
        decision = decide(call(history=talked, **AGENCY), REG_F, utc(monday) + 3 * DAY)
        assert refusals(decision) == ["US-REGF-COOLDOWN"]
        assert decision.reasons[0].until == utc(next_monday)
        assert decision.until == utc(next_monday) + 8 * HOUR  # and then the hours


def test_an_inbound_conversation_starts_the_rest_and_a_requested_callback_is_allowed_once() -> None:
    talked = (past(DAY, "voice", "conversation", direction="in"),)
    asked = Override("requested_callback", NOON - DAY, NOON + DAY, "voice", "call 12")
    assert refusals(decide(call(history=talked, **AGENCY), REG_F, NOON)) == ["US-REGF-COOLDOWN"]
    callback = call(history=talked, purpose="requested_callback", overrides=(asked,), **AGENCY)
    assert decide(callback, REG_F, NOON).lifted == (("US-REGF-COOLDOWN", "requested_callback"),)
    assert decide(replace(callback, purpose="reminder"), REG_F, NOON).verdict is Verdict.DEFER
    assert decide(replace(callback, overrides=(replace(asked, used=True),)), REG_F, NOON).verdict is Verdict.DEFER


def test_consent_to_extra_calls_lifts_the_cap_and_lapses() -> None:
    calls = tuple(past((index + 1) * HOUR, "voice", "no_answer") for index in range(7))
    agreed = Override("consent_to_extra", NOON - DAY, NOON + HOUR, "voice", "recording 3")
    extra = call(history=calls, overrides=(agreed,), **AGENCY)
    assert decide(extra, REG_F, NOON).verdict is Verdict.SEND
    assert refusals(decide(extra, REG_F, NOON + HOUR)) == ["US-REGF-7IN7"]


def test_two_days_between_texts_are_counted_from_the_day_of_the_first() -> None:
    chile = rule("gap", counts="communications", scope="borrower", wait={"per": "rolling_days", "length": "2d"})
    monday = utc("2026-11-16T17:00:00")
    sent = facts(history=(Contact(monday, "sms", "delivered"),))
    assert decide(sent, policy(chile), monday + DAY).verdict is Verdict.DEFER
    assert decide(sent, policy(chile), monday + 2 * DAY).verdict is Verdict.SEND


def test_china_six_unanswered_calls_close_one_number_and_three_conversations_all_telephones() -> None:
    china = {"jurisdictions": ("CN",), "zones": ("Asia/Shanghai",)}
    morning = utc("2026-11-18T06:00:00")
    rang = tuple(past(HOUR, "voice", "no_answer", at=morning) for _ in range(6))
    assert refusals(decide(call(history=rang, **china), pack("cn"), morning)) == ["CN-CBA2026-ATTEMPTS"]
    other = call(history=rang, point=replace(POINT, id="p2"), **china)
    assert decide(other, pack("cn"), morning).verdict is Verdict.SEND
    talked = tuple(past(HOUR, "voice", "conversation", at=morning) for _ in range(3))
    refused = decide(call(history=talked, point=replace(POINT, id="p2"), **china), pack("cn"), morning)
    assert refusals(refused) == ["CN-GBT45251-FREQ"]
    assert refused.until == utc("2026-11-19T00:00:00")  # 08:00 next day


def test_one_channel_a_week_after_contact() -> None:
    week = {"most": 1, "per": "week"}
    colombia = policy(rule("distinct_channels", counts="communications", scope="borrower", limit=week))
    talked = (past(DAY, "voice", "conversation"),)
    refused = decide(facts(history=talked), colombia, NOON)
    assert [r.code for r in refused.reasons] == ["frequency_cap.too_many_channels"]
    assert refused.until == utc("2026-11-23T05:00:00")
    assert decide(call(history=talked), colombia, NOON).verdict is Verdict.SEND


NOTICE = rule(
    "prerequisite", counts="communications", scope="case", counted_purposes=["statutory_notice"],
    except_purposes=["statutory_notice"], wait={"per": "rolling_days", "length": "6d"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("history", "code"),
    [
        ((), "prerequisite.missing"),
        ((past(DAY, "email", purpose="statutory_notice"),), "prerequisite.waiting"),
        ((past(6 * DAY, "email", purpose="statutory_notice"),), None),
        ((past(9 * DAY, "email", "bounced", purpose="statutory_notice"),), "prerequisite.missing"),
        ((past(9 * DAY, "email"),), "prerequisite.missing"),
    ],
)
def test_a_notice_must_have_gone_before(history: tuple[Contact, ...], code: str | None) -> None:
    decision = decide(facts(history=history), policy(NOTICE), NOON)
    assert [reason.code for reason in decision.reasons] == ([code] if code else [])


GIVEN = Consent("contact", "sms", "given", NOON - 70 * DAY)


@pytest.mark.parametrize(
    ("consents", "history", "code"),
    [
        ((), (), "missing"),
        ((replace(GIVEN, channel="email"),), (), "missing"),
        ((replace(GIVEN, point_id="p2"),), (), "missing"),
        ((GIVEN,), (), "expired"),  # older than 60 days
        ((GIVEN,), (past(DAY, direction="in"),), None),  # the person wrote from it since
        ((replace(GIVEN, at=NOON - DAY),), (), None),
        ((replace(GIVEN, at=NOON - DAY, expires_at=NOON),), (), "expired"),
        ((replace(GIVEN, at=NOON + DAY),), (), "missing"),
    ],
)
def test_texts_need_a_live_and_recent_consent(
    consents: tuple[Consent, ...], history: tuple[Contact, ...], code: str | None
) -> None:
    needs = policy(rule("consent", channels=["sms"], fresh="60d"))
    decision = decide(facts(consents=consents, history=history), needs, NOON)
    assert [reason.code for reason in decision.reasons] == ([f"consent.{code}"] if code else [])


def test_ai_voice_without_consent_is_refused_in_the_united_states() -> None:
    decision = decide(call(actor="ai_voice", consents=()), REG_F, NOON)
    assert {"US-TCPA-AIVOICE", "US-TCPA-CONSENT"} <= set(refusals(decision))


def test_a_hold_lasts_at_least_as_long_as_the_rule_says() -> None:
    month = policy(rule("hold", kinds=["dispute"], at_least="30d"))
    held = facts(holds=(Hold("dispute", NOON - DAY, "c1", NOON + DAY),))
    assert decide(held, month, NOON).until == NOON + 29 * DAY


def test_a_rule_speaks_only_between_its_dates() -> None:
    old = cap(1, "day", id="old", in_force_until="2026-11-18")
    new = cap(1, "day", id="new", in_force_from="2026-11-19")
    texted = facts(history=(past(HOUR),))
    assert decide(texted, policy(old, new), NOON).verdict is Verdict.SEND
    eve = utc("2026-11-18T04:59:59")  # still the 17th in New York
    assert refusals(decide(facts(history=(past(HOUR, at=eve),)), policy(old, new), eve)) == ["old"]
    after = utc("2026-11-19T05:00:00")
    rolling = cap(1, "rolling", "1d", id="new", in_force_from="2026-11-19")
    sent = facts(history=(past(HOUR / 2, at=after),))
    assert refusals(decide(sent, policy(old, rolling), after)) == ["new"]


def test_a_rule_ends_only_when_it_has_ended_in_every_candidate_zone() -> None:
    old = policy(cap(1, "rolling", "2d", in_force_until="2026-11-19"))
    both = facts(zones=(NEW_YORK, "Asia/Tokyo"), history=(past(HOUR),))
    assert decide(both, old, NOON).until == utc("2026-11-19T05:00:00")  # in Tokyo the 19th began 14 hours before
    assert decide(both, old, utc("2026-11-18T20:00:00")).verdict is Verdict.DEFER


def test_a_permitted_stretch_ends_when_a_new_rule_begins() -> None:
    coming = rule("bar", channels=["sms"], code="channel.barred", in_force_from="2026-11-19")
    assert decide(facts(), policy(coming), NOON).send_before == utc("2026-11-19T05:00:00")


def test_states_inherit_federal_rules_and_other_countries_do_not() -> None:
    federal = policy(cap(1, "day"), packs=("US", "MX"))
    history = (past(HOUR),)
    for places, refused in ((("US",), True), (("US-NY-NYC",), True), (("MX",), False), (("MX", "US-CA"), True)):
        decision = decide(facts(jurisdictions=places, history=history), federal, NOON)
        assert (decision.verdict is Verdict.DEFER) is refused


def test_weekly_caps_name_their_numbers() -> None:
    decision = decide(facts(history=(past(HOUR),)), policy(cap(1, "rolling", "7d")), NOON)
    assert dict(decision.reasons[0].facts) == {
        "most": "1",
        "period": "rolling 168h",
        "counted": "touches",
        "per": "borrower",
    }
