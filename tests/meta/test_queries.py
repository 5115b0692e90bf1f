"""Named queries: each one that exists is used, each one that is used exists, and no SQL stands anywhere else."""

import ast
import re
from collections.abc import Iterator

import psycopg
import pytest

from outreach.store.migrate import migrate, migrations, pending
from outreach.store.named import queries
from tests.support.source import ROOT, called, modules, shown, text_of, tree

STORE = ROOT / "outreach" / "store"
AGGREGATES = sorted(path.stem for path in (STORE / "sql").glob("*.sql"))
# The demo and the benchmark look in from outside, as an operator with psql does; embedded.py makes databases.
_OUTSIDE = ("outreach/demo/", "outreach/benchmark/", "outreach/commands/demo.py", "outreach/embedded.py")
_RUNNERS = ("_rows", "_row", "_run", "_bulk")
_SQL = re.compile(r"(?is)^\s*(select\b.+\bfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|with\s+\w+\s+as\s*\()\b")


def used() -> Iterator[tuple[str, str, str]]:
    """Yield (file, aggregate, query) of every use with both written out."""
    for path in modules("outreach/store"):
        for call in called(path, *_RUNNERS):
            names = [text_of(arg) for arg in call.args[:2]]
            if len(names) == 2 and names[0] and names[1]:
                yield shown(path), names[0], names[1]
        for call in called(path, "_bulks"):
            aggregate = text_of(call.args[0])
            yield from ((shown(path), aggregate or "", word.arg) for word in call.keywords if word.arg)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
                inner = node.value
                if getattr(inner.func, "id", "") == "queries" and inner.args:
                    aggregate, name = text_of(inner.args[0]), text_of(node.slice)
                    if aggregate and name:
                        yield shown(path), aggregate, name


def test_there_are_queries_and_uses() -> None:
    assert len(AGGREGATES) > 3
    assert len(set(used())) > 100


def test_every_query_that_is_used_exists() -> None:
    assert [use for use in used() if use[1] not in AGGREGATES or use[2] not in queries(use[1])] == []


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_every_query_is_used(aggregate: str) -> None:
    direct = {name for _, owner, name in used() if owner == aggregate}
    # Names that reach the store through a loop or a parameter stand as plain strings in a module of the store.
    plain = {
        text
        for path in modules("outreach/store")
        for node in ast.walk(tree(path))
        if (text := text_of(node)) is not None
    }
    assert sorted(name for name in queries(aggregate) if name not in direct | plain) == []


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_no_query_stands_twice(aggregate: str) -> None:
    text = (STORE / "sql" / f"{aggregate}.sql").read_text("utf-8")
    assert len(re.findall(r"^--\s*name:", text, re.MULTILINE)) == len(queries(aggregate))


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_no_query_asks_the_database_for_the_time(aggregate: str) -> None:
    """Business time is an argument; only the check of clocks against each other may ask."""
    clock = re.compile(r"\b(now\(\)|current_timestamp|current_date|localtimestamp|clock_timestamp\(\))", re.IGNORECASE)
    asking = sorted(name for name, text in queries(aggregate).items() if clock.search(text))
    assert asking in ([], ["server_clock"])


def test_sql_stands_in_the_store_only() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in modules("outreach", "channels")
        if not path.is_relative_to(STORE) and not shown(path).startswith(_OUTSIDE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value)
    ]
    assert found == []


def test_a_fresh_database_comes_up_from_the_migrations_alone(postgres: object) -> None:
    admin = postgres.get_uri("postgres")  # type: ignore[attr-defined]
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("create database from_nothing")
    try:
        url = postgres.get_uri("from_nothing")  # type: ignore[attr-defined]
        names = [name for name, _ in migrations()]
        assert pending(url) == names
        assert migrate(url) == names
        assert migrate(url) == []
        assert pending(url) == []
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("drop database from_nothing with (force)")


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_postgres_accepts_every_query_against_the_schema(aggregate: str, database: str) -> None:
    """Preparing checks every table, column, function and type a statement names, without running it."""
    refused: list[str] = []
    with psycopg.connect(database, autocommit=True) as connection:
        for staging in (name for name in ("open_staging", "resolve", "divide") if name in queries(aggregate)):
            connection.execute(re.sub(r"\{size\}", "1", queries(aggregate)[staging]).encode())
        for name, text in queries(aggregate).items():
            if not re.match(r"(?is)(--[^\n]*\s*)*(select|insert|update|delete|with)\b", text):
                continue
            numbers: dict[str, int] = {}
            numbered = re.sub(r"%\((\w+)\)s", lambda found, n=numbers: f"${n.setdefault(found[1], len(n) + 1)}", text)
            try:
                connection.execute(f"prepare q as {numbered.replace('%%', '%')}".encode())
                connection.execute("deallocate q")
            except psycopg.Error as error:
                refused.append(f"{name}: {error}")
    assert refused == []
