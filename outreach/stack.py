"""Runs the Procfile on this machine: embedded services where none are given, dead processes started again."""

import ctypes
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from outreach import embedded
from outreach.clock import monotonic
from outreach.settings import ROOT
from outreach.store.migrate import migrate

_NAME = re.compile(r"\$\{(\w+)(:\?)?\}")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
GRACE = 15.0
"""Seconds a process gets to finish what it is sending before it is killed."""


def read_procfile(path: Path = ROOT / "Procfile") -> dict[str, str]:
    """Return name -> command line of every process."""
    lines = (line.partition(":") for line in path.read_text("utf-8").splitlines() if line.strip() and line[0] != "#")
    return {name.strip(): command.strip() for name, _, command in lines}


def is_wanted(command: str, environ: Mapping[str, str]) -> bool:
    """Tell whether a line is to run: every ``${NAME:?}`` in it names something that is set."""
    return all(environ.get(name) for name, needed in _NAME.findall(command) if needed)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Services:
    """Where the store and the queue are, and the embedded ones, so that they can be started again."""

    database_url: str
    redis_url: str
    postgres: Any = None
    valkey: embedded.EmbeddedValkey | None = None

    def revive(self) -> list[str]:
        """Start again what has died of the embedded services; returns the names."""
        revived = []
        if self.postgres is not None and embedded.revive_postgres(self.postgres):
            revived.append("postgres")
        if self.valkey is not None and self.valkey.revive():
            revived.append("valkey")
        return revived


@contextmanager
def services(
    var: Path, environ: Mapping[str, str], database: str = "outreach", *, fresh: bool = False
) -> Iterator[Services]:
    """Yield the services of an environment: those it names, else embedded ones under ``var``. The schema is up to date.

    ``fresh`` empties an embedded database first; it never touches one that the environment names.
    """
    with ExitStack() as stack:
        url, server = environ.get("OUTREACH_DATABASE_URL", ""), None
        if not url:
            server = embedded.start_postgres(var / "postgres")
            stack.callback(server.cleanup)
            url = embedded.database_url(server, database, fresh=fresh)
        migrate(url)
        redis, valkey = environ.get("OUTREACH_REDIS_URL", ""), None
        if not redis:
            valkey = embedded.EmbeddedValkey(var / "valkey")
            stack.callback(valkey.stop)
            redis = valkey.url
        yield Services(url, redis, server, valkey)


@dataclass
class Process:
    """One line of the Procfile, running."""

    name: str
    command: list[str]
    popen: subprocess.Popen[bytes]
    restarts: int = 0
    not_before: float = 0.0


@dataclass
class Stack:
    """The processes of a house on this machine. ``only`` names those to run (default: all that the Procfile wants)."""

    environ: dict[str, str]
    log_dir: Path | None = None
    only: tuple[str, ...] = ()
    commands: dict[str, str] = field(default_factory=read_procfile)
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self) -> None:
        """Start every process that is wanted."""
        for name in self.only or tuple(self.commands):
            if not is_wanted(self.commands[name], self.environ):
                continue
            command = _fill(self.commands[name], self.environ)
            self.processes[name] = Process(name, command, self._spawn(name, command))

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        out: IO[bytes] | None = None
        if self.log_dir is not None:
            self.log_dir.mkdir(parents=True, exist_ok=True)
            out = (self.log_dir / f"{name}.log").open("ab")
        try:
            return subprocess.Popen(  # noqa: S603 - our own Procfile
                command,
                env=self.environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT if out else None,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, looked up beforehand
            )
        finally:
            if out is not None:
                out.close()

    def revive(self) -> list[str]:
        """Start again what has died, at most once a second each; returns the names."""
        revived = []
        for each in self.processes.values():
            if each.popen.poll() is None or monotonic() < each.not_before:
                continue
            each.popen = self._spawn(each.name, each.command)
            each.restarts += 1
            each.not_before = monotonic() + 1.0
            revived.append(each.name)
        return revived

    def kill(self, name: str) -> None:
        """Kill a process and its children outright (SIGKILL)."""
        with suppress(ProcessLookupError):
            os.killpg(self.processes[name].popen.pid, signal.SIGKILL)
        self.processes[name].popen.wait()

    def stop(self) -> None:
        """Ask every process to end, wait, then kill what is left.

        Only the process itself is asked: dramatiq passes it on to its workers, and a worker that is asked twice breaks
        off what it is sending.
        """
        for each in self.processes.values():
            each.popen.terminate()
        deadline = monotonic() + GRACE
        for each in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                each.popen.wait(max(0.1, deadline - monotonic()))
            if each.popen.poll() is None:
                self.kill(each.name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the supervisor is killed outright, so that nothing is left running alone."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _fill(command: str, environ: Mapping[str, str]) -> list[str]:
    """Put the environment in and find the tool beside our own interpreter, so that no shell and no PATH is needed."""
    words = [_NAME.sub(lambda found: environ.get(found[1], ""), word) for word in shlex.split(command)]
    if words[0] == "python":
        return [sys.executable, *words[1:]]
    beside = Path(sys.executable).parent / words[0]
    return [str(beside) if beside.exists() else words[0], *words[1:]]


def child_environ(services: Services, **more: str) -> dict[str, str]:
    """Return the environment of the processes: ours, where the services are, and ``more``."""
    return {
        **os.environ,
        "OUTREACH_DATABASE_URL": services.database_url,
        "OUTREACH_REDIS_URL": services.redis_url,
        "PYTHONUNBUFFERED": "1",
        **more,
    }
