"""Lines: how many calls may be in progress at once, counted in Postgres over every process."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from outreach.domain.timeline import Entry
from outreach.domain.touch import Touch
from outreach.domain.words import SPOKEN
from outreach.flows.house import House
from outreach.flows.ports import Tx

LOOK_AGAIN = timedelta(seconds=5)
"""How soon a call that found no line free is decided again, if its window is still open then."""

BUSY = "pacing.line_busy"

_FINAL = frozenset({"completed", "busy", "no_answer", "failed", "cancelled", "undelivered"})
"""Statuses after which a provider says no more of a call."""

_log = structlog.get_logger(__name__)


async def fit_to_line(house: House, tx: Tx, channel: str, queued: Sequence[Touch], now: datetime) -> list[Touch]:
    """Return the first of these calls that a line is free for; the others go back and are decided again in a moment.

    The line stays locked until the transaction ends, so that two processes never give the same place away twice.
    """
    line = house.lines.get(channel)
    if line is None or not queued:
        return list(queued)
    await tx.lock_line(line.name)
    held = await tx.calls_in_progress(line.channels, now - line.longest)
    room = line.at_once - sum(held.values())
    if line.own is not None:
        room = min(room, line.own - held.get(channel, 0))
    fitting, waiting = list(queued[: max(0, room)]), list(queued[max(0, room) :])
    if waiting:
        await tx.release_queued([touch.touch_id for touch in waiting], now + LOOK_AGAIN, BUSY)
        _log.info("lines are busy", channel=channel, line=line.name, waiting=len(waiting))
    return fitting


async def free_lines(tx: Tx, news: Iterable[tuple[UUID, str, Mapping[str, Any]]], now: datetime) -> None:
    """Free the lines of calls that are over by this news: (attempt, channel, receipt), in any order, however often."""
    over = {attempt for attempt, channel, payload in news if channel in SPOKEN and payload["status"] in _FINAL}
    if over:
        await tx.end_calls(sorted(over), now)


async def let_go_of_lines(house: House, limit: int = 200) -> int:
    """Free the lines of calls of which no final news came in the longest time a call can take; returns how many."""
    done = 0
    for line in {line.name: line for line in house.lines.values()}.values():
        async with house.store.transaction() as tx:
            now = house.clock.now()
            lost = await tx.let_go_of_calls(line.channels, now - line.longest, now, limit)
            told = [Entry(case, now, "call.no_end", {"attempt_id": attempt, "channel": channel})
                    for attempt, case, channel in lost]  # fmt: skip
            await tx.append(told)
            if lost:
                by = ", ".join(f"{count} {name}" for name, count in sorted(Counter(row[2] for row in lost).items()))
                await tx.open_alert(
                    "calls.no_end", line.name, f"no final news of {by} calls; their lines are free", now
                )
        done += len(lost)
    return done
