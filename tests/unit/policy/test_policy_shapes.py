"""Clocks of numbers, states of a debt, places in places, notices, refusals that reach further, words, named hours."""

from dataclasses import replace
from datetime import timedelta

import pytest
from policy_samples import ALL_DAYS, LOS_ANGELES, NEW_YORK, NOON, POINT, call, facts, hours, past, policy, rule, utc

from outreach.policy.content import wordings_for
from outreach.policy.decision import Verdict
from outreach.policy.facts import Consent, Contact, Content, Facts, Hold, Override, PersonalWindow, Suppression
from outreach.policy.gate import decide
from outreach.policy.personal import hours_barred, may_name
from outreach.policy.policy import Policy

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BAR = {"channels": ["sms"], "code": "place.work"}
CALIFORNIAN = replace(POINT, zones=(LOS_ANGELES,))


def refused(candidate: Facts, version: Policy, at=NOON) -> set[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return {reason.rule_id for reason in decide(candidate, version, at).reasons}


@pytest.mark.parametrize(
    ("clock", "line", "located", "opens"),
    [
        ("number", "mobile", (), "16:00"),  # 08:00 in Los Angeles, although the address is in New York
        ("number", "mobile", (NEW_YORK,), "13:00"),
        ("landline_number", "fixed_line", (), "16:00"),
        ("landline_number", "mobile", (), "13:00"),
        ("landline_number", "unknown", (), "16:00"),  # may be either: both clocks
        ("landline_number", "fixed_line", (NEW_YORK,), "13:00"),
        (None, "mobile", (), "16:00"),
    ],
)
def test_whose_clock_a_rule_goes_by(clock: str | None, line: str, located: tuple[str, ...], opens: str) -> None:
    morning = policy(hours("08:00", "20:00", clock=clock))
    candidate = call(point=replace(CALIFORNIAN, type=line), located_zones=located)
    opening = utc(f"2026-11-18T{opens}:00")
    assert refused(candidate, morning, opening) == set()
    assert refused(candidate, morning, opening - timedelta(seconds=1)) == {"test.window"}


def test_a_number_that_hints_at_nothing_leaves_every_candidate_clock() -> None:
    evening = policy(hours("08:00", "20:00", clock="number"))
    assert refused(facts(zones=(NEW_YORK, LOS_ANGELES)), evening, utc("2026-11-18T13:00:00")) == {"test.window"}


@pytest.mark.parametrize(
    ("states", "known", "asked"),
    [
        (["accelerated"], {"accelerated": True}, True),
        (["accelerated"], {"accelerated": False}, False),
        (["accelerated"], {}, True),
        (["not_accelerated"], {"accelerated": True}, False),
        (["not_accelerated"], {}, True),
        (["charged_off", "time_barred"], {"charged_off": False, "time_barred": True}, True),
        (["charged_off", "time_barred"], {"charged_off": False, "time_barred": False}, False),
    ],
)
def test_a_state_of_the_debt_that_is_not_known_matches(states: list[str], known: dict[str, bool], asked: bool) -> None:
    assert bool(refused(facts(**known), policy(rule("bar", debt_states=states, **BAR)))) is asked


@pytest.mark.parametrize(("days", "asked"), [(0, False), (1, True), (90, True), (91, False)])
def test_days_past_due_run_from_the_first_to_before_the_second(days: int, asked: bool) -> None:
    early = policy(rule("bar", days_past_due={"from": 1, "until": 91}, **BAR), hours("00:00", "24:00"))
    assert bool(refused(facts(days_past_due=days), early)) is asked
    assert early.days_alike(45) == early.days_alike(60)  # one plan serves all days that no rule tells apart


@pytest.mark.parametrize(("kind", "asked"), [("bank", True), ("online_lender", False), ("", True)])
def test_a_kind_of_creditor_that_is_not_known_matches(kind: str, asked: bool) -> None:
    assert bool(refused(facts(creditor_kind=kind), policy(rule("bar", creditor_kinds=["bank"], **BAR)))) is asked


@pytest.mark.parametrize(
    ("law", "places", "governs"),
    [
        ("EU", ("DE",), True), ("EU", ("CH",), False), ("GB-EAW", ("GB-WLS",), True), ("GB-EAW", ("GB-SCT",), False),
        ("US-NY", ("US-NY-NYC",), True), ("US-NY-NYC", ("US-NY",), False), ("GB-EAW", ("GB",), True),
        ("US-DC", ("US",), True), ("US-DC", ("US", "US-TX"), False), ("US-DC", ("US-TX",), False),
    ],
)  # fmt: skip
def test_law_reaches_into_what_lies_in_its_place(law: str, places: tuple[str, ...], governs: bool) -> None:
    assert bool(refused(facts(jurisdictions=places), policy(rule("bar", jurisdiction=law, **BAR)))) is governs


NOTICE = rule("prerequisite", notices=["placement_notice"], wait={"per": "full_days", "length": "5d"})
MAILED = past(30 * DAY, "mail", "sent", notice="placement_notice", purpose="statutory_notice")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"notice": ""}, "missing"), ({"notice": "validation_notice"}, "missing"), ({"case_ids": ()}, "missing"),
        ({"outcome": "bounced"}, "missing"), ({"outcome": "unknown"}, "missing"), ({"outcome": "pending"}, "missing"),
        ({"direction": "in"}, "missing"), ({"same_borrower": False}, "missing"), ({"at": NOON - 5 * DAY}, "waiting"),
        ({"at": NOON - 6 * DAY}, None),
    ],
)  # fmt: skip
def test_only_a_notice_that_surely_went_opens_the_way(change: dict[str, object], code: str | None) -> None:
    decision = decide(facts(history=(replace(MAILED, **change),)), policy(NOTICE), NOON)  # type: ignore[arg-type]
    assert [reason.code for reason in decision.reasons] == ([f"prerequisite.{code}"] if code else [])


def test_what_another_system_did_counts_and_what_nobody_knows_counts_as_everything() -> None:
    for channel, counts in (("mail", True), ("visit", True), ("whatsapp", True), ("other", True), ("fax", True)):
        done = facts(history=(past(HOUR, channel, "conversation" if channel == "visit" else "sent"),))
        assert bool(refused(done, policy(a_day("communications")))) is counts
    assert refused(facts(history=(past(HOUR, "fax", "sent"),)), policy(a_day("visits", counted_channels=["visit"])))
    assert not refused(facts(history=(past(HOUR, "mail", "sent"),)), policy(a_day("visits")))
    assert not refused(
        facts(history=(past(HOUR, "other", "sent"),)), policy(a_day("touches", counted_channels=["mail"]))
    )


def a_day(counts: str, **more: object) -> dict[str, object]:
    return rule("cap", counts=counts, scope="borrower", limits=[{"most": 1, "per": "day"}], **more)


TABLE = {
    "busy": "touches",
    "no_answer": "touches attempts attempts_unanswered",
    "voicemail_possible": "touches attempts attempts_unanswered attempts_with_connection_or_message "
    "initiated_communications",
    "voicemail_left": "touches attempts attempts_with_connection_or_message initiated_communications communications "
    "successful_contacts",
    "limited_content_left": "touches attempts attempts_with_connection_or_message initiated_communications "
    "communications",
    "conversation": "touches attempts attempts_with_connection_or_message initiated_communications communications "
    "successful_contacts conversations",
    "wrong_party": "touches attempts attempts_with_connection_or_message initiated_communications",
}
COUNTS = sorted({word for words in TABLE.values() for word in words.split()} | {"messages_sent", "visits"})


@pytest.mark.parametrize("outcome", sorted(TABLE))
def test_each_call_is_in_the_counters_of_its_outcome(outcome: str) -> None:
    called = facts(history=(past(HOUR, "voice", outcome),))
    assert {name for name in COUNTS if refused(called, policy(a_day(name)))} == set(TABLE[outcome].split())


@pytest.mark.parametrize(("purpose", "begun"), [("reminder", True), ("reply", False), ("requested_callback", False)])
def test_an_answer_is_no_communication_that_the_lender_began(purpose: str, begun: bool) -> None:
    told = facts(history=(past(HOUR, "sms", "delivered", purpose=purpose),))
    assert bool(refused(told, policy(a_day("initiated_communications")))) is begun
    assert refused(told, policy(a_day("communications")))


def business_days(count: int) -> dict[str, object]:
    return rule("gap", counts="touches", scope="borrower", wait={"per": "business_days", "length": f"{count}d"})


def test_business_days_leave_out_weekends_and_public_holidays() -> None:
    known = {"US": {"2026": ["2026-11-26"]}}
    told = facts(history=(past(timedelta(0)),))  # Wednesday the 18th
    version = policy(business_days(5), calendars=known)
    assert decide(told, version, NOON).until == utc("2026-11-26T05:00:00")
    assert decide(told, policy(business_days(6), calendars=known), NOON).until == utc("2026-11-28T05:00:00")


def test_business_days_of_a_year_without_calendar_block_with_a_code_of_their_own() -> None:
    told = facts(history=(past(timedelta(0)),))
    decision = decide(told, policy(business_days(5)), NOON)
    assert (decision.verdict, decision.reasons[0].code) == (Verdict.BLOCK, "cooldown.no_calendar")


STOPPED = Suppression("sms", "opt_out.said", NOON - DAY, "p7")


@pytest.mark.parametrize(
    ("reach", "stops"),
    [
        ({"heard_on": ["sms"], "covers": ["voice", "ivr"]}, True),
        ({"heard_on": ["email"], "covers": ["voice"]}, False),
        ({"heard_on": ["sms"], "covers": ["email"]}, False),
        ({}, True),
    ],
)
def test_a_refusal_heard_on_one_channel_stops_those_a_rule_names(reach: dict[str, object], stops: bool) -> None:
    version = policy(rule("refusal", **reach))
    decision = decide(call(suppressions=(STOPPED,)), version, NOON)
    assert [reason.code for reason in decision.reasons] == (["suppression.heard_elsewhere"] if stops else [])
    revoked = (Consent("contact", "sms", "revoked", NOON - DAY),)
    assert bool(refused(call(consents=revoked), version)) is stops
    again = (*revoked, Consent("contact", "any", "given", NOON - HOUR))
    assert refused(call(consents=again), version) == set()
    assert refused(call(suppressions=(replace(STOPPED, reason="wrong_party"),)), version) == set()


WORDS = rule("content", requires=["creditor_name", "opt_out_line"], forbids=["legal_threat"], media=["sms"])


@pytest.mark.parametrize(
    ("content", "code", "values"),
    [
        (Content(("creditor_name", "opt_out_line"), (), "sms"), None, {}),
        (Content(("creditor_name",), (), "sms"), "content.missing", {"missing": "opt_out_line"}),
        (Content(("creditor_name",), ("legal_threat", "insult"), "sms"), "content.forbidden",
         {"missing": "opt_out_line", "found": "legal_threat"}),
        (Content((), (), "voicemail"), None, {}),
        (Content((), ("legal_threat",), ""), "content.forbidden",
         {"missing": "creditor_name,opt_out_line", "found": "legal_threat"}),
    ],
)  # fmt: skip
def test_words_are_judged_once_they_are_known(content: Content, code: str | None, values: dict[str, str]) -> None:
    decision = decide(facts(content=content), policy(WORDS), NOON)
    assert [reason.code for reason in decision.reasons] == ([code] if code else [])
    assert {name: text for reason in decision.reasons for name, text in reason.facts} == values


def test_unwritten_words_are_neither_passed_nor_refused_and_can_be_asked_for() -> None:
    version = policy(WORDS, rule("content", id="later", requires=["licence_number"], in_force_from="2027-01-01"))
    assert "test.content" not in decide(facts(), version, NOON).passed
    assert [one.head.id for one in wordings_for(facts(), version, NOON, "sms")] == ["test.content"]
    assert wordings_for(facts(), version, NOON, "email") == ()


KOREA = policy(rule("personal_times", most_hours_per_week=28))


@pytest.mark.parametrize(("end", "permitted", "hours_named"), [("22:00", True, 28.0), ("23:00", False, 35.0)])
def test_a_person_may_bar_as_many_hours_as_the_law_gives(end: str, permitted: bool, hours_named: float) -> None:
    answer = may_name(facts(), KOREA, NOON, PersonalWindow("bar", "18:00", end, ()))
    assert (answer.permitted, answer.hours, answer.most) == (permitted, hours_named, 28)


def test_the_twenty_ninth_hour_is_refused_and_yet_honoured_once_recorded() -> None:
    named = PersonalWindow("bar", "08:00", "12:00", ())
    one_more = PersonalWindow("bar", "11:00", "13:00", ("wed",))  # an hour of it is barred already
    barred = facts(personal_windows=(named,))
    assert may_name(barred, KOREA, NOON, one_more) == (False, 29.0, 28, "test.personal_times", "Test Act s 1")
    assert may_name(barred, policy(), NOON, one_more).permitted
    recorded = facts(personal_windows=(named, one_more))
    assert decide(recorded, KOREA, NOON).until == NOON + HOUR
    assert hours_barred([PersonalWindow("bar", "22:00", "02:00", ("sat",))]) == 4.0


def test_duties_drafts_and_rules_outside_their_dates_decide_nothing() -> None:
    duty = rule("duty", id="duty", duty="standard", effect="standard", retain="3y")
    draft = rule("bar", id="draft", status="draft", **BAR)
    coming = rule("bar", id="coming", status="future", in_force_from="2027-01-31", **BAR)
    ended = rule("bar", id="ended", status="superseded", in_force_until="2026-09-01", **BAR)
    version = policy(duty, draft, coming, ended)
    decision = decide(facts(), version, NOON)
    assert decision.verdict is Verdict.SEND
    assert not {"duty", "draft", "coming", "ended"} & set(decision.passed)
    assert refused(facts(), version, utc("2026-08-31T12:00:00")) == {"ended"}
    assert refused(facts(), version, utc("2027-02-01T12:00:00")) == {"coming"}
    assert [one.head.id for one in version.drafts] == ["draft"]
    assert version.rule("draft") is not None


def test_a_lawyers_silence_opens_the_way_only_where_the_law_says_so() -> None:
    silent = Override("attorney_silent", NOON - DAY, NOON + DAY, evidence="letter 3")
    held = facts(holds=(Hold("attorney", NOON - 40 * DAY),), overrides=(silent,))
    lifting = rule("hold", kinds=["attorney"], lifted_by=["attorney_silent"])
    strict = rule("hold", id="strict", kinds=["attorney"])
    assert refused(held, policy(lifting)) == set()
    assert decide(held, policy(lifting), NOON).send_before == NOON + DAY
    assert refused(held, policy(lifting, strict)) == {"strict"}
    assert refused(held, policy()) == {"core.hold"}


def test_a_requested_callback_is_used_up_by_the_call_that_rang() -> None:
    asked = Override("requested_callback", NOON - DAY, NOON + DAY, "voice", "call 12")
    night = policy(hours("20:00", "21:00", lifted_by=["requested_callback"]))
    callback = call(purpose="requested_callback", overrides=(asked,))
    rang = past(HOUR, "voice", "no_answer", purpose="requested_callback")
    assert refused(callback, night) == set()
    assert refused(replace(callback, history=(replace(rang, outcome="busy"),)), night) == set()
    assert refused(replace(callback, history=(rang,)), night) == {"test.window"}


def test_a_weekday_window_takes_a_holiday_of_the_part_of_the_country_that_is_known() -> None:
    weekdays = hours("09:00", "18:00", ALL_DAYS[:5], jurisdiction="CA-QC")
    version = policy(weekdays, calendars={"CA-QC": {"2026": ["2026-11-18"]}}, packs=("CA-QC",))
    for places in (("CA-QC",), ("CA",)):
        assert refused(facts(jurisdictions=places), version) == {"test.window"}


def test_a_past_contact_of_an_unknown_purpose_counts_against_caps() -> None:
    gossip = Contact(NOON - HOUR, "sms", "sent", ("c1",), "k1", "p1", "out", "gossip")
    assert refused(facts(history=(gossip,)), policy(a_day("touches", except_counted_purposes=["reply"])))
    assert refused(facts(history=(gossip,)), policy(a_day("touches", counted_purposes=["consent_request"])))
