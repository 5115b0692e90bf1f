"""What is wrong with plans and campaigns that read well: unreachable steps, missing templates, forbidden times."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from outreach.domain.calendar import exists_locally, load_zone
from outreach.domain.campaign import Campaign, Once
from outreach.domain.campaign_config import CampaignFile
from outreach.domain.condition_probe import LEAST_AMOUNT, Bounds, never_holds
from outreach.domain.located_yaml import Located, Problem
from outreach.domain.near import did_you_mean
from outreach.domain.plan import (
    DEFAULT_LOCAL_TIME,
    PRIORITIES,
    Anchor,
    DueDateOf,
    Offset,
    Plan,
    Step,
    Unit,
    duration_text,
)
from outreach.domain.plan_config import PlanFile
from outreach.domain.words import Channel, Purpose, StopCondition

DAY_MINUTES = 24 * 60

REQUIRED_STOPS = (StopCondition.PAID, StopCondition.HOLD, StopCondition.OPT_OUT, StopCondition.CLOSED)
"""What must end every plan. The gate would refuse each touch as well, but a plan that ignores these is a mistake."""

_STOPS_AT_ONCE = {
    "payment.received": StopCondition.PAID,
    "promise.made": StopCondition.PROMISE,
    "arrangement.confirmed": StopCondition.ARRANGEMENT,
    "hold.placed": StopCondition.HOLD,
    "consent.revoked": StopCondition.OPT_OUT,
}
"""Events that fulfil a stop condition, so that a plan cannot both start from one and stop on the other."""

TemplateName = tuple[str, str, str]
"""A template there is: (name, channel, locale)."""


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Permitted minutes (0 to 1440) of local ``days`` (0 is Monday), as the policy gives them."""

    start: int
    end: int
    days: frozenset[int] = frozenset(range(7))

    def __str__(self) -> str:
        """Write ``08:00-21:00``."""
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, self.end))


PermittedWindows = Callable[[Channel, Purpose], Mapping[str, Sequence[OpenHours]]]
"""The hours the policy permits for a channel and purpose, for each jurisdiction it knows."""

Finding = tuple[tuple[str | int, ...], str]
"""Where in the file, and what is wrong."""


def lint_plans(
    files: Iterable[PlanFile],
    templates: Collection[TemplateName],
    permitted_windows: PermittedWindows | None = None,
) -> list[Problem]:
    """Return everything wrong with plans that read well, file by file.

    ``templates`` are all templates there are; a language that has any template must have each one the plans use.
    """
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for file in files:
        plan, located = file.plan, file.located
        findings = [
            *_twice(plan.name, seen, located, "plan"),
            *_plan_findings(plan),
            *_step_findings(plan),
            *_template_findings(plan, templates),
            *(_window_findings(plan, permitted_windows) if permitted_windows else ()),
        ]
        problems += [located.problem(where, text) for where, text in findings]
    return sorted(problems, key=_place)


def lint_campaigns(files: Iterable[CampaignFile], plans: Mapping[str, Plan]) -> list[Problem]:
    """Return everything wrong with campaigns that read well, given the plans there are."""
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for file in files:
        campaign, located = file.campaign, file.located
        findings = [*_twice(campaign.name, seen, located, "campaign"), *_campaign_findings(campaign, plans)]
        problems += [located.problem(where, text) for where, text in findings]
    return sorted(problems, key=_place)


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


def _twice(name: str, seen: dict[str, str], located: Located, kind: str) -> Iterator[Finding]:
    if name in seen:
        yield ("name",), f"there is another {kind} {name!r}, in {seen[name]}"
    seen.setdefault(name, located.file)


def _plan_findings(plan: Plan) -> Iterator[Finding]:
    if plan.priority not in PRIORITIES:
        yield ("priority",), f"{plan.priority} is out of range; give {PRIORITIES[0]} to {PRIORITIES[-1]}"
    for stop in REQUIRED_STOPS:
        if stop not in plan.stop_on:
            yield ("stop_on",), f"{stop} is missing: every plan ends on {', '.join(REQUIRED_STOPS)}"
    stops_at_once = _STOPS_AT_ONCE.get(plan.trigger or "")
    if plan.due_date_of is DueDateOf.INSTALLMENT:
        stops_at_once = StopCondition.ARRANGEMENT
    if plan.due_date_of is DueDateOf.PROMISE:
        stops_at_once = StopCondition.PROMISE
    if stops_at_once in plan.stop_on:
        belongs = "the arrangement its installments belong to"
        if plan.due_date_of is DueDateOf.PROMISE:
            belongs = "the promise it reminds of"
        cause = f"the event {plan.trigger}" if plan.trigger else belongs
        yield ("stop_on",), f"no step is ever reached: {cause} is what {stops_at_once} stops on"


def _step_findings(plan: Plan) -> Iterator[Finding]:
    ids: dict[str, int] = {}
    same: dict[tuple[str, str], str] = {}
    for index, step in enumerate(plan.steps):
        where = ("steps", index)
        if step.id in ids:
            yield (*where, "id"), f"there is another step {step.id!r}, the {_ordinal(ids[step.id] + 1)}"
        ids.setdefault(step.id, index)
        twin = same.setdefault((str(step.offset), step.when.text if step.when else ""), step.id)
        if twin != step.id:
            yield (*where, "offset"), f"step {twin!r} is due at the same time under the same condition"
        if len(set(step.channels)) < len(step.channels):
            yield (*where, "channels"), "a channel is listed twice"
        yield from _time_findings(plan, index, step)
        yield from _condition_findings(plan, index, step)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in {11, 12, 13} else "th"
    return f"{number}{ending}"


def _time_findings(plan: Plan, index: int, step: Step) -> Iterator[Finding]:
    where = ("steps", index)
    if step.expires_after <= timedelta(0):
        yield (
            (*where, "expires_after"),
            f"{duration_text(step.expires_after)}: it expires before it is due, so it is never reached",
        )
    if plan.anchor is Anchor.EVENT and step.offset.amount < 0:
        yield (*where, "offset"), f"{step.offset} is before the event that starts the plan, so it is never reached"
    if index and _span(step.offset)[1] < _span(plan.steps[index - 1].offset)[0]:
        before = plan.steps[index - 1]
        yield (*where, "offset"), f"{step.offset} comes before {before.offset} of step {before.id!r}; sort the steps"


def _span(offset: Offset) -> tuple[timedelta, timedelta]:
    """Return the earliest and latest an offset can mean in elapsed time. Business days stretch over days off."""
    at = offset.at or DEFAULT_LOCAL_TIME
    wall = timedelta(hours=at.hour, minutes=at.minute)
    if offset.unit is Unit.HOURS:
        return (timedelta(hours=offset.amount),) * 2
    if offset.unit is Unit.MINUTES:
        return (timedelta(minutes=offset.amount),) * 2
    near = timedelta(days=offset.amount) + wall
    if offset.unit is Unit.DAYS:
        return near, near
    stretch = timedelta(days=2 * (abs(offset.amount) // 5 + 1) + 9)  # a weekend a week, and the longest run of holidays
    return (near - stretch, near) if offset.amount < 0 else (near, near + stretch)


def _condition_findings(plan: Plan, index: int, step: Step) -> Iterator[Finding]:
    if step.when is None:
        return
    where = ("steps", index, "when")
    if plan.anchor is not Anchor.EVENT and (names := _using(step, "trigger.")):
        yield where, f"{names} is never known here: no event starts this plan"
    if plan.due_date_of is not DueDateOf.INSTALLMENT and (names := _using(step, "installment.")):
        yield where, f"{names} is never known here: the plan is not about installments"
    if never_holds(step.when, _bounds(plan, index, step)):
        yield where, f"never true at this step, so it is never reached: {step.when.text}"


def _using(step: Step, prefix: str) -> str:
    return ", ".join(sorted(name for name in step.when.uses if name.startswith(prefix))) if step.when else ""


def _bounds(plan: Plan, index: int, step: Step) -> dict[str, Bounds | str]:
    """Return what is certain about a case at a step: its place, what the stops exclude, how far past due it is."""
    known: dict[str, Bounds | str] = {
        "plan.name": plan.name,
        "plan.step": step.id,
        "plan.number": Bounds(index + 1, index + 1),
    }
    if StopCondition.PAID in plan.stop_on and plan.due_date_of is DueDateOf.ACCOUNT:
        known["case.amount_due"] = Bounds(least=LEAST_AMOUNT)
    if plan.trigger:
        known["trigger.type"] = plan.trigger
    if plan.anchor is Anchor.DUE_DATE and plan.due_date_of is DueDateOf.ACCOUNT:
        first, last = _span(step.offset)
        known["case.days_past_due"] = Bounds(first.days, (last + step.expires_after).days)
    return known


def _template_findings(plan: Plan, templates: Collection[TemplateName]) -> Iterator[Finding]:
    names = {name for name, _, _ in templates}
    languages = sorted({_language(locale) for _, _, locale in templates})
    there = {(name, channel, _language(locale)) for name, channel, locale in templates}
    for index, step in enumerate(plan.steps):
        if step.template not in names:
            near = did_you_mean(step.template, sorted(names))
            yield ("steps", index, "template"), f"there is no template {step.template!r}{near}"
            continue
        for channel in step.channels:
            lacking = [one for one in languages if (step.template, channel.value, one) not in there]
            if lacking:
                where = ("steps", index, "template")
                yield where, f"{step.template!r} has no form for {channel} in {', '.join(lacking)}"


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _window_findings(plan: Plan, permitted: PermittedWindows) -> Iterator[Finding]:
    for index, step in enumerate(plan.steps):
        by_channel = {channel: permitted(channel, step.purpose) for channel in step.channels}
        for channel, by_place in by_channel.items():
            for place, hours in by_place.items():
                for each in hours:
                    if each.start >= each.end:
                        text = f"the permitted hours of {place} for {channel} run backwards: {each}"
                        yield ("steps", index, "channels"), text
        for place in sorted({place for by_place in by_channel.values() for place in by_place}):
            hours = [each for by_place in by_channel.values() for each in by_place.get(place, ())]
            if not _ever_open(plan, step, hours):
                due = f"due {step.offset}, expires after {duration_text(step.expires_after)}"
                yield ("steps", index, "offset"), f"no permitted time in {place} on any of its channels ({due})"


def _ever_open(plan: Plan, step: Step, hours: Sequence[OpenHours]) -> bool:
    """Tell whether, on some day of the week, the step meets permitted hours before it expires."""
    if not step.offset.in_days or (step.offset.at is None and plan.anchor is Anchor.EVENT):
        return any(each.start < each.end and each.days for each in hours)
    wall = step.offset.at or DEFAULT_LOCAL_TIME
    start = wall.hour * 60 + wall.minute
    end = start + min(step.expires_after // timedelta(minutes=1), 8 * DAY_MINUTES)
    return any(_meets(each, weekday, start, end) for each in hours for weekday in range(7))


def _meets(hours: OpenHours, weekday: int, start: int, end: int) -> bool:
    """Tell whether minutes ``start`` to ``end``, counted from midnight of ``weekday``, touch permitted hours."""
    return any(
        (weekday + later) % 7 in hours.days
        and max(start, later * DAY_MINUTES + hours.start) < min(end, later * DAY_MINUTES + hours.end)
        for later in range(end // DAY_MINUTES + 1)
    )


def _campaign_findings(campaign: Campaign, plans: Mapping[str, Plan]) -> Iterator[Finding]:
    plan = plans.get(campaign.plan)
    if plan is None:
        yield ("plan",), f"there is no plan {campaign.plan!r}{did_you_mean(campaign.plan, sorted(plans))}"
    elif plan.anchor is Anchor.EVENT:
        yield ("plan",), f"{plan.name} is started by the event {plan.trigger}, not by a campaign"
    elif plan.due_date_of is not DueDateOf.ACCOUNT:
        cause = "an arrangement" if plan.due_date_of is DueDateOf.INSTALLMENT else "a promise"
        yield ("plan",), f"{plan.name} is started by {cause}, not by a campaign"
    if never_holds(campaign.audience, {}):
        yield ("audience",), "matches no case whatever"
    if campaign.holdout == 100:
        yield ("holdout",), "holds out every case"
    yield from _schedule_findings(campaign)


def _schedule_findings(campaign: Campaign) -> Iterator[Finding]:
    schedule = campaign.schedule
    if schedule.late_after <= timedelta(0):
        yield ("schedule", "late_after"), "a run would be too late as soon as it is due; give 2h"
    zone = load_zone(schedule.zone)
    if isinstance(schedule, Once) and zone and not exists_locally(schedule.at.date(), schedule.at.time(), zone):
        yield ("schedule", "once"), f"clocks in {schedule.zone} skip that time on that day (daylight saving)"
