"""Audit: recorded decisions are decided again and sends counted again, from what is stored and nothing else."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from outreach.domain.located_yaml import ConfigError
from outreach.flows.audit_past import NEVER_LEFT, SEND, Entry, Page, load_entries, pages_of
from outreach.flows.dispatch import HISTORY
from outreach.flows.ports import Row, Store, Tx
from outreach.flows.recount import Recount, Violation
from outreach.policy.codec import FieldError, facts_from_json, loads, read
from outreach.policy.decision import Decision, Reason, Verdict
from outreach.policy.gate import decide
from outreach.policy.policy import Policy

CHUNK: Final = 400
"""Sends that are held at once; the borrower at the end of a chunk is finished first."""
LOOKBACK: Final = timedelta(days=400)
"""How far back the recount looks: longer than any cap."""
LISTED: Final = 200
"""How many differences and violations are kept to be listed; all are counted."""
GRACE: Final = timedelta(minutes=1)
"""What was recorded this shortly before a decision may have been committed after it."""

KINDS: Final = {
    "no_decision": "an attempt names a decision that is not there",
    "not_permitted": "an attempt was made although its decision is not to send",
    "another_decision": "an attempt, its decision and the facts of that decision are not about the same contact",
    "decision_used_twice": "two attempts name one decision",
    "left_twice": "more than one attempt of one touch may have left",
    "decided_later": "an attempt was started before it was decided",
    "left_late": "an attempt was started after the permitted stretch had ended",
    "decides_otherwise": "the same facts under the same policy version are decided otherwise today",
    "contact_left_out": "the facts of a decision lack a contact that the ledger holds",
    "refusal_left_out": "the facts of a decision lack a refusal or a hold that was in force",
    "policy_missing": "the policy version of a decision is not stored",
    "policy_changed": "a stored policy version is not what its name says",
    "policy_unreadable": "a stored policy version cannot be read",
    "unreadable": "the facts or reasons of a decision cannot be read",
}
"""What can differ, in words."""

Progress = Callable[[int], None]

Part = tuple[int, int]
"""Which part, from 0, of how many."""
WHOLE: Final[Part] = (0, 1)


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that does not agree with another, or with what is decided today from the same facts.

    ``kind`` is one of the kinds of docs/audit.md; ``decision_id`` and ``attempt_id`` are empty where there is none.
    """

    kind: str
    touch_id: str
    decision_id: str = ""
    attempt_id: str = ""
    detail: str = ""


@dataclass(slots=True)
class Audit:
    """What an audit found. Nothing personal is in it: ids, rules, codes and local hours."""

    decided: Counter[str] = field(default_factory=Counter)  # decisions decided again, by stored verdict
    recounted: int = 0
    policies: dict[str, int] = field(default_factory=dict)  # version -> rules about hours and caps in it
    differing: Counter[str] = field(default_factory=Counter)  # by kind
    violated: Counter[str] = field(default_factory=Counter)  # by rule
    differences: list[Difference] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.differing and not self.violated

    def differ(self, found: Iterable[Difference]) -> None:
        """Take in differences."""
        for one in found:
            self.differing[one.kind] += 1
            if len(self.differences) < LISTED:
                self.differences.append(one)

    def add(self, other: "Audit") -> None:
        """Take in what was found in another part."""
        self.decided += other.decided
        self.recounted += other.recounted
        self.policies |= other.policies
        self.differing += other.differing
        self.violated += other.violated
        self.differences += other.differences[: LISTED - len(self.differences)]
        self.violations += other.violations[: LISTED - len(self.violations)]

    def violate(self, found: Iterable[Violation]) -> None:
        """Take in violations."""
        for one in found:
            self.violated[one.rule_id] += 1
            if len(self.violations) < LISTED:
                self.violations.append(one)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored decision."""

    decision_id: str
    touch_id: str
    case_id: str
    channel: str
    at: datetime
    verdict: str
    until: datetime | None
    policy_version: str
    reasons: str
    facts: str


class Versions:
    """Stored policy versions, read when first asked for: as the gate reads them, and as the recount does."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._known: dict[str, tuple[Policy, Recount] | str] = {}

    async def get(self, version: str) -> tuple[Policy, Recount] | str:
        """Return a version both ways, or the kind of difference that keeps it from being read."""
        if version not in self._known:
            self._known[version] = self._read(version, await self._tx.policy_body(version))
        return self._known[version]

    def _read(self, version: str, body: str | None) -> tuple[Policy, Recount] | str:
        if body is None:
            return "policy_missing"
        try:
            policy = Policy.from_json(body.encode())
        except ConfigError:
            return "policy_unreadable"
        return (policy, Recount(body)) if policy.version == version else "policy_changed"


async def audit(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    everything: bool = False,
    part: Part = WHOLE,
    progress: Progress = lambda _: None,
) -> Audit:
    """Audit the sends from ``since`` on and before ``until``; with ``everything`` also what was deferred and refused.

    Reads only, in constant memory. ``part`` is one of several that together see everything once: what belongs to a
    borrower stays together. ``progress`` is told how many more decisions were audited.
    """
    found = Audit()
    async with store.transaction() as tx:
        versions = Versions(tx)
        async for rows in _by_borrowers(tx.sends(since, until, part)):
            await _audit_sends(tx, versions, rows, found)
            progress(len(rows))
        if everything:
            async for row in tx.unsent(since, until, part):
                await _audit_decision(versions, _Stored(*map(_plain, row)), found)
                progress(1)
    return found


async def count_audited(store: Store, since: datetime | None, until: datetime | None, *, everything: bool) -> int:
    """Return how many decisions an audit would look at."""
    async with store.transaction() as tx:
        sends = await tx.count_sends(since, until)
        return sends + (await tx.count_unsent(since, until) if everything else 0)


async def _by_borrowers(rows: AsyncIterator[Row]) -> AsyncIterator[list[Row]]:
    """Cut a stream into chunks that end where a borrower ends."""
    chunk: list[Row] = []
    async for row in rows:
        if len(chunk) >= CHUNK and row[4] != chunk[-1][4]:
            yield chunk
            chunk = []
        chunk.append(row)
    if chunk:
        yield chunk


@dataclass(slots=True)
class _Chunk:
    """Some borrowers' sends, with all that the ledger holds about these borrowers."""

    ledger: Mapping[UUID, Sequence[Entry]]
    standing: Mapping[UUID, Sequence[Sequence[Any]]]
    elsewhere: Mapping[UUID, Sequence[Sequence[Any]]]
    pages: Mapping[UUID, Page]
    named: Counter[UUID] = field(default_factory=Counter)  # how often a decision was named so far
    left: Counter[UUID] = field(default_factory=Counter)  # how many attempts of a touch may have left so far


async def _audit_sends(tx: Tx, versions: Versions, rows: list[Row], found: Audit) -> None:
    borrowers = list({row[4] for row in rows})
    starts = [row[11] for row in rows]
    ledger = await load_entries(tx, borrowers, min(starts) - LOOKBACK, max(starts))
    chunk = _Chunk(
        ledger,
        _by_owner(await tx.refusals_and_holds(borrowers)),
        _by_owner(await tx.contacts_elsewhere(borrowers, min(starts) - HISTORY, max(starts))),
        pages_of(rows),
    )
    for row in rows:
        await _audit_send(versions, row, chunk, found)


def _by_owner(rows: Iterable[Row]) -> dict[UUID, list[Sequence[Any]]]:
    found: dict[UUID, list[Sequence[Any]]] = defaultdict(list)
    for owner, *what in rows:
        found[owner].append(what)
    return found


async def _audit_send(versions: Versions, row: Row, chunk: _Chunk, found: Audit) -> None:
    send, decision = dict(zip(SEND, row, strict=False)), _stored(row)
    may_have_left = send["state"] not in NEVER_LEFT
    chunk.named[send["decision_id"]] += 1
    chunk.left[send["touch_id"]] += may_have_left
    found.differ(_disagreements(send, decision, chunk))
    if decision is None:
        return
    again = await _audit_decision(versions, decision, found, str(send["attempt_id"]))
    known = await versions.get(decision.policy_version)
    if again is None or isinstance(known, str):
        return
    if again.send_before is not None and send["started_at"] >= again.send_before:
        found.differ([_difference("left_late", send, decision, f"it had to leave before {again.send_before}")])
    if may_have_left:
        page, entries = chunk.pages[send["attempt_id"]], chunk.ledger.get(send["borrower_id"], ())
        found.differ(_contacts_left_out(send, decision, page, entries, chunk.elsewhere.get(send["borrower_id"], ())))
        found.differ(_refusals_left_out(send, decision, page, chunk.standing.get(send["borrower_id"], ())))
        found.violate(known[1].violations(page.send, page.before(entries, chunk.pages)))
        found.recounted += 1
        found.policies[decision.policy_version] = len(known[1].rule_ids)


def _stored(row: Row) -> _Stored | None:
    if row[15] is None:
        return None
    return _Stored(str(row[2]), *map(_plain, row[12:]))


def _plain(value: object) -> Any:  # noqa: ANN401 - a column is whatever it is
    return str(value) if isinstance(value, UUID) else value


def _difference(kind: str, send: Mapping[str, Any], decision: _Stored | None, detail: str = "") -> Difference:
    named = decision.decision_id if decision else ""
    return Difference(kind, str(send["touch_id"]), named, str(send["attempt_id"]), detail)


def _disagreements(send: Mapping[str, Any], decision: _Stored | None, chunk: _Chunk) -> Iterable[Difference]:
    """Yield where an attempt is not what its decision permitted."""
    if chunk.left[send["touch_id"]] > 1 and send["state"] not in NEVER_LEFT:
        yield _difference("left_twice", send, decision, "another attempt of the same touch may have left")
    if decision is None:
        yield _difference("no_decision", send, None)
        return
    if decision.verdict != Verdict.SEND:
        yield _difference("not_permitted", send, decision, f"the decision says {decision.verdict}")
    if chunk.named[send["decision_id"]] > 1:
        yield _difference("decision_used_twice", send, decision)
    if decision.at > send["started_at"]:
        yield _difference("decided_later", send, decision, str(decision.at - send["started_at"]))
    for name in ("touch_id", "case_id", "channel", "policy_version"):
        if str(send[name]) != getattr(decision, name):
            yield _difference("another_decision", send, decision, f"the {name} of attempt and decision differ")
    point = chunk.pages[send["attempt_id"]].send.facts.get("point") or {}
    if point.get("id") != str(send["contact_point_id"]):
        yield _difference("another_decision", send, decision, "it was decided for another contact point")


async def _audit_decision(versions: Versions, decision: _Stored, found: Audit, attempt_id: str = "") -> Decision | None:
    """Decide a stored decision again and take in what differs; None when that cannot be done."""
    found.decided[decision.verdict] += 1
    known = await versions.get(decision.policy_version)
    if isinstance(known, str):
        found.differ([_of(decision, attempt_id, known, f"policy version {decision.policy_version}")])
        return None
    try:
        facts = facts_from_json(decision.facts.encode())
        reasons = [read(Reason, one) for one in _listed(decision.reasons)]
    except FieldError as error:
        found.differ([_of(decision, attempt_id, "unreadable", str(error))])
        return None
    if (facts.touch_id, facts.case_id, facts.channel) != (decision.touch_id, decision.case_id, decision.channel):
        found.differ([_of(decision, attempt_id, "another_decision", "its facts are about something else")])
    again = decide(facts, known[0], decision.at)
    detail = _changed(decision, tuple(reasons), again)
    if detail:
        found.differ([_of(decision, attempt_id, "decides_otherwise", detail)])
    return again


def _listed(text: str) -> list[Any]:
    value = loads(text.encode())
    return value if isinstance(value, list) else []


def _of(decision: _Stored, attempt_id: str, kind: str, detail: str) -> Difference:
    return Difference(kind, decision.touch_id, decision.decision_id, attempt_id, detail)


def _changed(stored: _Stored, reasons: tuple[Reason, ...], again: Decision) -> str:
    """Say how a decision came out differently; empty when it did not."""
    if stored.verdict != again.verdict:
        rules = ", ".join(sorted({one.rule_id for one in set(reasons) ^ set(again.reasons)}))
        return f"{stored.verdict} became {again.verdict} ({rules})"
    if stored.until != again.until:
        return f"until {stored.until} became {again.until}"
    if reasons != again.reasons:
        rules = ", ".join(sorted({one.rule_id for one in set(reasons) ^ set(again.reasons)}))
        return f"other reasons: {rules}" if rules else "the reasons stand in another order"
    return ""


def _contacts_left_out(
    send: Mapping[str, Any],
    decision: _Stored,
    page: Page,
    entries: Sequence[Entry],
    elsewhere: Sequence[Sequence[Any]],
) -> Iterable[Difference]:
    """Yield the contacts that the ledger holds, our own and other systems', and the facts of the decision do not."""
    for entry in entries:
        past = entry.past
        mine = past.same_borrower or past.point_id == page.send.point_id
        recent = decision.at - HISTORY < past.at < decision.at
        if mine and recent and entry.state not in NEVER_LEFT and entry.key not in page.told:
            yield _difference("contact_left_out", send, decision, f"attempt {entry.attempt_id}")
    told = {(past.at, past.channel) for past in page.told.values()}
    for at, channel, outcome, recorded_at in elsewhere:
        recent = decision.at - HISTORY < at < decision.at and recorded_at < decision.at - GRACE
        if recent and outcome not in NEVER_LEFT and (at, channel) not in told:
            yield _difference("contact_left_out", send, decision, f"a {channel} contact of another system at {at}")


def _refusals_left_out(
    send: Mapping[str, Any], decision: _Stored, page: Page, standing: Sequence[Sequence[Any]]
) -> Iterable[Difference]:
    """Yield the refusals and holds that were in force, and that the facts of the decision do not hold."""
    told = _told_against(page.send.facts)
    for what, word, since, until, lifted, creditor in standing:
        ended = min((one for one in (until, lifted) if one is not None), default=None)
        in_force = since < decision.at - GRACE and (ended is None or ended > decision.at)
        about = creditor is None or creditor == send["creditor_id"]
        undone = what == "suppression" and _given_since(page.send.facts, since)
        if in_force and about and not undone and (word, since) not in told:
            yield _difference("refusal_left_out", send, decision, f"{what} {word}")


def _told_against(facts: Mapping[str, Any]) -> set[tuple[str, datetime]]:
    told = {(one["reason"], datetime.fromisoformat(one["since"])) for one in facts.get("suppressions", ())}
    return told | {(one["kind"], datetime.fromisoformat(one["since"])) for one in facts.get("holds", ())}


def _given_since(facts: Mapping[str, Any], since: datetime) -> bool:
    """Tell whether the person has agreed again since: a consent can undo what was refused before it."""
    return any(
        one["state"] == "given" and datetime.fromisoformat(one["at"]) >= since for one in facts.get("consents", ())
    )
