"""Contacts of other systems: staged by COPY, settled against each other and the store, put in batch by batch."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.pq import TransactionStatus

from outreach.domain.book import Conflict, Tallies, Tally
from outreach.domain.contacts import WRITTEN, ContactEntry
from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry
from outreach.domain.touch import RANK
from outreach.domain.words import Outcome, PointState
from outreach.store.base import Row
from outreach.store.dispatching import Dispatching
from outreach.store.named import queries

_BEFORE_RESOLVING = ("find_unknown_accounts", "find_unknown_borrowers", "find_foreign_accounts")
_AFTER_RESOLVING = ("find_erased_people", "find_repeated_contacts", "find_changed_contacts")
_CHUNK = 5_000
_TOLD = ("contact_id", "channel", "direction", "purpose", "outcome", "notice", "at")


class Contacts:
    """Takes contacts on one connection, which should be in autocommit mode: each batch then commits by itself."""

    def __init__(self, connection: AsyncConnection[Row], at: datetime) -> None:
        self._connection = connection
        self._at = at

    @asynccontextmanager
    async def staging(self) -> AsyncIterator["StagedContacts"]:
        """Open an empty staging area on this connection; it is gone after the block."""
        staged = StagedContacts(self._connection, self._at)
        await staged.open()
        try:
            yield staged
        finally:
            if self._connection.info.transaction_status in {TransactionStatus.IDLE, TransactionStatus.INTRANS}:
                await staged.close()


class StagedContacts(Dispatching):
    """The staging tables of one import. ``at`` is the instant that new identifiers carry."""

    def __init__(self, connection: AsyncConnection[Row], at: datetime) -> None:
        super().__init__(connection)
        self._at = at

    async def open(self) -> None:
        """Create the tables, dropping what a failed import left on this connection."""
        await self.close()
        await self._connection.execute(queries("contacts")["open_staging"])

    async def close(self) -> None:
        """Drop the tables."""
        await self._connection.execute(queries("contacts")["close_staging"])

    async def stage(self, entries: Iterable[ContactEntry]) -> None:
        """Copy sound lines in."""
        taken = list(entries)
        await self._copy("copy_contacts", [self._line(entry) for entry in taken])
        await self._copy("copy_accounts", [(entry.line, account) for entry in taken for account in entry.accounts])

    async def conflicts(self) -> AsyncIterator[Conflict]:
        """Take out, and yield by line, what contradicts another line or what is stored."""
        await self._connection.execute(queries("contacts")["index_staging"])
        for name in _BEFORE_RESOLVING:
            await self._run("contacts", name)
        await self._connection.execute(queries("contacts")["resolve"])
        for name in _AFTER_RESOLVING:
            await self._run("contacts", name)
        await self._run("contacts", "drop_conflicts")
        after = 0
        while rows := await self._rows("contacts", "conflicts_after", after=after, most=_CHUNK):
            for row in rows:
                yield Conflict(*row)
            after = rows[-1][0]

    async def batches(self, size: int) -> int:
        """Divide the contacts that are left by ``size``; returns the number of batches."""
        await self._connection.execute(sql.SQL(queries("contacts")["divide"]).format(size=sql.Literal(size)))
        row = await self._row("contacts", "last_batch")
        return 0 if row is None or row[0] is None else int(row[0]) + 1

    async def compare(self, batch: int) -> Tallies:
        """Count what ``apply`` would do with one batch."""
        row = await self._row("contacts", "compare", batch=batch)
        return {"contacts": Tally(*(row or ()))}

    async def apply(self, batch: int, at: datetime) -> Tallies:
        """Put one batch in, in one transaction, under the lock of its borrowers and who shares a number with them."""
        async with self._connection.transaction():
            people = [row[0] for row in await self._rows("contacts", "borrowers_of_batch", batch=batch)]
            await self.lock_borrowers(people)
            tallies = await self.compare(batch)
            rows = await self._rows("contacts", "put_contacts", batch=batch, at=at)
            await self._tell(rows, at)
            await self._learn(rows, at)
            await self.write_told()
        return tallies

    async def _tell(self, rows: Sequence[Row], at: datetime) -> None:
        """Say each contact on the timelines of the cases it is about: ids and codes only."""
        told = {row[0]: dict(zip(_TOLD, (row[0], *row[3:9]), strict=True)) for row in rows}
        about = await self._rows("contacts", "cases_about", contacts=list(told)) if told else []
        await self.append([Entry(case, at, "contact.recorded", told[contact]) for contact, case in about])

    async def _learn(self, rows: Sequence[Row], at: datetime) -> None:
        """Act on what contacts say of numbers: somebody else's, or used by the person themselves."""
        wrong = {row[9] for row in rows if row[9] and row[6] == Outcome.WRONG_PARTY}
        used = {(row[1], row[9]) for row in rows if row[9] and row[4] == "in" and row[3] in WRITTEN}
        for borrower, value in sorted(used, key=str):
            if value not in wrong:
                await self.confirm_points(borrower, value, at)
        if not wrong:
            return
        dead = await self._rows("contacts", "points_of_values", values=sorted(wrong))
        await self.mark_points([_dead(point) for point, *_ in dead], at)
        entries = []
        for point, borrower, _ in dead:
            told: dict[str, Any] = {"contact_point_id": point, "state": PointState.WRONG_PARTY, "reasons": ["said_so"]}
            cases = await self._rows("intake", "open_cases_of", borrower_id=borrower)
            entries += [Entry(case, at, "contact_point.demoted", told) for (case,) in cases]
        await self.append(entries)

    async def _copy(self, name: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        async with self._connection.cursor() as cursor, cursor.copy(queries("contacts")[name]) as copy:
            for row in rows:
                await copy.write_row(row)

    def _line(self, entry: ContactEntry) -> Row:
        return (
            entry.line, new_id(self._at), entry.by, entry.contact_id, entry.borrower, list(entry.accounts),
            entry.channel, entry.direction, entry.purpose, entry.outcome, RANK[entry.outcome], entry.notice,
            entry.value, entry.at,
        )  # fmt: skip


def _dead(point: UUID) -> dict[str, Any]:
    return {"contact_point_id": point, "state": PointState.WRONG_PARTY, "reason": "said_so"}
