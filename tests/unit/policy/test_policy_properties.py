"""What must hold for any facts and rules: exact until, refusals that only ever add up, answers that move with time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from policy_cases import SPOILS
from policy_samples import ALL_DAYS, NEW_YORK, POINT, SHIPPED, facts, policy, rule

from outreach.policy.decision import Verdict
from outreach.policy.facts import Consent, Contact, Facts, Hold, PersonalWindow, Suppression
from outreach.policy.gate import decide

FIVE = timedelta(minutes=5)
# Weeks in which clocks change somewhere, north and south, and one in which none does.
WEEKS = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 5), (4, 2), (6, 10), (9, 3), (10, 1), (10, 30))]
ZONES = [
    NEW_YORK, "America/Los_Angeles", "America/Phoenix", "Europe/London", "Asia/Kolkata", "Asia/Shanghai",
    "Australia/Lord_Howe", "Australia/Adelaide", "America/Santiago", "Asia/Kathmandu", "Pacific/Kiritimati",
]  # fmt: skip
OUTCOMES = [
    "delivered",
    "unknown",
    "pending",
    "released",
    "bounced",
    "no_answer",
    "conversation",
    "busy",
    "wrong_party",
]
CHANNELS = ["sms", "email", "voice"]
FEW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def instants(before: int = 0, after: int = 7) -> st.SearchStrategy[datetime]:
    steps = st.integers(-before * 288, after * 288)
    return st.builds(lambda week, step: week + step * FIVE, st.sampled_from(WEEKS), steps)


def clocks() -> st.SearchStrategy[str]:
    return st.integers(0, 47).map(lambda half: f"{half // 2:02d}:{half % 2 * 30:02d}")


def some_days() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(ALL_DAYS), min_size=1, max_size=7, unique=True)


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.integers(0, 40))
    end = draw(st.integers(start + 6, 48))
    text = [f"{half // 2:02d}:{half % 2 * 30:02d}" for half in (start, end)]
    days = draw(st.just(ALL_DAYS) | some_days())
    clock = draw(st.none() | st.just("Asia/Shanghai"))
    part = {"days": days, "start": text[0], "end": text[1]}
    return rule("window", hours=[part], clock=clock, holidays="like_any_day", jurisdiction="any")


def lengths() -> st.SearchStrategy[dict[str, Any]]:
    rolling = st.integers(1, 96).map(lambda n: {"per": "rolling", "length": f"{n}h"})
    dates = st.builds(
        lambda per, n: {"per": per, "length": f"{n}d"},
        st.sampled_from(["rolling_days", "full_days"]),
        st.integers(1, 5),
    )
    return rolling | dates | st.sampled_from([{"per": "day"}, {"per": "week"}, {"per": "month"}])


@st.composite
def counters(draw: st.DrawFn) -> dict[str, Any]:
    length = draw(lengths())
    common = {
        "counts": draw(st.sampled_from(["touches", "attempts", "communications", "conversations"])),
        "scope": draw(st.sampled_from(["case", "creditor", "borrower", "number"])),
        "channels": draw(st.sampled_from([[], ["sms"], ["voice", "sms"]])),
        "clock": draw(st.none() | st.just("Asia/Shanghai")),
        "jurisdiction": "any",
        "in_force_from": draw(st.sampled_from(["2020-01-01", "2026-06-12"])),
    }
    if draw(st.booleans()):
        return rule("gap", wait=length, directions=["out", "in"], **common)
    return rule("cap", limits=[length | {"most": draw(st.integers(1, 3))}], **common)


@st.composite
def rule_sets(draw: st.DrawFn) -> list[dict[str, Any]]:
    consent = st.just(rule("consent", jurisdiction="any"))
    drawn = draw(st.lists(windows() | counters() | consent, max_size=4))
    return [one | {"id": f"r{index}"} for index, one in enumerate(drawn)]


def contacts(at: datetime) -> st.SearchStrategy[Contact]:
    return st.builds(
        lambda steps, channel, outcome, case_id, same, point_id, direction: Contact(
            at - steps * FIVE, channel, outcome, (case_id,), "k1", point_id, direction, "reminder", same
        ),
        st.integers(0, 2016),
        st.sampled_from(CHANNELS),
        st.sampled_from(OUTCOMES),
        st.sampled_from(["c1", "c2"]),
        st.booleans(),
        st.sampled_from(["p1", "p2"]),
        st.sampled_from(["out", "out", "in"]),
    )


def ends(at: datetime) -> st.SearchStrategy[datetime | None]:
    return st.none() | st.integers(-100, 600).map(lambda steps: at + steps * FIVE)


def named_times(at: datetime) -> st.SearchStrategy[PersonalWindow]:
    days = st.just(()) | some_days().map(tuple)
    kinds = st.sampled_from(["allow", "bar"])
    made = st.builds(PersonalWindow, kinds, clocks(), clocks(), days, st.sampled_from(["any", "sms"]), ends(at))
    return made.filter(lambda one: one.start != one.end)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Facts, datetime]:
    at = draw(instants())
    channel = draw(st.sampled_from(["sms", "voice"]))
    expires = draw(ends(at))
    consent = Consent("contact", draw(st.sampled_from(["any", "sms"])), "given", at - timedelta(days=3), None, expires)
    holds = draw(st.lists(ends(at).filter(bool), max_size=1))
    stops = draw(st.lists(ends(at).filter(bool), max_size=1))
    candidate = facts(
        channel=channel,
        jurisdictions=("US-NY",),
        zones=tuple(draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True))),
        point=replace(POINT, zones=tuple(draw(st.lists(st.sampled_from(ZONES), max_size=1)))),
        history=tuple(draw(st.lists(contacts(at), max_size=8))),
        consents=(consent,),
        personal_windows=tuple(draw(st.lists(named_times(at), max_size=2))),
        holds=tuple(Hold("hardship", at - FIVE, None, until) for until in holds),
        suppressions=tuple(Suppression("any", "opt_out", at - FIVE, None, until) for until in stops),
    )
    return candidate, at


@FEW
@given(situations(), rule_sets())
def test_until_is_permitted_and_the_instant_before_is_not(
    situation: tuple[Facts, datetime], rules: list[dict[str, Any]]
) -> None:
    candidate, at = situation
    version = policy(*rules)
    decision = decide(candidate, version, at)
    if decision.until is not None:
        assert decide(candidate, version, decision.until).verdict is Verdict.SEND
        for before in (timedelta(microseconds=1), timedelta(minutes=1)):
            if decision.until - before >= at:
                assert decide(candidate, version, decision.until - before).verdict is not Verdict.SEND
    if decision.send_before is not None:
        assert decide(candidate, version, decision.send_before - timedelta(microseconds=1)).verdict is Verdict.SEND
        assert decide(candidate, version, decision.send_before).verdict is not Verdict.SEND


@FEW
@given(situations(), st.lists(st.sampled_from(sorted(SPOILS)), min_size=1, max_size=3))
def test_a_fact_that_forbids_never_turns_a_refusal_into_a_send(
    situation: tuple[Facts, datetime], spoils: list[str]
) -> None:
    candidate, at = situation
    spoiled = candidate
    for name in spoils:
        spoiled = SPOILS[name](spoiled, at)
    before, after = decide(candidate, SHIPPED, at), decide(spoiled, SHIPPED, at)
    assert before.verdict is Verdict.SEND or after.verdict is not Verdict.SEND
    assert before.verdict is not Verdict.BLOCK or after.verdict is Verdict.BLOCK
    if before.until is not None and after.until is not None:
        assert after.until >= before.until


@FEW
@given(situations(), rule_sets())
def test_one_more_rule_never_permits_what_was_refused(
    situation: tuple[Facts, datetime], rules: list[dict[str, Any]]
) -> None:
    candidate, at = situation
    assume(rules)
    fewer, all_of_them = decide(candidate, policy(*rules[:-1]), at), decide(candidate, policy(*rules), at)
    assert fewer.verdict is Verdict.SEND or all_of_them.verdict is not Verdict.SEND
    assert {reason.rule_id for reason in fewer.reasons} - {"core.horizon", "core.expiry"} <= {
        reason.rule_id for reason in all_of_them.reasons
    }


def moved(candidate: Facts, by: timedelta) -> Facts:
    return replace(
        candidate,
        history=tuple(replace(one, at=one.at + by) for one in candidate.history),
        consents=tuple(
            replace(one, at=one.at + by, expires_at=one.expires_at and one.expires_at + by)
            for one in candidate.consents
        ),
        holds=tuple(replace(one, since=one.since + by, until=one.until and one.until + by) for one in candidate.holds),
        suppressions=tuple(
            replace(one, since=one.since + by, until=one.until and one.until + by) for one in candidate.suppressions
        ),
        personal_windows=tuple(replace(one, until=one.until and one.until + by) for one in candidate.personal_windows),
    )


@FEW
@given(situations(), rule_sets(), st.integers(1, 200))
def test_moving_everything_by_whole_weeks_moves_the_answer_where_clocks_never_change(
    situation: tuple[Facts, datetime], rules: list[dict[str, Any]], weeks: int
) -> None:
    candidate, at = situation
    steady = replace(candidate, zones=("Asia/Kolkata", "America/Phoenix"), point=POINT)
    weekly = [one for one in rules if "month" not in str(one) and one["in_force_from"] == "2020-01-01"]
    by = timedelta(weeks=weeks)
    first, later = decide(steady, policy(*weekly), at), decide(moved(steady, by), policy(*weekly), at + by)
    assert first.verdict is later.verdict
    assert [reason.code for reason in first.reasons] == [reason.code for reason in later.reasons]
    assert (first.until and first.until + by) == later.until


@FEW
@given(situations())
def test_the_order_of_facts_does_not_matter(situation: tuple[Facts, datetime]) -> None:
    candidate, at = situation
    turned = replace(
        candidate,
        history=candidate.history[::-1],
        zones=candidate.zones[::-1],
        personal_windows=candidate.personal_windows[::-1],
    )
    assert decide(candidate, SHIPPED, at) == decide(turned, SHIPPED, at)
