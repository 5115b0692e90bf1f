"""The carrier's log: what it received and did, in its own words and by its own clock."""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from channels.sandbox.clock import CarrierClock

_FLUSH_ENTRIES = 1024
_FLUSH_SECONDS = 0.25
_OPTIONS = orjson.OPT_UTC_Z
_TOKEN_QUERY = re.compile(r"[?&](?:token|attempt|t|a)=([^&#]+)")
_TOKEN_PATH = re.compile(r"/([A-Za-z0-9_-]{16,})(?:/[a-z_]*)?/?(?:[?#]|$)")


def token_of(url: str) -> str | None:
    """Find the attempt's token in a callback URL: a query field named token, attempt, t or a; else a long path word."""
    found = _TOKEN_QUERY.search(url) or _TOKEN_PATH.search(url)
    return found.group(1) if found else None


class Witness:
    """Keeps every entry in memory as its JSON line and appends it, buffered, to a JSON Lines file.

    ``watch`` is told of every entry: its kind, its instant in seconds since 1970, its facts.
    """

    def __init__(self, clock: CarrierClock, path: Path | None = None) -> None:
        self._clock = clock
        self._lines: list[bytes] = []
        self._first = 1
        self._unwritten: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._file: BinaryIO | None = None
        self.watch: Callable[[str, float, Mapping[str, object]], None] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)

    @property
    def last(self) -> int:
        """Number of the newest entry; entries count from 1 and never restart within a process."""
        return self._first + len(self._lines) - 1

    def record(self, kind: str, **facts: object) -> None:
        """Write down one thing that just happened."""
        entry = {"n": self.last + 1, "at": self._clock.now(), "kind": kind}
        entry.update(facts)
        line = orjson.dumps(entry, option=_OPTIONS)
        self._lines.append(line)
        if self.watch is not None:
            self.watch(kind, self._clock.epoch(), facts)
        if self._file is not None:
            self._unwritten.append(line)
            if len(self._unwritten) >= _FLUSH_ENTRIES:
                self.flush()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def entries(self, after: int, limit: int) -> bytes:
        """Return the entries numbered above ``after`` as a JSON object with ``entries`` and ``last``."""
        start = max(0, after + 1 - self._first)
        page = self._lines[start : start + limit]
        return b'{"entries":[' + b",".join(page) + b'],"last":%d}' % self.last

    def flush(self) -> None:
        """Hand everything recorded so far to the operating system."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file is not None and self._unwritten:
            self._file.write(b"\n".join(self._unwritten) + b"\n")
            self._unwritten.clear()

    def forget(self) -> None:
        """Drop the entries held in memory; the file and the numbering stay."""
        self.flush()
        self._first += len(self._lines)
        self._lines.clear()

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
