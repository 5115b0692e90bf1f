"""Questions that never left: whether what a dialogue asked reached the borrower, and what follows when it did not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from outreach.domain.intake import OpenDialogue
from outreach.domain.timeline import Entry
from outreach.domain.words import HoldKind, Purpose, TouchState
from outreach.flows.conversation import carry_out, open_task, save
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import Speaker
from outreach.flows.stop import called_off
from outreach.replies.dialogue_spec import HANDED_OFF, DialogueState, Effect, EffectKind, Step
from outreach.replies.reading import Intent, Reading

ANSWERS = frozenset({Intent.CHOOSE_OPTION, Intent.CONFIRM_YES, Intent.CONFIRM_NO})
"""What means nothing without the question it answers."""

SOON = timedelta(minutes=15)
"""A question that leaves within this time is waited for."""

_MAY_HAVE_LEFT = frozenset({TouchState.STARTED, TouchState.SENT, TouchState.UNKNOWN})
_ON_ITS_WAY = frozenset({TouchState.PLANNED, TouchState.QUEUED, TouchState.DEFERRED})
_OTHER_PURPOSES = tuple(purpose for purpose in Purpose if purpose is not Purpose.REPLY)


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A question of a dialogue that the borrower cannot have read. ``soon``: it may still be on its way.

    ``template`` and ``reason`` are None when no such question is known at all.
    """

    soon: bool
    template: str | None = None
    reason: str | None = None


async def find_unsaid(
    house: House, tx: Tx, going: OpenDialogue | None, begun: DialogueState | None, reading: Reading, now: datetime
) -> Unsaid | None:
    """Return the question that a reply would answer, if it never left; None when it may have, or none is answered.

    What a call or a page asked was asked there and then, and is no touch: only a dialogue by text or email is asked.
    """
    if going is None or begun is None or not begun.open or reading.must_stop or reading.intent not in ANSWERS:
        return None
    asks = house.replies.dialogues[begun.kind].asks(begun.state)
    rows = await tx.answers_since(going.case_id, going.surface, going.opened_at)
    asked = [row for row in rows if row[0] in asks]
    if not asked:
        return Unsaid(soon=False)
    template, state, reason, not_before = asked[0]
    if state in _MAY_HAVE_LEFT:
        return None
    return Unsaid(state in _ON_ITS_WAY and not_before <= now + SOON, template, reason)


async def set_aside(
    house: House, tx: Tx, speaker: Speaker, going: OpenDialogue, begun: DialogueState, unsaid: Unsaid, now: datetime
) -> Step:
    """Agree to nothing: the dialogue ends, the case rests, and a person gets what was said and why.

    What still waits to be said is called off: it would ask for an answer that nobody would take.
    """
    ended = replace(begun, state=HANDED_OFF, awaiting=None, keys=None)
    step = Step(ended, (Effect(EffectKind.PLACE_HOLD, HoldKind.REVIEW),))
    await save(house, tx, speaker, going.dialogue_id, step, now)
    why = {"reasons": [unsaid.reason]} if unsaid.reason else {}
    told = {"template": unsaid.template, "evidence": speaker.evidence, **why}
    await tx.append([Entry(speaker.case.case_id, now, "reply.set_aside", told)])
    gone = await tx.cancel_open_touches(
        [speaker.borrower_id], channels=None, case_id=going.case_id, keep=_OTHER_PURPOSES, reason="stopped.hold", at=now
    )
    await tx.append(called_off(gone, "stopped.hold", now))
    await carry_out(house, tx, speaker, step, now)
    await open_task(tx, speaker, "question_unsaid", now, template=unsaid.template, **why)
    return step
