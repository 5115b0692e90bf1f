"""A transaction of the store: what travels together, what fails, and a connection that the server has closed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from outreach.domain.timeline import Entry
from outreach.store.pg import PgStore, PgTx, is_store_away
from tests.support.book import START, Someone, put
from tests.support.house import rows

ADA = Someone()


@pytest.fixture(scope="module")
def people(module_database: str) -> str:
    put(module_database, ADA)
    return module_database


@pytest.fixture
async def store(people: str) -> AsyncIterator[PgStore]:
    found = PgStore(people, size=2)
    await found.open()
    yield found
    await found.close()


async def permit(tx: PgTx, evidence: str, kind: str | None = "reply_in_thread") -> None:
    await tx.insert_permission(
        {"permission_id": UUID(int=hash(evidence) % 2**64), "borrower_id": ADA.borrower_id, "kind": kind,
         "channel": "sms", "since_at": START, "until_at": START + timedelta(hours=1), "evidence": evidence}
    )  # fmt: skip


async def write(store: PgStore, *kinds: str | None, raising: Exception | None = None) -> None:
    """Write one permission a kind (named by its place), of which None cannot be stored."""
    async with store.transaction() as tx:
        for place, kind in enumerate(kinds):
            await permit(tx, f"{place}", kind)
        await tx.append([Entry(ADA.case_id, START, "permission", {})])
        if raising:
            raise raising


def permitted(dsn: str, evidence: str) -> int:
    return len(rows(dsn, "select 1 from permission where evidence = %s", evidence))


async def seen(tx: PgTx) -> list[str | None]:
    later = START + timedelta(minutes=1)
    dossiers = await tx.dossiers([ADA.borrower_id], at=later, since=START - timedelta(days=1))
    return [each.evidence for each in dossiers[ADA.borrower_id].overrides]


async def test_what_was_written_is_there_for_the_next_read_and_after_the_commit(store: PgStore, people: str) -> None:
    async with store.transaction() as tx:
        await permit(tx, "read")
        assert "read" in await seen(tx)
        await permit(tx, "commit")
    assert (permitted(people, "read"), permitted(people, "commit")) == (1, 1)


KIND = "reply_in_thread"


async def test_a_write_that_fails_at_the_commit_says_why_and_leaves_nothing(store: PgStore, people: str) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation) as caught:
        await write(store, KIND, None, KIND)
    assert not is_store_away(caught.value)
    assert (permitted(people, "0"), permitted(people, "2")) == (0, 0)


async def test_a_write_that_fails_on_the_way_of_a_read_says_why(store: PgStore, people: str) -> None:
    async with store.transaction() as tx:
        await permit(tx, "early")
        await permit(tx, "bad", kind=None)
        with pytest.raises(psycopg.errors.NotNullViolation):
            await tx.dossiers([ADA.borrower_id], at=START, since=START)
        await tx._connection.rollback()
    assert permitted(people, "early") == 0


async def overlook(store: PgStore) -> None:
    async with store.transaction() as tx:
        await permit(tx, "bad", kind=None)
        with pytest.raises(psycopg.errors.NotNullViolation):
            await tx.cases([ADA.case_id])


async def test_what_failed_and_was_overlooked_is_not_taken_for_committed(store: PgStore) -> None:
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        await overlook(store)


async def test_a_block_that_raises_leaves_nothing(store: PgStore, people: str) -> None:
    with pytest.raises(KeyError):
        await write(store, KIND, raising=KeyError())
    assert permitted(people, "0") == 0


async def test_a_connection_that_the_server_closed_meanwhile_costs_nobody_a_transaction(
    store: PgStore, people: str
) -> None:
    async with store.transaction() as tx:
        await tx.cases([ADA.case_id])
    rows(people, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
                 " and datname = current_database()")  # fmt: skip
    async with store.transaction() as tx:
        assert ADA.case_id in await tx.cases([ADA.case_id])
