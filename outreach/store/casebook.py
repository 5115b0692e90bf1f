"""Reading the case record: for people, for explain, for the ledger."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from outreach.store.base import Queries, Row
from outreach.store.named import queries


class Casebook(Queries):
    """Read only."""

    async def find_case(self, ref: str) -> UUID | None:
        """Return the case that a case id, account reference or borrower reference names."""
        row = await self._row("case", "find_case", ref=ref)
        return row[0] if row else None

    async def story(self, case_id: UUID) -> list[Row]:
        """Return the timeline: (seq, at, kind, data as the exact text that was hashed, prev_hash, hash)."""
        return await self._rows("case", "story", case_id=case_id)

    async def attempt_texts(self, case_id: UUID) -> dict[UUID, Row]:
        """Return what left, by attempt: (id, channel, subject, body, outcome, anomaly, segments, ref, locale)."""
        return {row[0]: row for row in await self._rows("case", "attempt_texts", case_id=case_id)}

    async def reply_texts(self, case_id: UUID) -> dict[UUID, Row]:
        """Return what the borrower answered, by reply: (id, channel, body, intent, confidence, received_at)."""
        return {row[0]: row for row in await self._rows("case", "reply_texts", case_id=case_id)}

    async def decisions_of_case(self, case_id: UUID) -> list[Row]:
        """Return (decision, at, verdict, until, policy version, channel, reasons)."""
        return await self._rows("case", "decisions_of_case", case_id=case_id)

    async def decision(self, decision_id: UUID) -> Row | None:
        """Return one decision with the facts it was made from, as stored text."""
        return await self._row("case", "decision", decision_id=decision_id)

    async def touches_of_case(self, case_id: UUID) -> list[Row]:
        """Return (touch, state, channel, template, due_at, not_before, reason)."""
        return await self._rows("case", "touches_of_case", case_id=case_id)

    async def counts(self) -> Row:
        """Return counts of the whole book; see the query for their order."""
        return await self._row("case", "counts") or ()

    def ledger(self, since: datetime | None, until: datetime | None) -> AsyncIterator[Row]:
        """Stream the ledger through a server-side cursor: constant memory, whatever its length."""
        return self._stream("ledger", {"since": since, "until": until})

    def chains(self) -> AsyncIterator[Row]:
        """Stream every timeline entry in case and sequence order."""
        return self._stream("chains", {})

    async def _stream(self, name: str, values: dict[str, object]) -> AsyncIterator[Row]:
        await self._send()
        async with self._connection.cursor(name=name) as cursor:
            cursor.itersize = 2000
            await cursor.execute(queries("case")[name], values)
            async for row in cursor:
                yield row
