"""What every store module shares: running a named query on the connection of one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, LiteralString
from uuid import UUID

import orjson
from psycopg import AsyncConnection, AsyncCursor
from psycopg.errors import PipelineAborted

from outreach.store.named import queries

Row = tuple[Any, ...]


Ask = tuple[str, str, Mapping[str, Any]]
"""A named query and its values: (aggregate, query, values)."""

_Statement = tuple[LiteralString, Mapping[str, Any] | None]


class Queries:
    """Named queries of one open transaction. Store modules derive from it, one an aggregate.

    What nobody waits for (``_write``, ``_put``) is kept and travels with the next statement that somebody waits for, or
    with the commit: the server runs everything in the order it was said, in a fraction of the round trips. A write that
    fails does so there, at the latest at the commit.
    """

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection
        self._unsent: list[_Statement] = []

    async def _rows(self, aggregate: str, query: str, /, **values: object) -> list[Row]:
        (cursor,) = await self._send((queries(aggregate)[query], _wire(values)))
        return await cursor.fetchall()

    async def _row(self, aggregate: str, query: str, /, **values: object) -> Row | None:
        (cursor,) = await self._send((queries(aggregate)[query], _wire(values)))
        return await cursor.fetchone()

    async def _run(self, aggregate: str, query: str, /, **values: object) -> int:
        (cursor,) = await self._send((queries(aggregate)[query], _wire(values)))
        return cursor.rowcount

    async def _many(self, *asks: Ask) -> list[list[Row]]:
        """Run several reads in one round trip; returns their rows in the same order."""
        cursors = await self._send(*((queries(aggregate)[query], _wire(values)) for aggregate, query, values in asks))
        return [await cursor.fetchall() for cursor in cursors]

    async def _bulk(self, aggregate: str, query: str, rows: Sequence[Any], /, **values: object) -> list[Row]:
        """Run a statement that unpacks ``rows`` from one JSON parameter: one round trip, whatever their number."""
        if not rows:
            return []
        (cursor,) = await self._send((queries(aggregate)[query], {"rows": _packed(rows), **values}))
        return await cursor.fetchall() if cursor.description else []

    def _write(self, aggregate: str, query: str, /, **values: object) -> None:
        """Say a statement whose result nobody needs: it is sent in company."""
        self._unsent.append((queries(aggregate)[query], _wire(values)))

    def _put(self, aggregate: str, query: str, rows: Sequence[Any], /, **values: object) -> None:
        """Say a bulk statement whose result nobody needs: it is sent in company."""
        if rows:
            self._unsent.append((queries(aggregate)[query], {"rows": _packed(rows), **values}))

    async def _send(self, *statements: _Statement) -> list[AsyncCursor[Row]]:
        """Send what waits, then ``statements``, in one round trip; returns their cursors."""
        waiting, self._unsent = self._unsent, []
        said = (*waiting, *statements)
        company = self._connection.pipeline() if len(said) > 1 else nullcontext()
        try:
            async with company:
                cursors = [await self._connection.execute(query, values) for query, values in said]
        except PipelineAborted as error:
            # It only says that a statement before it failed, and is of a class that means the store is away.
            raise error.__context__ or error from None
        return cursors[len(waiting) :]


def _packed(rows: Sequence[Any]) -> str:
    return orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()


def _wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write lists of ids the way Postgres reads them, in a tenth of the time the driver takes."""
    return {
        name: "{" + ",".join([each.hex for each in value]) + "}"
        if type(value) is list and value and type(value[0]) is UUID
        else value
        for name, value in values.items()
    }
