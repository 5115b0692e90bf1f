"""Faults on demand: what goes wrong next, by count or by rate, the same way for the same seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.sandbox.chance import draw

NAMES: Final = (
    "hang_next",  # takes the request, never answers
    "hang_before_accept_next",  # never answers and takes nothing
    "reset_after_accept_next",  # takes it, then resets the connection
    "reset_before_accept_next",  # resets the connection, takes nothing
    "http_429_next",  # 429 with code 20429 and Retry-After; nothing taken
    "http_500_next",  # 500; nothing taken
    "http_500_after_accept_next",  # takes it, then answers 500
    "html_next",  # takes it, then answers 200 with a web page
    "duplicate_callbacks",  # the same callback is posted twice
    "lose_callbacks",  # a callback is never posted
    "shuffle_callbacks",  # a callback is posted after the one that should follow it
    "smtp_421_next",  # MAIL is answered 421
    "smtp_drop_after_data_next",  # takes the mail, then drops the connection without answering the final dot
    "greylist",  # the first try of a sender and recipient pair is answered 451
)


@dataclass(slots=True)
class _Fault:
    """How often one fault strikes: the next ``count`` times, else with probability ``rate``."""

    count: int = 0
    rate: float = 0.0
    asked: int = 0


class Faults:
    """The faults in force. ``armed`` is False while there are none, so that the usual path costs nothing."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Back to a carrier that does everything right."""
        self._faults = {name: _Fault() for name in NAMES}
        self.latency_seconds = 0.0
        self.armed = False

    def set(self, wanted: Mapping[str, object]) -> None:
        """Change some faults. Whole numbers are counts, fractions below 1 and booleans are rates.

        Raises ValueError naming the field and what it takes.
        """
        parsed = {name: _parse(name, value) for name, value in wanted.items() if name != "latency_ms"}
        latency = wanted.get("latency_ms", self.latency_seconds * 1000)
        if isinstance(latency, bool) or not isinstance(latency, int | float) or latency < 0:
            raise ValueError("latency_ms: milliseconds, 0 or more")
        self._faults.update(parsed)
        self.latency_seconds = latency / 1000
        self.armed = self.latency_seconds > 0 or any(f.count or f.rate for f in self._faults.values())

    def hit(self, name: str) -> bool:
        """Say whether this fault strikes now, and use up one of its count."""
        if not self.armed:
            return False
        fault = self._faults[name]
        if fault.count > 0:
            fault.count -= 1
            return True
        if fault.rate <= 0:
            return False
        fault.asked += 1
        return draw(self._seed, "fault", name, fault.asked) < fault.rate

    def as_json(self) -> dict[str, object]:
        """Return what is in force now."""
        state: dict[str, object] = {name: fault.count or fault.rate for name, fault in self._faults.items()}
        return state | {"latency_ms": self.latency_seconds * 1000}


def _parse(name: str, value: object) -> _Fault:
    if name not in NAMES:
        raise ValueError(f"{name}: no such fault; there are latency_ms, {', '.join(NAMES)}")
    if isinstance(value, bool):
        return _Fault(rate=float(value))
    if isinstance(value, int) and value >= 0:
        return _Fault(count=value)
    if isinstance(value, float) and 0 <= value <= 1:
        return _Fault(rate=value)
    raise ValueError(
        f"{name}: a whole number (the next n times), a fraction from 0.0 to 1.0 (how often), true or false"
    )
