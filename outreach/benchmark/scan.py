"""Scan: what it costs to claim a thousand due steps among ever more enrollments."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from outreach.benchmark.machine import middle
from outreach.benchmark.people import PLAN, People
from outreach.benchmark.stage import START, Stage, StuckError, quiet_house, stage
from outreach.clock import monotonic
from outreach.flows.house import House
from outreach.flows.schedule import load_versions, plan_due

CLAIM = 1000
WARM_UP = 2
AFTER_DUE = timedelta(hours=1)
"""The first step is due at half past ten in New York; it is claimed at eleven."""


def measure(var: Path, *, sizes: tuple[int, ...], runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Fill one database step by step to each of ``sizes`` and claim ``runs`` times at each."""
    with stage(var) as here:
        here.clock.step_to(START + AFTER_DUE)
        with asyncio.Runner() as runner:
            found = runner.run(_measure(here, sizes, runs, say))
    first, last = found[str(sizes[0])], found[str(sizes[-1])]
    return {"claimed": CLAIM, "runs": runs, "milliseconds": found, "last_to_first": round(last / first, 2)}


async def _measure(here: Stage, sizes: tuple[int, ...], runs: int, say: Callable[[str], None]) -> dict[str, float]:
    house = await quiet_house(here.settings())
    people = People(here.services.database_url)
    try:
        async with house.store.transaction() as tx:
            await load_versions(house, tx)
        found = {}
        for size in sizes:
            say(f"scan: filling up to {size:,} enrollments")
            _fill(people, size, (runs + WARM_UP) * CLAIM, house.plans[PLAN].version)
            spent = [await _claim(house) for _ in range(runs + WARM_UP)][WARM_UP:]
            found[str(size)] = middle((1000 * each for each in spent), 1)
            say(f"scan: {CLAIM} of {size:,} in {found[str(size)]} ms")
        return found
    finally:
        people.close()
        await house.close()


def _fill(people: People, size: int, due: int, version: str) -> None:
    """Add people up to ``size``; as many as will be claimed are due now, the others in the two weeks to come."""
    who = people.add(size - people.count, START, reachable=False)
    people.enroll(who, version, START, who.start + due)
    people.settle_down()


async def _claim(house: House) -> float:
    begun = monotonic()
    claimed = await plan_due(house, CLAIM)
    spent = monotonic() - begun
    if claimed != CLAIM:
        raise StuckError(f"{claimed} steps were due where {CLAIM} should have been")
    return spent
