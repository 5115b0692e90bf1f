"""What every store module shares: running a named query on the connection of one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from outreach.store.named import queries

Row = tuple[Any, ...]


Ask = tuple[str, str, Mapping[str, Any]]
"""A named query and its values: (aggregate, query, values)."""


class Queries:
    """Named queries of one open transaction. Store modules derive from it, one an aggregate."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection

    async def _rows(self, aggregate: str, query: str, /, **values: object) -> list[Row]:
        cursor = await self._connection.execute(queries(aggregate)[query], _wire(values))
        return await cursor.fetchall()

    async def _row(self, aggregate: str, query: str, /, **values: object) -> Row | None:
        cursor = await self._connection.execute(queries(aggregate)[query], _wire(values))
        return await cursor.fetchone()

    async def _run(self, aggregate: str, query: str, /, **values: object) -> int:
        cursor = await self._connection.execute(queries(aggregate)[query], _wire(values))
        return cursor.rowcount

    async def _many(self, *asks: Ask) -> list[list[Row]]:
        """Run several reads in one round trip; returns their rows in the same order."""
        async with self._connection.pipeline():
            cursors = [
                await self._connection.execute(queries(aggregate)[query], _wire(values))
                for aggregate, query, values in asks
            ]
            return [await cursor.fetchall() for cursor in cursors]

    async def _bulk(self, aggregate: str, query: str, rows: Sequence[Any], /, **values: object) -> list[Row]:
        """Run a statement that unpacks ``rows`` from one JSON parameter: one round trip, whatever their number."""
        if not rows:
            return []
        cursor = await self._connection.execute(queries(aggregate)[query], {"rows": _packed(rows), **values})
        return await cursor.fetchall() if cursor.description else []

    async def _bulks(self, aggregate: str, /, **statements: Sequence[Any]) -> None:
        """Run several bulk statements that return nothing in one round trip, in the order given."""
        async with self._connection.pipeline():
            for query, rows in statements.items():
                if rows:
                    await self._connection.execute(queries(aggregate)[query], {"rows": _packed(rows)})


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
