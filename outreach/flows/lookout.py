"""What a kill switch reaches, and the look at the switches while a batch is on its way to the provider."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Self
from uuid import UUID

import structlog

from outreach.domain.places import memberships
from outreach.flows.house import House
from outreach.policy.dossier import Dossier

LOOK_EVERY = 0.5
"""Seconds between two looks while a batch is sent: a switch is in force within a second, however slow the provider."""

LOOK_PATIENCE = 2.0
"""Seconds a look may take. After that it is not known what is switched off, and nothing more of the batch leaves."""

SWITCHED_OFF = "paused.switch"
NOT_KNOWN = "store.away"

Scope = tuple[str, str]
"""What a switch names: (scope, key), such as ``("channel", "sms")``."""

_log = structlog.get_logger(__name__)


def scopes_of(channel: str, plan: str | None, campaign_id: UUID | None, places: Iterable[str]) -> frozenset[Scope]:
    """Return every switch that reaches a touch. A place is reached by a switch on anything it lies in."""
    found = {("everything", "everything"), ("channel", str(channel))}
    found |= {("jurisdiction", code) for place in places for code in memberships(place)}
    if plan:
        found.add(("plan", plan))
    if campaign_id:
        found.add(("campaign", str(campaign_id)))
    return frozenset(found)


def places_of(dossier: Dossier) -> tuple[str, ...]:
    """Return every place a borrower may be in: by address, by what they said last, by any of their numbers."""
    borrower = dossier.borrower
    hinted = (region for point in dossier.points for region in point.regions)
    return tuple(sorted({*borrower.jurisdictions, *borrower.located_jurisdictions, *hinted}))


def named(scopes: Iterable[Scope]) -> tuple[str, ...]:
    """Write switches as ``scope:key``, in order."""
    return tuple(sorted(f"{scope}:{key}" for scope, key in scopes))


class Lookout:
    """Looks at the switches twice a second for as long as a batch is on its way.

    The batch was decided with the switches read in its own transaction; this is about those set after that.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._off: set[Scope] = set()
        self._blind = False
        self._done = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look_around())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._done.set()
        if self._looking is not None:
            await self._looking

    def objects(self, scopes: frozenset[Scope]) -> tuple[str, tuple[str, ...]] | None:
        """Return why something may not leave any more, and the switches that say so; None when it may."""
        if self._off and (against := self._off & scopes):
            return SWITCHED_OFF, named(against)
        return (NOT_KNOWN, ()) if self._blind else None

    async def _look_around(self) -> None:
        while not await self._over():
            try:
                async with asyncio.timeout(LOOK_PATIENCE), self._house.store.transaction() as tx:
                    self._off = await tx.switches(self._house.clock.now())
                self._blind = False
            except Exception as error:  # noqa: BLE001 - whatever it is, what cannot be seen counts as off
                self._blind = True
                _log.warning(
                    "the switches cannot be seen; nothing more of the batch leaves", error=type(error).__name__
                )

    async def _over(self) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), LOOK_EVERY)
        return self._done.is_set()
