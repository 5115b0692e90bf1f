"""The only place that knows what time it is: the system clock, and a stepped clock shared by every process."""

import mmap
import os
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CELL = struct.Struct("<q")


class Clock(Protocol):
    """Two readings that are never mixed.

    ``now`` is the time the business lives in (what a borrower's watch shows); ``real`` is for leases, time-outs and
    sweeps, which are about processes and keep running while business time stands still.
    """

    stepped: bool

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        ...

    def real(self) -> datetime:
        """Return the machine's own instant, aware UTC."""
        ...


class SystemClock:
    """Business time is the machine's time."""

    stepped = False

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this module is the one exception

    def real(self) -> datetime:
        """Return the machine's own instant, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this module is the one exception


class SteppedClock:
    """Business time moves only when somebody calls ``step_to``; every process that maps the same file sees it at once.

    One aligned 64-bit cell holds microseconds since the epoch, so a read costs nanoseconds and needs no lock.
    """

    stepped = True

    def __init__(self, path: Path, start: datetime | None = None) -> None:
        if start is not None or not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_CELL.pack(_micros(start or _EPOCH)))
        handle = os.open(path, os.O_RDWR)
        try:
            self._cell = mmap.mmap(handle, _CELL.size)
        finally:
            os.close(handle)

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        return _EPOCH + timedelta(microseconds=_CELL.unpack_from(self._cell)[0])

    def real(self) -> datetime:
        """Return the machine's own instant, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this module is the one exception

    def step_to(self, instant: datetime) -> None:
        """Move business time forward to ``instant``. Raises ValueError when that is in the past."""
        if instant < self.now():
            raise ValueError("a stepped clock never goes back")
        _CELL.pack_into(self._cell, 0, _micros(instant))


class FixedClock:
    """A clock for tests: stands still until it is told otherwise."""

    stepped = True

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        """Return the instant, aware UTC."""
        return self.instant

    def real(self) -> datetime:
        """Return the same instant: a test owns both times."""
        return self.instant


def clock_named(told: str) -> Clock:
    """Return the clock of a setting: ``system``, or ``stepped:<file>``."""
    kind, _, path = told.partition(":")
    return SteppedClock(Path(path)) if kind == "stepped" else SystemClock()


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def monotonic() -> float:
    """Return seconds on a clock that only measures spans (latencies, waits)."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Let real time pass in a driver that waits for other processes."""
    time.sleep(seconds)  # noqa: TID251 - this module is the one exception
