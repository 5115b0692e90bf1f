"""Schema migrations: numbered SQL files, each applied once, in order, in its own transaction."""

from importlib.resources import files

import psycopg

_LOCK = 7_316_001  # one migrator at a time, whoever starts first


def migrations() -> list[tuple[str, str]]:
    """Return (name, SQL) of every shipped migration in order."""
    folder = files("outreach.store").joinpath("migrations")
    found = sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name.removesuffix(".sql"), text) for name, text in found]


def migrate(dsn: str) -> list[str]:
    """Bring the database at ``dsn`` up to date; returns the names applied now."""
    applied: list[str] = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("create table if not exists schema_migration (name text primary key)")
        done = {row[0] for row in connection.execute("select name from schema_migration")}
        for name, text in migrations():
            if name in done:
                continue
            with connection.transaction():
                connection.execute(text.encode())
                connection.execute("insert into schema_migration values (%s)", (name,))
            applied.append(name)
        connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))
    return applied


def pending(dsn: str) -> list[str]:
    """Return the names of migrations the database lacks."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        exists = connection.execute("select to_regclass('schema_migration')").fetchone()
        done = (
            {row[0] for row in connection.execute("select name from schema_migration")}
            if exists and exists[0]
            else set()
        )
    return [name for name, _ in migrations() if name not in done]
