"""What a borrower does on the portal: taken by the dialogue machine that takes replies, on the same timeline."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from outreach.domain.arrangement import Frequency, Offer, Paydays, schedule
from outreach.domain.arrangement_life import Standing as Plan
from outreach.domain.ids import new_id
from outreach.domain.intake import InboxRow, OpenDialogue
from outreach.domain.money import Money
from outreach.domain.promise import PromiseRefusal, decide_promise
from outreach.domain.tasks import TASK_DUE
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewTouch
from outreach.flows.conversation import carry_out, load_state
from outreach.flows.house import House
from outreach.flows.personal_times import MOST_TIMES, may_bar, record_times
from outreach.flows.portal import SURFACE, Kind, Standing, standing_of
from outreach.flows.ports import Tx
from outreach.flows.replies import store_reply, take_turn
from outreach.flows.schedule import enqueue
from outreach.flows.speaker import Speaker
from outreach.flows.stop import reached
from outreach.policy.facts import PersonalWindow
from outreach.replies import terms
from outreach.replies.reader import read
from outreach.replies.reading import ALL_CHANNELS, PAUSING, RANK, Intent, Reading

MOST_WORDS = 2000
"""Characters of what a borrower may write in one form."""

_log = structlog.get_logger(__name__)

_OPEN = frozenset({Kind.OPEN})
_ARRANGED = frozenset({Kind.ARRANGED})
_ALWAYS = frozenset(Kind)
TOLD_WHILE = {
    Intent.ALREADY_PAID: frozenset({Kind.OPEN, Kind.ARRANGED}),
    Intent.HARDSHIP: _ALWAYS - {Kind.CLOSED},
    Intent.DISPUTE: _ALWAYS - {Kind.CLOSED},
    Intent.CALLBACK_REQUEST: _ALWAYS,
}
"""How a case may stand for something to be said of it: what protects a person may nearly always be said."""


class Result(StrEnum):
    """What became of an act."""

    DONE = "done"
    REPEATED = "repeated"  # the same form again: nothing was done twice
    RESTS = "rests"  # the case does not take this now
    BOUNDS = "bounds"  # not within what may be agreed without a person
    CHANGED = "changed"  # what was shown is no longer what would be agreed
    HANDED_OFF = "handed_off"  # a person takes it from here


@dataclass(frozen=True, slots=True)
class Form:
    """One form that was sent: about which case, ``once`` its own word (the same form twice is one), and what it says.

    ``told`` is kept with the reply; it may hold what the person wrote, in ``language``.
    """

    case_id: UUID
    once: str
    told: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan as a borrower asks for it: in ``count`` parts, or with ``each`` as the most they can pay at a time."""

    count: int | None
    frequency: Frequency
    first_on: date | None = None
    paydays: Paydays | None = None
    each: Money | None = None

    @staticmethod
    def of(offer: Offer) -> "Wish":
        """Return the wish that an offer fulfils."""
        return Wish(offer.count, offer.frequency, offer.first_on, offer.paydays)

    @property
    def reading(self) -> Reading:
        """What the dialogue machine hears."""
        each = self.each
        return Reading(
            Intent.INSTALLMENTS, 1.0, count=self.count, every=self.frequency, first_on=self.first_on,
            paydays=self.paydays, explanation="form",
            amount_minor=each.minor if each else None, currency=each.currency if each else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Desk:
    """One act under the borrower's lock."""

    house: House
    tx: Tx
    now: datetime
    form: Form
    standing: Standing
    row: InboxRow

    @property
    def speaker(self) -> Speaker:
        """Who acts."""
        standing, evidence = self.standing, f"inbox:{self.row.inbox_id}"
        return Speaker(
            standing.dossier, standing.case, None, SURFACE, self.now, evidence, standing.plan, standing.background
        )


Work = Callable[[_Desk], Any]

_YES = Reading(Intent.CONFIRM_YES, 1.0, explanation="form")


def offer_for(standing: Standing, wish: Wish) -> Offer | None:
    """Return the plan a wish becomes, None when it is not within bounds."""
    return terms.counter(wish.reading, standing.facts) if standing.facts else None


def seen(offer: Offer) -> str:
    """Return a word for exactly this plan: a confirmation carries the word of the plan that was shown."""
    parts = [(part.due_on, part.amount.minor) for part in schedule(offer)]
    shape = (offer.frequency, offer.total.minor, offer.total.currency, offer.policy_id, offer.fee_minor)
    return hashlib.sha256(repr((*shape, offer.down_payment_minor, parts)).encode()).hexdigest()[:24]


async def propose(house: House, form: Form, wish: Wish) -> Result:
    """Take a plan that was chosen or adjusted, a new one or one in place of another; it waits to be confirmed."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        plan_wish = "change" if desk.standing.plan else None
        if not desk.standing.offers:
            return Result.HANDED_OFF, Reading(Intent.INSTALLMENTS, 1.0, plan_wish=plan_wish, explanation="form")
        if offer_for(desk.standing, wish) is None:
            return Result.BOUNDS, None
        return Result.DONE, replace(wish.reading, plan_wish=plan_wish)

    return await _act(house, form, work, while_=_OPEN | _ARRANGED)


async def confirm(house: House, form: Form, shown: str) -> Result:
    """Confirm the plan that was read back, if it is still the one that was ``shown`` and still right."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        standing, offer = desk.standing, desk.standing.proposal
        if offer is None or seen(offer) != shown:
            return Result.CHANGED, None
        now_ = offer_for(standing, Wish.of(offer))
        if now_ is None or seen(now_) != shown:
            return Result.CHANGED, None
        return Result.DONE, _YES

    return await _act(house, form, work, while_=_OPEN | _ARRANGED, goes_on=True)


def seen_end(plan: Plan) -> str:
    """Return a word for the end of exactly this plan, with exactly this left to pay."""
    return hashlib.sha256(f"{plan.arrangement_id} {plan.left.minor}".encode()).hexdigest()[:24]


async def end_plan(house: House, form: Form, shown: str) -> Result:
    """End the plan that stands, if it is still the one whose end was ``shown``."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        plan = desk.standing.plan
        if plan is None or seen_end(plan) != shown:
            return Result.CHANGED, None
        return Result.DONE, Reading(Intent.INSTALLMENTS, 1.0, plan_wish="cancel", explanation="form")

    return await _act(house, form, work, while_=_ARRANGED, then=_YES)


async def ask_for_time(house: House, form: Form, on: date) -> Result:
    """Ask for a new due date; it waits to be confirmed."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        if desk.standing.facts is None or terms.extension(on, desk.standing.facts) is None:
            return Result.BOUNDS, None
        return Result.DONE, Reading(Intent.EXTENSION_REQUEST, 1.0, on=on, explanation="form")

    return await _act(house, form, work)


async def confirm_time(house: House, form: Form, on: date | None) -> Result:
    """Confirm the new due date that was read back, if it is still the one that was shown and may still be given."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        asked, facts = desk.standing.extension, desk.standing.facts
        if asked is None or facts is None or asked.to_on != on or terms.extension(on, facts) != asked:
            return Result.CHANGED, None
        return Result.DONE, _YES

    return await _act(house, form, work, goes_on=True)


async def promise(house: House, form: Form, on: date | None, amount: Money | None) -> Result:
    """Promise to pay by a day, all that is due or a part of it."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        policy = desk.standing.policy
        if policy is not None:
            fits = decide_promise(
                amount, on, amount_due=desk.standing.case.amount_due, today=desk.standing.today,
                max_days=policy.promise_max_days, grace_days=policy.promise_grace_days,
            )  # fmt: skip
            if isinstance(fits, PromiseRefusal):
                return Result.BOUNDS, None
        elif on is None:
            return Result.BOUNDS, None
        reading = Reading(
            Intent.PROMISE_TO_PAY, 1.0, on=on, explanation="form",
            amount_minor=amount.minor if amount else None, currency=amount.currency if amount else None,
        )  # fmt: skip
        return Result.DONE if policy is not None else Result.HANDED_OFF, reading

    return await _act(house, form, work)


async def tell(house: House, form: Form, intent: Intent, words: str = "") -> Result:
    """Say that it is paid, disputed or too hard, or ask for a call. What else the words say is acted on, too."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        return Result.DONE, _heard(desk, intent, words)

    return await _act(house, form, work, while_=TOLD_WHILE[intent])


def _heard(desk: _Desk, intent: Intent, words: str) -> Reading:
    """Return what a form says: the act it stands for, and whatever its words demand for safety."""
    plain = Reading(intent, 1.0, must_pause=intent in PAUSING, explanation="form")
    if not words.strip():
        return plain
    standing = desk.standing
    other = read(
        words, lang=desk.form.language, channel=SURFACE, ref_date=standing.today,
        default_currency=standing.case.currency,
    )  # fmt: skip
    heard = sorted({intent, *(each for each in other.intents if each in PAUSING)}, key=lambda each: RANK[each])
    return replace(
        plain,
        intent=heard[0],
        also=tuple(heard[1:]),
        must_pause=plain.must_pause or other.must_pause,
        must_stop=other.must_stop,
        stop_channels=other.stop_channels,
        names_channel=other.names_channel,
        confidence=other.confidence if other.must_stop else 1.0,
    )


async def stop(house: House, form: Form, channels: Sequence[str]) -> Result:
    """Refuse channels; in force when this returns, whatever else the case stands for."""

    async def work(_: _Desk) -> tuple[Result, Reading | None]:
        wanted = tuple(each for each in ALL_CHANNELS if each in channels)
        if not wanted:
            return Result.BOUNDS, None
        reading = Reading(
            Intent.STOP, 1.0, must_stop=True, must_pause=True, stop_channels=wanted, names_channel=True,
            explanation="form",
        )  # fmt: skip
        return Result.DONE, reading

    return await _act(house, form, work, while_=_ALWAYS)


async def name_time(house: House, form: Form, window: PersonalWindow) -> Result:
    """Record a time at which a borrower is not to be reached; more than the law lets them bar goes to a person."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        dossier, case = desk.standing.dossier, desk.standing.case
        if len(dossier.windows) >= MOST_TIMES:
            return Result.BOUNDS, None
        if not may_bar(house, dossier, case, [window], desk.now):
            await _hand_over(desk, "personal_times")
            return Result.HANDED_OFF, None
        await record_times(desk.tx, case, window, desk.speaker.evidence, desk.now)
        return Result.DONE, None

    return await _act(house, form, work, while_=_ALWAYS)


async def forget_times(house: House, form: Form) -> Result:
    """Take back every time a borrower named."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        count = await desk.tx.end_personal_windows(desk.standing.case.borrower_id, desk.now)
        await desk.tx.append([_entry(desk, "times.forgotten", {"count": count})])
        return Result.DONE, None

    return await _act(house, form, work, while_=_ALWAYS)


async def choose_language(house: House, form: Form, locale: str) -> Result:
    """Remember in which language a borrower wants to be written to."""

    async def work(desk: _Desk) -> tuple[Result, Reading | None]:
        await desk.tx.choose_locale(desk.standing.case.borrower_id, locale, desk.now)
        await desk.tx.append([_entry(desk, "language.chosen", {"locale": locale})])
        return Result.DONE, None

    return await _act(house, form, work, while_=_ALWAYS)


def _entry(desk: _Desk, kind: str, told: dict[str, Any]) -> Entry:
    return Entry(desk.standing.case.case_id, desk.now, kind, told | {"evidence": desk.speaker.evidence})


async def _hand_over(desk: _Desk, kind: str) -> None:
    case_id, key = desk.standing.case.case_id, new_id(desk.now)
    detail = {"surface": SURFACE, "evidence": desk.speaker.evidence}
    await desk.tx.insert_task({"task_id": key, "case_id": case_id, "kind": kind, "at": desk.now,
                               "due_at": desk.now + TASK_DUE, "detail": detail})  # fmt: skip
    await desk.tx.append([Entry(case_id, desk.now, "task.opened", {"task_id": key, "kind": kind})])


async def _act(
    house: House,
    form: Form,
    work: Work,
    *,
    while_: frozenset[Kind] = _OPEN,
    goes_on: bool = False,
    then: Reading | None = None,
) -> Result:
    """Take one form: under the borrower's lock, once, and only if the case takes it.

    Each form begins a dialogue of its own, unless it ``goes_on`` with the one that waits for an answer. ``then`` is
    what the same form answers to the question that follows: its page has asked it already.
    """
    touches: list[NewTouch] = []
    async with house.store.transaction() as tx:
        now = house.clock.now()
        borrower = (await tx.cases([form.case_id]))[form.case_id].borrower_id
        await tx.lock_borrowers([borrower])
        key = new_id(now)
        payload = {"medium": SURFACE, "text": form.told[: MOST_WORDS + 200].replace("\x00", "\ufffd")}
        row = {"inbox_id": key, "channel": SURFACE, "dedupe_key": f"{form.case_id}:{form.once}", "kind": "reply",
               "received_at": now, "payload": payload, "retry_real_at": None}  # fmt: skip
        if not await tx.insert_inbox([row]):
            return Result.REPEATED
        standing = await standing_of(house, tx, form.case_id, now)
        desk = _Desk(house, tx, now, form, standing, InboxRow(key, SURFACE, "reply", now, payload, 0))
        result, reading = Result.RESTS, None
        if standing.kind in while_:
            result, reading = await work(desk)
        if reading is not None:
            touches = await _say(desk, reading, goes_on=goes_on, then=then)
        done = {"inbox_id": key, "state": "applied", "note": None if reading else str(result)}
        await tx.close_inbox([done])
        await tx.notify_due()
    await enqueue(house, [(touch.touch_id, touch.channel, touch.priority) for touch in touches])
    _log.info("portal form taken", case_id=str(form.case_id), result=str(result),
              intent=str(reading.intent) if reading else None)  # fmt: skip
    return result


async def _say(desk: _Desk, reading: Reading, *, goes_on: bool, then: Reading | None) -> list[NewTouch]:
    reading = reached(reading, SURFACE, desk.house.refusals)
    await store_reply(desk.tx, desk.row, desk.speaker, reading, desk.now)
    touches = await _turn(desk, reading, desk.standing.dialogue if goes_on else None)
    if then is not None:
        touches += await _turn(desk, then, await desk.tx.open_dialogue(desk.speaker.borrower_id, SURFACE))
    return touches


async def _turn(desk: _Desk, reading: Reading, going: OpenDialogue | None) -> list[NewTouch]:
    tx, speaker, now = desk.tx, desk.speaker, desk.now
    if going is None:
        await tx.close_surface(speaker.borrower_id, SURFACE, "superseded", now)
    step = await take_turn(desk.house, tx, speaker, reading, going, load_state(going.data) if going else None, now)
    if going is not None:
        # What is agreed here is agreed: an offer that is still open by text must not be confirmed once more.
        await tx.close_dialogues(speaker.borrower_id, "agreed_elsewhere", now)
    return await carry_out(desk.house, tx, speaker, step, now)
