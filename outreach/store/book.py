"""Books: staged by COPY into temporary tables, then put in set by set. Idempotent on the lender's own identifiers."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache

from psycopg import AsyncConnection, sql
from psycopg.pq import TransactionStatus

from outreach.domain.book import FACTS, REVOKED_IN_BOOK, SOURCE, BookEntry, Conflict, Tallies, Tally
from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry, chain
from outreach.store.base import Queries, Row
from outreach.store.named import queries

_FIND_CONFLICTS = (
    "find_erased_borrowers", "find_differing_borrowers", "find_moved_accounts", "find_repeated_accounts",
)  # fmt: skip
_CHUNK = 5_000


class Books:
    """Takes books on one connection, which should be in autocommit mode: each batch then commits by itself."""

    def __init__(self, connection: AsyncConnection[Row], at: datetime) -> None:
        self._connection = connection
        self._at = at

    @asynccontextmanager
    async def staging(self) -> AsyncIterator["StagedLines"]:
        """Open an empty staging area on this connection; it is gone after the block."""
        staged = StagedLines(self._connection, self._at)
        await staged.open()
        try:
            yield staged
        finally:
            # On a failed transaction or a lost connection the tables are gone, or go with it.
            if self._connection.info.transaction_status in {TransactionStatus.IDLE, TransactionStatus.INTRANS}:
                await staged.close()


class StagedLines(Queries):
    """The staging tables of one import. ``at`` is the instant that new identifiers carry."""

    def __init__(self, connection: AsyncConnection[Row], at: datetime) -> None:
        super().__init__(connection)
        self._at = at

    async def open(self) -> None:
        """Create the tables, dropping what a failed import left on this connection."""
        await self.close()
        await self._connection.execute(queries("book")["open_staging"])

    async def close(self) -> None:
        """Drop the tables."""
        await self._connection.execute(queries("book")["close_staging"])

    async def stage(self, entries: Iterable[BookEntry]) -> None:
        """Copy sound lines in."""
        taken = list(entries)
        await self._copy("copy_lines", [self._line(entry) for entry in taken])
        await self._copy("copy_accounts", [row for entry in taken for row in self._accounts(entry)])
        await self._copy("copy_points", [row for entry in taken for row in self._points(entry)])
        await self._copy("copy_consents", [row for entry in taken for row in self._consents(entry)])

    async def conflicts(self) -> AsyncIterator[Conflict]:
        """Take out, and yield by line, what contradicts another line or what is stored."""
        await self._connection.execute(queries("book")["index_staging"])
        for name in _FIND_CONFLICTS:
            await self._run("book", name)
        await self._run("book", "drop_conflicts")
        after = 0
        while rows := await self._rows("book", "conflicts_after", after=after, most=_CHUNK):
            for row in rows:
                yield Conflict(*row)
            after = rows[-1][0]

    async def batches(self, size: int) -> int:
        """Divide the borrowers that are left by ``size``; returns the number of batches."""
        divide = sql.SQL(queries("book")["divide"]).format(size=sql.Literal(size))
        await self._connection.execute(divide)
        row = await self._row("book", "last_batch")
        return 0 if row is None or row[0] is None else int(row[0]) + 1

    async def compare(self, batch: int) -> Tallies:
        """Count what ``apply`` would do with one batch."""
        rows = await self._rows("book", "compare", batch=batch, source=SOURCE)
        counted = {name: Tally(*counts) for name, *counts in rows}
        return {name: counted.get(name, Tally()) for name in FACTS}

    async def apply(self, batch: int, at: datetime) -> Tallies:
        """Put one batch in, in one transaction, under the lock of its borrowers."""
        async with self._connection.transaction():
            await self._run("book", "lock_borrowers", batch=batch)
            tallies = await self.compare(batch)
            await self._run("book", "put_borrowers", batch=batch, at=at)
            await self._run("book", "put_accounts", batch=batch, at=at)
            await self._open_cases(batch, at)
            await self._run("book", "put_points", batch=batch, at=at)
            await self._run("book", "put_consents", batch=batch, source=SOURCE)
            await self._run("book", "put_suppressions", batch=batch, source=SOURCE, reason=REVOKED_IN_BOOK)
            await self._run("book", "lift_suppressions", batch=batch, at=at, source=SOURCE, reason=REVOKED_IN_BOOK)
        return tallies

    async def _open_cases(self, batch: int, at: datetime) -> None:
        """Open a case, with the first entry of its timeline, for each account that is new."""
        rows = await self._rows("book", "accounts_put_first", batch=batch)
        entries = [
            Entry(case_id, at, "case.opened", {
                "source": SOURCE, "account_id": str(account_id), "currency": currency,
                "amount_due_minor": amount_due, "due_on": due_on.isoformat(),
            })
            for case_id, account_id, _, _, currency, amount_due, due_on in rows
        ]  # fmt: skip
        links = chain(entries, {entry.case_id: (0, "") for entry in entries})
        cases = [
            {
                "case_id": case_id, "account_id": account_id, "borrower_id": borrower_id, "creditor_id": creditor_id,
                "timeline_seq": link.seq, "timeline_hash": link.hash,
            }
            for (case_id, account_id, borrower_id, creditor_id, *_), link in zip(rows, links, strict=True)
        ]  # fmt: skip
        await self._bulk("book", "open_cases", cases, at=at)
        await self._bulk("book", "begin_timelines", links)

    async def _copy(self, name: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        async with self._connection.cursor() as cursor, cursor.copy(queries("book")[name]) as copy:
            for row in rows:
                await copy.write_row(row)

    def _line(self, entry: BookEntry) -> Row:
        who = entry.borrower
        return (
            entry.line, who.external_id, new_id(self._at), who.given_name, who.family_name, who.birth_year, who.locale,
            who.country, who.subdivision, who.postcode, who.city, who.address_line, _array(who.jurisdictions),
            _array(who.zones),
        )  # fmt: skip

    def _accounts(self, entry: BookEntry) -> Iterable[Row]:
        for owed in entry.accounts:
            yield (
                entry.line, owed.external_id, new_id(self._at), new_id(self._at), owed.creditor_id, owed.product,
                owed.currency, owed.balance_minor, owed.amount_due_minor, owed.due_on, owed.charged_off,
                owed.time_barred, owed.accelerated, owed.creditor_kind,
            )  # fmt: skip

    def _points(self, entry: BookEntry) -> Iterable[Row]:
        for point in entry.points:
            yield (
                entry.line, new_id(self._at), point.kind, point.value, point.type, point.label, _array(point.regions),
                _array(point.zones), point.priority,
            )  # fmt: skip

    def _consents(self, entry: BookEntry) -> Iterable[Row]:
        for consent in entry.consents:
            yield (
                entry.line, new_id(self._at), consent.kind, consent.channel, consent.state, consent.at,
                consent.expires_at,
            )  # fmt: skip


@lru_cache(maxsize=4096)
def _array(codes: tuple[str, ...]) -> str:
    """Write codes and zone names as Postgres writes an array; they hold nothing that would need quotes."""
    return f"{{{','.join(codes)}}}"
