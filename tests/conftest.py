"""Real servers for every tier: one Postgres for the session, one migrated database a test, one Valkey."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from outreach import embedded
from outreach.store.migrate import migrate

# A width of the terminal that the tests run in would be taken once and kept; each test gives commands its own.
os.environ.pop("COLUMNS", None)

_names = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write down what came out of each scenario")


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether what came out is written down (to be read before it is committed) instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A private Postgres server of this test session."""
    base = Path(tempfile.mkdtemp(prefix="outreach-pg-"))
    server = embedded.start_postgres(base / "postgres")
    _skip_disk(server)
    migrate(embedded.database_url(server, "template_outreach"))
    yield server
    server.cleanup()
    shutil.rmtree(base, ignore_errors=True)


def _skip_disk(server: Any) -> None:
    """Let the machine write when it likes: a test's data need to survive a process, never a power cut."""
    with psycopg.connect(server.get_uri("postgres"), autocommit=True) as admin:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            admin.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(setting)))
        admin.execute("select pg_reload_conf()")


@pytest.fixture
def database(postgres: Any) -> Iterator[str]:
    """The address of a fresh, migrated database, dropped afterwards."""
    with _a_database(postgres) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database(postgres: Any) -> Iterator[str]:
    """The same for all tests of a module, which put people of their own into it."""
    with _a_database(postgres) as dsn:
        yield dsn


@contextmanager
def _a_database(postgres: Any) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_names)}"
    with psycopg.connect(postgres.get_uri("postgres"), autocommit=True) as admin:
        # Copying the template's files takes less than half the processor time of writing it through the log.
        making = sql.SQL("create database {} template template_outreach strategy file_copy")
        admin.execute(making.format(sql.Identifier(name)))
    yield postgres.get_uri(name)
    with psycopg.connect(postgres.get_uri("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The address of a private Valkey of this test session."""
    base = Path(tempfile.mkdtemp(prefix="outreach-valkey-"))
    with embedded.valkey(base) as url:
        yield url
    shutil.rmtree(base, ignore_errors=True)


def _no_skips_in_ci(report: Any) -> None:
    """With CI=true a test that was skipped has failed: what nobody ran proves nothing."""
    if os.environ.get("CI") == "true" and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"CI=true allows no skipped tests. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    _no_skips_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _no_skips_in_ci(report)
    return report
