from pathlib import Path

import pytest
from pydantic import ValidationError

from outreach.domain.campaign_config import campaign_from_content, load_campaigns, read_located_campaigns
from outreach.domain.creditor import load_creditors, read_creditors
from outreach.domain.located_yaml import ConfigError, parse_located
from outreach.domain.plan_config import load_plans, plan_from_content, read_located_plans, read_plans

PLAN = """\
name: sample
anchor: due_date
priority: 30
stop_on: [paid, hold, opt_out, closed]
at: 10:00
expires_after: 12h
steps:
  - id: first
    offset: -5d
    channels: [sms, email]
    template: pre_due
    when: case.days_since_touch >= 2
    purpose: reminder
  - id: second
    offset: 0d at 09:30
    channels: [email]
    template: due_today
"""
CAMPAIGN = """\
name: daily_sample
plan: sample
audience: case.days_past_due >= -7
schedule:
  daily: 09:00
  zone: America/New_York
  days: [mon, tue]
throughput:
  per_minute: 600
holdout: 2.5
"""
CREDITORS = """\
creditors:
  - id: sample
    name: Sample Credit
    names: {es: Crédito Ejemplo}
    role: first_party
    country: US
    zone: America/New_York
    phone: "+1 202 555 0143"
    email: help@example.com
    address: 1 Example Street
    pay_url: https://pay.example.com/us
    help_hours:
      days: [mon, tue]
      opens: 09:00
      closes: 17:00
      text: {en: 9 to 5}
"""


def plan_problems(text: str) -> list[str]:
    return [str(each) for each in read_located_plans([parse_located(text, "p.yaml")]).problems]


def campaign_problems(text: str) -> list[str]:
    return [str(each) for each in read_located_campaigns([parse_located(text, "c.yaml")]).problems]


def creditor_problems(text: str) -> list[str]:
    return [str(each) for each in read_creditors(parse_located(text, "k.yaml"))[1]]


def test_the_samples_themselves_are_sound() -> None:
    assert plan_problems(PLAN) == campaign_problems(CAMPAIGN) == creditor_problems(CREDITORS) == []


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("name: sample", "nmae: sample", "p.yaml:1:7 nmae: unknown key; did you mean name? (known: about, anchor,"),
        ("name: sample", "name: Sample Plan", "p.yaml:1:7 name: 'Sample Plan' is no name; write lower-case letters"),
        ("name: sample", "name: 5", "p.yaml:1:7 name: 5 is no name"),
        (
            "due_date",
            "due_dat",
            "p.yaml:2:9 anchor: unknown anchor 'due_dat'; did you mean due_date? (allowed: due_date",
        ),
        ("due_date", "event", "p.yaml:1:1 anchor: event needs a trigger, the event that starts the plan"),
        ("due_date", "due_date\ntrigger: payment.missed", "a trigger goes with anchor: event"),
        (
            "due_date",
            "event\ntrigger: payment.mised",
            "p.yaml:3:10 trigger: unknown event 'payment.mised'; did you mean",
        ),
        (
            "due_date",
            "event\ntrigger: payment.missed\ndue_date_of: installment",
            "due_date_of goes with anchor: due_date",
        ),
        ("due_date", "due_date\ndue_date_of: instalment", "unknown due date 'instalment'; did you mean installment?"),
        ("priority: 30", "priority: high", "p.yaml:3:11 priority: must be a whole number"),
        ("priority: 30", "priority: true", "p.yaml:3:11 priority: must be a whole number"),
        ("priority: 30", "", "p.yaml:1:1 priority: is missing"),
        ("[paid,", "[payed,", "p.yaml:4:11 stop_on[0]: unknown stop condition 'payed'; did you mean paid?"),
        ("[paid, hold, opt_out, closed]", "paid", "p.yaml:4:10 stop_on: must be a list"),
        ("priority: 30", "priority: 30\nre_entry: restrat", "unknown re-entry rule 'restrat'; did you mean restart?"),
        ("at: 10:00", "at: 10am", "p.yaml:5:5 at: '10am' is not a time of day; write 09:30"),
        (
            "expires_after: 12h",
            "expires_after: 12 hours",
            "expires_after: '12 hours' is not a duration; write 90m, 12h",
        ),
        ("expires_after: 12h", "", "expires_after is missing, for the plan or for its steps first, second"),
        ("steps:", "step:", "p.yaml:8:3 step: unknown key; did you mean steps?"),
        (
            "    offset: -5d",
            "    ofset: -5d",
            "p.yaml:9:12 steps[0].ofset: unknown key; did you mean offset? (known: chann",
        ),
        ("offset: -5d", "offset: -5 days", "p.yaml:9:13 steps[0].offset: '-5 days' is not an offset; write -5d, 3bd"),
        (
            "[sms, email]",
            "[smss, email]",
            "p.yaml:10:16 steps[0].channels[0]: unknown channel 'smss'; did you mean sms?",
        ),
        ("[sms, email]", "[]", "steps[0].channels: must have at least 1 entry"),
        ("[sms, email]", "sms", "p.yaml:10:15 steps[0].channels: must be a list"),
        ("template: pre_due", "template: ../pre_due", "steps[0].template: '../pre_due' is no name"),
        (
            "case.days_since_touch",
            "case.days_since_tuch",
            "p.yaml:12:11 steps[0].when: case.days_since_tuch is not a fact",
        ),
        ("case.days_since_touch >= 2", "2", "steps[0].when: 2 is not a condition; write an expression"),
        (
            "purpose: reminder",
            "purpose: reminding",
            "steps[0].purpose: unknown purpose 'reminding'; did you mean reminder?",
        ),
        ("  - id: first", "  - first\n  - id: first", "p.yaml:8:5 steps[0]: must be a block of keys and values"),
        (PLAN, "steps: [", "p.yaml:1:9 is not valid YAML"),
        (PLAN, "", "p.yaml:1:1 is empty"),
        (PLAN, "- a", "p.yaml:1:1 must be a block of keys and values"),
        (PLAN, "42", "p.yaml:1:1 must be a block of keys and values"),
        ("at: 10:00", "at: 10:00\nat: 11:00", "is given twice; the first is on line 5"),
    ],
)
def test_a_typo_in_a_plan_is_named_with_its_place_and_remedy(right: str, wrong: str, problem: str) -> None:
    assert any(problem in each for each in plan_problems(PLAN.replace(right, wrong, 1)))


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("audience:", "audiance:", "c.yaml:3:11 audiance: unknown key; did you mean audience?"),
        (
            "case.days_past_due",
            "case.days_past_duo",
            "c.yaml:3:11 audience: case.days_past_duo is not a fact; did you mean",
        ),
        ("case.days_past_due >= -7", "trigger.amount > 1", "audience: trigger.amount is not known here"),
        ("case.days_past_due >= -7", "true", "audience: True is not a condition"),
        ("  daily:", "  dayly:", "c.yaml:5:10 schedule.dayly: unknown key; did you mean daily? (known: daily, days,"),
        ("daily: 09:00", "daily: 9", "schedule.daily: 9 is not a time of day"),
        ("  daily: 09:00\n", "", "schedule: give either once (a local date and time) or daily (a local time)"),
        ("daily: 09:00", "daily: 09:00\n  once: 2026-03-01T09:00", "schedule: give either once"),
        ("daily: 09:00", "once: 2026-03-01T09:00", "schedule: days, starts_on and ends_on go with daily"),
        (
            "daily: 09:00",
            "once: tomorrow",
            "schedule.once: 'tomorrow' is not a local date and time; write 2026-11-30T09:00",
        ),
        (
            "New_York",
            "New_Yrok",
            "schedule.zone: 'America/New_Yrok' is not an IANA time zone such as America/New_York; did",
        ),
        ("[mon, tue]", "[monday]", "schedule.days[0]: unknown day 'monday'; did you mean mon?"),
        ("[mon, tue]", "[]", "schedule.days: must have at least 1 entry"),
        (
            "  zone",
            "  starts_on: 2026-02-30\n  zone",
            "schedule.starts_on: '2026-02-30' is not a date; write 2026-11-30",
        ),
        ("  zone", "  starts_on: 2026-02-10\n  ends_on: 2026-02-09\n  zone", "ends_on is before starts_on"),
        ("  zone", "  late_after: soon\n  zone", "schedule.late_after: 'soon' is not a duration"),
        (
            "per_minute",
            "per_minit",
            "throughput.per_minit: unknown key; did you mean per_minute? (known: per_day, per_minute)",
        ),
        ("600", "0", "throughput.per_minute: must be at least 1"),
        ("600", "6.5", "throughput.per_minute: must be a whole number"),
        ("2.5", "101", "c.yaml:10:10 holdout: 101 is not a percentage; write a number from 0 to 100"),
        ("2.5", "-1", "holdout: -1 is not a percentage"),
        ("2.5", "2.555", "holdout: 2.555 is not a percentage"),
        ("2.5", "5%", "holdout: '5%' is not a percentage"),
        ("2.5", "true", "holdout: True is not a percentage"),
    ],
)
def test_a_typo_in_a_campaign_is_named_with_its_place_and_remedy(right: str, wrong: str, problem: str) -> None:
    assert any(problem in each for each in campaign_problems(CAMPAIGN.replace(right, wrong, 1)))


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("creditors:", "creditor:", "k.yaml:2:3 creditor: unknown key; did you mean creditors?"),
        ("    pay_url", "    payurl", "creditors[0].payurl: unknown key; did you mean pay_url?"),
        ("first_party", "firstparty", "creditors[0].role: unknown role 'firstparty'; did you mean first_party?"),
        (
            "country: US",
            "country: USA",
            "creditors[0].country: 'USA' is not an ISO 3166 country such as US; did you mean US?",
        ),
        ("America/New_York", "EST5", "creditors[0].zone: 'EST5' is not an IANA time zone"),
        ('"+1 202 555 0143"', "5550143", "creditors[0].phone: is not a telephone number in E.164; write it quoted"),
        ("help@example.com", "help at example", "creditors[0].email: is not an email address; write help@example.com"),
        ("https://", "http://", "creditors[0].pay_url: 'http://pay.example.com/us' is no plain https:// address"),
        ("/us", "/us?account=1", "is no plain https:// address without a query"),
        (
            "1 Example Street",
            '"1 Example\\nStreet"',
            "creditors[0].address: '1 Example\\nStreet' must be one line of 1 to",
        ),
        ("{es:", "{Spanish:", "is no locale; write es or es-MX"),
        ("      opens:", "      open:", "creditors[0].help_hours.open: unknown key; did you mean opens?"),
        ("17:00", "08:00", "k.yaml:15:15 creditors[0].help_hours.closes: closes before it opens"),
        ("17:00", "09:00", "k.yaml:15:15 creditors[0].help_hours.closes: closes before it opens"),
        ("[mon, tue]", "[mon, tues]", "help_hours.days[1]: unknown day 'tues'; did you mean tue?"),
        ("id: sample", "id: Sample!", "creditors[0].id: 'Sample!' is no name"),
        (CREDITORS, "creditors: [x", "k.yaml:1:14 is not valid YAML"),
    ],
)
def test_a_typo_in_the_creditors_is_named_with_its_place_and_remedy(right: str, wrong: str, problem: str) -> None:
    assert any(problem in each for each in creditor_problems(CREDITORS.replace(right, wrong, 1)))


def test_two_creditors_of_one_id_are_refused() -> None:
    entry = CREDITORS.removeprefix("creditors:\n")
    assert "k.yaml:17:9 creditors[1].id: there is another creditor 'sample'" in creditor_problems(CREDITORS + entry)


def test_all_problems_of_a_file_are_told_at_once() -> None:
    broken = PLAN.replace("due_date", "due").replace("-5d", "soon").replace("[email]", "[mail]")
    assert len(plan_problems(broken)) == 3


def test_a_telephone_number_is_kept_in_one_form_and_never_printed_when_wrong() -> None:
    creditors, _ = read_creditors(parse_located(CREDITORS, "k.yaml"))
    assert creditors[0].phone == "+12025550143"
    assert "5550143" not in creditor_problems(CREDITORS.replace('"+1 202 555 0143"', "x5550143"))[0]


def test_a_creditor_is_named_in_the_borrowers_language() -> None:
    creditors, _ = read_creditors(parse_located(CREDITORS, "k.yaml"))
    assert [creditors[0].name_for(locale) for locale in ("es-MX", "en-US", "es")] == [
        "Crédito Ejemplo",
        "Sample Credit",
        "Crédito Ejemplo",
    ]
    assert creditors[0].help_hours.told("en-GB") == "9 to 5"
    assert creditors[0].help_hours.told("zh-CN") is None


def test_the_plans_time_and_expiry_fill_in_for_its_steps() -> None:
    plan = read_located_plans([parse_located(PLAN, "p.yaml")]).files[0].plan
    assert [str(step.offset) for step in plan.steps] == ["-5d at 10:00", "0d at 09:30"]
    assert {step.expires_after.total_seconds() for step in plan.steps} == {12 * 3600}


def test_comments_and_layout_do_not_make_a_new_version() -> None:
    def version(text: str) -> str:
        return read_located_plans([parse_located(text, "p.yaml")]).files[0].plan.version

    assert version("# why\n" + PLAN.replace("[sms, email]", "\n      - sms\n      - email")) == version(PLAN)
    assert version(PLAN.replace("-5d", "-4d")) != version(PLAN)


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PLAN.replace("-5d", "soon"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe")
    read = read_plans(tmp_path)
    assert [file.plan.name for file in read.files] == ["sample"]
    assert [Path(problem.file).name for problem in read.problems] == ["a.yaml", "c.yaml"]


def test_loading_refuses_with_every_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PLAN.replace("-5d", "soon").replace("due_date", "due"), encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        load_plans(tmp_path)
    assert len(refusal.value.problems) == 2
    with pytest.raises(ConfigError):
        load_campaigns(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_creditors(tmp_path / "absent.yaml")


def test_stored_content_that_is_no_plan_or_campaign_is_refused() -> None:
    with pytest.raises(ValidationError):
        plan_from_content({"name": "x"})
    with pytest.raises(ValidationError):
        campaign_from_content({"name": "x"})
