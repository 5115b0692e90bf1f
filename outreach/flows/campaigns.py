"""Campaigns: preview, start, run, pause, resume and cancel; the last three reach work that is already queued."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from outreach.domain.campaign import (
    Campaign,
    Candidate,
    Exclusion,
    Preview,
    campaign_content,
    decide_audience,
    is_too_late,
    next_run,
    select_audience,
)
from outreach.domain.campaign_config import campaign_from_content
from outreach.domain.enrollment import AudienceRow
from outreach.domain.ids import new_id
from outreach.domain.plan import Anchor, Plan, decide_entry
from outreach.domain.plan import Entry as PlanEntry
from outreach.domain.timeline import Entry
from outreach.domain.words import CampaignState, EnrollmentState, StopCondition
from outreach.flows.enroll import Cause, enrol
from outreach.flows.house import House
from outreach.flows.ports import Tx

PAGE = 2000
_FIRST = UUID(int=0)


class CampaignError(Exception):
    """Something a campaign cannot do; the text says what and what would be possible."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a campaign did."""

    name: str
    entered: int
    held_out: int
    exclusions: Mapping[Exclusion, int]
    late: bool = False


async def preview(house: House, campaign: Campaign) -> Preview:
    """Count what starting ``campaign`` now would do; changes nothing."""
    plan = _plan(house, campaign)
    candidates: list[Candidate] = []
    async with house.store.transaction() as tx:
        async for page in _pages(tx, house.clock.now()):
            candidates += await _candidates(tx, plan, page, house.clock.now())
    return decide_audience(campaign, candidates)


async def start(house: House, campaign: Campaign) -> UUID:
    """Start a campaign: it runs when its schedule says. Raises CampaignError when one of that name is live."""
    _plan(house, campaign)
    now = house.clock.now()
    due = next_run(campaign.schedule, now - timedelta(seconds=1))
    if due is None:
        raise CampaignError(f"campaign {campaign.name}: its schedule has no run left after now")
    async with house.store.transaction() as tx:
        key = await tx.insert_campaign(new_id(now), campaign.name, campaign.plan, campaign_content(campaign), due, now)
        if key is None:
            raise CampaignError(f"campaign {campaign.name} is already running or paused; cancel it first")
    return key


async def run_due(house: House) -> list[Run]:
    """Run every campaign whose time has come; a run that is too late is left out, never made up for."""
    runs = []
    async with house.store.transaction() as tx:
        now = house.clock.now()
        for campaign_id, _name, _plan_name, spec, due, changed in await tx.due_campaigns(now):
            campaign = campaign_from_content(spec)
            following = next_run(campaign.schedule, now)
            state = CampaignState.RUNNING if following else CampaignState.FINISHED
            if is_too_late(campaign.schedule, due, now):
                if changed <= due:  # else it was paused when the run fell due, which somebody decided
                    why = "a run was left out because it came too late"
                    await tx.open_alert("campaign.late", campaign.name, why, now)
                runs.append(Run(campaign.name, 0, 0, {}, late=True))
            else:
                runs.append(await _run(tx, house, campaign, campaign_id, now))
            await tx.campaign_ran(campaign_id, now, following, state)
    return runs


async def _run(tx: Tx, house: House, campaign: Campaign, campaign_id: UUID, now: datetime) -> Run:
    plan = _plan(house, campaign)
    exclusions: Counter[Exclusion] = Counter()
    entered = held_out = 0
    async for page in _pages(tx, now):
        rows = {str(each.row.case_id): each.row for each in page}
        causes = []
        for one in select_audience(campaign, await _candidates(tx, plan, page, now)):
            if one.exclusion is not None:
                exclusions[one.exclusion] += 1
            if not one.enters and one.exclusion is not Exclusion.HOLDOUT:
                continue
            row = rows[one.case_id]
            anchor = now if plan.anchor is Anchor.EVENT else row.due_on
            held = one.exclusion is Exclusion.HOLDOUT
            held_out += held
            causes.append(Cause(row, _cause_key(plan, row.due_on.isoformat()), anchor, campaign_id, holdout=held))
        entered += await enrol(tx, plan, causes, now)
    return Run(campaign.name, entered - held_out, held_out, exclusions)


def _cause_key(plan: Plan, due_on: str) -> str:
    """Return the cause of an enrollment that counts from a due date: the same due date never starts a plan twice."""
    return f"due:{due_on}" if plan.anchor is Anchor.DUE_DATE else f"campaign:{due_on}"


async def _pages(tx: Tx, now: datetime) -> AsyncIterator[list[AudienceRow]]:
    after = _FIRST
    while page := await tx.audience_page(after, PAGE, now):
        yield page
        after = page[-1].row.case_id


async def _candidates(tx: Tx, plan: Plan, page: list[AudienceRow], now: datetime) -> list[Candidate]:
    latest = await tx.latest_enrollments({each.row.case_id for each in page}, plan.name)
    return [_candidate(plan, each, latest.get(each.row.case_id), now) for each in page]


def _candidate(plan: Plan, each: AudienceRow, known: tuple[Any, ...] | None, now: datetime) -> Candidate:
    on_plan = False
    if known is not None:
        same = known[3] == _cause_key(plan, each.row.due_on.isoformat())
        state = None if known[2] == "holdout" else EnrollmentState(known[2])
        on_plan = same or decide_entry(plan, state, same_cause=same) is PlanEntry.SKIP
    return Candidate(
        str(each.row.case_id),
        each.row.facts(now),
        _stopped_by(plan, each),
        each.reachable,
        on_plan,
    )


def _stopped_by(plan: Plan, each: AudienceRow) -> frozenset[StopCondition]:
    """Return what the plan ends on and this case has already; most of a book has nothing of it."""
    paid = each.row.amount_due_minor <= 0
    if not (paid or each.on_hold or each.opted_out or each.has_arrangement or each.has_promise):
        return frozenset()
    checks = {
        StopCondition.HOLD: each.on_hold,
        StopCondition.OPT_OUT: each.opted_out,
        StopCondition.ARRANGEMENT: each.has_arrangement,
        StopCondition.PROMISE: each.has_promise,
        StopCondition.PAID: paid,
    }
    return frozenset(condition for condition, holds in checks.items() if holds and condition in plan.stop_on)


def _plan(house: House, campaign: Campaign) -> Plan:
    plan = house.plans.get(campaign.plan)
    if plan is None:
        raise CampaignError(
            f"campaign {campaign.name}: no plan {campaign.plan}; known are {', '.join(sorted(house.plans))}"
        )
    return plan


async def pause(house: House, name: str) -> int:
    """Pause a campaign; nothing of it leaves from the moment this returns. Returns how many touches now wait."""
    async with house.store.transaction() as tx:
        key = await _move(tx, name, CampaignState.PAUSED, (CampaignState.RUNNING,), house.clock.now())
        await tx.pause_enrollments(key)
        return await tx.pause_touches(key)


async def resume(house: House, name: str) -> int:
    """Resume a paused campaign: what is not too late by now is decided anew. Returns how many touches wait no more."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        key = await _move(tx, name, CampaignState.RUNNING, (CampaignState.PAUSED,), now)
        await tx.resume_enrollments(key)
        return await tx.resume_touches(key, now)


async def cancel(house: House, name: str) -> int:
    """Cancel a campaign and everything of it that has not started. Returns how many touches were cancelled."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        key = await _move(tx, name, CampaignState.CANCELLED, (CampaignState.RUNNING, CampaignState.PAUSED), now)
        await tx.cancel_enrollments(key, now)
        gone = await tx.cancel_campaign_touches(key, now)
        await tx.append(
            [
                Entry(case, now, "touch.cancelled", {"touch_id": touch, "step": step, "channel": channel,
                                                     "reasons": ["campaign.cancelled"]})
                for touch, case, step, channel in gone
            ]
        )  # fmt: skip
    return len(gone)


async def _move(tx: Tx, name: str, to: CampaignState, allowed: tuple[CampaignState, ...], now: datetime) -> UUID:
    key = await tx.move_campaign(name, to, allowed, now)
    if key is None:
        raise CampaignError(f"no campaign {name} that is {' or '.join(allowed)}")
    return key
