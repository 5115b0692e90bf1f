"""What flows need of the store about tasks for people, and about what was said on calls."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from outreach.domain.tasks import Task

Row = tuple[Any, ...]


class TaskTx(Protocol):
    """The part of a transaction that is about tasks. Meanings: outreach.store.tasking."""

    async def list_tasks(
        self, *, kind: str | None, due_before: datetime | None, assigned_to: str | None, closed: bool, limit: int
    ) -> list[Row]:
        """Return tasks, the most overdue first; see the query for the columns."""
        ...

    async def task_counts(self, at: datetime) -> list[Row]:
        """Return (kind, open, overdue) of every kind that has open tasks."""
        ...

    async def task(self, task_id: UUID) -> Task | None:
        """Return one task, open or closed."""
        ...

    async def assign_task(self, task_id: UUID, to: str, at: datetime) -> bool:
        """Give an open task to somebody; False when it is theirs already, or closed."""
        ...

    async def close_task(self, task_id: UUID, disposition: str, by: str, note: str | None, at: datetime) -> bool:
        """Close a task once; False when somebody else was faster."""
        ...

    async def answers_since(self, case_id: UUID, channel: str, since: datetime) -> list[Row]:
        """Return (template, state, reason, not before) of the answers given since then, the newest first."""
        ...

    async def unsaid_answers(self, touches: Iterable[UUID]) -> list[Row]:
        """Return (touch, case, channel, template, reason, evidence) of answers that ended unsaid, for a person."""
        ...

    async def holds_of_task(self, task: Task) -> list[Row]:
        """Return (hold, kind, case, since, until, lifted at) of what was placed together with a task."""
        ...

    async def others_open_on(self, task: Task) -> int:
        """Return how many other open tasks of the borrower rest on the same evidence."""
        ...

    async def lift_hold(self, hold_id: UUID, at: datetime) -> bool:
        """Lift one hold; False when it is lifted already."""
        ...

    async def reply_behind(self, inbox_id: UUID) -> Row | None:
        """Return (intent, also, confidence, channel, received at) of the reply a task came from."""
        ...

    async def insert_call_turn(self, values: dict[str, Any]) -> None:
        """Keep what was said in one turn of a call."""
        ...

    async def call_turns(self, case_id: UUID) -> dict[tuple[UUID, int], tuple[str, str | None]]:
        """Return what was said on the calls of a case, by (attempt, turn): (by us, by them)."""
        ...
