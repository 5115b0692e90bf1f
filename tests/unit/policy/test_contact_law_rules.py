"""Cases of contact law, words and rules: what must and must not be said, and how the law itself is kept.

Each case stands here once with the tests that prove it; a test without a path is in this file. What the store and the
flows prove on a real database is named with its path.

42. An artificial voice
    test_an_artificial_voice_needs_consent_in_the_united_states
    test_an_artificial_voice_says_that_it_is_one
43. Words that must be there
    test_what_must_be_said_and_is_not_is_named
    tests/flows/test_wording.py::test_a_text_without_a_way_out_is_not_sent_and_the_way_out_is_named
44. Words that must not be there, in any language, whoever wrote them
    test_a_forbidden_word_is_refused_in_any_language_by_the_rule_it_breaks
    tests/flows/test_wording.py::test_a_threat_in_a_template_is_not_sent_and_the_family_is_named
    tests/unit/rendering/test_rendering_content.py::test_words_of_a_person_or_a_model_are_read_like_a_templates
45. Faults in a rule file; drafts, rules to come, rules that have ended
    test_a_fault_in_a_shipped_pack_is_an_error_with_its_place
    test_a_draft_is_kept_and_never_asked
    test_a_rule_to_come_and_a_rule_that_ended_apply_inside_their_dates_only
    tests/unit/policy/test_policy_load.py::test_each_fault_is_named_with_its_line_and_field
46. A year without holidays, a person without a place
    test_a_year_whose_holidays_are_not_known_is_refused_and_says_so
    test_a_day_on_which_a_holiday_would_change_nothing_needs_no_calendar
    test_who_is_somewhere_in_a_country_is_contacted_when_all_of_it_permits
    test_an_unknown_place_is_refused_and_the_clock_of_the_server_is_never_asked
    tests/flows/test_dispatch.py::test_an_unknown_place_or_clock_is_refused_never_guessed
47. A decision decided again a year later
    test_a_stored_decision_comes_out_the_same_after_the_law_has_changed
    tests/flows/test_dispatch.py::test_every_decision_can_be_replayed_from_what_was_stored
    tests/flows/test_audit.py::test_a_clean_ledger_is_decided_and_counted_again
"""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from law_samples import (
    CENTRAL,
    DAY,
    EASTERN,
    HAWAII,
    HOUR,
    LAW,
    PACIFIC,
    SHANGHAI,
    agency,
    calls,
    given,
    law_and,
    missing,
    on,
    opens,
    refusing,
    said,
    stopped,
    touch,
)
from policy_samples import PACKS, SHIPPED, rule

from outreach.domain.places import place_of
from outreach.policy.codec import facts_from_json, facts_to_json
from outreach.policy.decision import Verdict
from outreach.policy.gate import decide, next_permitted
from outreach.policy.load import PolicyError, from_json, load_policy
from outreach.rendering.forbidden import families, load_lists

NOW = on("2026-11-23T11:00", CENTRAL)  # a Monday
LATELY = given("contact", "express", at=on("2026-11-01T00:00", EASTERN))
FORBIDDEN = load_lists(Path(__file__).parents[3] / "templates" / "forbidden.yaml")


def test_an_artificial_voice_needs_consent_in_the_united_states() -> None:
    """
    US-TCPA-CONSENT: 47 CFR 64.1200(a)(1)(iii)
    US-TCPA-AIVOICE: FCC 24-17
    """
    call = touch("US-TX", CENTRAL, "voice", actor="ai_voice")
    assert refusing(call, NOW) == set()
    assert refusing(replace(call, consents=()), NOW) == {"US-TCPA-CONSENT", "US-TCPA-AIVOICE"}
    assert refusing(replace(call, consents=(), actor="human"), NOW) == set()


@pytest.mark.parametrize(
    ("place", "zone", "at", "rule_id"),
    [
        ("IE", "Europe/Dublin", "2026-11-23T12:00", "EU-AIACT-50"),
        ("DE", "Europe/Berlin", "2026-11-23T12:00", "EU-AIACT-50"),
        ("CN", SHANGHAI, "2026-11-23T12:00", "CN-AI-LABEL"),
    ],
)
def test_an_artificial_voice_says_that_it_is_one(place: str, zone: str, at: str, rule_id: str) -> None:
    """
    EU-AIACT-50: Regulation (EU) 2024/1689 Art. 50(1)
    CN-AI-LABEL: 人工智能生成合成内容标识办法
    """
    silent = said("creditor_name", "purpose_of_contact", "opt_out_line", "return_number", medium="voice")
    call = touch(place, zone, "voice", actor="ai_voice", content=silent)
    assert missing(call, on(at, zone))[rule_id] == "ai_disclosure"
    honest = replace(silent, disclosures=(*silent.disclosures, "ai_disclosure"))
    assert rule_id not in missing(replace(call, content=honest), on(at, zone))
    assert rule_id not in missing(replace(call, actor="human"), on(at, zone))


@pytest.mark.parametrize(
    ("place", "zone", "rule_id", "statements"),
    [
        ("US-TX", CENTRAL, "US-REGF-MINIMIRANDA", {"mini_miranda", "debt_collector_disclosure"}),
        ("US-TX", CENTRAL, "US-REGF-OPTOUT-NOTICE", {"opt_out_line"}),
        ("US-CA", PACIFIC, "US-CA-LICENCE", {"licence_number"}),
        ("CN", SHANGHAI, "CN-CBA2026-IDENTITY", {"creditor_name"}),
        ("CN", SHANGHAI, "CN-SMS-31", {"creditor_name", "opt_out_line"}),
    ],
)
def test_what_must_be_said_and_is_not_is_named(place: str, zone: str, rule_id: str, statements: set[str]) -> None:
    """
    US-REGF-MINIMIRANDA: 12 CFR 1006.18(e)
    US-REGF-OPTOUT-NOTICE: 12 CFR 1006.6(e)
    US-CA-LICENCE: Cal. Civ. Code 1788.11
    CN-CBA2026-IDENTITY: 中国银行业协会 金融机构个人消费类贷款催收工作指引
    CN-SMS-31: 通信短信息服务管理规定 (MIIT Order 31)
    """
    at = on("2026-11-23T12:00", zone)
    text = agency(place, zone, consents=LATELY, content=said())
    assert set(missing(text, at)[rule_id].split(",")) == statements
    assert rule_id in refusing(text, at)
    assert rule_id not in missing(replace(text, content=said(*statements)), at)
    one_less = sorted(statements)[1:]
    assert set(missing(replace(text, content=said(*one_less)), at)[rule_id].split(",")) == {min(statements)}


@pytest.mark.parametrize(
    ("words", "language", "family"),
    [
        ("Pay today or you will be arrested", "en", "arrest_threat"),
        ("Irá a la cárcel", "es", "arrest_threat"),
        ("您将被拘留", "zh", "arrest_threat"),
        ("This is the Police Department.", "en", "authority_posing"),
        ("這裡是檢察院", "zh", "authority_posing"),
        ("llamaremos a sus vecinos", "es", "tell_others_threat"),
    ],
)
@pytest.mark.parametrize(
    ("place", "zone", "rule_ids"),
    [("US-TX", CENTRAL, {"US-UDAAP.words", "US-SCRA.words"}), ("CN", SHANGHAI, {"CN-CBA2026-CONTENT"})],
)
def test_a_forbidden_word_is_refused_in_any_language_by_the_rule_it_breaks(
    place: str, zone: str, rule_ids: set[str], words: str, language: str, family: str
) -> None:
    """
    US-UDAAP.words: 12 USC 5531, 5536
    US-SCRA.words: 50 USC 3931, 3937
    CN-CBA2026-CONTENT: 中国银行业协会 金融机构个人消费类贷款催收工作指引
    """
    found = {name for name, _ in families(FORBIDDEN, words, language)}
    assert found == {family}
    at = on("2026-11-23T12:00", zone)
    everything = ("creditor_name", "opt_out_line", "purpose_of_contact")
    text = touch(place, zone, content=said(*everything, found=found))
    assert len(rule_ids & refusing(text, at)) == 1
    assert set(missing(text, at).values()) == {family}
    assert refusing(replace(text, content=said(*everything)), at) == set()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("    effect: presumption\n", "    efect: presumption\n", "efect: unknown key"),
        ('"21:00"}\n', '"21:00"}\n      - {days: [sun], start: "20:00", end: "22:00"}\n', "overlaps hours[0] on sun"),
        ("in_force_from: 2021-11-30\n", "in_force_from: 2021-11-30\n    in_force_until: 2026-01-01\n", "superseded"),
        ('    citation: "12 CFR 1006.6(b)(1)(i); 15 USC 1692c(a)(1)"\n', "", "citation: is missing"),
    ],
)  # fmt: skip
def test_a_fault_in_a_shipped_pack_is_an_error_with_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)"""
    for name in ("us.yaml", "house.yaml", "default.yaml"):
        shutil.copy(PACKS / name, tmp_path)
    path = tmp_path / "us.yaml"
    text = path.read_text("utf-8")
    head, tail = text.split("  - id: US-REGF-HOURS\n")
    assert old in tail
    path.write_text(head + "  - id: US-REGF-HOURS\n" + tail.replace(old, new, 1), "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path, date(2026, 11, 22))
    (problem,) = [str(one) for one in caught.value.problems]
    assert problem.startswith(f"{path}:")
    assert fault in problem


def test_a_draft_is_kept_and_never_asked() -> None:
    """IN-RBI-DRAFT2026: Draft RBI (Commercial Banks - Responsible Business Conduct)"""
    assert "IN-RBI-DRAFT2026" in {one.head.id for one in LAW.drafts}
    india = agency("IN", "Asia/Kolkata", "voice")
    for hour in range(0, 24, 3):
        decision = decide(india, LAW, on("2030-06-03T00:00", "Asia/Kolkata") + hour * HOUR)
        assert "IN-RBI-DRAFT2026" not in {*decision.passed, *(one.rule_id for one in decision.reasons)}


def test_a_rule_to_come_and_a_rule_that_ended_apply_inside_their_dates_only() -> None:
    """
    US-TCPA-REVOKE-ALL: 47 CFR 64.1200(a)(10)
    US-DC-FREQ-CALL-OLD: D.C. Law 24-182
    US-DC-FREQ-CALL: D.C. Code 28-3814(d)(4)(A)(i)
    """
    text = touch("US-TX", CENTRAL, actor="automated", suppressions=stopped(NOW, "ivr"))
    first = on("2027-01-31T12:00", CENTRAL)
    assert "US-TCPA-REVOKE-ALL" not in refusing(text, on("2027-01-30T23:59:59", CENTRAL))
    assert "US-TCPA-REVOKE-ALL" in refusing(text, first)
    three = calls(on("2022-12-28T10:00", EASTERN), 3)
    call = touch("US-DC", EASTERN, "voice", history=three)
    assert refusing(call, on("2022-12-31T12:00", EASTERN)) == {"US-DC-FREQ-CALL-OLD"}
    assert refusing(call, on("2023-01-01T12:00", EASTERN)) == set()
    four = calls(on("2022-12-28T10:00", EASTERN), 4, "voicemail_left")
    assert refusing(replace(call, history=four), on("2023-01-01T12:00", EASTERN)) == {"US-DC-FREQ-CALL"}


@pytest.mark.parametrize(
    ("place", "zone", "rule_id"),
    [
        ("CA-QC", "America/Toronto", "CA-BANK-HOLIDAY"),
        ("TH", "Asia/Bangkok", "TH-DCA-HOURS-WD"),
        ("CO", "America/Bogota", "CO-2300-HOLIDAY"),
    ],
)
def test_a_year_whose_holidays_are_not_known_is_refused_and_says_so(place: str, zone: str, rule_id: str) -> None:
    """
    CA-BANK-HOLIDAY: SOR/2021-181, s 13 and Schedule item 5(1)(b)
    TH-DCA-HOURS-WD: Debt Collection Act B.E. 2558 s 9
    CO-2300-HOLIDAY: Ley 2300 de 2023 Art. 3
    """
    text = touch(place, zone, creditor_kind="bank")
    known, unknown = on("2035-12-19T12:00", zone), on("2036-12-17T12:00", zone)  # Wednesdays
    assert refusing(text, known) == set()
    decision = decide(text, LAW, unknown)
    codes = {reason.code for reason in decision.reasons if reason.rule_id == rule_id}
    assert (decision.verdict is not Verdict.SEND, codes) == (True, {"quiet_hours.no_calendar"})


def test_a_day_on_which_a_holiday_would_change_nothing_needs_no_calendar() -> None:
    """TH-DCA-HOURS-HOL: Debt Collection Act B.E. 2558 s 9"""
    wednesday, saturday = (on(f"2036-12-{day}", "Asia/Bangkok") for day in ("17T12:00", "20T08:00"))
    assert opens(touch("TH", "Asia/Bangkok"), wednesday) == saturday


def test_who_is_somewhere_in_a_country_is_contacted_when_all_of_it_permits() -> None:
    """
    US-REGF-HOURS-AMBIGUOUS: 12 CFR 1006 Supp. I, cmt. 6(b)(1)(i)-2
    US-DC-HOURS: D.C. Code 28-3814(k)
    """
    country = place_of("US", None, None)
    call = agency("US", country.zones, "voice")
    assert {EASTERN, HAWAII} <= set(country.zones)
    at = on("2026-11-23T12:00", EASTERN)  # 07:00 in Hawaii
    asked = refusing(call, at)
    assert {"US-REGF-HOURS", "US-REGF-HOURS-AMBIGUOUS"} <= asked
    late = on("2026-11-23T21:30", EASTERN)
    assert "US-DC-HOURS" in refusing(call, late), "the law of each of its parts may apply"


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let the machine stand somewhere else."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_an_unknown_place_is_refused_and_the_clock_of_the_server_is_never_asked(server_zone: str) -> None:
    """
    core.zone: house policy
    core.jurisdiction: house policy
    US-REGF-HOURS: 12 CFR 1006.6(b)(1)(i)
    """
    assert os.environ["TZ"] == server_zone
    text = agency("US-TX", CENTRAL, consents=LATELY)
    for noon_somewhere in (0, 6, 12, 18):
        at = on("2026-11-23T00:00", server_zone) + noon_somewhere * HOUR
        assert refusing(replace(text, zones=()), at) >= {"core.zone"}
        assert refusing(replace(text, zones=("Mars/Olympus",)), at) >= {"core.zone"}
        assert refusing(replace(text, jurisdictions=()), at) >= {"core.jurisdiction"}
        assert opens(replace(text, zones=()), at) is None
    night = on("2026-11-23T21:00", CENTRAL)
    assert opens(text, night) == on("2026-11-24T08:00", CENTRAL)


def test_a_stored_decision_comes_out_the_same_after_the_law_has_changed() -> None:
    """US-NY-NYC-FREQ-OLD: 6 RCNY 5-77(b)(1)(iv)"""
    august = on("2026-08-31T12:00", EASTERN)
    call = agency("US-NY-NYC", EASTERN, "voice", history=calls(on("2026-08-28T10:00", EASTERN), 2, case_ids=("c9",)))
    told = decide(call, SHIPPED, august)
    stored_facts, stored_policy = facts_to_json(call), SHIPPED.to_json()
    a_year_later = law_and(rule("bar", id="US-TEST-LATER", code="place.work", channels=["voice"]))
    again = decide(facts_from_json(stored_facts), from_json(stored_policy), told.at)
    assert again == told
    assert "US-NY-NYC-FREQ-OLD" in {reason.rule_id for reason in again.reasons}
    changed = decide(call, a_year_later, told.at)
    assert changed.policy_version != told.policy_version
    assert "US-TEST-LATER" in {reason.rule_id for reason in changed.reasons}
    assert "US-NY-NYC-FREQ-OLD" not in refusing(call, august + 365 * DAY)
    assert next_permitted(call, from_json(stored_policy), told.at) == next_permitted(call, SHIPPED, told.at)
