"""Dispatch: one batch of due touches of one channel, from the last-moment decision to the settled attempt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog

from outreach.domain.case import Case, ContactPoint
from outreach.domain.ids import new_id, new_token
from outreach.domain.touch import Touch, TouchMove
from outreach.domain.words import SPOKEN, Outcome, TouchState
from outreach.flows.approvals import ASK_AGAIN, NEEDED_IN, UNAPPROVED, may_be_sent
from outreach.flows.batch import Batch, block, close, defer, falls_back, give_way, go_round, lose, wait
from outreach.flows.fields import short_ref
from outreach.flows.house import House
from outreach.flows.leaving import attempt_of, leave_by, outbound_of
from outreach.flows.lines import fit_to_line
from outreach.flows.lookout import named, places_of, scopes_of
from outreach.flows.outage import find_way
from outreach.flows.ports import Tx
from outreach.flows.priority import (
    Coming,
    Contest,
    counted_out,
    find_winners,
    is_aside,
    load_coming,
    load_rivals,
    uses_up,
)
from outreach.flows.settle import Sent, send_all, settle
from outreach.flows.unsaid import hand_over_unsaid
from outreach.flows.whatsapp import load_threads, way_of
from outreach.flows.wording import Worded, worded, write
from outreach.policy.codec import facts_to_json
from outreach.policy.decision import Decision, Verdict
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import Contact, Facts
from outreach.rendering.render import RenderRefused

HISTORY = timedelta(days=36)
"""How far back the gate looks: a calendar month and then some, more than any cap of a shipped pack."""

MAX_CLOCK_SKEW = timedelta(seconds=30)
"""More disagreement than this between our clock and the database's, and nothing is sent."""

BLIND = "the public holidays of a date are not known; what this rule governs does not leave on such dates"

_log = structlog.get_logger(__name__)


async def dispatch(house: House, channel: str, touches: Sequence[UUID]) -> dict[str, int]:
    """Decide, record, send and settle a batch; returns how many ended how.

    Safe to call twice with the same ids: the second call finds no touch that is still queued (promise 3).
    """
    allowed = await house.pacer.take(channel, len(touches))
    batch = Batch()
    async with house.store.transaction() as tx:
        borrowers = await tx.lock_borrowers_of(touches[:allowed])
        now = house.clock.now()  # not before the locks: what another worker sent while we waited for them is past
        # A touch that was queued only after the borrowers were locked is left to its own entry in the lane.
        locked = set(borrowers)
        queued = [each for each in await tx.queued_touches(touches[:allowed], channel) if each.borrower_id in locked]
        if allowed < len(touches):
            await tx.release_queued(touches[allowed:], now + timedelta(seconds=1), "pacing.wait")
        if not queued:
            return {}
        if not house.clock.stepped and abs(await tx.server_clock() - house.clock.real()) > MAX_CLOCK_SKEW:
            await tx.release_queued([touch.touch_id for touch in queued], now + timedelta(minutes=1), "clock.skew")
            await tx.open_alert("clock.skew", "database", "our clock and the database's disagree", now)
            return {"clock.skew": len(queued)}
        queued = await fit_to_line(house, tx, channel, queued, now)
        if not queued:
            return {}
        people = await tx.dossiers(borrowers, at=now, since=now - HISTORY, until=now + MAX_CLOCK_SKEW)
        await load_threads(house, tx, channel, people, now)
        batch.rivals = await load_rivals(tx, queued, borrowers, now)
        batch.coming = await load_coming(house, tx, queued, now)
        others = [rival for rivals in batch.rivals.values() for rival in rivals]
        others += [each.touch for coming in batch.coming.values() for each in coming]
        batch.cases = await tx.cases({touch.case_id for touch in (*queued, *others)})
        paused = await tx.switches(now)
        batch.outages = await tx.outages(now) if paused else set()
        if house.mode == NEEDED_IN:
            await house.approvals.refresh(tx, house.clock.real())
        batch.share(people.values())
        for touch in queued:
            decide_touch(house, batch, touch, people[touch.borrower_id], paused, now)
        await _end_contests(house, tx, batch, now)
        await tx.insert_decisions(batch.decisions)
        await tx.insert_attempts(batch.attempts)
        await tx.move_touches(batch.moves)
        if any(move.state is TouchState.PLANNED for move in batch.moves):
            await tx.notify_due()  # the next channel is tried at once
        await tx.append(batch.entries)
        await hand_over_unsaid(tx, batch.moves, now)
        for rule_id in sorted(batch.blind_rules):
            await tx.open_alert("calendar.missing", rule_id, BLIND, now)
    if batch.sends:
        batch.tally |= await settle(house, await send_all(house, channel, batch.sends))
    _log.info("dispatched", channel=channel, touches=len(touches), policy_version=house.policy.version, **batch.tally)
    return batch.tally


def decide_touch(
    house: House, batch: Batch, touch: Touch, dossier: Dossier, paused: set[tuple[str, str]], now: datetime
) -> None:
    """Decide one touch over all its contact points and put what follows into ``batch``."""
    case = batch.cases[touch.case_id]
    if touch.expires_at <= now:
        close(batch, touch, TouchState.EXPIRED, "expiry.passed", now)
        return
    if case.creditor_id not in house.creditors:
        close(batch, touch, TouchState.BLOCKED, "creditor.unknown", now)
        return
    decision, point, facts, words = _best(house, touch, dossier, case, paused, now)
    sending = decision.verdict is Verdict.SEND
    approved = not sending or may_be_sent(house, touch, dossier.borrower.locale)
    if sending and approved and (rival := _rival_in_need(house, batch, touch, facts, dossier, paused, now)):
        give_way(batch, touch, rival, now)
        return
    decision_id = new_id(now)
    batch.blind_rules |= {reason.rule_id for reason in decision.reasons if reason.code.endswith(".no_calendar")}
    batch.decisions.append(_decision_row(decision_id, touch, decision, facts))
    way = find_way(
        touch,
        decision,
        facts.paused,
        batch.outages,
        lambda channel: _ask_on(house, replace(touch, channel=channel), dossier, case, paused, now),
    )
    if way is not None and (way.channel or decision.verdict is Verdict.DEFER):
        go_round(batch, touch, way, facts.paused, decision_id, now)
    elif not approved:
        wait(batch, touch, UNAPPROVED, decision_id, now)
    elif sending and point is not None:
        _start(house, batch, touch, dossier, case, point, decision, facts, words, decision_id, now)
    elif decision.verdict is Verdict.DEFER:
        defer(batch, touch, decision, facts.paused, decision_id, now)
    elif counted_out(decision) and not falls_back(touch, decision):
        batch.contests.append(Contest(touch, decision, decision_id, facts))
    else:
        block(batch, touch, decision, decision_id, now)


def _best(
    house: House, touch: Touch, dossier: Dossier, case: Case, paused: set[tuple[str, str]], now: datetime
) -> tuple[Decision, ContactPoint | None, Facts, Worded]:
    """Return the best answer over a touch's contact points on its channel, with what its words say."""
    best: tuple[Decision, ContactPoint | None, Facts, Worded] | None = None
    for point in _candidates(touch, dossier):
        facts, words = _facts(house, touch, dossier, case, point, paused, now)
        decision = house.decide(facts, now)
        if best is None or _better(decision, best[0]):
            best = (decision, point, facts, words)
        if decision.verdict is Verdict.SEND:
            break
    assert best is not None  # noqa: S101 - the loop runs at least once
    return best


def _ask_on(
    house: House, touch: Touch, dossier: Dossier, case: Case, paused: set[tuple[str, str]], now: datetime
) -> Decision:
    """Ask the gate about a touch on another channel; words that nobody approved cannot leave there either."""
    decision = _best(house, touch, dossier, case, paused, now)[0]
    if decision.verdict is Verdict.SEND and not may_be_sent(house, touch, dossier.borrower.locale):
        return replace(decision, verdict=Verdict.DEFER, until=now + ASK_AGAIN)
    return decision


def _rival_in_need(
    house: House,
    batch: Batch,
    touch: Touch,
    facts: Facts,
    dossier: Dossier,
    paused: set[tuple[str, str]],
    now: datetime,
) -> Coming | None:
    """Return a higher touch of the borrower that may leave at its time, and could not once this one had left."""
    rivals = [Coming(rival, now) for rival in batch.rivals.get(touch.borrower_id, ())]
    if is_aside(touch):
        rivals += batch.coming.get(touch.borrower_id, ())
    for rival in rivals:
        case = batch.cases[rival.touch.case_id]
        if rival.touch.priority <= touch.priority or case.creditor_id not in house.creditors:
            continue
        if not may_be_sent(house, rival.touch, dossier.borrower.locale):
            continue
        for point in _candidates(rival.touch, dossier):
            theirs, _ = _facts(house, rival.touch, dossier, case, point, paused, rival.at)
            if house.decide(theirs, rival.at).verdict is Verdict.SEND:
                if uses_up(house, facts, now, theirs, rival.at):
                    return rival
                break
    return None


async def _end_contests(house: House, tx: Tx, batch: Batch, now: datetime) -> None:
    """Say of what counts refused for good whether another touch won the slot, and which."""
    if not batch.contests:
        return
    leaving = {attempt.borrower_id: attempt.touch_id for attempt in batch.attempts}
    winners = await find_winners(tx, house, batch.contests, leaving, now)
    for contest, winner in zip(batch.contests, winners, strict=True):
        lose(batch, contest, winner, now)


def _candidates(touch: Touch, dossier: Dossier) -> Sequence[ContactPoint | None]:
    """Return the contact points a touch may go to: an answer goes back to where the reply came from, nowhere else."""
    points = dossier.points_for(touch.channel)
    if wanted := touch.context.get("point_id"):
        points = [point for point in points if str(point.contact_point_id) == wanted]
    return points or [None]


def _facts(
    house: House,
    touch: Touch,
    dossier: Dossier,
    case: Case,
    point: ContactPoint | None,
    paused: set[tuple[str, str]],
    now: datetime,
) -> tuple[Facts, Worded]:
    facts = facts_for(
        dossier,
        case,
        touch_id=touch.touch_id,
        channel=touch.channel,
        purpose=touch.purpose,
        role=house.creditor(case.creditor_id).role,
        actor="prerecorded" if touch.channel in SPOKEN else "automated",
        at=now,
        expires_at=touch.expires_at,
        point=point,
        paused=paused_for(touch, dossier, paused),
        employers=house.refusals.employers,
    )
    words = worded(house, touch, dossier, facts, now)
    return replace(facts, content=words.content), words


def paused_for(touch: Touch, dossier: Dossier, paused: set[tuple[str, str]]) -> tuple[str, ...]:
    """Return the switches that are off for this touch, as ``scope:key``."""
    if not paused:
        return ()
    return named(paused & scopes_of(touch.channel, touch.plan, touch.campaign_id, places_of(dossier)))


def _better(one: Decision, other: Decision) -> bool:
    rank = {Verdict.SEND: 0, Verdict.DEFER: 1, Verdict.BLOCK: 2}
    if one.verdict is not other.verdict:
        return rank[one.verdict] < rank[other.verdict]
    return (
        one.verdict is Verdict.DEFER and one.until is not None and other.until is not None and one.until < other.until
    )


def _decision_row(decision_id: UUID, touch: Touch, decision: Decision, facts: Facts) -> dict[str, Any]:
    return {
        "decision_id": decision_id,
        "touch_id": touch.touch_id,
        "case_id": touch.case_id,
        "channel": touch.channel,
        "at": decision.at,
        "verdict": decision.verdict,
        "until_at": decision.until,
        "policy_version": decision.policy_version,
        "reasons": orjson.Fragment(orjson.dumps(decision.reasons)),
        "facts": orjson.Fragment(facts_to_json(facts)),
    }


def _start(
    house: House,
    batch: Batch,
    touch: Touch,
    dossier: Dossier,
    case: Case,
    point: ContactPoint,
    decision: Decision,
    facts: Facts,
    words: Worded,
    decision_id: UUID,
    now: datetime,
) -> None:
    attempt_id, token = new_id(now), new_token()
    try:
        rendered = write(house, touch, dossier, case, facts, words, short_ref(attempt_id), now)
    except (RenderRefused, ValueError) as refusal:
        code = refusal.code.value if isinstance(refusal, RenderRefused) else "bad_field"
        close(batch, touch, TouchState.BLOCKED, f"render.{code}", now, decision_id)
        return
    batch.attempts.append(
        attempt_of(touch, case, point, decision, decision_id, attempt_id, token, rendered, now, house)
    )
    batch.moves.append(
        TouchMove(
            touch.touch_id, TouchState.STARTED, None, contact_point_id=point.contact_point_id, tries=touch.tries + 1
        )
    )
    way = way_of(house, touch, dossier, case, point, now)
    ends_at = min(leave_by(decision, touch), way.thread_ends or touch.expires_at)
    outbound = outbound_of(house, touch, dossier, case, way, rendered, str(attempt_id), token, ends_at, now)
    reach = scopes_of(touch.channel, touch.plan, touch.campaign_id, places_of(dossier))
    batch.sends.append(Sent(touch, attempt_id, point.contact_point_id, outbound, decision_id, reach, ends_at))
    dossier.history.append(
        Contact(now, touch.channel, Outcome.PENDING, (str(case.case_id),), case.creditor_id,
                str(point.contact_point_id), "out", touch.purpose)
    )  # fmt: skip
    for other, theirs in batch.at_address[point.value]:
        if other is not dossier:
            # As the store will tell it from now on: it counts for that number, and never says whose it was.
            other.history.append(
                Contact(now, touch.channel, Outcome.PENDING, (), case.creditor_id,
                        str(theirs.contact_point_id), "out", touch.purpose, same_borrower=False)
            )  # fmt: skip
