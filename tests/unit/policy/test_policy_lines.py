"""Facts and decisions as JSON and back; JSON Lines through the gate."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from policy_samples import NOON, SHIPPED, facts, past

from outreach.policy.codec import (
    FieldError,
    decision_from_json,
    decision_to_json,
    facts_from_json,
    facts_to_json,
)  # fmt: skip
from outreach.policy.decision import Decision
from outreach.policy.facts import Hold, Override, PersonalWindow, Suppression
from outreach.policy.gate import decide
from outreach.policy.lines import MAX_LINE, decide_lines

FULL = facts(
    due_on=NOON.date(),
    expires_at=NOON + timedelta(days=1, microseconds=7),
    history=(past(timedelta(hours=30)), past(timedelta(days=9), "voice", "no_answer", same_borrower=False)),
    holds=(Hold("dispute", NOON, "c2"),),
    suppressions=(Suppression("email", "opt_out", NOON),),
    personal_windows=(PersonalWindow("bar", "01:00", "02:00", ("mon", "tue")),),
    overrides=(Override("agreed_time", NOON, NOON, "any", "x", used=True),),
    paused=("channel:email",),
)
SHORT = {
    "channel": "sms",
    "amount_due_minor": 1200,
    "jurisdictions": ["US-TX"],
    "zones": ["America/Chicago"],
    "point": {"id": "p", "kind": "phone", "type": "mobile", "label": "mobile", "state": "active"},
    "consents": [{"kind": "contact", "channel": "sms", "state": "given", "at": "2026-01-01T00:00:00Z"}],
}


def test_facts_and_decisions_come_back_as_they_went() -> None:
    assert facts_from_json(facts_to_json(FULL)) == FULL
    for candidate in (FULL, facts(), replace(FULL, point=None, zones=())):
        decision = decide(candidate, SHIPPED, NOON)
        assert decision_from_json(decision_to_json(decision)) == decision
        assert decide(facts_from_json(facts_to_json(candidate)), SHIPPED, NOON) == decision


def lines(*values: object) -> list[dict[str, object]]:
    raw = [value if isinstance(value, bytes) else orjson.dumps(value) for value in values]
    return [orjson.loads(line) for line in decide_lines(raw, SHIPPED)]


def test_a_person_can_write_a_short_line() -> None:
    (answer,) = lines({"at": "2026-11-23T12:00:00-06:00", "facts": SHORT})
    decision = decision_from_json(orjson.dumps(answer["decision"]))
    assert isinstance(decision, Decision)
    assert decision.verdict == "send"
    assert decision.policy_version == SHIPPED.version


@pytest.mark.parametrize("left_out", ["jurisdictions", "zones", "point", "consents"])
def test_nothing_left_out_is_taken_for_permission(left_out: str) -> None:
    short = {name: value for name, value in SHORT.items() if name != left_out}
    (answer,) = lines({"at": "2026-11-23T18:00:00Z", "facts": short})
    assert answer["decision"]["verdict"] == "block"  # type: ignore[index]


def spoiled(**changes: object) -> dict[str, object]:
    return {"at": "2026-11-23T18:00:00Z", "facts": SHORT | changes}


@pytest.mark.parametrize(
    ("line", "field", "text"),
    [
        (b"nope", "", "is not valid JSON (line 1, column 1)"),
        (b"[]", "", "must be an object with the fields at and facts"),
        (b"\xff\xfe", "", "is not valid JSON"),
        ({"facts": SHORT}, "at", "is missing"),
        ({"at": "2026-11-23T18:00:00Z"}, "facts", "is missing"),
        ({"at": "x", "facts": SHORT, "when": 1}, "when", "is not a field"),
        ({"at": "2026-11-23T18:00:00", "facts": SHORT}, "at", "needs an offset"),
        ({"at": "yesterday", "facts": SHORT}, "at", "must be an instant such as"),
        ({"at": 5, "facts": SHORT}, "at", "must be an instant such as"),
        ({"at": "0001-01-01T00:00:00+14:00", "facts": SHORT}, "at", "must be an instant such as"),
        ({"at": "2026-11-23T18:00:00Z", "facts": []}, "facts", "must be an object"),
        ({"at": "2026-11-23T18:00:00Z", "facts": {"channel": "sms"}}, "facts.amount_due_minor", "is missing"),
        (spoiled(chanel="sms"), "facts.chanel", "is not a field; the fields are touch_id, channel"),
        (spoiled(channel="fax"), "facts.channel", "must be one of sms, email, voice, ivr"),
        (spoiled(role="boss"), "facts.role", "must be one of first_party"),
        (spoiled(amount_due_minor="12"), "facts.amount_due_minor", "must be a whole number"),
        (spoiled(amount_due_minor=12.5), "facts.amount_due_minor", "must be a whole number"),
        (spoiled(amount_due_minor=True), "facts.amount_due_minor", "must be a whole number"),
        (spoiled(charged_off=1), "facts.charged_off", "must be true or false"),
        (spoiled(zones="UTC"), "facts.zones", "must be a list"),
        (spoiled(zones=["UTC", 3]), "facts.zones[1]", "must be text"),
        (spoiled(due_on="2026-13-01"), "facts.due_on", "must be a date such as"),
        (spoiled(history=[{"channel": "sms", "outcome": "sent"}]), "facts.history[0].at", "is missing"),
        (spoiled(history=[{"at": "2026-01-01T00:00:00Z", "channel": 1}]), "facts.history[0].channel", "must be text"),
        (spoiled(point={"id": "p"}), "facts.point.kind", "is missing"),
        (b'"' + b"x" * MAX_LINE + b'"', "", "is longer than"),
    ],
)
def test_a_wrong_line_names_its_field_and_the_next_is_still_decided(line: object, field: str, text: str) -> None:
    wrong, good = lines(line, {"at": "2026-11-23T18:00:00Z", "facts": SHORT})
    assert (wrong["line"], wrong["field"]) == (1, field)
    assert str(wrong["error"]).startswith(text)
    assert good["line"] == 2


def test_blank_lines_are_passed_over_but_counted() -> None:
    assert [answer["line"] for answer in lines(b"\n", b"  ", b"x")] == [3]


def test_an_error_never_repeats_what_was_written() -> None:
    secret = "+12025550143"
    for text in lines(spoiled(amount_due_minor=secret), secret.encode() + b"x", spoiled(due_on=secret)):
        assert secret not in orjson.dumps(text).decode()


def test_a_stored_value_that_is_not_json_is_a_field_error() -> None:
    with pytest.raises(FieldError, match="not valid JSON"):
        facts_from_json(b"{")


def test_the_next_permitted_instant_leaves_switches_and_expiry_aside() -> None:
    night = {
        "at": "2026-11-24T04:00:00Z",
        "facts": SHORT | {"paused": ["everything"], "expires_at": "2026-11-24T05:00:00Z"},
    }
    (answer,) = lines(night)
    assert answer["decision"]["verdict"] == "block"  # type: ignore[index]
    assert answer["next_permitted"] == "2026-11-24T14:05:00Z"  # the house opens at 08:05 in Chicago
    (never,) = lines(
        {"at": "2026-11-24T04:00:00Z", "facts": SHORT | {"holds": [{"kind": "cease", "since": "2026-11-01T00:00:00Z"}]}}
    )
    assert never["next_permitted"] is None


def test_a_reason_says_what_an_examiner_asks_for() -> None:
    (answer,) = lines({"at": "2026-11-24T04:00:00Z", "facts": SHORT | {"role": "agency"}})
    (reason,) = [one for one in answer["decision"]["reasons"] if one["rule_id"] == "US-REGF-HOURS"]  # type: ignore[index]
    assert reason["code"] == "quiet_hours.after_close"
    assert reason["effect"] == "presumption"
    assert reason["citation"].startswith("12 CFR 1006.6")
    assert reason["until"] == "2026-11-24T14:00:00Z"
    assert dict(reason["facts"])["local"] == "Mon 22:00"


def test_every_fact_can_be_written_down() -> None:
    more = {
        "creditor_kind": "bank", "accelerated": False, "charged_off": None, "located_zones": ["America/Chicago"],
        "history": [{"at": "2026-10-01T00:00:00Z", "channel": "mail", "outcome": "sent", "notice": "placement_notice"}],
        "content": {"disclosures": ["creditor_name"], "families": ["insult"], "media": "sms"},
    }  # fmt: skip
    (answer,) = lines({"at": "2026-11-23T18:00:00Z", "facts": SHORT | more})
    assert "decision" in answer
    (wrong,) = lines({"at": "2026-11-23T18:00:00Z", "facts": SHORT | {"content": {"words": []}}})
    assert (wrong["field"], wrong["error"]) == (
        "facts.content.words", "is not a field; the fields are disclosures, families, media"
    )  # fmt: skip
