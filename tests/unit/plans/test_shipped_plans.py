"""The plans, campaigns and creditors that come with the project: they lint clean and do what their names say."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from outreach.domain.calendar import load_zone
from outreach.domain.campaign import campaign_content, in_holdout
from outreach.domain.campaign_config import campaign_from_content, load_campaigns, read_campaigns
from outreach.domain.creditor import Role, load_creditors
from outreach.domain.lint import OpenHours, TemplateName, lint_campaigns, lint_plans
from outreach.domain.plan import Anchor, next_step, plan_content, plan_step
from outreach.domain.plan_config import load_plans, plan_from_content, read_plans
from outreach.domain.words import Channel, StopCondition

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config"
PLANS = load_plans(CONFIG / "plans")


def shipped_templates() -> set[TemplateName]:
    catalog = yaml.safe_load((ROOT / "templates" / "catalog.yaml").read_text(encoding="utf-8"))["templates"]
    locales = yaml.safe_load((ROOT / "templates" / "locales.yaml").read_text(encoding="utf-8"))["locales"]
    return {(name, channel, locale) for name, forms in catalog.items() for channel in forms for locale in locales}


def test_the_shipped_plans_lint_clean() -> None:
    read = read_plans(CONFIG / "plans")
    narrow = {"narrowest": [OpenHours(10 * 60, 17 * 60, frozenset(range(5)))], "wide": [OpenHours(480, 1320)]}
    problems = lint_plans(read.files, shipped_templates(), lambda _channel, _purpose: narrow)
    assert [str(each) for each in (*read.problems, *problems)] == []


def test_the_shipped_campaigns_lint_clean() -> None:
    read = read_campaigns(CONFIG / "campaigns")
    assert [str(each) for each in (*read.problems, *lint_campaigns(read.files, PLANS))] == []
    assert set(load_campaigns(CONFIG / "campaigns")) == {"pre_due_daily", "early_stage_daily"}


@pytest.mark.parametrize("folder", ["plans", "campaigns"])
def test_every_file_is_called_what_it_defines(folder: str) -> None:
    loaded = load_plans(CONFIG / folder) if folder == "plans" else load_campaigns(CONFIG / folder)
    assert sorted(loaded) == sorted(path.stem for path in (CONFIG / folder).glob("*.yaml"))


def test_every_shipped_version_can_be_stored_and_read_back() -> None:
    for plan in PLANS.values():
        assert plan_from_content(plan_content(plan)).version == plan.version
    for campaign in load_campaigns(CONFIG / "campaigns").values():
        assert campaign_from_content(campaign_content(campaign)).version == campaign.version


def test_the_plans_cover_the_life_of_an_early_case() -> None:
    assert set(PLANS) == {
        *("pre_due", "early_stage", "missed_payment", "broken_promise", "arrangement_reminders"),
        *("promise_reminder", "broken_arrangement"),
    }
    assert PLANS["missed_payment"].trigger == "payment.missed"
    assert PLANS["broken_promise"].trigger == "promise.broken"
    days = {name: [step.offset.amount for step in plan.steps] for name, plan in PLANS.items()}
    assert (min(days["pre_due"]), max(days["pre_due"])) == (-5, 0)
    assert (min(days["early_stage"]), max(days["early_stage"])) == (1, 28)
    assert days["arrangement_reminders"] == [-3, 0, 2]


def test_the_early_stage_escalates_from_text_to_a_call_with_the_keypad() -> None:
    first_of = [step.channels[0] for step in PLANS["early_stage"].steps]
    order = [first_of.index(channel) for channel in (Channel.SMS, Channel.EMAIL, Channel.VOICE, Channel.IVR)]
    assert order == sorted(order)
    assert len(first_of) == 7


def test_nobody_is_called_before_anything_is_late() -> None:
    assert not {Channel.VOICE, Channel.IVR} & {channel for step in PLANS["pre_due"].steps for channel in step.channels}


def test_every_plan_stops_on_everything_but_the_arrangement_it_serves() -> None:
    for name, plan in PLANS.items():
        expected = set(StopCondition)
        if name == "arrangement_reminders":
            expected -= {StopCondition.ARRANGEMENT, StopCondition.PROMISE}
        if name == "promise_reminder":
            expected -= {StopCondition.PROMISE}
        assert plan.stop_on == expected, name


def test_what_is_more_urgent_to_the_borrower_goes_first_when_a_cap_leaves_room_for_one() -> None:
    ranked = sorted(PLANS, key=lambda name: PLANS[name].priority, reverse=True)
    assert set(ranked[:2]) == {"arrangement_reminders", "promise_reminder"}
    assert set(ranked[2:4]) == {"broken_arrangement", "broken_promise"}
    assert ranked[4:] == ["missed_payment", "early_stage", "pre_due"]


def test_a_case_that_joins_late_starts_where_it_stands() -> None:
    zone = ZoneInfo("America/Chicago")
    upcoming = next_step(PLANS["early_stage"], -1, date(2026, 3, 2), zone, datetime(2026, 3, 11, 18, tzinfo=UTC))
    assert upcoming.planned is not None
    assert upcoming.planned.step.id == "call"
    assert [each.step.id for each in upcoming.dropped] == ["friendly_reminder", "follow_up", "offer_help"]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Asia/Shanghai", "Asia/Kolkata", "Europe/London", "Pacific/Honolulu"]
)
@pytest.mark.parametrize("name", sorted(name for name, plan in PLANS.items() if plan.anchor is Anchor.DUE_DATE))
def test_no_step_is_due_outside_the_day_over_a_whole_year_of_due_dates(name: str, zone: str) -> None:
    plan, there = PLANS[name], ZoneInfo(zone)
    for ahead in range(366):
        for index in range(len(plan.steps)):
            planned = plan_step(plan, index, date(2026, 1, 1) + timedelta(days=ahead), there)
            assert 9 <= planned.due_at.astimezone(there).hour < 19


def test_creditors_are_reachable_under_reserved_names_and_numbers_only() -> None:
    creditors = load_creditors(CONFIG / "creditors.yaml")
    assert {each.country for each in creditors.values()} == {"US", "GB", "CN", "IN", "MX"}
    for each in creditors.values():
        assert each.role is Role.FIRST_PARTY
        assert each.email.endswith(".example.com")
        assert each.pay_url.startswith("https://pay.example.com/")
        assert each.phone.startswith(("+120255501", "+447700900"))
        assert load_zone(each.zone) is not None
        assert all(each.help_hours.told(locale) for locale in ("en-US", "en-GB", "es-US", "es-MX", "zh-CN"))


def test_the_shipped_holdout_is_small_and_only_where_nothing_is_owed_to_the_borrower() -> None:
    campaigns = load_campaigns(CONFIG / "campaigns")
    held = sum(in_holdout(campaigns["early_stage_daily"], f"case-{n}") for n in range(2_000))
    assert 60 <= held <= 140
    assert not any(in_holdout(campaigns["pre_due_daily"], f"case-{n}") for n in range(2_000))
