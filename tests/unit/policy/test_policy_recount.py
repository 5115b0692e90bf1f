"""The audit's recount against the gate: two programs that share no code find the same hours and limits broken."""

import ast
import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from policy_samples import NEW_YORK, NOON, POINT, SHIPPED, facts, past, policy, rule

from outreach.domain.words import Outcome
from outreach.flows import recount
from outreach.flows.recount import Past, Recount, Send, counters
from outreach.policy.codec import facts_to_json
from outreach.policy.counting import counts_as
from outreach.policy.facts import Contact, Facts, Override, PersonalWindow
from outreach.policy.gate import decide
from outreach.policy.policy import Policy

MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FAMILIES = {"quiet_hours", "frequency_cap", "cooldown", "personal_window"}
STEP = timedelta(minutes=17)
# Places whose packs count in many ways, with clocks that change in both hemispheres, or go by half hours.
PLACES = [
    (("US-NY", "US-NY-NYC"), (NEW_YORK,)), (("US-MA",), (NEW_YORK,)), (("US-FL",), (NEW_YORK, "America/Chicago")),
    (("US-WA",), ("America/Los_Angeles",)), (("US-DC",), (NEW_YORK,)), (("US",), (NEW_YORK, "America/Los_Angeles")),
    (("CA-QC",), ("America/Toronto",)), (("CA-AB",), ("America/Edmonton",)), (("CN",), ("Asia/Shanghai",)),
    (("AU-SA",), ("Australia/Adelaide",)), (("RU",), ("Europe/Moscow", "Asia/Vladivostok")),
    (("KR",), ("Asia/Seoul",)), (("CO",), ("America/Bogota",)), (("IN-MH",), ("Asia/Kolkata",)),
    (("GB-ENG",), ("Europe/London",)), (("DE-BY",), ("Europe/Berlin",)), (("CL",), ("America/Santiago",)),
    (("TV",), ("Pacific/Funafuti",)), (("BE",), ("Europe/Brussels",)), (("ZA",), ("Africa/Johannesburg",)),
]  # fmt: skip
WEEKS = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 5), (4, 2), (7, 2), (10, 1), (10, 30), (12, 21))]


def send_of(candidate: Facts, at: datetime) -> Send:
    """The send that would be in the ledger had the gate let this contact leave."""
    point = candidate.point.id if candidate.point else ""
    told = orjson.loads(facts_to_json(candidate))
    return Send("a1", at, candidate.channel, candidate.purpose, candidate.case_id, candidate.creditor_id, point, told)


def past_of(candidate: Facts) -> list[Past]:
    return [
        Past(
            one.at, one.channel, one.outcome, one.case_ids, one.creditor_id, one.point_id, one.direction, one.purpose,
            one.same_borrower,
        )
        for one in candidate.history
    ]  # fmt: skip


def counted_again(candidate: Facts, version: Policy, at: datetime) -> set[str]:
    found = Recount(version.to_json()).violations(send_of(candidate, at), past_of(candidate))
    return {one.rule_id for one in found}


def refused(candidate: Facts, version: Policy, at: datetime) -> set[str]:
    reasons = decide(candidate, version, at).reasons
    found = {one.rule_id for one in reasons if one.code.partition(".")[0] in FAMILIES}
    return found - {"core.horizon"}  # says that no later instant will do, either


@st.composite
def contacts(draw: st.DrawFn, at: datetime) -> Contact:
    return Contact(
        at - draw(st.integers(0, 2600)) * STEP,
        draw(st.sampled_from(["sms", "sms", "email", "voice", "ivr", "mail", "visit", "whatsapp", "other"])),
        draw(st.sampled_from([str(outcome) for outcome in Outcome] + ["strange"])),
        draw(st.sampled_from([("c1",), ("c1",), ("c2",), ()])),
        draw(st.sampled_from(["k1", "k1", "k2", ""])),
        draw(st.sampled_from(["p1", "p1", "p2", ""])),
        draw(st.sampled_from(["out", "out", "out", "in"])),
        draw(st.sampled_from(["reminder", "reminder", "reply", "confirmation", "requested_callback"])),
        draw(st.sampled_from([True, True, True, False])),
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[Facts, datetime]:
    at = draw(st.sampled_from(WEEKS)) + draw(st.integers(0, 7 * 24 * 60)) * timedelta(minutes=1)
    places, zones = draw(st.sampled_from(PLACES))
    kinds = st.sampled_from(["agreed_time", "requested_callback", "reply_in_thread", "consent_to_extra"])
    overrides = st.builds(
        lambda kind, used: Override(kind, at - timedelta(days=1), at + timedelta(hours=5), "any", "evidence", used),
        kinds,
        st.booleans(),
    )
    times = st.builds(
        PersonalWindow,
        st.sampled_from(["allow", "bar"]),
        st.sampled_from(["09:00", "12:30", "21:00"]),
        st.sampled_from(["17:00", "23:59", "06:00"]),
        st.sampled_from([(), ("mon", "tue", "sat"), ("sun",)]),
        st.sampled_from(["any", "sms"]),
        st.sampled_from([None, at + timedelta(hours=1), at - timedelta(hours=1)]),
    )
    candidate = facts(
        channel=draw(st.sampled_from(["sms", "voice", "email", "ivr"])),
        purpose=draw(st.sampled_from(["reminder", "reminder", "reply", "requested_callback", "arrangement"])),
        role=draw(st.sampled_from(["first_party", "agency", "debt_buyer", "platform"])),
        actor=draw(st.sampled_from(["automated", "prerecorded", "human", ""])),
        product=draw(st.sampled_from(["card", "microfinance", "online_loan", ""])),
        creditor_kind=draw(st.sampled_from(["", "bank", "online_lender"])),
        days_past_due=draw(st.sampled_from([-3, 0, 1, 30, 61, 120])),
        jurisdictions=places,
        zones=zones,
        located_zones=draw(st.sampled_from([(), (), ("America/Denver",)])),
        point=replace(
            POINT,
            type=draw(st.sampled_from(["mobile", "fixed_line", "fixed_line_or_mobile", "unknown"])),
            label=draw(st.sampled_from(["mobile", "work", "home"])),
            zones=draw(st.sampled_from([(), ("America/Chicago",), zones])),
        ),
        history=tuple(draw(st.lists(contacts(at), max_size=14))),
        overrides=tuple(draw(st.lists(overrides, max_size=1))),
        personal_windows=tuple(draw(st.lists(times, max_size=2))),
    )
    return candidate, at


@MANY
@given(situations())
def test_the_recount_finds_what_the_gate_refuses_and_nothing_else(situation: tuple[Facts, datetime]) -> None:
    candidate, at = situation
    assert counted_again(candidate, SHIPPED, at) == refused(candidate, SHIPPED, at)


def test_the_recount_shares_no_code_with_the_gate() -> None:
    imported = {
        node.module
        for node in ast.walk(ast.parse(inspect.getsource(recount)))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("outreach")
    }
    assert imported == {"outreach.domain.places", "outreach.flows.sentences"}


@pytest.mark.parametrize("channel", ["sms", "email", "voice", "ivr", "mail", "visit", "whatsapp", "other"])
@pytest.mark.parametrize("outcome", [*Outcome, "strange"])
def test_both_count_every_outcome_alike(channel: str, outcome: str) -> None:
    assert counters(Past(NOON, channel, str(outcome))) == counts_as(channel, str(outcome))


def test_a_limit_says_which_contacts_fill_it() -> None:
    caps = policy(
        rule("cap", counts="touches", scope="borrower", limits=[
            {"most": 1, "per": "day"}, {"most": 3, "per": "rolling", "length": "7d"},
        ])
    )  # fmt: skip
    early, late = past(timedelta(days=2)), past(timedelta(hours=1))
    candidate = facts(history=(late, early))
    book = Recount(caps.to_json())
    send, before = send_of(candidate, NOON), past_of(candidate)
    assert [one.at for one in book.used("test.cap", (1, "day"), send, before)] == [late.at]
    assert [one.at for one in book.used("test.cap", (3, "rolling"), send, before)] == [early.at, late.at]


@pytest.mark.parametrize(
    ("spoiled", "kind", "detail"),
    [
        ({"at": NOON - timedelta(hours=6)}, "hours", "Wed 2026-11-18 06:00 in America/New_York"),
        ({"history": (past(timedelta(hours=2)),)}, "cap", "1 before it where 1 may be (day)"),
        ({"history": (past(timedelta(hours=2)),)}, "gap", "2:00:00 after the last (rolling 18 hours)"),
    ],
)
def test_a_violation_says_what_was_broken_and_by_how_much(spoiled: dict[str, Any], kind: str, detail: str) -> None:
    at = spoiled.pop("at", NOON)
    candidate = facts(**spoiled)
    found = Recount(SHIPPED.to_json()).violations(send_of(candidate, at), past_of(candidate))
    assert (kind, detail) in {(one.kind, one.detail) for one in found}


def test_a_send_to_somebody_without_a_clock_is_a_violation() -> None:
    nowhere = facts(zones=(), point=replace(POINT, zones=()))
    (found,) = Recount(SHIPPED.to_json()).violations(send_of(nowhere, NOON), [])
    assert (found.rule_id, found.kind) == ("core.zone", "place")
