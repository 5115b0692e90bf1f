"""Answered calls: turn by turn, what was pressed is acted on and the next words go back to the provider."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog

from channels.contract import Answer, Callback, Channel, Interactive, Prompt, Receipt, Reply
from channels.errors import MalformedCallback
from outreach.domain.ids import new_id
from outreach.domain.intake import AnsweredCall, OpenDialogue
from outreach.domain.timeline import Entry
from outreach.domain.touch import RANK, NewTouch
from outreach.domain.words import SPOKEN, HoldKind, PointState, PointType, StopCondition
from outreach.flows.address import take_out_of_use
from outreach.flows.call_steps import Act, CallState, Turn, at_rest, next_turn, open_call
from outreach.flows.callbacks import take_news
from outreach.flows.conversation import IN_THREAD, TASK_DUE, open_dialogue
from outreach.flows.dispatch import HISTORY
from outreach.flows.enroll import stop_for
from outreach.flows.events import place_hold
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.schedule import enqueue
from outreach.flows.speaker import Speaker
from outreach.flows.stop import Said, refuse, stop_channels
from outreach.flows.switches import call_is_off

CALL_LIFE = timedelta(hours=6)
"""How long after it was placed a call's words may be fetched; the calls themselves are limited to minutes."""
TURN_LIFE = timedelta(minutes=15)
"""After this a call that was cut off counts as over."""
CALLS = tuple(sorted(SPOKEN))

_TAKES_NO_TEXTS = frozenset({PointType.FIXED_LINE, PointType.TOLL_FREE})

_log = structlog.get_logger(__name__)


class UnknownCallError(LookupError):
    """No call of that token was placed recently."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request about a call under the borrower's lock. ``touches`` are queued once it is committed."""

    house: House
    tx: Tx
    call: AnsweredCall
    now: datetime
    touches: list[NewTouch] = field(default_factory=list)


async def answer_call(house: House, token: str, callback: Callback, turn: int | None = None) -> Answer:
    """Return what a call says next; ``turn`` is the number in the URL, None when the call has just been answered.

    A repeated request gets the same words and changes nothing. What is pressed is neither stored nor logged.
    Raises UnknownCallError, BadSignature (nothing stored).
    """
    async with house.store.transaction() as tx:
        now = house.clock.now()
        call = await tx.answered_call(token, now - CALL_LIFE)
        if call is None:
            raise UnknownCallError
        adapter = house.channels[call.channel]
        adapter.verify(callback)
        news = _news(adapter, callback)
        await tx.lock_borrowers([call.borrower_id])
        exchange = Exchange(house, tx, call, now)
        taken, number = await _take(exchange, news, turn)
    await enqueue(house, [(touch.touch_id, touch.channel, touch.priority) for touch in exchange.touches])
    await take_news(house, call.channel, [each for each in news if turn is None and isinstance(each, Receipt)])
    _log.info("call turn", channel=call.channel, case_id=str(call.case_id), what=taken.what, turn=number)
    return _answer(adapter, call, token, taken, number)


def _news(adapter: Channel, callback: Callback) -> Sequence[Receipt | Reply]:
    """Read a verified request; one that cannot be read counts as silence, the words must go on."""
    try:
        return list(adapter.parse(callback))
    except MalformedCallback:
        return ()


async def _take(exchange: Exchange, news: Sequence[Receipt | Reply], turn: int | None) -> tuple[Turn, int]:
    """Return the turn to speak and its number; acts only on a request that was not seen before."""
    tx, call = exchange.tx, exchange.call
    talk = await tx.call_dialogue(call.attempt_id)
    if talk is None:
        answered_by = next((each.answered_by for each in news if isinstance(each, Receipt)), None)
        taken, number = open_call(call.channel, answered_by, _parts(call), call.birth_year), 0
        if await call_is_off(tx, call.channel, call.attempt_id, exchange.now):
            # Its words may be what was switched off; a talk that has begun is not broken off.
            taken = Turn(CallState.OVER, (), "switched_off")
        await tx.close_surface(call.borrower_id, call.channel, "cut_off", exchange.now)
    elif turn != talk.turns or talk.state == CallState.OVER:
        return _so_far(talk), talk.turns
    else:
        digits = next((each.digits for each in news if isinstance(each, Reply)), None)
        menu = exchange.house.renderer.catalog.manifest.menu
        number = talk.turns + 1
        taken = next_turn(_so_far(talk), digits, menu, call.birth_year, number)
    cut_short = at_rest(taken)
    if cut_short != taken and await _rests(exchange):
        taken = cut_short
    await _save(exchange, taken, number)
    if taken.outcome is not None:
        await tx.raise_outcome(call.attempt_id, taken.outcome, RANK[taken.outcome], exchange.now)
    told = {"attempt_id": call.attempt_id, "channel": call.channel, "what": taken.what, "turn": number}
    await tx.append([Entry(call.case_id, exchange.now, "call.turn", told)])
    if taken.act is not None:
        await _ACTS[taken.act](exchange)
        await tx.notify_due()
    return taken, number


async def _rests(exchange: Exchange) -> bool:
    """Tell whether the case has come to rest, or this was refused, since the call was dialled."""
    tx, call, now = exchange.tx, exchange.call, exchange.now
    dossier = (await tx.dossiers([call.borrower_id], at=now, since=now))[call.borrower_id]
    about = (None, str(call.case_id))
    if any(hold.case_id in about for hold in dossier.holds):
        return True
    creditor = (await tx.cases([call.case_id]))[call.case_id].creditor_id
    _, refused = dossier.said_about(call.channel, str(call.contact_point_id), creditor)
    points = (None, str(call.contact_point_id))
    return any(
        said.channel in {"any", call.channel} and said.point_id in points and said.case_id in about for said in refused
    )


def _so_far(talk: OpenDialogue) -> Turn:
    data = talk.data
    return Turn(CallState(talk.state), tuple(data["say"]), data["what"], data["listen"], data["tries"], data["silent"])


async def _save(exchange: Exchange, taken: Turn, number: int) -> None:
    over = taken.state is CallState.OVER
    await exchange.tx.save_dialogue(
        {
            "dialogue_id": exchange.call.attempt_id,
            "borrower_id": exchange.call.borrower_id,
            "case_id": exchange.call.case_id,
            "kind": "call",
            "surface": exchange.call.channel,
            "state": taken.state,
            "awaiting": "digits" if taken.listen else None,
            "data": {"say": taken.say, "what": taken.what, "listen": taken.listen,
                     "tries": taken.tries, "silent": taken.silent},
            "turns": number,
            "at": exchange.now,
            "expires_at": exchange.now + TURN_LIFE,
            "closed_at": exchange.now if over else None,
            "outcome": taken.what if over else None,
        }
    )  # fmt: skip


def _parts(call: AnsweredCall) -> dict[str, str]:
    return dict(orjson.loads(call.body or "{}"))


def _answer(adapter: Channel, call: AnsweredCall, token: str, taken: Turn, number: int) -> Answer:
    assert isinstance(adapter, Interactive)  # noqa: S101 - a spoken channel that cannot answer is a programming error
    parts = _parts(call)
    return adapter.answer(
        Prompt(
            say=" ".join(parts[name].strip() for name in taken.say if parts.get(name)),
            locale=call.locale,
            gather=taken.listen > 0,
            digits=taken.listen or 1,
            action=f"/v1/calls/{token}/turn?n={number}" if taken.listen else None,
        )
    )


async def _stop_calls(exchange: Exchange) -> None:
    """No more calls to this person, nor to anyone else at this number."""
    call = exchange.call
    evidence = f"call:{call.attempt_id}"
    said = Said(reason="caller_pressed_stop", since=exchange.now, route=call.channel, evidence=evidence)
    await stop_channels(exchange.house, exchange.tx, call.borrower_id, CALLS, said, exchange.now)
    for borrower, point in await _others(exchange):
        await refuse(exchange.tx, borrower, CALLS, replace(said, point=point), exchange.now)


async def _wrong_person(exchange: Exchange) -> None:
    """Take the number out of use: nobody is reached there again, on any debt, whoever else has the number."""
    tx, call, now = exchange.tx, exchange.call, exchange.now
    said = Said(reason="wrong_person", since=now, route=call.channel, evidence=f"call:{call.attempt_id}")
    for borrower, point in await _others(exchange):
        await refuse(tx, borrower, CALLS, replace(said, point=point), now)
    value = (await tx.addresses([call.contact_point_id])).get(call.contact_point_id)
    if value:
        await take_out_of_use(tx, value, PointState.WRONG_PARTY, reason="wrong_person", now=now)
    await _hand_over(exchange, "check_number")


async def _others(exchange: Exchange) -> list[tuple[UUID, UUID]]:
    """Return (borrower, contact point) of everyone else with the number that was called; they are locked with it."""
    call = exchange.call
    value = (await exchange.tx.addresses([call.contact_point_id])).get(call.contact_point_id)
    owners = await exchange.tx.owners_of_address(value) if value else []
    return [(row[0], row[1]) for row in owners if row[0] != call.borrower_id]


async def _paid(exchange: Exchange) -> None:
    """Let reminders rest until a person has looked for the payment."""
    await _rest(exchange, HoldKind.REVIEW)
    await _hand_over(exchange, "payment_claim")


async def _dispute(exchange: Exchange) -> None:
    await _rest(exchange, HoldKind.DISPUTE)
    await _hand_over(exchange, "dispute")


async def _person(exchange: Exchange) -> None:
    await _hand_over(exchange, "callback_request")


async def _installments(exchange: Exchange) -> None:
    """Offer installments by text, as the call promises; to a number that takes no texts a person does it."""
    tx, house, call, now = exchange.tx, exchange.house, exchange.call, exchange.now
    dossier = (await tx.dossiers([call.borrower_id], at=now, since=now - HISTORY))[call.borrower_id]
    called = next((each for each in dossier.points if each.contact_point_id == call.contact_point_id), None)
    if called is None or called.type in _TAKES_NO_TEXTS:
        await _hand_over(exchange, "installments")
        return
    case = (await tx.cases([call.case_id]))[call.case_id]
    evidence = f"call:{call.attempt_id}"
    await tx.insert_permission(
        {
            "permission_id": new_id(now),
            "borrower_id": call.borrower_id,
            "kind": "reply_in_thread",
            "channel": "sms",
            "since_at": now,
            "until_at": now + IN_THREAD,
            "evidence": evidence,
        }
    )
    speaker = Speaker(dossier, case, call.contact_point_id, call.channel, now, evidence)
    touches = await open_dialogue(house, tx, speaker, "installments", now)
    await tx.insert_touches(touches)
    exchange.touches.extend(touches)


async def _rest(exchange: Exchange, kind: HoldKind) -> None:
    tx, call, now = exchange.tx, exchange.call, exchange.now
    await place_hold(tx, call.borrower_id, call.case_id, kind, "call", now, evidence=f"call:{call.attempt_id}")
    await tx.append([Entry(call.case_id, now, "hold.placed", {"kind": kind, "channel": call.channel})])
    await stop_for(tx, exchange.house, [call.case_id], StopCondition.HOLD, f"hold.{kind}", now)


async def _hand_over(exchange: Exchange, kind: str) -> None:
    """Hand something to a person, who has it on their list by the next day."""
    now, case_id = exchange.now, exchange.call.case_id
    task: dict[str, Any] = {
        "task_id": new_id(now),
        "case_id": case_id,
        "kind": kind,
        "at": now,
        "due_at": now + TASK_DUE,
        "detail": {"surface": exchange.call.channel, "evidence": f"call:{exchange.call.attempt_id}"},
    }
    await exchange.tx.insert_task(task)
    await exchange.tx.append([Entry(case_id, now, "task.opened", {"kind": kind, "task_id": task["task_id"]})])


_ACTS = {
    Act.STOP_CALLS: _stop_calls,
    Act.WRONG_PERSON: _wrong_person,
    Act.PAID: _paid,
    Act.DISPUTE: _dispute,
    Act.PERSON: _person,
    Act.INSTALLMENTS: _installments,
}
