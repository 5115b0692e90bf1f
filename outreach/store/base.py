"""What every store module shares: running a named query on the connection of one transaction."""

from collections.abc import Sequence
from typing import Any

import orjson
from psycopg import AsyncConnection

from outreach.store.named import queries

Row = tuple[Any, ...]


class Queries:
    """Named queries of one open transaction. Store modules derive from it, one an aggregate."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection

    async def _rows(self, aggregate: str, query: str, /, **values: object) -> list[Row]:
        cursor = await self._connection.execute(queries(aggregate)[query], values)
        return await cursor.fetchall()

    async def _row(self, aggregate: str, query: str, /, **values: object) -> Row | None:
        cursor = await self._connection.execute(queries(aggregate)[query], values)
        return await cursor.fetchone()

    async def _run(self, aggregate: str, query: str, /, **values: object) -> int:
        cursor = await self._connection.execute(queries(aggregate)[query], values)
        return cursor.rowcount

    async def _bulk(self, aggregate: str, query: str, rows: Sequence[Any], /, **values: object) -> list[Row]:
        """Run a statement that unpacks ``rows`` from one JSON parameter: one round trip, whatever their number."""
        if not rows:
            return []
        text = orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()
        cursor = await self._connection.execute(queries(aggregate)[query], {"rows": text, **values})
        return await cursor.fetchall() if cursor.description else []
