"""Conversations: what a dialogue asks for is carried out on the case, in the transaction that stores the reply."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from outreach.domain.arrangement import fitting_policy
from outreach.domain.extension import latest_day
from outreach.domain.ids import new_id
from outreach.domain.money import Money
from outreach.domain.refusal_config import TopicReach
from outreach.domain.tasks import TASK_DUE
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewTouch
from outreach.domain.words import (
    SPOKEN,
    Channel,
    HoldKind,
    PointState,
    PointType,
    Purpose,
    StopCondition,
    TouchState,
)
from outreach.flows.address import take_out_of_use
from outreach.flows.agreement_words import (
    extension_words,
    offer_told,
    offer_words,
    plan_words,
    promise_words,
    standing_words,
)
from outreach.flows.agreements import (
    cancel_arrangement,
    change_arrangement,
    confirm_arrangement,
    grant_extension,
    record_promise,
)
from outreach.flows.enroll import stop_for
from outreach.flows.events import place_hold
from outreach.flows.house import House
from outreach.flows.personal_times import record_times, told_times, windows_of
from outreach.flows.ports import Tx
from outreach.flows.schedule import REPLY_PRIORITY
from outreach.flows.speaker import Speaker, informed
from outreach.flows.stop import Said, reopen, stop_channels
from outreach.replies.dialogue import start
from outreach.replies.dialogue_spec import DialogueFacts, DialogueState, Effect, EffectKind, Step

REPLY_EXPIRES = timedelta(hours=24)
CONFIRM_WITHIN = timedelta(minutes=5)
"""A stop is confirmed at most once and within five minutes, or not at all (47 CFR 64.1200(a)(12))."""

_CONFIRMING = frozenset({"stop_confirmation", "wrong_party_ack"})
"""Answers that only say that no more will come."""

IN_THREAD = timedelta(hours=1)
"""How long a reply is evidence that its writer may be answered at this hour."""

_OF_ITS_END = frozenset({"plan_cancel_readback", "plan_cancelled"})
_OF_THE_PLAN = _OF_ITS_END | {"plan_standing"}
"""Answers about the arrangement that stands, whatever else was chosen meanwhile."""

# Holds about the person rather than about one debt.
_PERSONAL_HOLDS = frozenset({HoldKind.DECEASED, HoldKind.BANKRUPTCY, HoldKind.CEASE})

_states: TypeAdapter[DialogueState] = TypeAdapter(DialogueState)


def dialogue_facts(house: House, speaker: Speaker, identity_ok: bool | None = None) -> DialogueFacts:
    """Return what the dialogue machine may know about a case."""
    case, days = speaker.case, speaker.case.days_past_due(speaker.today)
    owed = case.amount_due - _fee_of(speaker)
    return DialogueFacts(
        amount_due=owed,
        days_past_due=days,
        product=case.product,
        today=speaker.today,
        policy=fitting_policy(house.replies.policies, owed, days, case.product, speaker.background),
        surface=speaker.surface,
        identity_ok=identity_ok,
        due_on=case.due_on,
        plan=speaker.plan,
        background=speaker.background,
    )


def _fee_of(speaker: Speaker) -> Money:
    """Return the fee of the plan that stands, as far as it is still owed: a plan in its place is made without it."""
    return speaker.plan.open_fee if speaker.plan else Money(0, speaker.case.currency)


def dump_state(state: DialogueState) -> dict[str, Any]:
    """Turn a dialogue's standing into plain JSON."""
    return dict(_states.dump_python(state, mode="json"))


def load_state(data: dict[str, Any]) -> DialogueState:
    """Read a dialogue's standing back."""
    return _states.validate_python(data)


async def carry_out(house: House, tx: Tx, speaker: Speaker, step: Step, now: datetime) -> list[NewTouch]:
    """Carry out a step's effects in order, then say what it says; returns the touches to queue after the commit."""
    touches: list[NewTouch] = []
    for effect in step.effects:
        touches += await _apply(house, tx, speaker, effect, now)
    if step.say and speaker.surface == "portal":
        touches += _in_writing(house, speaker, step.say, step.state, now)
    elif step.say and speaker.surface not in SPOKEN:
        touches.append(reply_touch(house, speaker, step.say, step.state, now))
    await tx.insert_touches(touches)
    return touches


_WRITTEN_AFTER_A_PAGE = {
    "installments_done": "arrangement_confirmation",
    "promise_confirmation": "promise_confirmation",
    "extension_done": "extension_done",
    "plan_cancelled": "plan_cancelled",
}
"""What somebody who agreed to something on a page also gets in writing; the page itself says everything else."""


def _in_writing(house: House, speaker: Speaker, said: str, state: DialogueState, now: datetime) -> Iterator[NewTouch]:
    """Yield the touch that puts an agreement made on a page in writing: by email, else by text."""
    template = _WRITTEN_AFTER_A_PAGE.get(said)
    usable = [
        channel
        for channel in (Channel.EMAIL, Channel.SMS)
        if any(
            point.state == PointState.ACTIVE and point.type != PointType.FIXED_LINE
            for point in speaker.dossier.points_for(channel)
        )
    ]
    if template and usable:
        yield reply_touch(house, speaker, template, state, now, usable[0])


async def _apply(house: House, tx: Tx, speaker: Speaker, effect: Effect, now: datetime) -> list[NewTouch]:
    match effect.kind:
        case EffectKind.SUPPRESS:
            await _suppress(house, tx, speaker, effect.channels, now)
        case EffectKind.RECORD_CONSENT:
            await _consent(tx, speaker, effect.channels, now)
        case EffectKind.PLACE_HOLD:
            await _hold(house, tx, speaker, effect.detail or HoldKind.REVIEW, now)
        case EffectKind.NAME_TIMES:
            for window in windows_of(effect.times):
                await record_times(tx, speaker.case, window, speaker.evidence, now)
        case EffectKind.RECORD_PAYMENT_CLAIM:
            await open_task(tx, speaker, "payment_claim", now)
        case EffectKind.MARK_WRONG_PARTY:
            await _wrong_party(tx, speaker, now)
        case EffectKind.HAND_OFF:
            hour = {"call_at": effect.times.at} if effect.times and effect.times.at else {}
            await open_task(tx, speaker, effect.detail or "hand_off", now, **hour)
        case EffectKind.OPEN_DIALOGUE:
            return await open_dialogue(house, tx, speaker, effect.detail or "installments", now)
        case _:
            await _agree(house, tx, speaker, effect, now)
    return []


async def _agree(house: House, tx: Tx, speaker: Speaker, effect: Effect, now: datetime) -> None:
    """Carry out what an effect agrees, changes or takes back."""
    match effect.kind:
        case EffectKind.PROPOSE_ARRANGEMENT if effect.offer:
            await tx.append([Entry(speaker.case.case_id, now, "arrangement.proposed", offer_told(effect.offer))])
        case EffectKind.CONFIRM_ARRANGEMENT if effect.offer:
            await confirm_arrangement(house, tx, speaker, effect.offer, now)
        case EffectKind.CHANGE_ARRANGEMENT if effect.offer:
            await change_arrangement(house, tx, speaker, effect.offer, now)
        case EffectKind.CANCEL_ARRANGEMENT:
            await cancel_arrangement(tx, speaker, now)
        case EffectKind.GRANT_EXTENSION if effect.extension:
            await grant_extension(house, tx, speaker, effect.extension, now)
        case EffectKind.RECORD_PROMISE if effect.promise:
            await record_promise(house, tx, speaker, effect.promise, now)
        case _:
            pass


async def _suppress(house: House, tx: Tx, speaker: Speaker, channels: Sequence[str], now: datetime) -> None:
    """Put a refusal in force unless the callback that brought it already did."""
    topic = speaker.case.creditor_id if house.refusals.topics is TopicReach.TOPIC else None
    _, refused = speaker.dossier.said_about(speaker.surface, None, speaker.case.creditor_id)
    known = {
        one.channel
        for one in refused
        if one.reason.startswith("opt_out") and one.since >= speaker.heard_at and one.point_id is None
    }
    missing = [channel for channel in channels if channel not in known and "any" not in known]
    if missing:
        said = Said("opt_out.said", now, topic, route=speaker.surface, evidence=speaker.evidence)
        await stop_channels(house, tx, speaker.borrower_id, missing, said, now)


async def _consent(tx: Tx, speaker: Speaker, channels: Sequence[str], now: datetime) -> None:
    """START restores this number and programme, on these channels, and nothing else."""
    if speaker.contact_point_id is None:
        return
    creditor = speaker.case.creditor_id
    said = Said("reply", now, creditor, speaker.contact_point_id, route=speaker.surface, evidence=speaker.evidence)
    await reopen(tx, speaker.borrower_id, channels, said, now)
    told = {"channels": list(channels), "contact_point_id": speaker.contact_point_id, "creditor_id": creditor,
            "evidence": speaker.evidence}  # fmt: skip
    await tx.append([Entry(speaker.case.case_id, now, "consent.given", told)])


async def _hold(house: House, tx: Tx, speaker: Speaker, kind: str, now: datetime) -> None:
    case_id = None if kind in _PERSONAL_HOLDS else speaker.case.case_id
    source = "call" if speaker.surface in SPOKEN else "reply"
    await place_hold(tx, speaker.borrower_id, case_id, kind, source, now, evidence=speaker.evidence)
    cases = [speaker.case.case_id] if case_id else await tx.open_cases_of(speaker.borrower_id)
    await tx.append([Entry(case, now, "hold.placed", {"kind": kind, "evidence": speaker.evidence}) for case in cases])
    await stop_for(tx, house, cases, StopCondition.HOLD, f"hold.{kind}", now)


async def _wrong_party(tx: Tx, speaker: Speaker, now: datetime) -> None:
    """Mark the number or address dead, at once, on every debt and for everyone who has it."""
    point = speaker.contact_point_id
    value = (await tx.addresses([point])).get(point) if point else None
    if value:
        await take_out_of_use(tx, value, PointState.WRONG_PARTY, reason="said_so", now=now)
    await open_task(tx, speaker, "check_number", now)


async def open_task(tx: Tx, speaker: Speaker, kind: str, now: datetime, **more: object) -> None:
    """Hand something to a person, who has it on their list by the next day; ``more`` is what they need to know."""
    key = new_id(now)
    await tx.insert_task(
        {
            "task_id": key,
            "case_id": speaker.case.case_id,
            "kind": kind,
            "at": now,
            "due_at": now + TASK_DUE,
            "detail": {"surface": speaker.surface, "evidence": speaker.evidence, **more},
        }
    )
    await tx.append([Entry(speaker.case.case_id, now, "task.opened", {"task_id": key, "kind": kind})])


async def open_dialogue(house: House, tx: Tx, speaker: Speaker, kind: str, now: datetime) -> list[NewTouch]:
    """Begin a dialogue by text for somebody who asked for it on another surface; returns the touches it says."""
    texting = await informed(tx, replace(speaker, surface="sms"), now)
    step = start(house.replies.dialogues, kind, dialogue_facts(house, texting))
    touches: list[NewTouch] = []
    for effect in step.effects:
        touches += await _apply(house, tx, texting, effect, now)
    await tx.close_surface(speaker.borrower_id, "sms", "superseded", now)
    await save(house, tx, texting, None, step, now)
    if step.say:
        touches.append(reply_touch(house, texting, step.say, step.state, now))
    return touches


async def save(house: House, tx: Tx, speaker: Speaker, dialogue_id: UUID | None, step: Step, now: datetime) -> UUID:
    """Store where a dialogue stands; returns its id."""
    key, state = dialogue_id or new_id(now), step.state
    hours = house.replies.dialogues[state.kind].time_out_hours
    await tx.save_dialogue(
        {
            "dialogue_id": key,
            "borrower_id": speaker.borrower_id,
            "case_id": speaker.case.case_id,
            "kind": state.kind,
            "surface": speaker.surface,
            "state": state.state,
            "awaiting": state.awaiting,
            "data": dump_state(state),
            "turns": state.turns,
            "at": now,
            "expires_at": now + timedelta(hours=hours),
            "closed_at": None if state.open else now,
            "outcome": None if state.open else state.state,
        }
    )
    return key


def reply_touch(
    house: House, speaker: Speaker, template: str, state: DialogueState, now: datetime, channel: str | None = None
) -> NewTouch:
    """Return the touch that answers: through the gate like any other, in the urgent lane.

    ``channel`` is another one than the borrower answered by.
    """
    confirming = template in _CONFIRMING
    return NewTouch(
        touch_id=new_id(now),
        case_id=speaker.case.case_id,
        borrower_id=speaker.borrower_id,
        channel=channel or speaker.surface,
        template=template,
        purpose=Purpose.CONFIRMATION if confirming else Purpose.REPLY,
        state=TouchState.QUEUED,
        due_at=now,
        not_before=now,
        expires_at=now + (CONFIRM_WITHIN if confirming else REPLY_EXPIRES),
        created_at=now,
        step_id=template,
        context=answer_context(house, speaker, state, template),
        priority=REPLY_PRIORITY,
        lease_until=house.clock.real() + house.lease,
    )


def answer_context(house: House, speaker: Speaker, state: DialogueState, template: str) -> dict[str, Any]:
    """Return what an answer may print: what its dialogue chose, or of the plan that stands where it speaks of that."""
    context = reply_context(state, speaker.contact_point_id) | {"evidence": speaker.evidence}
    if speaker.plan and (template in _OF_THE_PLAN or "arrangement" not in context):
        context["arrangement"] = standing_words(speaker.plan, ended=template in _OF_ITS_END)
    if state.times:
        context["times"] = told_times(state.times, speaker.dossier.borrower.locale)
    policy = dialogue_facts(house, speaker).policy
    if policy and policy.extension_max_days:
        latest = latest_day(speaker.case.due_on, speaker.today, policy.extension_max_days)
        context["extension"] = extension_words(state.extension.to_on if state.extension else None, latest)
    return context


def reply_context(state: DialogueState, point: UUID | None) -> dict[str, Any]:
    """Return what the answer's template may print, as plain JSON, and the contact point it must go to."""
    context: dict[str, Any] = {"point_id": str(point)} if point else {}
    if state.offers:
        context["offers"] = [offer_words(offer) for offer in state.offers]
    if state.chosen:
        context["arrangement"] = plan_words(state.chosen)
    if state.promise:
        context["promise"] = promise_words(state.promise)
    return context
