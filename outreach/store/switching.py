"""Kill switches in the store: what is paused, what that holds back; and who competes for a borrower's slots."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.enrollment import DueEnrollment
from outreach.domain.ids import new_id
from outreach.domain.touch import Touch
from outreach.store.base import Queries, Row


class Switching(Queries):
    """Reads and writes of switches. Every call takes the instant; a switch whose end has come is in force no more."""

    async def switches(self, at: datetime) -> set[tuple[str, str]]:
        """Read what is paused: (scope, key)."""
        return {(row[0], row[1]) for row in await self._rows("switch", "switches", at=at)}

    async def set_switch(
        self, scope: str, key: str, reason: str, at: datetime, *, by: str = "system", until: datetime | None = None
    ) -> None:
        """Pause something and record who did. One in force only becomes longer, and ``system`` leaves it as it is."""
        self._write(
            "switch", "set_switch", scope=scope, key=key, reason=reason, at=at, by=by, until=until, log_id=new_id(at)
        )

    async def clear_switch(self, scope: str, key: str, at: datetime, *, by: str, catch_up: str) -> int:
        """Lift a pause and record who did and how it goes on; returns 0 when there was none."""
        return await self._run(
            "switch", "clear_switch", scope=scope, key=key, at=at, by=by, catch_up=catch_up, log_id=new_id(at)
        )

    async def end_switches(self, at: datetime) -> int:
        """Take away the switches whose end has come; returns how many."""
        return await self._run("switch", "end_switches", at=at)

    async def list_switches(self, at: datetime) -> list[Row]:
        """Return what is paused: (scope, key, since, reason, set by, until, campaign name, touches held back)."""
        return await self._rows("switch", "list_switches", at=at)

    async def switch_log(self, limit: int) -> list[Row]:
        """Return the latest entries: (at, action, scope, key, by, reason, until, catch-up, campaign name)."""
        return await self._rows("switch", "switch_log", limit=limit)

    async def free_touches(self, at: datetime, limit: int) -> list[Row]:
        """Return (touch, borrower) of what was held back and is not any more."""
        return await self._rows("switch", "free_touches", at=at, limit=limit)

    async def release_held(self, touches: Sequence[UUID], at: datetime) -> list[Row]:
        """Let go on, or drop, what no switch holds any more; returns (touch, case, step, channel, state)."""
        return await self._rows("switch", "release_held", touches=list(touches), at=at)

    async def due_waiting(self, at: datetime, after: UUID, limit: int) -> list[Row]:
        """Return a page of what is due and not decided: (touch, borrower, channel, plan, campaign, places)."""
        return await self._rows("switch", "due_waiting", at=at, after=after, limit=limit)

    async def drop_waiting(self, touches: Sequence[UUID], at: datetime) -> list[Row]:
        """Cancel what is due and has not started; returns (touch, case, step, channel)."""
        return await self._rows("switch", "drop_waiting", touches=list(touches), at=at)

    async def waiting_groups(self, at: datetime, until: datetime) -> list[Row]:
        """Return (queued or due, channel, plan, plan version, step, campaign, places, how many) of what waits."""
        return await self._rows("switch", "waiting_groups", at=at, until=until)

    async def calls_under_way(self, since: datetime, at: datetime) -> list[Row]:
        """Return calls placed since ``since`` that have not ended, as far as anybody told us.

        Rows: (attempt, case, channel, token, provider ref, plan, campaign, places, whether somebody talks, whether the
        provider was asked to take it back).
        """
        return await self._rows("switch", "calls_under_way", since=since, at=at)

    async def late_calls(self, since: datetime, at: datetime, limit: int) -> list[Row]:
        """Return (attempt, case, channel, token, provider's reference) of calls that ring on after their hours."""
        return await self._rows("switch", "late_calls", since=since, at=at, limit=limit)

    async def insert_recalls(self, rows: Sequence[dict[str, Any]]) -> None:
        """Note which calls a provider was asked to take back, and whether it did."""
        self._put("switch", "insert_recalls", rows)

    async def scopes_of_call(self, attempt_id: UUID) -> Row | None:
        """Return (plan, campaign, places) of a call."""
        return await self._row("switch", "scopes_of_call", attempt_id=attempt_id)

    async def rivals(
        self, borrowers: Sequence[UUID], touches: Sequence[UUID], above: int, since: datetime, at: datetime
    ) -> list[Touch]:
        """Read what else fell due to ``borrowers`` since ``since`` with a priority ``above`` that, best first."""
        rows = await self._rows(
            "switch", "rivals", borrowers=list(borrowers), touches=list(touches), above=above, since=since, at=at
        )
        return [_touch(list(row)) for row in rows]

    async def coming_touches(
        self, borrowers: Sequence[UUID], above: int, now: datetime, until: datetime
    ) -> list[tuple[datetime, Touch]]:
        """Read touches of ``borrowers`` with a priority ``above`` that whose time comes by ``until``, soonest first."""
        rows = await self._rows(
            "switch", "coming_touches", borrowers=list(borrowers), above=above, now=now, until=until
        )
        return [(row[0], _touch(list(row[1:]))) for row in rows]

    async def coming_steps(
        self, borrowers: Sequence[UUID], above: int, now: datetime, until: datetime
    ) -> list[DueEnrollment]:
        """Read steps of ``borrowers`` with a priority ``above`` that which fall due by ``until``, soonest first."""
        rows = await self._rows("switch", "coming_steps", borrowers=list(borrowers), above=above, now=now, until=until)
        return [DueEnrollment(*row) for row in rows]

    async def left_since(self, borrowers: Iterable[UUID], since: datetime, at: datetime) -> list[Row]:
        """Return (borrower, touch, priority, when) of what left to ``borrowers``, the latest first."""
        return await self._rows("switch", "left_since", borrowers=list(borrowers), since=since, at=at)

    async def due_bulk(self, rows: Sequence[dict[str, Any]], at: datetime) -> list[Row]:
        """Return (channel, due bulk that waits for its lane, counted up to the ``most`` asked for)."""
        return await self._bulk("switch", "due_bulk", rows, at=at)

    async def count_due(self, at: datetime, most: int) -> int:
        """Count the enrollments whose step is due, no further than ``most``."""
        row = await self._row("switch", "count_due", at=at, most=most)
        return int(row[0]) if row else 0

    async def in_lanes(self) -> list[Row]:
        """Return (channel, level, how many) of what is queued."""
        return await self._rows("switch", "in_lanes")


def _touch(values: list[Any]) -> Touch:
    values[9] = tuple(values[9])  # the driver reads arrays as lists
    return Touch(*values)
