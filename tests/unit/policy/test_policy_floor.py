"""What no policy file can switch off, and how refusals combine."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from policy_samples import NOON, POINT, SHIPPED, call, facts, hours, policy, rule

from outreach.policy.decision import Verdict
from outreach.policy.facts import Consent, Contact, Facts, Hold, Override, Suppression
from outreach.policy.gate import HORIZON, PAUSE_RECHECK, decide, next_permitted

EMPTY = policy()
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def codes(candidate: Facts, *, at=NOON) -> list[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return [reason.code for reason in decide(candidate, EMPTY, at).reasons]


def test_the_plain_case_is_sent_even_under_everything_shipped() -> None:
    assert decide(facts(), EMPTY, NOON).verdict is Verdict.SEND
    shipped = decide(facts(), SHIPPED, NOON)
    assert shipped.verdict is Verdict.SEND
    assert shipped.policy_version == SHIPPED.version


@pytest.mark.parametrize(
    ("change", "code", "channel_only"),
    [
        ({"channel": "fax"}, "channel.unknown", False),
        ({"purpose": "marketing"}, "purpose.unknown", False),
        ({"jurisdictions": ()}, "place.unknown_jurisdiction", False),
        ({"jurisdictions": ("us-ny",)}, "place.unknown_jurisdiction", False),
        ({"zones": ()}, "place.unknown_zone", False),
        ({"point": None}, "point.none", True),
        ({"point": replace(POINT, state="invalid")}, "point.invalid", True),
        ({"point": replace(POINT, state="wrong_party")}, "point.wrong_party", True),
        ({"point": replace(POINT, state="reassigned")}, "point.reassigned", True),
        ({"point": replace(POINT, state="lost")}, "point.not_active", True),
        ({"point": replace(POINT, kind="email")}, "point.kind_mismatch", True),
        ({"point": replace(POINT, type="fixed_line")}, "point.takes_no_texts", True),
        ({"channel": "voice", "point": replace(POINT, type="toll_free")}, "point.toll_free", True),
        ({"case_state": "closed"}, "case.closed", False),
        ({"case_state": ""}, "case.closed", False),
        ({"amount_due_minor": 0}, "case.nothing_due", False),
        ({"amount_due_minor": -5}, "case.nothing_due", False),
        ({"expires_at": NOON}, "expiry.passed", False),
        ({"suppressions": (Suppression("sms", "opt_out", NOON - DAY),)}, "suppression.in_force", True),
        ({"suppressions": (Suppression("any", "opt_out", NOON - DAY),)}, "suppression.in_force", False),
        ({"suppressions": (Suppression("any", "opt_out", NOON - DAY, "p1"),)}, "suppression.in_force", True),
        ({"suppressions": (Suppression("any", "opt_out", NOON + DAY),)}, "suppression.in_force", False),
        ({"consents": (Consent("contact", "sms", "revoked", NOON - DAY),)}, "consent.revoked", True),
        ({"consents": (Consent("contact", "any", "revoked", NOON - DAY),)}, "consent.revoked", False),
        ({"holds": (Hold("attorney", NOON - DAY),)}, "hold.attorney", False),
        ({"holds": (Hold("new_kind", NOON - DAY, "c1"),)}, "hold.new_kind", False),
    ],
)
def test_each_of_these_facts_alone_blocks(change: dict[str, object], code: str, channel_only: bool) -> None:
    decision = decide(facts(**change), EMPTY, NOON)
    assert decision.verdict is Verdict.BLOCK
    assert [(reason.code, reason.channel_only) for reason in decision.reasons] == [(code, channel_only)]
    assert decision.until is None


@pytest.mark.parametrize(
    "change",
    [
        {"suppressions": (Suppression("email", "opt_out", NOON - DAY),)},
        {"suppressions": (Suppression("any", "opt_out", NOON - DAY, "p2"),)},
        {"suppressions": (Suppression("any", "opt_out", NOON - DAY, None, None, "c2"),)},
        {"suppressions": (Suppression("any", "opt_out", NOON - DAY, None, NOON),)},
        {"holds": (Hold("dispute", NOON - DAY, "c2"),)},
        {"holds": (Hold("dispute", NOON - DAY, "c1", NOON),)},
        {
            "consents": (
                Consent("contact", "sms", "revoked", NOON - DAY),
                Consent("contact", "sms", "given", NOON - MINUTE),
            )
        },
        {"expires_at": NOON + MINUTE},
        {"amount_due_minor": 0, "purpose": "reply"},
        {"case_state": "closed", "purpose": "confirmation"},
    ],
)
def test_facts_about_something_else_do_not_block(change: dict[str, object]) -> None:
    assert codes(facts(**change)) == []


def test_revoked_and_given_at_one_instant_is_revoked() -> None:
    both = (Consent("contact", "sms", "given", NOON - DAY), Consent("contact", "sms", "revoked", NOON - DAY))
    assert codes(facts(consents=both)) == codes(facts(consents=both[::-1])) == ["consent.revoked"]


def test_a_hold_with_an_end_defers_to_it_and_one_beyond_the_horizon_blocks() -> None:
    end = NOON + 3 * DAY
    decision = decide(facts(holds=(Hold("hardship", NOON - DAY, None, end),)), EMPTY, NOON)
    assert (decision.verdict, decision.until) == (Verdict.DEFER, end)
    far = decide(facts(holds=(Hold("hardship", NOON - DAY, None, NOON + HORIZON + MINUTE),)), EMPTY, NOON)
    assert far.verdict is Verdict.BLOCK


def test_every_reason_is_kept_not_just_the_first() -> None:
    spoiled = facts(case_state="closed", amount_due_minor=0, point=None, holds=(Hold("cease", NOON),), zones=())
    expected = {"case.closed", "case.nothing_due", "point.none", "hold.cease", "place.unknown_zone"}
    assert set(codes(spoiled)) == expected
    decision = decide(spoiled, EMPTY, NOON)
    assert not {reason.rule_id for reason in decision.reasons} & set(decision.passed)


def test_one_confirmation_of_an_opt_out_may_leave_within_five_minutes() -> None:
    stopped = facts(
        purpose="confirmation",
        suppressions=(Suppression("sms", "opt_out", NOON),),
        consents=(Consent("contact", "sms", "revoked", NOON),),
    )
    assert decide(stopped, EMPTY, NOON).send_before == NOON + 5 * MINUTE
    assert decide(stopped, EMPTY, NOON + 5 * MINUTE).verdict is Verdict.BLOCK
    again = replace(stopped, history=(Contact(NOON, "sms", "pending", purpose="confirmation"),))
    assert decide(again, EMPTY, NOON + MINUTE).verdict is Verdict.BLOCK
    assert decide(replace(stopped, purpose="reminder"), EMPTY, NOON).verdict is Verdict.BLOCK
    wrong = replace(stopped, suppressions=(Suppression("sms", "wrong_party", NOON),))
    assert decide(wrong, EMPTY, NOON).verdict is Verdict.BLOCK


@pytest.mark.parametrize(("kind", "sent"), [("dispute", True), ("review", True), ("cease", False), ("attorney", False)])
def test_a_borrower_on_hold_is_answered_once_unless_silence_is_the_answer(kind: str, sent: bool) -> None:
    wrote = Override("reply_in_thread", NOON, NOON + 10 * MINUTE, "sms", "reply 4")
    answer = facts(purpose="reply", holds=(Hold(kind, NOON),), overrides=(wrote,))
    assert (decide(answer, EMPTY, NOON).verdict is Verdict.SEND) is sent


def test_a_kill_switch_defers_and_is_looked_at_again() -> None:
    decision = decide(facts(paused=("channel:sms",)), EMPTY, NOON)
    assert (decision.verdict, decision.until) == (Verdict.DEFER, NOON + PAUSE_RECHECK)
    assert [(reason.code, reason.channel_only) for reason in decision.reasons] == [("paused.switch", True)]
    assert not decide(facts(paused=("everything",)), EMPTY, NOON).reasons[0].channel_only
    late = decide(facts(paused=("everything",), expires_at=NOON + MINUTE), EMPTY, NOON)
    assert late.verdict is Verdict.BLOCK


def test_what_would_be_permitted_only_after_it_is_stale_is_blocked() -> None:
    morning = policy(hours("08:00", "11:00"))
    assert decide(facts(expires_at=NOON + DAY), morning, NOON).until == NOON + 20 * 60 * MINUTE
    stale = decide(facts(expires_at=NOON + 20 * 60 * MINUTE), morning, NOON)
    assert stale.verdict is Verdict.BLOCK
    assert stale.reasons[-1].code == "expiry.before_permitted"
    assert next_permitted(facts(expires_at=NOON), morning, NOON) == NOON + 20 * 60 * MINUTE


def test_refusals_that_never_end_together_block() -> None:
    consent_ends = Consent("contact", "sms", "given", NOON - DAY, None, NOON + MINUTE)
    ends = policy(hours("08:00", "11:00"), rule("consent"))
    decision = decide(facts(consents=(consent_ends,)), ends, NOON)
    assert (decision.verdict, decision.reasons[-1].code) == (Verdict.BLOCK, "horizon.no_instant")


def test_send_before_is_the_first_thing_that_closes() -> None:
    ends = policy(hours("08:00", "21:00"), rule("consent"))
    consent = Consent("contact", "sms", "given", NOON - DAY, None, NOON + 2 * MINUTE)
    assert decide(facts(consents=(consent,), expires_at=NOON + 3 * MINUTE), ends, NOON).send_before == NOON + 2 * MINUTE
    assert decide(facts(expires_at=NOON + 3 * MINUTE), ends, NOON).send_before == NOON + 3 * MINUTE


def test_a_naive_instant_is_an_error_not_a_guess() -> None:
    with pytest.raises(ValueError, match="aware"):
        decide(facts(), EMPTY, NOON.replace(tzinfo=None))


def test_the_same_question_has_the_same_answer_from_any_zone_of_the_asker() -> None:
    elsewhere = NOON.astimezone(ZoneInfo("Asia/Tokyo"))
    assert decide(call(), SHIPPED, elsewhere) == decide(call(), SHIPPED, NOON)


@pytest.mark.parametrize(
    "recipient", ["spouse", "household", "employer", "contact_person", "wrong_party", "", "unknown"]
)
def test_only_those_who_owe_are_reminded(recipient: str) -> None:
    assert "recipient.not_addressed" in {r.code for r in decide(facts(recipient=recipient), SHIPPED, NOON).reasons}


def test_a_contact_point_at_work_waits_for_the_borrowers_word() -> None:
    work = replace(POINT, label="work")
    assert "place.work" in {r.code for r in decide(facts(point=work), SHIPPED, NOON).reasons}
    assert decide(facts(point=replace(work, confirmed=True)), SHIPPED, NOON).verdict is Verdict.SEND


def test_a_country_without_a_pack_gets_the_strict_default_and_one_with_a_pack_does_not() -> None:
    evening = NOON + timedelta(hours=7)  # 19:00 in New York
    for place in ("NO", "PL"):  # Poland lies in the European Union, whose pack is not a pack of its own
        assert "default.hours" in {r.rule_id for r in decide(facts(jurisdictions=(place,)), SHIPPED, evening).reasons}
        assert decide(facts(jurisdictions=("US-NY", place)), SHIPPED, evening).verdict is Verdict.DEFER
    assert "default.hours" not in decide(facts(jurisdictions=("FR",)), SHIPPED, evening).passed
    assert decide(facts(jurisdictions=("US-NY",)), SHIPPED, evening).verdict is Verdict.SEND
