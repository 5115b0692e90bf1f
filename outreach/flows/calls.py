"""Answered calls: turn by turn, what was pressed or said is acted on and the next words go back to the provider."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from channels.contract import Answer, Callback, Channel, Interactive, Prompt, Receipt, Reply
from channels.errors import MalformedCallback, SendError
from outreach.domain import words
from outreach.domain.identity import Identity, identity_of
from outreach.domain.intake import AnsweredCall, OpenDialogue
from outreach.domain.timeline import Entry
from outreach.domain.touch import RANK, NewTouch
from outreach.domain.words import PointType
from outreach.flows.call_effects import carry_out_call
from outreach.flows.call_language import in_locale, kept, resumed, spoken_in
from outreach.flows.call_steps import Heard, Manner, Turn, at_rest, cannot_say, next_turn, open_call
from outreach.flows.call_words import plain_words, words_kept
from outreach.flows.callbacks import queue_stored, store_news
from outreach.flows.conversation import answer_context, dialogue_facts, dump_state, load_state
from outreach.flows.dispatch import HISTORY
from outreach.flows.exchanges import row_of_turn
from outreach.flows.fields import fields_of
from outreach.flows.house import House
from outreach.flows.languages import choose_language
from outreach.flows.ports import Tx
from outreach.flows.schedule import enqueue
from outreach.flows.speaker import A_YEAR, Speaker, load_plan, told_of
from outreach.flows.switches import call_is_off
from outreach.rendering.catalog import SPOKEN_ABOUT
from outreach.rendering.render import RenderRefused
from outreach.replies.dialogue_spec import DONE, DialogueFacts, DialogueState

CALL_LIFE = timedelta(hours=6)
"""How long after it was placed a call's words may be fetched; the calls themselves are limited to minutes."""
TURN_LIFE = timedelta(minutes=15)
"""After this a call that was cut off counts as over."""
RINGS = timedelta(minutes=1)
"""A call that began to ring within its hours may be answered this much later; after that it waited at the provider."""
TAKES_NO_TEXTS = frozenset({PointType.FIXED_LINE, PointType.TOLL_FREE})

_log = structlog.get_logger(__name__)


class UnknownCallError(LookupError):
    """No call of that token was placed recently."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request about a call under the borrower's lock. ``touches`` are queued once it is committed.

    ``talk`` is the call's own dialogue, ended or not; ``elsewhere`` what was begun by text or email; ``tongue`` what is
    stored of a call whose language was changed.
    """

    house: House
    tx: Tx
    call: AnsweredCall
    speaker: Speaker
    manner: Manner
    now: datetime
    talk: OpenDialogue | None
    elsewhere: Sequence[OpenDialogue]
    touches: list[NewTouch] = field(default_factory=list)
    tongue: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a turn sends to the provider, as it is stored: a repeated request gets exactly this, ``again``."""

    number: int
    words: str
    what: str
    listen: int = 0
    connect: bool = False
    locale: str | None = None
    again: bool = False


async def answer_call(house: House, token: str, callback: Callback, turn: int | None = None) -> Answer:
    """Return what a call says next; ``turn`` is the number in the URL, None when the call has just been answered.

    A repeated request gets the same words and changes nothing. Keys are neither stored nor logged; of words, only those
    said once the person was identified are kept, for whoever gets a task.
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
        exchange = await _exchange(house, tx, call, now)
        spoken = await _take(exchange, news, turn)
        answer = _answer(adapter, exchange, token, spoken)
        row = row_of_turn(house, call.channel, token, callback, answer, spoken.what, now)
        await tx.insert_exchanges([row] if row and not spoken.again else [])
        receipts = [each for each in news if turn is None and isinstance(each, Receipt)]
        stored = await store_news(house, tx, call.channel, receipts)
    await queue_stored(house, stored)
    await enqueue(house, [(touch.touch_id, touch.channel, touch.priority) for touch in exchange.touches])
    _log.info("call turn", channel=call.channel, case_id=str(call.case_id), what=spoken.what, turn=spoken.number)
    if isinstance(answer, SendError):
        raise answer
    return answer


def _news(adapter: Channel, callback: Callback) -> Sequence[Receipt | Reply]:
    """Read a verified request; one that cannot be read counts as silence, the words must go on."""
    try:
        return list(adapter.parse(callback))
    except MalformedCallback:
        return ()


async def _exchange(house: House, tx: Tx, call: AnsweredCall, now: datetime) -> Exchange:
    dossier, case, live, background, talk, elsewhere = await tx.caller(
        call, at=now, since=now - HISTORY, broken_since=now - A_YEAR
    )
    borrower = dossier.borrower
    identity = identity_of(
        house.creditor(case.creditor_id).identity,
        birth_year=borrower.birth_year,
        postcode=borrower.postcode,
        reference=case.account_ref,
    )
    known = Speaker(dossier, case, call.contact_point_id, call.channel, now, f"call:{call.attempt_id}")
    speaker = told_of(known, await load_plan(tx, live[1]) if live else None, background)
    manner = _manner(house, identity, call.locale, borrower.country)
    return Exchange(house, tx, call, speaker, manner, now, talk, elsewhere)


def _manner(house: House, identity: Identity, locale: str, country: str) -> Manner:
    other = house.renderer.catalog.locales.other_for(locale, country)
    return Manner(house.renderer.catalog.manifest.menu, identity, locale, other.language if other else None)


def _speaking(exchange: Exchange, call: AnsweredCall, tongue: dict[str, Any] | None) -> Exchange:
    """Return an exchange as it goes on in the language of ``call``."""
    manner = _manner(exchange.house, exchange.manner.identity, call.locale, exchange.speaker.dossier.borrower.country)
    return replace(exchange, call=call, manner=manner, tongue=tongue)


async def _change_language(exchange: Exchange, taken: Turn) -> tuple[Exchange, Turn]:
    """Go on in the language that was asked for, remembered once it is known whose wish it is."""
    before = exchange.call
    if taken.language is not None:
        call = spoken_in(exchange.house, before, exchange.speaker, taken.state, taken.language, exchange.now)
        if call is None and taken.what == "language":
            taken = replace(taken, what="language.missing")
        if call is not None and call != before:
            exchange = _speaking(exchange, call, kept(call))
    passed = taken.state.identified and (taken.language is not None or taken.what == "identity.passed")
    if exchange.tongue is not None and passed:
        await choose_language(exchange.tx, exchange.speaker, exchange.call.locale, exchange.now)
    return exchange, taken


async def _take(exchange: Exchange, news: Sequence[Receipt | Reply], turn: int | None) -> Spoken:
    """Return the turn to speak; acts only on a request that was not seen before."""
    house, tx, call = exchange.house, exchange.tx, exchange.call
    talk, words_heard = exchange.talk, None
    if talk is None:
        answered_by = next((each.answered_by for each in news if isinstance(each, Receipt)), None)
        facts = _facts(exchange)
        taken, number = open_call(house.replies.dialogues, call.channel, answered_by, _parts(call),
                                  exchange.manner, facts), 0  # fmt: skip
        if await call_is_off(tx, call.channel, call.attempt_id, exchange.now):
            # Its words may be what was switched off; a talk that has begun is not broken off.
            taken = _wordless(taken, "switched_off")
        elif call.leave_by is not None and exchange.now > call.leave_by + RINGS:
            taken = _wordless(taken, "window_closed")
        await tx.close_surface(call.borrower_id, call.channel, "cut_off", exchange.now)
    elif turn != talk.turns or not _standing(talk).open:
        return _stored(talk)
    else:
        tongue = talk.data.get("tongue")
        exchange = _speaking(exchange, resumed(call, tongue), tongue)
        heard = next((_heard(each) for each in news if isinstance(each, Reply)), Heard())
        facts, number = _facts(exchange), talk.turns + 1
        words_heard = words_kept(_standing(talk), heard)
        taken = next_turn(house.replies.dialogues, _standing(talk), heard, exchange.manner, facts)
        exchange, taken = await _change_language(exchange, taken)
    cut_short = at_rest(taken)
    if cut_short != taken and await _rests(exchange):
        taken = cut_short
    return await _act(exchange, taken, number, words_heard)


def _wordless(taken: Turn, what: str) -> Turn:
    return Turn(replace(taken.state, state=DONE, awaiting=None), (), what)


async def _act(exchange: Exchange, taken: Turn, number: int, heard: str | None) -> Spoken:
    """Put the turn into words, carry out what it means, store it. What cannot be said is not done either.

    ``heard`` are the words of the person that may be kept.
    """
    tx, call, now = exchange.tx, exchange.call, exchange.now
    try:
        said = _words(exchange, taken)
    except (RenderRefused, ValueError):
        taken = cannot_say(taken)
        said = _words(exchange, taken)
    spoken = Spoken(number, said, taken.what, taken.listen, taken.connect, call.locale)
    await _save(exchange, taken, spoken)
    await tx.insert_call_turn(
        {"attempt_id": call.attempt_id, "turn": number, "case_id": call.case_id, "at": now, "said": plain_words(said),
         "heard": heard}
    )  # fmt: skip
    if taken.outcome is not None:
        await tx.raise_outcome(call.attempt_id, taken.outcome, RANK[taken.outcome], now)
    told = {"attempt_id": call.attempt_id, "channel": call.channel, "what": taken.what, "turn": number}
    await tx.append([Entry(call.case_id, now, "call.turn", told)])
    if taken.effects:
        takes_texts = _takes_texts(exchange)
        exchange.touches.extend(
            await carry_out_call(exchange.house, tx, exchange.speaker, taken, now, takes_texts=takes_texts)
        )
        await tx.notify_due()
    return spoken


def _heard(reply: Reply) -> Heard:
    return Heard(reply.digits, reply.text, reply.dialled)


def _takes_texts(exchange: Exchange) -> bool:
    """Tell whether the number that was called can get a text."""
    points = exchange.speaker.dossier.points
    called = next((each for each in points if each.contact_point_id == exchange.call.contact_point_id), None)
    return called is not None and called.type not in TAKES_NO_TEXTS


def _facts(exchange: Exchange) -> DialogueFacts:
    house, case = exchange.house, exchange.speaker.case
    return replace(
        dialogue_facts(house, exchange.speaker),
        takes_texts=_takes_texts(exchange),
        agent_reachable=house.creditor(case.creditor_id).agent_answers_at(exchange.now),
        elsewhere=_elsewhere(exchange),
    )


def _elsewhere(exchange: Exchange) -> DialogueState | None:
    """Return what this person has begun on the same case by text or email: a call can finish it."""
    for found in exchange.elsewhere:
        if found.case_id == exchange.call.case_id and found.expires_at > exchange.now:
            return load_state(found.data)
    return None


async def _rests(exchange: Exchange) -> bool:
    """Tell whether the case has come to rest, nothing is due any more, or this was refused, since it was dialled."""
    call, case, dossier = exchange.call, exchange.speaker.case, exchange.speaker.dossier
    if case.state != words.CaseState.OPEN or case.amount_due_minor <= 0:
        return True
    about = (None, str(call.case_id))
    if any(hold.case_id in about for hold in dossier.holds):
        return True
    _, refused = dossier.said_about(call.channel, str(call.contact_point_id), case.creditor_id)
    points = (None, str(call.contact_point_id))
    return any(
        said.channel in {"any", call.channel} and said.point_id in points and said.case_id in about for said in refused
    )


def _standing(talk: OpenDialogue) -> DialogueState:
    return load_state(talk.data["dialogue"])


def _stored(talk: OpenDialogue) -> Spoken:
    data = talk.data
    return Spoken(
        talk.turns, data["words"], data["what"], data["listen"], data["connect"], data.get("locale"), again=True
    )


async def _save(exchange: Exchange, taken: Turn, spoken: Spoken) -> None:
    state, now = taken.state, exchange.now
    data: dict[str, Any] = {"dialogue": dump_state(state), "words": spoken.words, "what": spoken.what,
                            "listen": spoken.listen, "connect": spoken.connect, "locale": spoken.locale}  # fmt: skip
    if exchange.tongue is not None:
        data["tongue"] = exchange.tongue
    await exchange.tx.save_dialogue(
        {
            "dialogue_id": exchange.call.attempt_id,
            "borrower_id": exchange.call.borrower_id,
            "case_id": exchange.call.case_id,
            "kind": "call",
            "surface": exchange.call.channel,
            "state": state.state,
            "awaiting": state.awaiting,
            "data": data,
            "turns": spoken.number,
            "at": now,
            "expires_at": now + TURN_LIFE,
            "closed_at": None if state.open else now,
            "outcome": None if state.open else taken.what,
        }
    )


def _parts(call: AnsweredCall) -> dict[str, str]:
    return dict(orjson.loads(call.body or "{}"))


def _words(exchange: Exchange, taken: Turn) -> str:
    """Return the words of a turn: as they were put when the call was placed, and of the offers of this very call.

    Raises RenderRefused, or ValueError when a stored value cannot be printed or a part has no words.
    """
    ready = _parts(exchange.call)
    fresh = [part for part in taken.say if part in SPOKEN_ABOUT]
    if fresh:
        ready |= {part: _render(exchange, taken.state, part).get(part, "") for part in fresh}
    if any(part in SPOKEN_ABOUT and not ready[part] for part in taken.say):
        raise ValueError("there is nothing to say")
    return " ".join(ready[name].strip() for name in taken.say if ready.get(name))


def _render(exchange: Exchange, state: DialogueState, part: str) -> dict[str, str]:
    house, call, speaker = exchange.house, exchange.call, in_locale(exchange.speaker, exchange.call.locale)
    context = answer_context(house, replace(speaker, contact_point_id=None), state, part)
    fields = fields_of(house, speaker.dossier, speaker.case, context, "", exchange.now)
    rendered = house.renderer.render(call.template, words.Channel(call.channel), call.locale, fields)
    if rendered.template_hash != call.template_hash:
        raise ValueError("the words have changed since the call was placed")  # nobody approved them for this call
    return dict(rendered.spoken)


def _answer(adapter: Channel, exchange: Exchange, token: str, spoken: Spoken) -> Answer | SendError:
    """Return the provider's words for a turn, or why there are none: what the turn did stays done all the same."""
    try:
        return _markup(adapter, exchange, token, spoken)
    except SendError as error:
        return error


def _markup(adapter: Channel, exchange: Exchange, token: str, spoken: Spoken) -> Answer:
    assert isinstance(adapter, Interactive)  # noqa: S101 - a spoken channel that cannot answer is a programming error
    waits = spoken.listen > 0 or spoken.connect
    creditor = exchange.house.creditor(exchange.speaker.case.creditor_id)
    return adapter.answer(
        Prompt(
            say=spoken.words,
            locale=spoken.locale or exchange.call.locale,
            gather=spoken.listen > 0,
            digits=spoken.listen or 1,
            speech=spoken.listen > 0 and exchange.call.channel == words.Channel.IVR,
            action=f"/v1/calls/{token}/turn?n={spoken.number}" if waits else None,
            dial=creditor.agent_line if spoken.connect else None,
        )
    )
