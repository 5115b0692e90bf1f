"""What flows need of the store about kill switches and about who competes for a borrower's slots."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from outreach.domain.enrollment import DueEnrollment
from outreach.domain.touch import Touch

Row = tuple[Any, ...]


class SwitchTx(Protocol):
    """The part of a transaction that is about switches and slots. Meanings: outreach.store.switching."""

    async def switches(self, at: datetime) -> set[tuple[str, str]]:
        """Read what is paused: (scope, key)."""
        ...

    async def set_switch(
        self, scope: str, key: str, reason: str, at: datetime, *, by: str = "system", until: datetime | None = None
    ) -> None:
        """Pause something and record who did."""
        ...

    async def clear_switch(self, scope: str, key: str, at: datetime, *, by: str, catch_up: str) -> int:
        """Lift a pause and record who did and how it goes on; returns 0 when there was none."""
        ...

    async def end_switches(self, at: datetime) -> int:
        """Take away the switches whose end has come; returns how many."""
        ...

    async def list_switches(self, at: datetime) -> list[Row]:
        """Return what is paused: (scope, key, since, reason, set by, until, campaign name, touches held back)."""
        ...

    async def switch_log(self, limit: int) -> list[Row]:
        """Return the latest entries: (at, action, scope, key, by, reason, until, catch-up, campaign name)."""
        ...

    async def free_touches(self, at: datetime, limit: int) -> list[Row]:
        """Return (touch, borrower) of what was held back and is not any more."""
        ...

    async def release_held(self, touches: Sequence[UUID], at: datetime) -> list[Row]:
        """Let go on, or drop, what no switch holds any more; returns (touch, case, step, channel, state)."""
        ...

    async def due_waiting(self, at: datetime, after: UUID, limit: int) -> list[Row]:
        """Return a page of what is due and not decided: (touch, borrower, channel, plan, campaign, places)."""
        ...

    async def drop_waiting(self, touches: Sequence[UUID], at: datetime) -> list[Row]:
        """Cancel what is due and has not started; returns (touch, case, step, channel)."""
        ...

    async def waiting_groups(self, at: datetime, until: datetime) -> list[Row]:
        """Return (queued or due, channel, plan, plan version, step, campaign, places, how many) of what waits."""
        ...

    async def calls_under_way(self, since: datetime, at: datetime) -> list[Row]:
        """Return calls placed since ``since`` that have not ended, as far as anybody told us."""
        ...

    async def late_calls(self, since: datetime, at: datetime, limit: int) -> list[Row]:
        """Return (attempt, case, channel, token, provider's reference) of calls that ring on after their hours."""
        ...

    async def insert_recalls(self, rows: Sequence[dict[str, Any]]) -> None:
        """Note which calls a provider was asked to take back, and whether it did."""
        ...

    async def scopes_of_call(self, attempt_id: UUID) -> Row | None:
        """Return (plan, campaign, places) of a call."""
        ...

    async def rivals(
        self, borrowers: Sequence[UUID], touches: Sequence[UUID], above: int, since: datetime, at: datetime
    ) -> list[Touch]:
        """Read what else fell due to ``borrowers`` since ``since`` with a priority ``above`` that, best first."""
        ...

    async def coming_touches(
        self, borrowers: Sequence[UUID], above: int, now: datetime, until: datetime
    ) -> list[tuple[datetime, Touch]]:
        """Read touches of ``borrowers`` with a priority ``above`` that whose time comes by ``until``, soonest first."""
        ...

    async def coming_steps(
        self, borrowers: Sequence[UUID], above: int, now: datetime, until: datetime
    ) -> list[DueEnrollment]:
        """Read steps of ``borrowers`` with a priority ``above`` that which fall due by ``until``, soonest first."""
        ...

    async def left_since(self, borrowers: Iterable[UUID], since: datetime, at: datetime) -> list[Row]:
        """Return (borrower, touch, priority, when) of what left to ``borrowers``, the latest first."""
        ...

    async def due_bulk(self, rows: Sequence[dict[str, Any]], at: datetime) -> list[Row]:
        """Return (channel, due bulk that waits for its lane, counted up to the ``most`` asked for)."""
        ...

    async def count_due(self, at: datetime, most: int) -> int:
        """Count the enrollments whose step is due, no further than ``most``."""
        ...

    async def in_lanes(self) -> list[Row]:
        """Return (channel, level, how many) of what is queued."""
        ...
