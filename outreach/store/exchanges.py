"""The exchange log in the store: written in batches beside what it is evidence of, dropped in batches by its age."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from outreach.store.base import Queries, Row


class Exchanges(Queries):
    """What went over the wire, redacted."""

    async def insert_exchanges(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store exchanges; one that is stored already stays as it is."""
        self._put("exchange", "insert_exchanges", rows)

    async def purge_exchanges(self, before: UUID, limit: int) -> int:
        """Drop exchanges whose time-ordered id is below ``before``; returns how many."""
        return await self._run("exchange", "purge_exchanges", before=before, limit=limit)

    async def attempts_named(self, name: str, case_id: UUID | None) -> list[Row]:
        """Return (attempt, touch, channel, state, outcome, started at, reference, token) of what a name stands for."""
        return await self._rows("exchange", "attempts_named", name=name, case_id=case_id)

    async def exchanges_of(self, attempts: Sequence[UUID], refs: Sequence[str]) -> list[Row]:
        """Return (id, way, at, channel, ref, ended, trips) of attempts, and of callbacks about them, in order."""
        return await self._rows("exchange", "exchanges_of", attempts=list(attempts), refs=list(refs))
