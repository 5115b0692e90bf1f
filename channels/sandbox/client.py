"""A small synchronous client of the sandbox's control API, and a context manager that runs a sandbox."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlencode

from channels.sandbox import defaults
from channels.sandbox.errors import ControlError

Entry = dict[str, Any]
_PAGE: Final = 10_000
_IDLE_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """Where the sandbox stands: its own time, posts in flight, its next planned act, and the newest log entry."""

    now: datetime
    pending: int
    next_at: datetime | None
    log: int
    stepped: bool


class SandboxClient:
    """Talks to /sandbox/. Every method raises ControlError when refused or when nothing listens."""

    def __init__(self, base_url: str, *, timeout_seconds: float = 40.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout_seconds

    def state(self, *, wait_seconds: float = 0.0) -> State:
        """Return where it stands; with ``wait_seconds``, as soon as nothing is in flight or that time is over."""
        return _state(self._call("GET", f"/sandbox/state?wait={wait_seconds}"))

    def wait_idle(self, seconds: float = _IDLE_SECONDS) -> State:
        """Wait until nothing is in flight. Raises ControlError when that takes longer than ``seconds``."""
        slices = max(1, round(seconds / 5))
        for _ in range(slices):
            state = self.state(wait_seconds=seconds / slices)
            if not state.pending:
                return state
        raise ControlError(f"still {state.pending} posts in flight after {seconds:g} s")

    def set_clock(self, now: datetime) -> State:
        """Move a stepped clock and do everything due; posts may still be in flight on return."""
        return _state(self._call("POST", "/sandbox/clock", {"now": now.isoformat()}))

    def log(self, after: int = 0) -> Iterator[Entry]:
        """Yield the log entries numbered above ``after``."""
        while True:
            page = self._call("GET", f"/sandbox/log?{urlencode({'after': after, 'limit': _PAGE})}")
            yield from page["entries"]
            if not page["entries"] or page["entries"][-1]["n"] >= page["last"]:
                return
            after = page["entries"][-1]["n"]

    def faults(self, **wanted: float | bool) -> dict[str, float]:
        """Change faults (see ``faults.NAMES`` and latency_ms); return all that are in force."""
        return dict(self._call("POST", "/sandbox/faults", wanted))

    def say(self, person: str, to: str, text: str, **more: str) -> str:
        """Have a person text in now (or, with ``channel="email"``, write); return the log's reference."""
        return str(self._call("POST", "/sandbox/say", {"from": person, "to": to, "text": text, **more})["ref"])

    def keys(self, **wanted: object) -> dict[str, object]:
        """Change auth tokens (``secondary``, ``sign_with``, ``promote``); return how many there are and which signs."""
        return self._call("POST", "/sandbox/keys", wanted) if wanted else self._call("GET", "/sandbox/keys")

    def profile(self, profiles: Mapping[str, object]) -> None:
        """Set profiles by address, as in the script file."""
        self._call("POST", "/sandbox/profile", profiles)

    def reset(self) -> State:
        """Forget everything but the clock and the log file."""
        return _state(self._call("POST", "/sandbox/reset", {}))

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data, method=method)  # noqa: S310 - our own sandbox
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - as above
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(_reason(error.read())) from error
        except OSError as error:
            raise ControlError(f"the sandbox does not answer: {error}") from error


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:200]


def _state(raw: Mapping[str, Any]) -> State:
    next_at = datetime.fromisoformat(raw["next_at"]) if raw["next_at"] else None
    return State(datetime.fromisoformat(raw["now"]), raw["pending"], next_at, raw["log"], raw["stepped"])


class Reachable(Protocol):
    """Where a carrier listens and what it is signed in to with."""

    @property
    def http_url(self) -> str:
        """Twilio's API, Aliyun's, the gateway's, the control API and the pages."""

    @property
    def smtp_host(self) -> str:
        """Where it takes mail."""

    @property
    def smtp_port(self) -> int:
        """Where it takes mail."""

    @property
    def account_sid(self) -> str:
        """The Twilio account."""

    @property
    def auth_token(self) -> str:
        """The token that signs."""

    @property
    def inbound_secret(self) -> str:
        """The secret that mail it posts is signed with."""


class Sandbox:
    """A sandbox process on free ports, ready on entry, stopped on exit.

    ``script`` is the script file's content; ``start`` makes the clock stepped. ``log`` defaults to a file that goes
    with the process. Account and secrets come from SANDBOX_* in ``env`` or are the defaults.
    """

    def __init__(
        self,
        *,
        callback_base: str = "http://127.0.0.1:9",
        script: Mapping[str, object] | None = None,
        seed: int = 1,
        start: datetime | None = None,
        mute: bool = False,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        http: str = "127.0.0.1:0",
        smtp: str = "127.0.0.1:0",
    ) -> None:
        self._directory = TemporaryDirectory(prefix="sandbox-")
        self._env = {**os.environ, **(env or {})}
        self.log_path = log or Path(self._directory.name) / "sandbox.jsonl"
        script_path = Path(self._directory.name) / "script.json"
        script_path.write_text(json.dumps(script or {}), "utf-8")
        self._command = [sys.executable, "-m", "channels.sandbox", "--http", http, "--smtp", smtp]
        self._command += ["--log", str(self.log_path), "--script", str(script_path), "--seed", str(seed)]
        self._command += ["--callback-base", callback_base]
        if start is not None:
            self._command += ["--clock", "stepped", "--start", start.isoformat()]
        if mute:
            self._command += ["--mute"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, env=self._env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: stdout is a pipe
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._process.stdout.close()
            self._directory.cleanup()
            raise ControlError(f"the sandbox did not start (exit code {code}); its reason is on standard error")
        ready = json.loads(line)
        host, port = ready["http"]
        self.http_url = f"http://{host}:{port}"
        self.handsets_url = f"{self.http_url}/handsets"
        self.smtp_host, self.smtp_port = str(ready["smtp"][0]), int(ready["smtp"][1])
        self.pid = int(ready["pid"])
        self.account_sid = self._env.get("SANDBOX_ACCOUNT_SID", defaults.ACCOUNT_SID)
        self.auth_token = self._env.get("SANDBOX_AUTH_TOKEN", defaults.AUTH_TOKEN)
        self.inbound_secret = self._env.get("SANDBOX_INBOUND_SECRET", defaults.INBOUND_SECRET)
        self.client = SandboxClient(self.http_url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._directory.cleanup()
