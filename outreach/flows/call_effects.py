"""What a turn of a call changes on the case, in the transaction that stores the turn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from outreach.domain.ids import new_id
from outreach.domain.touch import NewTouch
from outreach.domain.words import PointState
from outreach.flows.address import take_out_of_use
from outreach.flows.call_steps import CALLS, Turn
from outreach.flows.conversation import IN_THREAD, carry_out, open_task, reply_touch
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import Speaker
from outreach.flows.stop import EVERY_CHANNEL, Said, refuse, stop_channels
from outreach.replies.dialogue_spec import Effect, EffectKind, Step

_AGREEING = frozenset(
    {EffectKind.CONFIRM_ARRANGEMENT, EffectKind.CHANGE_ARRANGEMENT, EffectKind.CANCEL_ARRANGEMENT,
     EffectKind.RECORD_PROMISE, EffectKind.GRANT_EXTENSION}
)  # fmt: skip
_OURS = frozenset({EffectKind.SUPPRESS, EffectKind.MARK_WRONG_PARTY, EffectKind.SEND_TEXT})


async def carry_out_call(
    house: House, tx: Tx, speaker: Speaker, turn: Turn, now: datetime, *, takes_texts: bool
) -> list[NewTouch]:
    """Carry out a turn's effects, refusals first; returns the touches to queue after the commit."""
    touches: list[NewTouch] = []
    for effect in turn.effects:
        if effect.kind is EffectKind.SUPPRESS:
            await _stop(house, tx, speaker, effect.channels, now)
        elif effect.kind is EffectKind.MARK_WRONG_PARTY:
            await _wrong_party(tx, speaker, now)
        elif effect.kind is EffectKind.SEND_TEXT and effect.detail and takes_texts:
            touches.append(await _text(house, tx, speaker, turn, effect.detail, now))
    await tx.insert_touches(touches)
    others = tuple(effect for effect in turn.effects if effect.kind not in _OURS)
    touches += await carry_out(house, tx, speaker, Step(turn.state, others), now)
    if _agreed(others):
        for surface in ("sms", "email"):
            await tx.close_surface(speaker.borrower_id, surface, "finished_on_call", now)
    return touches


def _agreed(effects: Sequence[Effect]) -> bool:
    return any(each.kind in _AGREEING for each in effects)


async def _stop(house: House, tx: Tx, speaker: Speaker, channels: Sequence[str], now: datetime) -> None:
    """Refuse for this person what they refused, and calls for anyone else at the number."""
    wanted = tuple(each for each in sorted(channels) if each in EVERY_CHANNEL) or CALLS
    said = Said(reason="caller_pressed_stop", since=now, route=speaker.surface, evidence=speaker.evidence)
    await stop_channels(house, tx, speaker.borrower_id, wanted, said, now)
    if set(wanted) - set(CALLS):
        await tx.close_dialogues(speaker.borrower_id, "stopped", now)
    for borrower, point in await _others(tx, speaker):
        await refuse(tx, borrower, CALLS, replace(said, point=point), now)


async def _wrong_party(tx: Tx, speaker: Speaker, now: datetime) -> None:
    """Take the number out of use: nobody is reached there again, on any debt, whoever else has the number."""
    said = Said(reason="wrong_person", since=now, route=speaker.surface, evidence=speaker.evidence)
    for borrower, point in await _others(tx, speaker):
        await refuse(tx, borrower, CALLS, replace(said, point=point), now)
    value = await _number(tx, speaker)
    if value:
        await take_out_of_use(tx, value, PointState.WRONG_PARTY, reason="wrong_person", now=now)
    await open_task(tx, speaker, "check_number", now)


async def _others(tx: Tx, speaker: Speaker) -> list[tuple[UUID, UUID]]:
    """Return (borrower, contact point) of everyone else with the number that was called; they are locked with it."""
    value = await _number(tx, speaker)
    owners = await tx.owners_of_address(value) if value else []
    return [(row[0], row[1]) for row in owners if row[0] != speaker.borrower_id]


async def _number(tx: Tx, speaker: Speaker) -> str | None:
    point = speaker.contact_point_id
    return (await tx.addresses([point])).get(point) if point else None


async def _text(house: House, tx: Tx, speaker: Speaker, turn: Turn, template: str, now: datetime) -> NewTouch:
    """Send what was asked for on the call as a text to the same number, through the gate like any other."""
    await tx.insert_permission(
        {
            "permission_id": new_id(now),
            "borrower_id": speaker.borrower_id,
            "kind": "reply_in_thread",
            "channel": "sms",
            "since_at": now,
            "until_at": now + IN_THREAD,
            "evidence": speaker.evidence,
        }
    )
    return reply_touch(house, replace(speaker, surface="sms"), template, turn.state, now)
