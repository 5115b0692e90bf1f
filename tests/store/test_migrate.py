"""Migrations apply once, and the second run finds nothing to do."""

import psycopg
import pytest

from outreach.store.migrate import migrate, pending


def test_a_fresh_database_has_nothing_pending(database: str) -> None:
    assert pending(database) == []
    assert migrate(database) == []


def test_the_timeline_refuses_to_be_rewritten(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into timeline values ('018f0000-0000-7000-8000-000000000000', 1, '2027-03-01', 'x', '{}', '', 'h')"
        )
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute("update timeline set kind = 'y'")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute("delete from timeline")
