"""Replies: words from a person are stored with their reading, acted on by a dialogue, and answered through the gate."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from outreach.domain.ids import new_id
from outreach.domain.intake import InboxRow, OpenDialogue
from outreach.domain.tasks import TASK_DUE
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewTouch
from outreach.domain.words import HoldKind, PointState
from outreach.flows.address import MEMORY, Owner, owners_of_address, said_by, take_out_of_use
from outreach.flows.callbacks import MAX_TRIES, retry_at
from outreach.flows.contactability import put_back_heard
from outreach.flows.conversation import IN_THREAD, carry_out, dialogue_facts, load_state, save
from outreach.flows.dispatch import HISTORY
from outreach.flows.events import place_hold
from outreach.flows.house import House
from outreach.flows.languages import ask_again, heed_language, only_asks_language
from outreach.flows.personal_times import within_bounds
from outreach.flows.ports import Tx
from outreach.flows.schedule import enqueue
from outreach.flows.set_aside import ANSWERS, find_unsaid, set_aside
from outreach.flows.speaker import Speaker, informed
from outreach.flows.stop import reached
from outreach.replies.dialogue import move, respond
from outreach.replies.dialogue_spec import DialogueState, Step
from outreach.replies.guards import offers_hold
from outreach.replies.reader import read
from outreach.replies.reading import NO_CONTEXT, Intent, Reading

FINISHES = "installments"
"""The dialogue that goes on by text with what was offered on a call."""
_ANSWERED_BY_PROVIDER = frozenset({"STOP", "START"})
"""Keywords that the provider itself confirms to the borrower: a second confirmation would be one too many."""

_log = structlog.get_logger(__name__)


async def take_replies(house: House, inbox: Sequence[UUID]) -> int:
    """Take stored replies one by one, in order of arrival; returns how many were understood to be somebody's.

    Each is its own transaction: a reply that cannot be taken must not hold up the others.
    """
    taken = 0
    for inbox_id in inbox:
        touches: list[NewTouch] | None = None
        async for attempt in house.retry_store():
            with attempt:
                touches = await _take(house, inbox_id)
        if touches is not None:
            taken += 1
            await enqueue(house, [(touch.touch_id, touch.channel, touch.priority) for touch in touches])
    return taken


async def _take(house: House, inbox_id: UUID) -> list[NewTouch] | None:
    async with house.store.transaction() as tx:
        rows = await tx.claim_inbox([inbox_id])
        if not rows:
            return None
        row, now = rows[0], house.clock.now()
        told = row.payload
        owners = await owners_of_address(tx, told.get("token"), told.get("address"), told.get("provider_ref"))
        live = [owner for owner in owners if owner.live]
        owner = said_by(live, now - MEMORY)
        if owner is None and live:
            await _ask_whose(tx, row, live, now)
            return None
        speaker = await _speaker(tx, row, owner, now) if owner else None
        if speaker is None:
            await tx.close_inbox([{"inbox_id": inbox_id, "state": "parked", "note": "nobody has this address"}])
            await tx.open_alert(
                "reply.unknown_sender", row.channel, "a reply from an address that no borrower has", now
            )
            return None
        touches = await _answer(house, tx, row, speaker, now)
        if touches is None:
            again = {"inbox_id": inbox_id, "state": "new", "retry_real_at": retry_at(house, row.tries)}
            await tx.close_inbox([again])
            return None
        await tx.close_inbox([{"inbox_id": inbox_id, "state": "applied"}])
    return touches


async def _ask_whose(tx: Tx, row: InboxRow, owners: Sequence[Owner], now: datetime) -> None:
    """Several people have this number and any of them may have written: a person finds out, and until then all rest.

    The words stay in the inbox: on nobody's case, where they would tell one borrower of another. What could be a wrong
    number is taken for one.
    """
    evidence = f"inbox:{row.inbox_id}"
    await tx.lock_borrowers(sorted({owner.borrower_id for owner in owners}))
    for owner in owners:
        cases = await tx.open_cases_of(owner.borrower_id)
        await place_hold(tx, owner.borrower_id, None, HoldKind.REVIEW, "reply", now, evidence=evidence)
        for case in cases:
            detail = {"surface": row.payload["medium"], "evidence": evidence}
            key = new_id(now)
            await tx.insert_task({"task_id": key, "case_id": case, "kind": "shared_address", "at": now,
                                  "due_at": now + TASK_DUE, "detail": detail})  # fmt: skip
            told = {"kind": HoldKind.REVIEW, "evidence": evidence}
            await tx.append([Entry(case, now, "hold.placed", told),
                             Entry(case, now, "task.opened", {"task_id": key, "kind": "shared_address"})])  # fmt: skip
    reading = read(row.payload.get("text") or "", channel=row.payload["medium"])
    if Intent.WRONG_PARTY in reading.intents and row.payload.get("address"):
        await take_out_of_use(tx, row.payload["address"], PointState.WRONG_PARTY, reason="said_so", now=now)
    await tx.close_inbox([{"inbox_id": row.inbox_id, "state": "parked", "note": "several borrowers have this address"}])


async def _speaker(tx: Tx, row: InboxRow, owner: Owner, now: datetime) -> Speaker | None:
    """Find out about which case somebody answered: the one we last wrote to them about."""
    borrower, point = owner.borrower_id, owner.contact_point_id
    await tx.lock_borrowers([borrower])
    last = await tx.last_attempt(borrower, row.channel, now - MEMORY)
    case_id = last[0] if last else await tx.open_case_of(borrower)
    if case_id is None:
        return None
    case = (await tx.cases([case_id]))[case_id]
    dossier = (await tx.dossiers([borrower], at=now, since=now - HISTORY))[borrower]
    found = Speaker(dossier, case, point, row.payload["medium"], row.received_at, f"inbox:{row.inbox_id}")
    return await informed(tx, found, now)


async def _answer(house: House, tx: Tx, row: InboxRow, speaker: Speaker, now: datetime) -> list[NewTouch] | None:
    """Take what somebody said; None, and nothing is written, while the question it answers is still on its way out."""
    open_one = await tx.open_dialogue(speaker.borrower_id, speaker.surface)
    begun = load_state(open_one.data) if open_one else await _from_a_call(house, tx, row, speaker, now)
    reading = reached(_read(row, speaker, begun), speaker.surface, house.refusals)
    reading = within_bounds(house, speaker, reading, now)
    unsaid = await find_unsaid(house, tx, open_one, begun, reading, now)
    if unsaid is not None and unsaid.soon and row.tries < MAX_TRIES:
        return None
    await store_reply(tx, row, speaker, reading, now)
    await _confirm(tx, row, speaker, reading, now)
    await tx.insert_permission(
        {
            "permission_id": new_id(now),
            "borrower_id": speaker.borrower_id,
            "kind": "reply_in_thread",
            "channel": speaker.surface,
            "since_at": row.received_at,
            "until_at": now + IN_THREAD,
            "evidence": speaker.evidence,
        }
    )
    if unsaid is not None and open_one is not None and begun is not None:
        await set_aside(house, tx, speaker, open_one, begun, unsaid, now)
        return []
    await heed_language(house, tx, speaker, reading, now)
    if only_asks_language(reading) and open_one is not None and begun is not None:
        step = await ask_again(house, tx, speaker, open_one, begun, now)
    else:
        heard = replace(reading, intent=Intent.HELP, also=()) if only_asks_language(reading) else reading
        step = await take_turn(house, tx, speaker, heard, open_one, begun, now)
    if (row.payload.get("provider_keyword") or "").upper() in _ANSWERED_BY_PROVIDER:
        step = replace(step, say=None)
    touches = await carry_out(house, tx, speaker, step, now)
    _log.info("reply taken", case_id=str(speaker.case.case_id), channel=row.channel, intent=reading.intent.value,
              dialogue=step.state.kind, state=step.state.state)  # fmt: skip
    return touches


async def take_turn(
    house: House,
    tx: Tx,
    speaker: Speaker,
    reading: Reading,
    open_one: OpenDialogue | None,
    begun: DialogueState | None,
    now: datetime,
) -> Step:
    """Let the dialogue machine take what somebody said, on any surface, and save where it stands; returns its step.

    ``open_one`` is the dialogue that is open on this surface, ``begun`` where it stands, or what a call left open.
    """
    if reading.must_stop or reading.intent is Intent.STOP:
        await tx.close_dialogues(speaker.borrower_id, "stopped", now)
    going = begun if not reading.must_stop else None
    step = respond(house.replies.dialogues, going, reading, dialogue_facts(house, speaker))
    same = open_one is not None and going is not None and step.state.kind == going.kind
    if open_one is None and begun is not None:
        await tx.close_surface(speaker.borrower_id, "ivr", "finished_by_reply", now)
    if open_one is not None and not same:
        await tx.close_surface(speaker.borrower_id, speaker.surface, "superseded", now)
    await save(house, tx, speaker, open_one.dialogue_id if same and open_one else None, step, now)
    return step


_SOMEBODY_ELSE = frozenset({Intent.WRONG_PARTY, Intent.DECEASED})
"""Who says this is not the borrower."""


async def _confirm(tx: Tx, row: InboxRow, speaker: Speaker, reading: Reading, now: datetime) -> None:
    """Take a person's own use of a number or mailbox as its confirmation; words of somebody else confirm nothing."""
    address = row.payload.get("address")
    if Intent.WRONG_PARTY not in reading.intents and speaker.contact_point_id is not None:
        await put_back_heard(tx, speaker.contact_point_id, speaker.case.case_id, now)
    if not address or reading.must_stop or _SOMEBODY_ELSE & set(reading.intents):
        return
    for point in await tx.confirm_points(speaker.borrower_id, address, now):
        told = {"contact_point_id": point, "evidence": speaker.evidence}
        await tx.append([Entry(speaker.case.case_id, now, "contact_point.confirmed", told)])


async def _from_a_call(house: House, tx: Tx, row: InboxRow, speaker: Speaker, now: datetime) -> DialogueState | None:
    """Return what a call left open, as it goes on by text, if this reply answers it and the offers still hold."""
    dialogues = house.replies.dialogues
    talk = await tx.unfinished_call(speaker.borrower_id, now - timedelta(hours=dialogues[FINISHES].time_out_hours))
    if talk is None or talk.case_id != speaker.case.case_id:
        return None
    moved = move(dialogues, load_state(talk.data["dialogue"]), FINISHES, speaker.surface)
    if moved is None or not all(offers_hold(moved, dialogue_facts(house, speaker))):
        return None
    return moved if _read(row, speaker, moved).intent in ANSWERS else None


def _read(row: InboxRow, speaker: Speaker, begun: DialogueState | None) -> Reading:
    words = row.payload.get("text") or row.payload.get("digits") or ""
    keyword = (row.payload.get("provider_keyword") or "").upper()
    if keyword in {"STOP", "START", "HELP"} and not words.strip():
        words = keyword
    context = begun.context if begun else NO_CONTEXT
    return read(
        words,
        lang=speaker.dossier.borrower.locale,
        channel=speaker.surface,
        ref_date=speaker.today,
        default_currency=speaker.case.currency,
        context=context,
    )


async def store_reply(tx: Tx, row: InboxRow, speaker: Speaker, reading: Reading, now: datetime) -> None:
    """Store what somebody said with its reading, and put it on the timeline."""
    reply_id = new_id(now)
    stored: dict[str, Any] = {
        "reply_id": reply_id,
        "inbox_id": row.inbox_id,
        "borrower_id": speaker.borrower_id,
        "case_id": speaker.case.case_id,
        "contact_point_id": speaker.contact_point_id,
        "channel": speaker.surface,
        "body": row.payload.get("text") or row.payload.get("digits"),
        "received_at": row.received_at,
        "intent": reading.intent,
        "also": reading.also,
        "confidence": reading.confidence,
        "must_stop": reading.must_stop,
        "reading": reading.to_json(),
    }
    await tx.insert_reply(stored)
    told = {
        "reply_id": reply_id,
        "channel": speaker.surface,
        "intent": reading.intent,
        "also": reading.also,
        "confidence": reading.confidence,
    }
    await tx.append([Entry(speaker.case.case_id, now, "reply", told)])
