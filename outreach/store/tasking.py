"""Tasks for people in the store, and what was said on calls."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.tasks import Task
from outreach.store.base import Queries, Row


class Tasking(Queries):
    """Reads and writes of tasks. Whoever writes holds the borrower's lock."""

    async def list_tasks(
        self, *, kind: str | None, due_before: datetime | None, assigned_to: str | None, closed: bool, limit: int
    ) -> list[Row]:
        """Return tasks, the most overdue first; see the query for the columns."""
        return await self._rows(
            "task", "list_tasks", kind=kind, due_before=due_before, assigned_to=assigned_to, closed=closed, limit=limit
        )

    async def task_counts(self, at: datetime) -> list[Row]:
        """Return (kind, open, overdue) of every kind that has open tasks."""
        return await self._rows("task", "task_counts", at=at)

    async def task(self, task_id: UUID) -> Task | None:
        """Return one task, open or closed."""
        row = await self._row("task", "task", task_id=task_id)
        if row is None:
            return None
        task_id, case_id, borrower_id, kind, opened_at, due_at, detail, to, taken_at, at, by, disposition, note = row
        return Task(
            task_id=task_id,
            case_id=case_id,
            borrower_id=borrower_id,
            kind=kind,
            opened_at=opened_at,
            due_at=due_at,
            surface=str(detail.get("surface", "")),
            evidence=str(detail.get("evidence", "")),
            assigned_to=to,
            assigned_at=taken_at,
            closed_at=at,
            closed_by=by,
            disposition=disposition,
            note=note,
            detail=detail,
        )

    async def assign_task(self, task_id: UUID, to: str, at: datetime) -> bool:
        """Give an open task to somebody; False when it is theirs already, or closed."""
        return await self._row("task", "assign_task", task_id=task_id, to=to, at=at) is not None

    async def close_task(self, task_id: UUID, disposition: str, by: str, note: str | None, at: datetime) -> bool:
        """Close a task once; False when somebody else was faster."""
        row = await self._row("task", "close_task", task_id=task_id, disposition=disposition, by=by, note=note, at=at)
        return row is not None

    async def answers_since(self, case_id: UUID, channel: str, since: datetime) -> list[Row]:
        """Return (template, state, reason, not before) of the answers given since then, the newest first."""
        return await self._rows("task", "answers_since", case_id=case_id, channel=channel, since=since)

    async def unsaid_answers(self, touches: Iterable[UUID]) -> list[Row]:
        """Return (touch, case, channel, template, reason, evidence) of answers that ended unsaid, for a person."""
        return await self._rows("task", "unsaid_answers", touches=list(touches))

    async def holds_of_task(self, task: Task) -> list[Row]:
        """Return (hold, kind, case, since, until, lifted at) of what was placed together with a task."""
        if not task.evidence:
            return []
        return await self._rows(
            "task", "holds_of_task", borrower_id=task.borrower_id, case_id=task.case_id, evidence=task.evidence
        )

    async def others_open_on(self, task: Task) -> int:
        """Return how many other open tasks of the borrower rest on the same evidence."""
        row = await self._row(
            "task", "others_open_on", borrower_id=task.borrower_id, task_id=task.task_id, evidence=task.evidence
        )
        return int(row[0]) if row else 0

    async def lift_hold(self, hold_id: UUID, at: datetime) -> bool:
        """Lift one hold; False when it is lifted already."""
        return await self._row("task", "lift_one_hold", hold_id=hold_id, at=at) is not None

    async def reply_behind(self, inbox_id: UUID) -> Row | None:
        """Return (intent, also, confidence, channel, received at) of the reply a task came from."""
        return await self._row("task", "reply_behind", inbox_id=inbox_id)

    async def insert_call_turn(self, values: dict[str, Any]) -> None:
        """Keep what was said in one turn of a call."""
        self._write("task", "insert_call_turn", **values)

    async def call_turns(self, case_id: UUID) -> dict[tuple[UUID, int], tuple[str, str | None]]:
        """Return what was said on the calls of a case, by (attempt, turn): (by us, by them)."""
        rows = await self._rows("task", "call_turns", case_id=case_id)
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}
