"""The portal's door and what stands behind it: who may come in, and how a case stands for the person it is about."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import structlog

from outreach.domain.arrangement import NO_BACKGROUND, ArrangementPolicy, Background, Offer
from outreach.domain.arrangement_life import Standing as Plan
from outreach.domain.calendar import first_zone
from outreach.domain.case import Borrower, Case
from outreach.domain.creditor import Creditor, Role
from outreach.domain.extension import Extension, latest_day
from outreach.domain.intake import OpenDialogue
from outreach.domain.money import Money
from outreach.domain.portal import Fact
from outreach.domain.timeline import Entry
from outreach.domain.words import CaseState, Channel, Purpose
from outreach.flows.conversation import dialogue_facts, load_state
from outreach.flows.dispatch import HISTORY
from outreach.flows.fields import last_characters
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import Speaker, informed
from outreach.policy.content import wordings_for
from outreach.policy.dossier import Dossier, facts_for
from outreach.replies import terms
from outreach.replies.dialogue_spec import DialogueFacts, DialogueState

SURFACE = "portal"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """What may be known before somebody has shown who they are: whose page it is, in which language, what is asked.

    ``facts`` empty: too little is on file to ask for, so nobody can come in.
    """

    case_id: UUID
    creditor: Creditor
    locale: str
    facts: tuple[Fact, ...]


async def find_door(house: House, token: str) -> Door | None:
    """Return the door a link leads to; None for every link that leads nowhere, for whatever reason."""
    if house.portal is None:
        return None
    now = house.clock.now()
    case_id = house.portal.open(token, now)
    if case_id is None:
        return None
    async with house.store.transaction() as tx:
        case = (await tx.cases([case_id])).get(case_id)
        if case is None or case.creditor_id not in house.creditors:
            return None
        borrower = (await tx.dossiers([case.borrower_id], at=now, since=now))[case.borrower_id].borrower
    known = _known(borrower, case)
    rules = house.portal.rules
    facts = tuple(fact for fact in rules.facts if known[fact])[: rules.needed]
    enough = len(facts) == rules.needed
    return Door(case_id, house.creditor(case.creditor_id), borrower.locale, facts if enough else ())


def _known(borrower: Borrower, case: Case) -> dict[Fact, str]:
    """Return what is on file, as answers are compared."""
    return {
        Fact.BIRTH_YEAR: str(borrower.birth_year or ""),
        Fact.POSTCODE: _plain_postcode(borrower.postcode or "", borrower.country),
        Fact.ACCOUNT_LAST4: _plain(last_characters(case.account_ref)),
    }


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(each for each in folded if each.isalnum())


def _plain_postcode(text: str, country: str) -> str:
    """Return a postcode without spaces; of a ZIP+4 code only the ZIP code, which is what people write."""
    plain = _plain(text)
    return plain[:5] if country == "US" and re.fullmatch(r"\d{9}", plain) else plain


def _alike(given: str, known: str) -> bool:
    """Compare in a time that says nothing about either."""
    digests = [hashlib.sha256(text.encode()).digest() for text in (given, known)]
    return hmac.compare_digest(*digests)


async def identify(house: House, door: Door, answers: Mapping[Fact, str]) -> bool:
    """Tell whether answers show that somebody is the borrower. Every wrong one is counted, whatever link it came by.

    While the door is locked the right answers do not open it either.
    """
    assert house.portal is not None  # noqa: S101 - a door was found
    rules, real, now = house.portal.rules, house.clock.real(), house.clock.now()
    async with house.store.transaction() as tx:
        case = (await tx.cases([door.case_id]))[door.case_id]
        borrower = (await tx.dossiers([case.borrower_id], at=now, since=now))[case.borrower_id].borrower
        tries, last, until = await tx.lock_identity(case.case_id, real)
        right = _all_right(door, answers, borrower, case)
        if until is not None and until > real:
            return False
        if right:
            await tx.count_try(case.case_id, 0, None, real)
            await tx.append([Entry(case.case_id, now, "portal.identified", {"surface": SURFACE})])
            return True
        stale = until is not None or real - last >= rules.lock
        tries = 1 if stale else tries + 1
        locked = tries >= rules.tries
        await tx.count_try(case.case_id, tries, real + rules.lock if locked else None, real)
        if locked:
            await tx.append([Entry(case.case_id, now, "portal.locked", {"surface": SURFACE, "tries": tries})])
    _log.info("portal identity refused", case_id=str(door.case_id), locked=locked)
    return False


def _all_right(door: Door, answers: Mapping[Fact, str], borrower: Borrower, case: Case) -> bool:
    known = _known(borrower, case)
    results = []
    for fact in door.facts:
        given = answers.get(fact, "")[:64]
        given = _plain_postcode(given, borrower.country) if fact is Fact.POSTCODE else _plain(given)
        results.append(_alike(given, known[fact]) and bool(known[fact]))
    return bool(results) and all(results)


class Kind(StrEnum):
    """How a case stands for its borrower; terms are agreed while it is ``open``, and changed while ``arranged``."""

    OPEN = "open"
    ARRANGED = "arranged"
    RESTING = "resting"
    PAID = "paid"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the pages of one case may show to its borrower.

    ``facts`` are what terms are computed from; None where nothing may be agreed. ``plan`` is the arrangement that
    stands, ``offers`` are the plans on the table, or those that may take its place. ``proposal`` and ``extension``
    wait to be confirmed. ``notices`` are statements that the law asks of whoever collects for others.
    """

    case: Case
    dossier: Dossier
    creditor: Creditor
    today: date
    kind: Kind
    facts: DialogueFacts | None = None
    plan: Plan | None = None
    offers: tuple[Offer, ...] = ()
    promise: tuple[Money, date] | None = None
    proposal: Offer | None = None
    extension: Extension | None = None
    dialogue: OpenDialogue | None = None
    notices: tuple[str, ...] = ()

    @property
    def policy(self) -> ArrangementPolicy | None:
        """The bounds of what may be agreed; None: a person must decide."""
        return self.facts.policy if self.facts else None

    @property
    def background(self) -> Background:
        """What besides the debt decides about terms."""
        return self.facts.background if self.facts else NO_BACKGROUND

    @property
    def more_time(self) -> tuple[date, date] | None:
        """The first and last day to which the due date may be moved; None when it may not."""
        if self.kind is not Kind.OPEN or self.facts is None or not terms.extension_open(self.facts):
            return None
        assert self.policy is not None  # noqa: S101 - an extension is open under a policy only
        first = max(self.today, self.case.due_on) + timedelta(days=1)
        return first, latest_day(self.case.due_on, self.today, self.policy.extension_max_days)

    @property
    def refused(self) -> frozenset[str]:
        """The channels the borrower refused; ``any`` stands for all."""
        return frozenset(
            channel
            for channel in Channel
            for said in self.dossier.said_about(channel, None, self.case.creditor_id)[1]
            if said.channel in {channel, "any"} and said.point_id is None
        )


async def load_standing(house: House, case_id: UUID) -> Standing:
    """Return how a case stands now."""
    async with house.store.transaction() as tx:
        return await standing_of(house, tx, case_id, house.clock.now())


async def standing_of(house: House, tx: Tx, case_id: UUID, now: datetime) -> Standing:
    """Return how a case stands in a transaction. Raises KeyError for a case that is not there."""
    case = (await tx.cases([case_id]))[case_id]
    dossier = (await tx.dossiers([case.borrower_id], at=now, since=now - HISTORY))[case.borrower_id]
    today = now.astimezone(first_zone(dossier.borrower.zones)).date()
    plain = Standing(
        case, dossier, house.creditor(case.creditor_id), today, Kind.OPEN, notices=_notices(house, case, dossier, now)
    )
    if case.state == CaseState.CLOSED:
        return _in(plain, Kind.CLOSED)
    if any(hold.case_id in (None, str(case_id)) for hold in dossier.holds):
        return _in(plain, Kind.RESTING)
    known = await informed(tx, Speaker(dossier, case, None, SURFACE, now, ""), now)
    if known.plan is None and case.amount_due_minor <= 0:
        return _in(plain, Kind.PAID)
    facts = dialogue_facts(house, known)
    promised = (await tx.live_promises([case_id])).get(case_id)
    dialogue = await tx.open_dialogue(case.borrower_id, SURFACE)
    waiting = _waiting(house, dialogue, known)
    return _in(
        plain,
        Kind.OPEN if known.plan is None else Kind.ARRANGED,
        facts=facts,
        plan=known.plan,
        offers=terms.offers(facts),
        promise=(Money(promised[2], promised[3]), promised[4]) if promised else None,
        proposal=waiting.chosen if waiting else None,
        extension=waiting.extension if waiting else None,
        dialogue=dialogue,
    )


def _waiting(house: House, dialogue: OpenDialogue | None, known: Speaker) -> DialogueState | None:
    """Return the dialogue that waits for a yes about this case as it stands: with a plan, or without one."""
    if dialogue is None or dialogue.case_id != known.case.case_id or dialogue.awaiting != "confirmation":
        return None
    about_plan = house.replies.dialogues[dialogue.kind].with_plan
    return load_state(dialogue.data) if about_plan == (known.plan is not None) else None


def _in(plain: Standing, kind: Kind, **more: object) -> Standing:
    return Standing(
        plain.case, plain.dossier, plain.creditor, plain.today, kind, notices=plain.notices, **more  # type: ignore[arg-type]
    )  # fmt: skip


def _notices(house: House, case: Case, dossier: Dossier, now: datetime) -> tuple[str, ...]:
    """Return the statements that rules ask of what is written to this borrower by whoever collects for others."""
    role = house.creditor(case.creditor_id).role
    if role is Role.FIRST_PARTY:
        return ()
    facts = facts_for(
        dossier,
        case,
        touch_id=case.case_id,
        channel=Channel.EMAIL,
        purpose=Purpose.REPLY,
        role=role,
        actor="automated",
        at=now,
        expires_at=None,
        point=None,
    )
    asked = {name for rule in wordings_for(facts, house.policy, now, Channel.EMAIL) for name in rule.requires}
    return tuple(sorted(asked))
