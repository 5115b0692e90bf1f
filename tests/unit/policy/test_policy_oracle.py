"""The gate against a slow second opinion: ten thousand random cases, minute by minute, to the same answers."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import policy_oracle as oracle
import pytest
from policy_cases import SPOILS, calendars, holidays, rules, situation
from policy_samples import hours, policy

from outreach.policy.decision import Verdict
from outreach.policy.facts import Facts
from outreach.policy.gate import HORIZON, decide, next_permitted
from outreach.policy.policy import Policy

MINUTE, INSTANT = timedelta(minutes=1), timedelta(microseconds=1)
BLOCKS, SETS, CASES = 25, 20, 20
"""Twenty-five blocks of twenty sets of rules, twenty cases each: ten thousand."""
PROBES = 3


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_gate_and_the_oracle_agree(block: int) -> None:
    random = Random(block)  # noqa: S311 - repeatable cases, no secrets
    for _ in range(SETS):
        known, drawn = holidays(random), rules(random)
        version = policy(*drawn, calendars=calendars(known))
        for _ in range(CASES):
            candidate, at = situation(random)
            assert_agreed(drawn, version, candidate, at, known, random)


def assert_agreed(
    drawn: list[dict[str, Any]], version: Policy, candidate: Facts, at: datetime, known: Any, random: Random
) -> None:
    """Assert one case: the verdict, the first permitted instant, and that nothing before it is permitted."""

    def permitted(when: datetime) -> bool:
        return oracle.permitted(drawn, candidate, when, known)

    decision = decide(candidate, version, at)
    case = (drawn, candidate, at, decision)
    assert (decision.verdict is Verdict.SEND) is permitted(at), case
    found = next_permitted(candidate, version, at)
    assert decision.verdict is Verdict.BLOCK or found == (decision.until or at), case
    if found is not None:
        assert permitted(found), case
    if found != at:
        minutes = int(((found or at + HORIZON) - at) / MINUTE)
        before = [at + random.randint(0, minutes) * MINUTE for _ in range(PROBES)]
        if found is not None:
            before = [*(one for one in before if one < found), found - INSTANT, max(at, found - MINUTE)]
        assert not any(permitted(one) for one in before), case
    if decision.send_before is not None:
        assert permitted(decision.send_before - INSTANT), case
        assert not permitted(decision.send_before), case


@pytest.mark.parametrize("block", range(4))
def test_walking_minute_by_minute_ends_where_the_gate_said(block: int) -> None:
    random = Random(1000 + block)  # noqa: S311 - repeatable cases, no secrets
    walked = 0
    while walked < 4:
        known, drawn = holidays(random), rules(random)
        version = policy(*drawn, calendars=calendars(known))
        candidate, at = situation(random)
        until = decide(candidate, version, at).until
        if until is not None and at + 2 * MINUTE < until < at + timedelta(hours=16):
            found = oracle.first_permitted(drawn, candidate, at, timedelta(hours=16), known)
            assert found is not None
            assert found - MINUTE < until <= found
            walked += 1


def test_a_fact_that_forbids_never_opens_what_any_rule_refused() -> None:
    random = Random(11)  # noqa: S311 - repeatable cases, no secrets
    for _ in range(60):
        known, drawn = holidays(random), rules(random)
        version = policy(*drawn, calendars=calendars(known))
        for _ in range(15):
            candidate, at = situation(random)
            name = random.choice(sorted(SPOILS))
            before, after = decide(candidate, version, at), decide(SPOILS[name](candidate, at), version, at)
            case = (name, drawn, candidate, at)
            assert before.verdict is Verdict.SEND or after.verdict is not Verdict.SEND, case
            assert before.verdict is not Verdict.BLOCK or after.verdict is Verdict.BLOCK, case
            if before.until is not None and after.until is not None:
                assert after.until >= before.until, case


def test_zones_that_share_no_hour_are_never_permitted() -> None:
    random = Random(5)  # noqa: S311 - repeatable cases, no secrets
    narrow = hours("10:00", "12:00", holidays="like_any_day")
    version, empty = policy(narrow), 0
    for _ in range(60):
        candidate, at = situation(random)
        found = next_permitted(candidate, version, at)
        ever = any(oracle.permitted([narrow], candidate, at + half * 30 * MINUTE) for half in range(8 * 48))
        assert ever is (found is not None and found <= at + timedelta(days=8)) or found is not None
        empty += found is None
    assert empty > 5


def test_the_cases_are_of_every_kind() -> None:
    random = Random(7)  # noqa: S311 - repeatable cases, no secrets
    verdicts = dict.fromkeys(Verdict, 0)
    shapes: set[str] = set()
    for _ in range(40):
        drawn = rules(random)
        shapes |= {one["shape"] for one in drawn}
        version = policy(*drawn, calendars=calendars(holidays(random)))
        for _ in range(10):
            candidate, at = situation(random)
            verdicts[decide(candidate, version, at).verdict] += 1
    assert min(verdicts.values()) > 40
    assert len(shapes) == 10
