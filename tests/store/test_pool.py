"""The pool of connections: one that the server has ended is replaced before anybody works on it."""

import asyncio

import psycopg

from outreach.store.pg import PgStore


def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(database: str) -> None:
    async def lives() -> tuple[int, int]:
        store = PgStore(database, size=1)
        await store.open()
        try:
            first = await _backend(store)
            with psycopg.connect(database, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s, 5000)", (first,))
            return first, await _backend(store)
        finally:
            await store.close()

    first, second = asyncio.run(lives())
    assert first != second


def test_a_connection_that_is_well_is_used_again(database: str) -> None:
    async def lives() -> set[int]:
        store = PgStore(database, size=1)
        await store.open()
        try:
            return {await _backend(store) for _ in range(3)}
        finally:
            await store.close()

    assert len(asyncio.run(lives())) == 1


async def _backend(store: PgStore) -> int:
    async with store._pool.connection() as connection:
        return connection.info.backend_pid
