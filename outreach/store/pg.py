"""The store: a pool of connections and the transactions that flows work in."""

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from outreach.store.agreeing import Agreeing
from outreach.store.approving import Approving
from outreach.store.auditing import Auditing
from outreach.store.base import Row
from outreach.store.calling import Calling
from outreach.store.caring import Caring
from outreach.store.casebook import Casebook
from outreach.store.dispatching import Dispatching
from outreach.store.exchanges import Exchanges
from outreach.store.lines import Lines
from outreach.store.mailboxes import Mailboxes
from outreach.store.operating import Operating
from outreach.store.outgoing import Outgoing
from outreach.store.protecting import Protecting
from outreach.store.receiving import Receiving
from outreach.store.scheduling import Scheduling
from outreach.store.switching import Switching
from outreach.store.tasking import Tasking
from outreach.store.visiting import Visiting

_BEGIN, _COMMIT = ("begin", None), ("commit", None)


class PgTx(
    Calling,
    Dispatching,
    Switching,
    Scheduling,
    Receiving,
    Operating,
    Casebook,
    Auditing,
    Approving,
    Agreeing,
    Mailboxes,
    Outgoing,
    Lines,
    Protecting,
    Caring,
    Tasking,
    Visiting,
    Exchanges,
):
    """Everything one transaction can read and write. It begins with its first statement and ends with ``commit``."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        super().__init__(connection)
        self._unsent.append(_BEGIN)

    async def commit(self) -> None:
        """Write the timelines and commit, in company of what was not sent yet."""
        await self._chain_told()
        if self._unsent == [_BEGIN]:
            return
        (ended,) = await self._send(_COMMIT)
        if ended.statusmessage != "COMMIT":  # Postgres rolls back in silence what failed before
            raise psycopg.errors.InFailedSqlTransaction


async def _look(connection: AsyncConnection[Row]) -> None:
    """Ask a connection whether it works only when it looks as if the server had hung up.

    A server says nothing to a connection at rest: what can be read there is its farewell. Asking each time would cost
    every transaction a round trip. Raises what the connection raises when it is broken.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)


class PgStore:
    """Postgres. Sessions run in UTC; a lock that cannot be had in 10 s fails, so that nothing hangs for ever."""

    def __init__(self, dsn: str, size: int = 8) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[Row]] = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=size,
            open=False,
            timeout=30,
            check=_look,
            kwargs={
                "autocommit": True,
                "options": "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
            },
            name="outreach",
        )

    async def open(self) -> None:
        """Open the pool; waits until one connection is there."""
        await self._pool.open(wait=True, timeout=30)

    async def close(self) -> None:
        """Give every connection back."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PgTx]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        async with self._pool.connection() as connection:
            tx = PgTx(connection)
            yield tx
            await tx.commit()


def is_store_away(error: BaseException) -> bool:
    """Tell whether an error means that Postgres is restarting or out of reach, or chose us in a deadlock."""
    away = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, psycopg.errors.DeadlockDetected)
    return isinstance(error, away)
