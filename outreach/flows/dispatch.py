"""Dispatch: one batch of due touches of one channel, from the last-moment decision to the settled attempt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog

from channels.contract import Call, Capability, Content, Mail, Outbound, Template, Text
from outreach.domain.case import Case, ContactPoint
from outreach.domain.ids import new_id, new_token
from outreach.domain.timeline import Entry
from outreach.domain.touch import RANK, NewAttempt, Touch, TouchMove
from outreach.domain.words import SPOKEN, AttemptState, Channel, Outcome, TouchState
from outreach.flows.fields import short_ref, touch_fields
from outreach.flows.house import House
from outreach.flows.settle import Sent, send_all, settle
from outreach.policy.codec import facts_to_json
from outreach.policy.decision import Decision, Verdict
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import Contact, Facts
from outreach.rendering.fields import TouchFields
from outreach.rendering.render import Rendered, RenderRefused

HISTORY = timedelta(days=36)
"""How far back the gate looks: a calendar month and then some, more than any cap of a shipped pack."""

MAX_CLOCK_SKEW = timedelta(seconds=30)
"""More disagreement than this between our clock and the database's, and nothing is sent."""

ASK_AGAIN = timedelta(minutes=15)
"""When a deferral names no instant (a kill switch is on), the gate is asked again after this."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """What one dispatch transaction is going to write."""

    decisions: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[NewAttempt] = field(default_factory=list)
    moves: list[TouchMove] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    sends: list[Sent] = field(default_factory=list)
    tally: dict[str, int] = field(default_factory=dict)
    at_address: dict[str, list[tuple[Dossier, ContactPoint]]] = field(default_factory=dict)

    def share(self, people: Iterable[Dossier]) -> None:
        """Find out who of a batch shares a number or mailbox: they share its caps within the batch, too."""
        for dossier in people:
            for point in dossier.points:
                self.at_address.setdefault(point.value, []).append((dossier, point))

    def count(self, what: str) -> None:
        """Count one outcome for the canonical log line."""
        self.tally[what] = self.tally.get(what, 0) + 1


async def dispatch(house: House, channel: str, touches: Sequence[UUID]) -> dict[str, int]:
    """Decide, record, send and settle a batch; returns how many ended how.

    Safe to call twice with the same ids: the second call finds no touch that is still queued (promise 3).
    """
    allowed = await house.pacer.take(channel, len(touches))
    batch = Batch()
    async with house.store.transaction() as tx:
        now = house.clock.now()
        if allowed < len(touches):
            await tx.release_queued(touches[allowed:], now + timedelta(seconds=1), "pacing.wait")
        borrowers = await tx.lock_borrowers_of(touches[:allowed])
        # A touch that was queued only after the borrowers were locked is left to its own entry in the lane.
        locked = set(borrowers)
        queued = [each for each in await tx.queued_touches(touches[:allowed], channel) if each.borrower_id in locked]
        if not queued:
            return {}
        if not house.clock.stepped and abs(await tx.server_clock() - house.clock.real()) > MAX_CLOCK_SKEW:
            await tx.release_queued([touch.touch_id for touch in queued], now + timedelta(minutes=1), "clock.skew")
            await tx.open_alert("clock.skew", "database", "our clock and the database's disagree", now)
            return {"clock.skew": len(queued)}
        people = await tx.dossiers(borrowers, at=now, since=now - HISTORY)
        cases = await tx.cases({touch.case_id for touch in queued})
        paused = await tx.switches()
        batch.share(people.values())
        for touch in queued:
            decide_touch(house, batch, touch, people[touch.borrower_id], cases[touch.case_id], paused, now)
        await tx.insert_decisions(batch.decisions)
        await tx.insert_attempts(batch.attempts)
        await tx.move_touches(batch.moves)
        if any(move.state is TouchState.PLANNED for move in batch.moves):
            await tx.notify_due()  # the next channel is tried at once
        await tx.append(batch.entries)
    if batch.sends:
        batch.tally |= await settle(house, await send_all(house, channel, batch.sends))
    _log.info("dispatched", channel=channel, touches=len(touches), policy_version=house.policy.version, **batch.tally)
    return batch.tally


def decide_touch(
    house: House, batch: Batch, touch: Touch, dossier: Dossier, case: Case, paused: set[tuple[str, str]], now: datetime
) -> None:
    """Decide one touch over all its contact points and put what follows into ``batch``."""
    if touch.expires_at <= now:
        _close(batch, touch, TouchState.EXPIRED, "expiry.passed", now)
        return
    if case.creditor_id not in house.creditors:
        _close(batch, touch, TouchState.BLOCKED, "creditor.unknown", now)
        return
    best: tuple[Decision, ContactPoint | None, Facts] | None = None
    for point in _candidates(touch, dossier):
        facts = _facts(house, touch, dossier, case, point, paused, now)
        decision = house.decide(facts, now)
        if best is None or _better(decision, best[0]):
            best = (decision, point, facts)
        if decision.verdict is Verdict.SEND:
            break
    assert best is not None  # noqa: S101 - the loop runs at least once
    decision, point, facts = best
    decision_id = new_id(now)
    batch.decisions.append(_decision_row(decision_id, touch, decision, facts))
    if decision.verdict is Verdict.SEND and point is not None:
        _start(house, batch, touch, dossier, case, point, decision, decision_id, now)
    elif decision.verdict is Verdict.DEFER:
        _defer(batch, touch, decision, decision_id, now)
    else:
        _block(batch, touch, decision, decision_id, now)


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
) -> Facts:
    return facts_for(
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
    )


def paused_for(touch: Touch, dossier: Dossier, paused: set[tuple[str, str]]) -> tuple[str, ...]:
    """Return the switches that are off for this touch, as ``scope:key``."""
    if not paused:
        return ()
    mine = {
        ("everything", "everything"),
        ("channel", touch.channel),
        ("plan", touch.plan or ""),
        ("campaign", str(touch.campaign_id)),
        *(("jurisdiction", code) for code in dossier.borrower.jurisdictions),
    }
    return tuple(sorted(f"{scope}:{key}" for scope, key in paused & mine))


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
    decision_id: UUID,
    now: datetime,
) -> None:
    attempt_id, token = new_id(now), new_token()
    try:
        fields = touch_fields(house, touch, dossier, case, short_ref(attempt_id), now)
        rendered = house.renderer.render(touch.template, Channel(touch.channel), dossier.borrower.locale, fields)
    except (RenderRefused, ValueError) as refusal:
        code = refusal.code.value if isinstance(refusal, RenderRefused) else "bad_field"
        _close(batch, touch, TouchState.BLOCKED, f"render.{code}", now, decision_id)
        return
    batch.attempts.append(_attempt(touch, case, point, decision, decision_id, attempt_id, token, rendered, now, house))
    batch.moves.append(
        TouchMove(
            touch.touch_id, TouchState.STARTED, None, contact_point_id=point.contact_point_id, tries=touch.tries + 1
        )
    )
    outbound = Outbound(
        attempt_id=str(attempt_id),
        token=token,
        address=point.value,
        content=content_of(touch.channel, rendered, token),
        validity=_validity(decision, touch, now),
        template=_template(house, touch, rendered, fields),
        person=str(touch.borrower_id),
    )
    batch.sends.append(Sent(touch, attempt_id, point.contact_point_id, outbound, decision_id))
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


def _template(house: House, touch: Touch, rendered: Rendered, fields: TouchFields) -> Template | None:
    """Return the template's values where the channel carries approved templates; elsewhere they would be waste."""
    if Capability.TEMPLATES not in house.channels[touch.channel].capabilities:
        return None
    return Template(touch.template, rendered.locale, house.renderer.parameters(rendered, fields))


def content_of(channel: str, rendered: Rendered, token: str) -> Content:
    """Return what leaves on ``channel``: a text, an email, or a call whose words are fetched when it is answered."""
    if channel in SPOKEN:
        return Call()
    if channel == "email":
        return Mail(rendered.subject, rendered.body, rendered.html, reply_token=token)
    return Text(rendered.body)


def _validity(decision: Decision, touch: Touch, now: datetime) -> timedelta:
    closes = touch.expires_at if decision.send_before is None else min(touch.expires_at, decision.send_before)
    return closes - now


def _attempt(
    touch: Touch,
    case: Case,
    point: ContactPoint,
    decision: Decision,
    decision_id: UUID,
    attempt_id: UUID,
    token: str,
    rendered: Rendered,
    now: datetime,
    house: House,
) -> NewAttempt:
    return NewAttempt(
        attempt_id=attempt_id,
        touch_id=touch.touch_id,
        decision_id=decision_id,
        case_id=touch.case_id,
        borrower_id=touch.borrower_id,
        creditor_id=case.creditor_id,
        contact_point_id=point.contact_point_id,
        channel=touch.channel,
        purpose=touch.purpose,
        token=token,
        state=AttemptState.STARTED,
        outcome=Outcome.PENDING,
        rank=RANK[Outcome.PENDING],
        template=touch.template,
        template_hash=rendered.template_hash,
        locale=rendered.locale,
        policy_version=decision.policy_version,
        subject=rendered.subject or None,
        body=orjson.dumps(dict(rendered.spoken)).decode() if rendered.spoken else rendered.body,
        segments=rendered.segments,
        started_at=now,
        started_real_at=house.clock.real(),
    )


def _defer(batch: Batch, touch: Touch, decision: Decision, decision_id: UUID, now: datetime) -> None:
    codes = [reason.code for reason in decision.reasons]
    until = decision.until or now + ASK_AGAIN
    batch.moves.append(TouchMove(touch.touch_id, TouchState.DEFERRED, codes[0], not_before=until))
    batch.entries.append(
        Entry(
            touch.case_id,
            now,
            "touch.deferred",
            _told(touch, decision_id) | {"until": until, "reasons": codes},
        )
    )
    batch.count("deferred")


def _block(batch: Batch, touch: Touch, decision: Decision, decision_id: UUID, now: datetime) -> None:
    codes = [reason.code for reason in decision.reasons]
    told = _told(touch, decision_id) | {"reasons": codes}
    against = [reason for reason in decision.reasons if reason.verdict is Verdict.BLOCK]
    if touch.fallback and all(reason.channel_only for reason in against):
        following, rest = touch.fallback[0], touch.fallback[1:]
        batch.moves.append(
            TouchMove(touch.touch_id, TouchState.PLANNED, codes[0], not_before=now, channel=following, fallback=rest)
        )
        batch.entries.append(Entry(touch.case_id, now, "touch.fell_back", told | {"next": following}))
        batch.count("fell_back")
        return
    batch.moves.append(TouchMove(touch.touch_id, TouchState.BLOCKED, codes[0] if codes else "blocked", settled_at=now))
    batch.entries.append(Entry(touch.case_id, now, "touch.blocked", told))
    batch.count("blocked")


def _close(
    batch: Batch, touch: Touch, state: TouchState, reason: str, now: datetime, decision_id: UUID | None = None
) -> None:
    batch.moves.append(TouchMove(touch.touch_id, state, reason, settled_at=now))
    batch.entries.append(Entry(touch.case_id, now, f"touch.{state}", _told(touch, decision_id) | {"reasons": [reason]}))
    batch.count(str(state))


def _told(touch: Touch, decision_id: UUID | None) -> dict[str, Any]:
    return {
        "touch_id": touch.touch_id,
        "channel": touch.channel,
        "step": touch.step_id,
        "template": touch.template,
        "decision_id": decision_id,
    }
