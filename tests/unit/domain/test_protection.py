"""Thresholds of protection: what is paused, how long, when an address is given up; and the file of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.located_yaml import ConfigError
from outreach.domain.protection import (
    Finding,
    PointNews,
    Protection,
    Run,
    Tally,
    Trouble,
    find_troubles,
    given_up,
    pause_length,
)
from outreach.domain.protection_config import load_protection
from tests.support.source import ROOT

NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)
RULES = Protection()
SPRING = UUID(int=1)
ANY = "{window: 1h, at_least: 1, share: 0.5}"


def tally(settled: int, bad: int, campaign: UUID | None = None, down: int = 0, minutes: int = 0) -> Tally:
    since = NOW - timedelta(minutes=minutes) if down else None
    return Tally("sms", campaign, "spring" if campaign else None, settled, bad, settled, bad, down, since)


def paused(*tallies: Tally) -> list[tuple[str, str]]:
    return [(each.scope, each.key) for each in find_troubles(tallies, RULES, NOW)]


def test_a_surge_needs_both_the_count_and_the_share() -> None:
    assert paused(tally(19, 19)) == []
    assert paused(tally(20, 20)) == [("channel", "sms")]
    assert paused(tally(41, 20)) == []
    assert paused(tally(40, 20)) == [("channel", "sms")]


def test_a_campaign_alone_is_paused_when_its_lane_is_well_without_it() -> None:
    assert paused(tally(60, 60, SPRING), tally(40, 1)) == [("campaign", str(SPRING))]


def test_the_lane_is_paused_when_too_little_of_it_says_that_it_is_well() -> None:
    assert paused(tally(60, 60, SPRING), tally(3, 0)) == [("channel", "sms")]
    assert paused(tally(60, 60, SPRING), tally(40, 30)) == [("channel", "sms")]


def test_a_campaign_that_errs_in_a_busy_lane_is_found() -> None:
    assert paused(tally(30, 30, SPRING), tally(900, 3)) == [("campaign", str(SPRING))]


def test_a_provider_is_down_when_nothing_was_taken_for_long_enough() -> None:
    assert find_troubles([tally(0, 0, down=9, minutes=60)], RULES, NOW) == []
    assert find_troubles([tally(0, 0, down=50, minutes=9)], RULES, NOW) == []
    (found,) = find_troubles([tally(0, 0, down=10, minutes=10)], RULES, NOW)
    assert found == Finding(Trouble.DOWN, "channel", "sms", "sms", 10, 10)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_a_lane_and_its_campaign_are_never_paused_together(bad: int, good: int, others: int, fine: int) -> None:
    found = paused(tally(bad + good, bad, SPRING), tally(others + fine, others))
    assert len(found) <= 1
    if found:
        assert RULES.surge.is_passed(bad, bad + good) or RULES.surge.is_passed(others + bad, bad + good + others + fine)


def test_trouble_that_returns_rests_longer_up_to_a_limit() -> None:
    lengths = [pause_length(RULES, Trouble.SURGE, before) / timedelta(hours=1) for before in (0, 1, 2, 3, 4, 99)]
    assert lengths == [1, 2, 4, 8, 8, 8]


@pytest.mark.parametrize(
    ("undelivered", "days", "silent", "silent_days", "why"),
    [
        (3, 30, 0, 0, None),
        (4, 6, 0, 0, None),
        (4, 7, 0, 0, PointNews.UNDELIVERED),
        (0, 0, 5, 13, None),
        (0, 0, 4, 60, None),
        (0, 0, 5, 14, PointNews.NO_RECEIPT),
    ],
)
def test_an_address_is_given_up_after_enough_in_a_row_over_enough_days(
    undelivered: int, days: int, silent: int, silent_days: int, why: PointNews | None
) -> None:
    run = Run(uuid4(), uuid4(), undelivered, timedelta(days=days), silent, timedelta(days=silent_days))
    assert given_up(run, RULES) is why


def test_the_file_that_is_shipped_says_what_holds_without_one(tmp_path: Path) -> None:
    shipped, none = load_protection(ROOT / "config" / "protection.yaml"), load_protection(tmp_path / "none.yaml")
    assert dict(shipped.bands) == dict(none.bands)
    names = [name for name in Protection.__slots__ if name != "bands"]
    assert [getattr(shipped, name) for name in names] == [getattr(none, name) for name in names]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("surge: {window: 30m, at_least: 20, share: 2.0, pause_for: 1h, longest: 8h}", "surge.share"),
        ("surge: {window: 30m, at_least: 20, share: 0.5, pause_for: 9h, longest: 8h}", "pause_for must not be longer"),
        ("surge: {window: half an hour, at_least: 20, share: 0.5, pause_for: 1h, longest: 8h}", "is not a duration"),
        ("outage: {patience: 30m, at_least: 10, pause_for: 15m}", "shorter than surge.window"),
        ("contact_points: {silent: {attempts: 1, days: 14}, undelivered: {attempts: 4, days: 7}}", "at least 2"),
        ("hygene: {window: 1d, at_least: 1, share: 0.5}", "hygiene"),
        (f"receipts: {{late: {ANY}, missing: {ANY}, channels: {{smss: {{usual: 1m, overdue: 2h}}}}}}", "sms"),
        (f"receipts: {{late: {ANY}, missing: {ANY}, channels: {{sms: {{usual: 3h, overdue: 2h}}}}}}", "shorter than"),
    ],
)
def test_a_rule_that_cannot_be_is_named_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "protection.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_protection(path)
    assert complaint in str(refused.value)
    assert f"{path}:1:" in str(refused.value)
