"""Which sender carries an attempt: country, weight and health. Pure; instants are seconds of a monotonic clock.

Everybody keeps the sender they have: the choice is a weighted rendezvous, so that a change of weight or health moves
only as many people as it must, and back again. Trouble halves a sender's share of its weight; it drifts back in small
steps after a hold, and the hold doubles when trouble returns before it was whole again. A sender that fails several
times in a row is left alone, then tried with one attempt.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from channels.contract import WHATSAPP

_NEVER: Final = float("-inf")
_AREA: Final = len("+1202")


@dataclass(frozen=True, slots=True)
class Route:
    """One sender of a channel. ``weight`` 0 is a standby: it carries only what nobody else can.

    ``prefixes`` are countries or ranges (``+86``); none serves every number that no other sender names. ``numbers``
    are what it sends from, when it has several. ``scheme`` is what its addresses begin with before the number: a route
    serves no others, so that words meant for WhatsApp never leave as a text, nor the other way round.
    """

    name: str
    weight: float = 1.0
    prefixes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    local_presence: bool = False
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How quickly health moves. Seconds, and shares from 0 to 1.

    Weight shifts when at least ``troubles`` of the sends of a window, and ``trouble_share`` of them, went wrong or took
    longer than ``slow_seconds``. After ``hold_seconds`` without a shift it drifts back by ``drift_step`` every
    ``drift_seconds``. ``open_after`` failures in a row leave a sender alone for ``open_seconds``, then for twice as
    long each time its trial fails, up to ``longest_seconds``.
    """

    slow_seconds: float = 5.0
    window_seconds: float = 30.0
    troubles: int = 3
    trouble_share: float = 0.2
    floor: float = 0.05
    hold_seconds: float = 300.0
    drift_step: float = 0.1
    drift_seconds: float = 30.0
    open_after: int = 5
    open_seconds: float = 30.0
    longest_seconds: float = 1_800.0


class Ending(StrEnum):
    """What one send says about its sender. Refusals of a number or of words say nothing bad: it answered."""

    GOOD = "good"
    TROUBLE = "trouble"  # slow, or asked us to slow down
    FAILED = "failed"  # not reached, or no answer
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one sender. ``share`` is the part of its weight that it has now."""

    share: float = 1.0
    hold: float = 0.0
    moved_at: float = _NEVER
    window_at: float = _NEVER
    sends: int = 0
    troubles: int = 0
    failures: int = 0
    open_until: float = _NEVER
    open_for: float = 0.0
    trying: bool = False
    misconfigured: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is left alone, or has only its trial."""
        return self.open_for > 0


def serving(routes: Sequence[Route], address: str) -> list[Route]:
    """Return the senders of an address: those that name its longest prefix, else those that name none."""
    lengths = {route.name: _match(route, address) for route in routes}
    longest = max(lengths.values(), default=-1)
    return [route for route in routes if lengths[route.name] == longest and longest >= 0]


def _match(route: Route, address: str) -> int:
    if address.startswith(WHATSAPP) != (route.scheme == WHATSAPP):
        return -1
    if not route.prefixes:
        return 0
    return max((len(prefix) for prefix in route.prefixes if address.startswith(prefix)), default=-1)


def in_order(routes: Sequence[Route], health: Mapping[str, Health], key: str) -> list[Route]:
    """Return the senders by preference for one person; ``key`` is the same for all attempts to them."""
    return sorted(routes, key=lambda route: (-_score(route, health[route.name], key), route.name))


def _score(route: Route, health: Health, key: str) -> float:
    return -route.weight * health.share / math.log(draw(key, route.name))


def draw(key: str, name: str) -> float:
    """Return a number between 0 and 1, neither included, that is always the same for a pair."""
    digest = blake2b(f"{key}\n{name}".encode(), digest_size=6).digest()
    return (int.from_bytes(digest) + 0.5) / 2**48


def number_for(route: Route, address: str, key: str) -> str | None:
    """Return the number one person is always sent from; None when the sender has no pool."""
    pool: Sequence[str] = route.numbers
    if route.local_presence and address.startswith("+1"):
        pool = [number for number in route.numbers if number[:_AREA] == address[:_AREA]] or route.numbers
    return max(pool, key=lambda number: draw(key, number)) if pool else None


def admits(health: Health, at: float) -> bool:
    """Tell whether a sender may be given an attempt: it is well, or its one trial is due."""
    return not health.is_open or (at >= health.open_until and not health.trying)


def begun(health: Health) -> Health:
    """Note that an attempt is under way; for a sender that was left alone it is the trial."""
    return replace(health, trying=True) if health.is_open else health


def rests_for(health: Sequence[Health], at: float) -> float:
    """Return the seconds until the first of these senders may be tried."""
    return max(1.0, min((each.open_until - at for each in health), default=1.0))


def ended(health: Health, ending: Ending, at: float, rules: Rules) -> Health:
    """Learn from how an attempt ended."""
    health = _windowed(health, ending, at, rules)
    if ending in {Ending.FAILED, Ending.MISCONFIGURED}:
        return _failed(health, ending, at, rules)
    # It answered: a trial is passed, and failures are no longer in a row.
    was_open = health.is_open
    health = replace(health, failures=0, open_for=0.0, open_until=_NEVER, trying=False, misconfigured=False)
    return replace(health, share=rules.floor, moved_at=at, hold=_longer(health, rules)) if was_open else health


def _failed(health: Health, ending: Ending, at: float, rules: Rules) -> Health:
    failures = health.failures + 1
    at_once = ending is Ending.MISCONFIGURED
    if not (at_once or health.trying or failures >= rules.open_after) or (health.is_open and not health.trying):
        return replace(health, failures=failures)
    rest = min(max(rules.open_seconds, health.open_for * 2), rules.longest_seconds)
    return replace(
        health, failures=failures, open_for=rest, open_until=at + rest, trying=False, misconfigured=at_once
    )  # fmt: skip


def _windowed(health: Health, ending: Ending, at: float, rules: Rules) -> Health:
    """Count within the window and shift weight away when too much of it went wrong."""
    if at - health.window_at > rules.window_seconds:
        health = replace(health, window_at=at, sends=0, troubles=0)
    health = replace(health, sends=health.sends + 1, troubles=health.troubles + (ending is not Ending.GOOD))
    if health.troubles < rules.troubles or health.troubles < rules.trouble_share * health.sends:
        return health
    share = max(rules.floor, health.share / 2)
    return replace(health, share=share, moved_at=at, hold=_longer(health, rules), window_at=at, sends=0, troubles=0)


def _longer(health: Health, rules: Rules) -> float:
    return min(health.hold * 2, rules.longest_seconds) if health.hold else rules.hold_seconds


def drifted(health: Health, at: float, rules: Rules) -> Health:
    """Give weight back, step by step, once the hold is over. Whole and well for a hold, it is as if nothing was."""
    if health.is_open or not health.hold or at - health.moved_at < health.hold:
        return health
    if health.share >= 1.0:
        return replace(health, hold=0.0)
    # The first step is due when the hold ends; what is left of the time counts for the next ones.
    steps = 1 + int((at - health.moved_at - health.hold) / rules.drift_seconds)
    share = min(1.0, health.share + steps * rules.drift_step)
    rest = (at - health.moved_at - health.hold) % rules.drift_seconds
    moved = at - health.hold - rest + rules.drift_seconds if share < 1.0 else at
    return replace(health, share=share, moved_at=moved)
