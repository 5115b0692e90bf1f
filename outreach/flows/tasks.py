"""Tasks for people: listed, taken, and closed with a disposition that may end the holds placed with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from outreach.domain.case import Case
from outreach.domain.tasks import Disposition, Task
from outreach.domain.timeline import Entry
from outreach.domain.words import Channel, Purpose
from outreach.flows.dispatch import HISTORY
from outreach.flows.house import House
from outreach.flows.ports import Row, Tx
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import Facts
from outreach.policy.floor import candidate_jurisdictions
from outreach.policy.rules import Rest

PAYMENT_CLAIM, PAYMENT_FOUND = "payment_claim", "payment_found"
"""The task of somebody who says that they have paid, and what it is closed with once the payment is there."""

BY_PAYMENT = "payment.received"
"""Who closed a task that no person had to close: the event."""

MOST = 500
"""Tasks a list shows at most."""


class TaskError(Exception):
    """A task cannot be taken or closed like that; the text says why, and holds nothing personal."""


class TaskGoneError(TaskError):
    """Somebody else closed it first."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One line of a list of tasks; field names are those of the JSON."""

    task_id: UUID
    case_id: UUID
    account_ref: str
    creditor_id: str
    kind: str
    opened_at: datetime
    due_at: datetime
    assigned_to: str | None
    closed_at: datetime | None
    closed_by: str | None
    disposition: str | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class TaskHold:
    """A hold placed together with a task. ``reach`` says on what; ``until`` None: until it is lifted.

    ``barred_by`` are (rule, citation) of what forbids contact because of it; ``kept_until`` when the law lets go
    of it at the earliest, None: at any time.
    """

    hold_id: UUID
    kind: str
    reach: str
    since: datetime
    until: datetime | None
    lifted_at: datetime | None
    barred_by: tuple[tuple[str, str], ...] = ()
    kept_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing a task did. ``kept`` are (hold, why) of holds that the disposition would lift and that stay."""

    task_id: UUID
    disposition: str
    by: str
    lifted: tuple[str, ...]
    kept: tuple[tuple[str, str], ...] = ()


async def list_tasks(
    house: House,
    *,
    kind: str | None = None,
    due_before: datetime | None = None,
    assigned_to: str | None = None,
    closed: bool = False,
    limit: int = MOST,
) -> list[TaskLine]:
    """Return open tasks, the most overdue first; with ``closed`` those that are closed behind them."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        rows = await tx.list_tasks(
            kind=kind, due_before=due_before, assigned_to=assigned_to, closed=closed, limit=min(limit, MOST)
        )
    return [_line(row, now) for row in rows]


def _line(row: Row, now: datetime) -> TaskLine:
    task_id, case_id, account_ref, creditor_id, kind, opened_at, due_at, to, closed_at, closed_by, disposition = row
    return TaskLine(
        task_id=task_id,
        case_id=case_id,
        account_ref=account_ref,
        creditor_id=creditor_id,
        kind=kind,
        opened_at=opened_at,
        due_at=due_at,
        assigned_to=to,
        closed_at=closed_at,
        closed_by=closed_by,
        disposition=disposition,
        overdue=closed_at is None and due_at < now,
    )


async def assign_task(house: House, task_id: UUID, to: str) -> Task:
    """Give an open task to somebody, who may take it from somebody else. Raises LookupError, TaskGoneError."""
    async with house.store.transaction() as tx:
        task, now = await _locked(tx, task_id), house.clock.now()
        if task.closed_at is not None:
            raise TaskGoneError(_gone(task))
        if await tx.assign_task(task_id, to, now):
            told = {"task_id": task_id, "kind": task.kind, "to": to}
            await tx.append([Entry(task.case_id, now, "task.assigned", told)])
    return task


async def close_task(house: House, task_id: UUID, disposition: str, by: str, note: str = "") -> Closed:
    """Close a task; a hold ends only if the disposition says so and the rules let it. Of two closers one wins.

    ``note`` may be personal: it is kept with the task, never on the timeline. Raises LookupError for an unknown task,
    TaskError for a disposition it is not offered, TaskGoneError when it is closed already.
    """
    async with house.store.transaction() as tx:
        task, now = await _locked(tx, task_id), house.clock.now()
        if task.closed_at is not None:
            raise TaskGoneError(_gone(task))
        chosen = house.tasks.named(task.kind, disposition)
        if chosen is None:
            known = ", ".join(one.id for one in house.tasks.offered(task.kind))
            raise TaskError(f"a task of this kind cannot be closed with that; valid: {known}")
        return await _close(house, tx, task, chosen, by, note.strip() or None, now)


async def close_claims(house: House, tx: Tx, case: Case, now: datetime) -> None:
    """Close what people were to look into because a borrower said they had paid: all that was due has come in since.

    The borrower is locked. The hold placed for the check ends as when a person finds the payment. Without a disposition
    of that name in config/tasks.yaml people close it themselves.
    """
    chosen = house.tasks.named(PAYMENT_CLAIM, PAYMENT_FOUND)
    if chosen is None:
        return
    for task_id, kind, _, _, closed_at, _ in await tx.tasks_of_case(case.case_id):
        task = await tx.task(task_id) if kind == PAYMENT_CLAIM and closed_at is None else None
        if task is not None:
            await _close(house, tx, task, chosen, BY_PAYMENT, None, now)


async def _close(
    house: House, tx: Tx, task: Task, chosen: Disposition, by: str, note: str | None, now: datetime
) -> Closed:
    await tx.close_task(task.task_id, chosen.id, by, note, now)
    lifted, kept = await _lift(house, tx, task, chosen, by, now)
    told = {"task_id": task.task_id, "kind": task.kind, "disposition": chosen.id, "by": by, "holds": list(lifted)}
    await tx.append([Entry(task.case_id, now, "task.closed", told)])
    return Closed(task.task_id, chosen.id, by, lifted, kept)


async def _locked(tx: Tx, task_id: UUID) -> Task:
    """Return a task under its borrower's lock, as it is now."""
    found = await tx.task(task_id)
    if found is None:
        raise LookupError
    await tx.lock_borrowers([found.borrower_id])
    again = await tx.task(task_id)
    if again is None:
        raise LookupError
    return again


def _gone(task: Task) -> str:
    at = f"{task.closed_at:%Y-%m-%d %H:%M} UTC" if task.closed_at else "before"
    return f"{task.closed_by or 'somebody'} closed this task at {at}, as {task.disposition}"


async def _lift(
    house: House, tx: Tx, task: Task, chosen: Disposition, by: str, now: datetime
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Lift what was placed with the task, as far as the disposition and the rules allow."""
    if not chosen.lifts:
        return (), ()
    lifted: list[str] = []
    kept: list[tuple[str, str]] = []
    shared = await tx.others_open_on(task) > 0
    for hold in await holds_of(house, tx, task, now):
        if hold.kind not in chosen.lifts or hold.lifted_at is not None:
            continue
        if shared:
            kept.append((hold.kind, "another open task rests on it"))
        elif hold.kept_until is not None and hold.kept_until > now:
            kept.append((hold.kind, f"a rule keeps it until {hold.kept_until:%Y-%m-%d %H:%M} UTC"))
        elif await tx.lift_hold(hold.hold_id, now):
            lifted.append(hold.kind)
            cases = [task.case_id] if hold.reach == THIS_CASE else await tx.open_cases_of(task.borrower_id)
            told = {"kind": hold.kind, "by": by, "task_id": task.task_id}
            await tx.append([Entry(case, now, "hold.lifted", told) for case in cases])
    return tuple(lifted), tuple(kept)


THIS_CASE, EVERYTHING = "this case", "everything of this borrower"


async def holds_of(house: House, tx: Tx, task: Task, now: datetime) -> list[TaskHold]:
    """Return the holds placed with a task, with what the policy makes of each for this borrower."""
    rows = await tx.holds_of_task(task)
    if not rows:
        return []
    dossier = (await tx.dossiers([task.borrower_id], at=now, since=now - HISTORY))[task.borrower_id]
    facts = await _facts(house, tx, task, dossier, now)
    barring = [(one.rule_id, one.citation, one.code) for one in house.decide(facts, now).reasons]
    rests = [rule for rule in house.policy.rules_of(candidate_jurisdictions(facts)) if isinstance(rule, Rest)]
    return [_hold(row, barring, rests) for row in rows]


def _hold(row: Row, barring: Sequence[tuple[str, str, str]], rests: Sequence[Rest]) -> TaskHold:
    hold_id, kind, case_id, since, until, lifted_at = row
    longest = max((rule.at_least for rule in rests if kind in rule.kinds and rule.at_least), default=None)
    return TaskHold(
        hold_id=hold_id,
        kind=kind,
        reach=THIS_CASE if case_id else EVERYTHING,
        since=since,
        until=until,
        lifted_at=lifted_at,
        barred_by=tuple((rule, cited) for rule, cited, code in barring if code == f"hold.{kind}" and cited),
        kept_until=since + longest if longest else None,
    )


async def _facts(house: House, tx: Tx, task: Task, dossier: Dossier, now: datetime) -> Facts:
    """Return the facts of a reminder that nobody wants to send: what is asked is what the holds bar."""
    case = (await tx.cases([task.case_id]))[task.case_id]
    creditor = house.creditors.get(case.creditor_id)
    return facts_for(
        dossier,
        case,
        touch_id=task.task_id,
        channel=Channel.SMS,
        purpose=Purpose.REMINDER,
        role=creditor.role if creditor else "third_party",
        actor="automated",
        at=now,
        expires_at=None,
        point=None,
    )
