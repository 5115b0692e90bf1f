"""Reading decisions and attempts back, so that they can be decided and counted again."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from outreach.store.base import Queries, Row
from outreach.store.named import queries


class Auditing(Queries):
    """Reads for the audit. What may be long comes through a server-side cursor: constant memory."""

    async def count_sends(self, since: datetime | None, until: datetime | None) -> int:
        """Count the attempts started from ``since`` on and before ``until``."""
        row = await self._row("audit", "count_sends", since=since, until=until)
        return int(row[0]) if row else 0

    def sends(
        self, since: datetime | None, until: datetime | None, part: tuple[int, int] = (0, 1)
    ) -> AsyncIterator[Row]:
        """Stream attempts with the decisions they name, borrower by borrower; see the query for the columns.

        ``part`` (which, of how many) leaves out the borrowers of the other parts.
        """
        return self._read("sends", {"since": since, "until": until, "part": part[0], "parts": part[1]})

    async def count_unsent(self, since: datetime | None, until: datetime | None) -> int:
        """Count the decisions from ``since`` on and before ``until`` that no attempt followed."""
        row = await self._row("audit", "count_unsent", since=since, until=until)
        return int(row[0]) if row else 0

    def unsent(
        self, since: datetime | None, until: datetime | None, part: tuple[int, int] = (0, 1)
    ) -> AsyncIterator[Row]:
        """Stream the decisions that no attempt followed; see the query for the columns."""
        return self._read("unsent", {"since": since, "until": until, "part": part[0], "parts": part[1]})

    async def contacts_before(self, borrowers: Sequence[UUID], since: datetime, until: datetime) -> list[Row]:
        """Return what left to ``borrowers`` and to who shares a number with them, after ``since`` up to ``until``.

        Rows: (borrower, attempt, touch, at, channel, outcome, state, case, creditor, the borrower's own contact point,
        purpose, whether it went to the borrower themselves).
        """
        return await self._rows("audit", "contacts_before", borrowers=list(borrowers), since=since, until=until)

    async def contacts_elsewhere(self, borrowers: Sequence[UUID], since: datetime, until: datetime) -> list[Row]:
        """Return what other systems did with ``borrowers``: (borrower, at, channel, outcome, when we were told)."""
        return await self._rows("audit", "contacts_elsewhere", borrowers=list(borrowers), since=since, until=until)

    async def refusals_and_holds(self, borrowers: Sequence[UUID]) -> list[Row]:
        """Return (borrower, suppression or hold, reason or kind, since, until, lifted at, creditor), ended ones too.

        With a creditor it is about that creditor's debts only.
        """
        return await self._rows("audit", "refusals_and_holds", borrowers=list(borrowers))

    async def live_plans(self, case_id: UUID) -> list[Row]:
        """Return (plan, campaign or None) of everything that is, or may be, planned for a case."""
        return await self._rows("audit", "live_plans", case_id=case_id)

    async def policy_versions(self) -> list[Row]:
        """Return (version, stored at) of the newest policy versions."""
        return await self._rows("audit", "policy_versions")

    async def newest_decision(self) -> datetime | None:
        """Return the instant of the newest decision, or None when there is none."""
        row = await self._row("audit", "newest_decision")
        return row[0] if row else None

    async def count_decisions(self, since: datetime) -> int:
        """Count the decisions after ``since``."""
        row = await self._row("audit", "count_decisions", since=since)
        return int(row[0]) if row else 0

    def decisions(self, since: datetime) -> AsyncIterator[Row]:
        """Stream the decisions after ``since``: (touch, at, verdict, policy version, facts as stored text)."""
        return self._read("decisions", {"since": since})

    async def _read(self, name: str, values: dict[str, object]) -> AsyncIterator[Row]:
        await self._send()
        async with self._connection.cursor(name=f"audit_{name}") as cursor:
            cursor.itersize = 500
            await cursor.execute(queries("audit")[name], values)
            async for row in cursor:
                yield row
