from collections.abc import Mapping, Sequence

import pytest

from outreach.domain.campaign_config import read_located_campaigns
from outreach.domain.lint import OpenHours, TemplateName, lint_campaigns, lint_plans
from outreach.domain.located_yaml import parse_located
from outreach.domain.plan import Plan
from outreach.domain.plan_config import read_located_plans
from outreach.domain.words import Channel, Purpose

HEAD = """\
name: sample
anchor: due_date
priority: 30
stop_on: [paid, hold, opt_out, closed]
expires_after: 12h
steps:
"""
STEP = """\
  - id: {id}
    offset: {offset}
    channels: {channels}
    template: {template}
"""
TEMPLATES: list[TemplateName] = [
    (name, channel, locale)
    for name in ("pre_due", "due_today", "early_friendly")
    for channel in ("sms", "email", "voice")
    for locale in ("en", "en-GB", "es-US", "zh-CN")
]
US_DAY = OpenHours(8 * 60, 21 * 60)


def step(
    offset: str = "1d", *, name: str = "first", channels: str = "[sms]", template: str = "pre_due", **more: str
) -> str:
    extra = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return STEP.format(id=name, offset=offset, channels=channels, template=template) + extra


def lint(*steps: str, head: str = HEAD, windows: Mapping[str, Sequence[OpenHours]] | None = None) -> list[str]:
    read = read_located_plans([parse_located(head + "".join(steps), "p.yaml")])
    assert read.problems == ()

    def permitted(_channel: Channel, _purpose: Purpose) -> Mapping[str, Sequence[OpenHours]]:
        return windows or {}

    return [str(each) for each in lint_plans(read.files, TEMPLATES, permitted if windows is not None else None)]


def test_a_sound_plan_has_no_problems() -> None:
    sound = [
        step("-3d at 09:00"),
        step("0d", name="second", channels="[voice, sms, email]", when="case.touches_sent < 3", expires_after="2d"),
        step("1bd", name="third", template="due_today"),
        step("3bd", name="fourth", template="early_friendly"),
        step("3bd", name="fourth_in_spanish", when="borrower.language == 'es'"),
    ]
    assert lint(*sound, windows={"US": [US_DAY], "CN": [OpenHours(480, 1320)]}) == []


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([step(), step("2d")], "p.yaml:11:9 steps[1].id: there is another step 'first', the 1st"),
        ([step(), step(name="b")], "p.yaml:12:13 steps[1].offset: step 'first' is due at the same time under the same"),
        (
            [step("3d"), step("1d", name="b")],
            "p.yaml:12:13 steps[1].offset: 1d comes before 3d of step 'first'; sort the",
        ),
        ([step("1d at 11:00"), step("1d at 10:00", name="b")], "1d at 10:00 comes before 1d at 11:00 of step 'first'"),
        ([step("10d"), step("2bd", name="b")], None),  # holidays could carry two business days that far
        ([step("30d"), step("2bd", name="b")], "2bd comes before 30d of step 'first'"),
        ([step("0d"), step("-2bd", name="b")], "-2bd comes before 0d of step 'first'"),
        ([step("2d"), step("30h", name="b")], "30h comes before 2d of step 'first'"),
        ([step("2h"), step("90m", name="b")], "90m comes before 2h of step 'first'"),
        (
            [step(expires_after="-2h")],
            "p.yaml:11:20 steps[0].expires_after: -2h: it expires before it is due, so it is",
        ),
        ([step(expires_after="0h")], "0d: it expires before it is due"),
        ([step(channels="[sms, email, sms]")], "p.yaml:9:15 steps[0].channels: a channel is listed twice"),
        (
            [step(template="predue")],
            "p.yaml:10:15 steps[0].template: there is no template 'predue'; did you mean pre_due?",
        ),
        ([step(template="zzz")], "there is no template 'zzz'"),
        ([step(channels="[ivr]")], "steps[0].template: 'pre_due' has no form for ivr in en, es, zh"),
        ([step(when="1 > 2")], "steps[0].when: never true at this step, so it is never reached: 1 > 2"),
        ([step(when="case.days_past_due > 9")], "never true at this step"),
        ([step(when="case.days_past_due >= 2")], "never true at this step"),
        ([step(when="case.days_past_due >= 2", expires_after="2d")], None),
        ([step(when="case.amount_due == 0")], "never true at this step"),  # a paid case stopped before it came here
        ([step(when="plan.step == 'second'")], "never true at this step"),
        ([step(when="plan.number > 1")], "never true at this step"),
        ([step(when="plan.name != 'sample'")], "never true at this step"),
        (
            [step(when="trigger.amount > 5")],
            "steps[0].when: trigger.amount is never known here: no event starts this plan",
        ),
        ([step(when="installment.paid")], "installment.paid is never known here: the plan is not about installments"),
    ],
)
def test_a_step_that_cannot_work_is_found(steps: list[str], problem: str | None) -> None:
    found = lint(*steps)
    assert found == [] if problem is None else any(problem in each for each in found), found


EVENT = HEAD.replace("due_date", "event\ntrigger: payment.missed")


@pytest.mark.parametrize(
    ("head", "steps", "problem"),
    [
        (HEAD.replace("30", "101"), [step()], "p.yaml:3:11 priority: 101 is out of range; give 0 to 100"),
        (HEAD.replace("30", "-1"), [step()], "p.yaml:3:11 priority: -1 is out of range; give 0 to 100"),
        (
            HEAD.replace("paid, ", ""),
            [step()],
            "p.yaml:4:10 stop_on: paid is missing: every plan ends on paid, hold, opt_out",
        ),
        (EVENT, [step("-1d")], "steps[0].offset: -1d is before the event that starts the plan, so it is never reached"),
        (EVENT, [step("-2h")], "-2h is before the event"),
        (EVENT, [step("2h", when="trigger.amount > 5")], None),
        (EVENT, [step("2h", when="trigger.type == 'payment.received'")], "never true at this step"),
        (EVENT, [step("2h", when="case.days_past_due > 900")], None),  # an event says nothing about days past due
        (
            EVENT.replace("payment.missed", "payment.received"),
            [step("2h")],
            "p.yaml:5:10 stop_on: no step is ever reached: the event payment.received is what paid stops on",
        ),
        (EVENT.replace("payment.missed", "hold.placed"), [step("2h")], "the event hold.placed is what hold stops on"),
        (EVENT.replace("payment.missed", "consent.revoked"), [step("2h")], "is what opt_out stops on"),
        (
            EVENT.replace("payment.missed", "promise.made").replace("paid,", "paid, promise,"),
            [step("2h")],
            "the event promise.made is what promise stops on",
        ),
        (EVENT.replace("payment.missed", "promise.made"), [step("2h")], None),
        (
            HEAD.replace("due_date", "due_date\ndue_date_of: installment").replace("paid,", "paid, arrangement,"),
            [step()],
            "the arrangement its installments belong to is what arrangement stops on",
        ),
        (
            HEAD.replace("due_date", "due_date\ndue_date_of: installment"),
            [step(when="not installment.paid and case.days_past_due > 90")],
            None,
        ),
    ],
)
def test_a_plan_that_cannot_work_is_found(head: str, steps: list[str], problem: str | None) -> None:
    found = lint(*steps, head=head)
    assert found == [] if problem is None else any(problem in each for each in found), found


NIGHT = OpenHours(21 * 60, 8 * 60)
SUNDAY = OpenHours(600, 1200, frozenset({6}))


@pytest.mark.parametrize(
    ("sample", "windows", "problem"),
    [
        (
            step("1d at 22:00", expires_after="2h"),
            {"US": [US_DAY]},
            "no permitted time in US on any of its channels (due 1d",
        ),
        (step("1d at 22:00", expires_after="10h"), {"US": [US_DAY]}, "no permitted time in US"),  # expires as it opens
        (step("1d at 22:00", expires_after="601m"), {"US": [US_DAY]}, None),
        (step("1d at 21:00", expires_after="2h"), {"US": [US_DAY]}, "no permitted time in US"),  # closed at 21:00 sharp
        (step("1d at 20:59", expires_after="2h"), {"US": [US_DAY]}, None),
        (step("1d"), {"US": [US_DAY], "CN": []}, "no permitted time in CN"),
        (step("1d"), {"US": [SUNDAY]}, None),  # on Sundays it works
        (step("1d at 21:00", expires_after="6d"), {"US": [SUNDAY]}, None),
        (step("1d at 21:00", expires_after="10h"), {"US": [SUNDAY]}, "no permitted time in US"),
        (step("3h", expires_after="1h"), {"US": [US_DAY]}, None),  # its time of day is not known
        (step("3h", expires_after="1h"), {"US": []}, "no permitted time in US"),
        (step("1d"), {"US": [OpenHours(480, 1260, frozenset())]}, "no permitted time in US"),
        (
            step("1d"),
            {"US": [NIGHT]},
            "p.yaml:9:15 steps[0].channels: the permitted hours of US for sms run backwards: 21:00-08",
        ),
        (step("1d"), {"US": [OpenHours(480, 480)]}, "run backwards: 08:00-08:00"),
        (step("1d"), {}, None),
    ],
)
def test_a_step_without_a_permitted_time_is_found(
    sample: str, windows: Mapping[str, Sequence[OpenHours]], problem: str | None
) -> None:
    found = lint(sample, windows=windows)
    assert found == [] if problem is None else any(problem in each for each in found), found


def test_one_open_channel_is_enough_and_each_is_asked_for_its_purpose() -> None:
    asked: list[tuple[str, str]] = []

    def permitted(channel: Channel, purpose: Purpose) -> Mapping[str, Sequence[OpenHours]]:
        asked.append((channel, purpose))
        return {"US": [US_DAY] if channel is Channel.EMAIL else []}

    text = HEAD + step(channels="[sms, email]", purpose="arrangement")
    files = read_located_plans([parse_located(text, "p.yaml")]).files
    assert lint_plans(files, TEMPLATES, permitted) == []
    assert asked == [("sms", "arrangement"), ("email", "arrangement")]


def test_two_plans_of_one_name_are_found() -> None:
    sources = [parse_located(HEAD + step(), name) for name in ("a.yaml", "b.yaml")]
    problems = lint_plans(read_located_plans(sources).files, TEMPLATES)
    assert [str(each) for each in problems] == ["b.yaml:1:7 name: there is another plan 'sample', in a.yaml"]


CAMPAIGN = """\
name: daily_sample
plan: sample
audience: case.days_past_due >= -7
schedule:
  daily: 09:00
  zone: America/New_York
throughput:
  per_minute: 600
holdout: 5
"""


def plans(head: str = HEAD) -> dict[str, Plan]:
    return {file.plan.name: file.plan for file in read_located_plans([parse_located(head + step(), "p.yaml")]).files}


def campaign_lint(text: str, known: Mapping[str, Plan]) -> list[str]:
    read = read_located_campaigns([parse_located(text, "c.yaml")])
    assert read.problems == ()
    return [str(each) for each in lint_campaigns(read.files, known)]


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("plan: sample", "plan: sampel", "c.yaml:2:7 plan: there is no plan 'sampel'; did you mean sample?"),
        (
            "case.days_past_due >= -7",
            "case.stage == 'early' and case.stage == 'late'",
            "audience: matches no case whatever",
        ),
        ("holdout: 5", "holdout: 100", "c.yaml:9:10 holdout: holds out every case"),
        ("  zone", "  late_after: 0h\n  zone", "schedule.late_after: a run would be too late as soon as it is due"),
        (
            "daily: 09:00",
            "once: 2026-03-08T02:30",
            "c.yaml:5:9 schedule.once: clocks in America/New_York skip that time on that day (daylight saving)",
        ),
    ],
)
def test_a_campaign_that_cannot_work_is_found(right: str, wrong: str, problem: str) -> None:
    assert campaign_lint(CAMPAIGN, plans()) == []
    found = campaign_lint(CAMPAIGN.replace(right, wrong, 1), plans())
    assert any(problem in each for each in found), found


def test_a_campaign_cannot_start_a_plan_that_waits_for_an_event_or_an_arrangement() -> None:
    assert campaign_lint(CAMPAIGN, plans(EVENT)) == [
        "c.yaml:2:7 plan: sample is started by the event payment.missed, not by a campaign"
    ]
    of_installments = HEAD.replace("due_date", "due_date\ndue_date_of: installment")
    assert "is started by an arrangement" in campaign_lint(CAMPAIGN, plans(of_installments))[0]


def test_two_campaigns_of_one_name_are_found() -> None:
    files = read_located_campaigns([parse_located(CAMPAIGN, name) for name in ("a.yaml", "b.yaml")]).files
    assert "there is another campaign 'daily_sample', in a.yaml" in str(lint_campaigns(files, plans())[0])
