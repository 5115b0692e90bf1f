"""The story of a case: its timeline in plain sentences and local time, with the words that left and came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from channels.email.quoted import words_of
from outreach.domain.calendar import first_zone
from outreach.domain.case import Borrower, Case
from outreach.domain.located_yaml import ConfigError
from outreach.domain.timeline import link_hash
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.flows.rule_words import Told, tell_reason
from outreach.flows.sentences import Tongue, reason_words, reasons_of, sentence
from outreach.policy.codec import read
from outreach.policy.decision import Reason
from outreach.policy.policy import Policy

_SHOWS_ATTEMPT = frozenset({"touch.sent", "touch.unknown"})


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One entry. ``local`` is the borrower's own clock; ``words`` what was said, personal, None when there are none.

    ``told`` are the reasons of the decision it tells of, rule by rule; ``reasons`` their bare codes.
    """

    seq: int
    at: datetime
    local: str
    kind: str
    sentence: str
    reasons: tuple[str, ...] = ()
    words: str | None = None
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryDecision:
    """What the gate said about one candidate contact: ``reasons`` are (code, plain words, citation)."""

    decision_id: UUID
    at: datetime
    local: str
    channel: str
    verdict: str
    until: str | None
    policy_version: str
    reasons: tuple[tuple[str, str, str], ...]
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Everything on a case, ready to print. ``intact`` is False when the chain of the timeline does not add up."""

    case_id: UUID
    account_ref: str
    creditor: str
    borrower: str
    place: str
    locale: str
    zone: str
    state: str
    product: str
    amount_due: str
    balance: str
    due_on: date
    days_past_due: int
    owes: bool
    intact: bool
    lines: tuple[StoryLine, ...]
    decisions: tuple[StoryDecision, ...]


async def load_story(house: House, ref: str) -> Story | None:
    """Load the story of the case that ``ref`` (case id, account or borrower reference) names, or None."""
    async with house.store.transaction() as tx:
        case_id = await tx.find_case(ref)
        if case_id is None:
            return None
        case = (await tx.cases([case_id]))[case_id]
        now = house.clock.now()
        borrower = (await tx.dossiers([case.borrower_id], at=now, since=now))[case.borrower_id].borrower
        return await _tell(house, tx, case, borrower, now)


async def _tell(house: House, tx: Tx, case: Case, borrower: Borrower, now: datetime) -> Story:
    tongue = Tongue(str(first_zone(borrower.zones)), case.currency)
    rows = await tx.story(case.case_id)
    said = await tx.attempt_texts(case.case_id)
    heard = await tx.reply_texts(case.case_id)
    turns = await tx.call_turns(case.case_id)
    creditor = house.creditors.get(case.creditor_id)
    decisions = tuple(
        [_decision(row, tongue, await _policy(house, tx, row[4])) for row in await tx.decisions_of_case(case.case_id)]
    )
    told = {one.decision_id: one.told for one in decisions}
    return Story(
        case_id=case.case_id,
        account_ref=case.account_ref,
        creditor=creditor.name if creditor else case.creditor_id,
        borrower=" ".join(name for name in (borrower.given_name, borrower.family_name) if name) or "(erased)",
        place=borrower.subdivision or borrower.country,
        locale=borrower.locale,
        zone=tongue.zone,
        state=case.state,
        product=case.product.replace("_", " "),
        amount_due=tongue.amount(case.amount_due_minor),
        balance=tongue.amount(case.balance_minor),
        due_on=case.due_on,
        days_past_due=case.days_past_due(now.astimezone(ZoneInfo(tongue.zone)).date()),
        owes=case.amount_due_minor > 0,
        intact=is_intact(case.case_id, rows, (case.timeline_seq, case.timeline_hash)),
        lines=tuple(_line(row, tongue, (said, heard, turns), told) for row in rows),
        decisions=decisions,
    )


async def _policy(house: House, tx: Tx, version: str) -> Policy | None:
    """Return the policy a decision was made by; None when it is not stored, or no longer readable."""
    if version == house.policy.version:
        return house.policy
    body = await tx.policy_body(version)
    return _read_policy(body) if body is not None else None


@lru_cache(maxsize=4)
def _read_policy(body: str) -> Policy | None:
    try:
        return Policy.from_json(body.encode())
    except ConfigError:
        return None


Talk = tuple[Mapping[UUID, Row], Mapping[UUID, Row], Mapping[tuple[UUID, int], tuple[str, str | None]]]
"""What was said on a case, personal: attempts, replies, and the turns of calls."""


def _line(row: Row, tongue: Tongue, talk: Talk, decisions: Mapping[UUID, tuple[Told, ...]]) -> StoryLine:
    seq, at, kind, text = row[0], row[1], row[2], row[3]
    data = orjson.loads(text)
    return StoryLine(
        seq=seq,
        at=at,
        local=tongue.moment(at),
        kind=kind,
        sentence=sentence(kind, data, tongue),
        reasons=tuple(reasons_of(data)),
        words=_words(kind, data, talk),
        told=decisions.get(_uuid(data.get("decision_id")), ()),
    )


def _words(kind: str, data: Mapping[str, object], talk: Talk) -> str | None:
    said, heard, turns = talk
    if kind == "call.turn" and isinstance(turn := data.get("turn"), int):
        ours, theirs = turns.get((_uuid(data.get("attempt_id")), turn), ("", None))
        return (
            "\n".join([*([f"They said: {theirs}"] if theirs else []), *([f"We said: {ours}"] if ours else [])]) or None
        )
    if kind in _SHOWS_ATTEMPT and (row := said.get(_uuid(data.get("attempt_id")))):
        return _spoken(row[3]) if row[1] in {"voice", "ivr"} else "\n".join(part for part in (row[2], row[3]) if part)
    if row := heard.get(_uuid(data.get("reply_id"))):
        return words_of(row[2] or "").strip() or None
    return None


def _spoken(body: str | None) -> str | None:
    """Return what a call could say, part by part; what was really said follows as the turns of the call."""
    try:
        parts = orjson.loads(body or "{}")
    except orjson.JSONDecodeError:
        return body
    shown = [f"{name.replace('_', ' ')}: {words}" for name, words in parts.items() if name in {"live", "greeting"}]
    return "\n".join(shown) or None


def _uuid(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


def _decision(row: Row, tongue: Tongue, policy: Policy | None) -> StoryDecision:
    decision_id, at, verdict, until, version, channel, stored = row
    reasons = [read(Reason, each) for each in stored]
    return StoryDecision(
        decision_id=decision_id,
        at=at,
        local=tongue.moment(at),
        channel=channel,
        verdict=verdict,
        until=tongue.moment(until) if until else None,
        policy_version=version,
        reasons=tuple((each.code, reason_words(each.code), each.citation) for each in reasons),
        told=tuple(tell_reason(each, policy, tongue) for each in reasons),
    )


def is_intact(case_id: UUID, rows: list[Row], head: tuple[int, str]) -> bool:
    """Recompute the chain of a timeline: False when an entry was changed, removed or put in between.

    ``head`` is the (seq, hash) kept on the case, read before ``rows``: without it a missing end would not show.
    """
    previous = ""
    for place, (seq, at, kind, data, prev_hash, digest) in enumerate(rows, start=1):
        if seq != place or prev_hash != previous:
            return False
        if link_hash(previous, case_id, seq, at, kind, data.encode()) != digest:
            return False
        previous = digest
    seq, tip = head
    return seq <= len(rows) and (seq == 0 or rows[seq - 1][5] == tip)
