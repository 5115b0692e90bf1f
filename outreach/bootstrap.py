"""The composition root: reads configuration, makes the real parts, and hands a wired house to a process."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from channels.config import load_channels, load_lines, load_paces
from channels.contract import Channel
from channels.registry import make_channel
from outreach.clock import Clock, clock_named
from outreach.domain.creditor import load_creditors
from outreach.domain.escalation import load_escalations
from outreach.domain.plan_config import load_plans
from outreach.domain.portal import Portal, load_portal_rules
from outreach.domain.protection_config import load_protection
from outreach.domain.refusal_config import load_refusal_rules
from outreach.domain.tasks import load_task_rules
from outreach.flows.house import Evidence, House
from outreach.flows.pacing import Line, NoPacing, Pace
from outreach.flows.ports import Pacer, Queue
from outreach.flows.reply_rules import load_reply_rules
from outreach.flows.schedule import load_versions
from outreach.pacer import RedisPacer
from outreach.policy.load import load_policy
from outreach.policy.policy import Policy
from outreach.rendering.catalog import Catalog
from outreach.rendering.render import Renderer
from outreach.settings import Settings
from outreach.store.pg import PgStore, is_store_away


def make_clock(settings: Settings) -> Clock:
    """Return the clock a process was told to use."""
    return clock_named(settings.clock)


def make_channels(settings: Settings, now: Callable[[], datetime]) -> dict[str, Channel]:
    """Return the adapters that channels.yaml names. Raises channels.errors.ConfigError."""
    env = dict(settings.environ) | {"OUTREACH_PUBLIC_URL": settings.public_url}
    blocks = load_channels(settings.config / "channels.yaml", env)
    return {name: make_channel(block, now) for name, block in blocks.items()}


def make_pacer(settings: Settings) -> Pacer:
    """Return the pacer of the lanes: on Redis where there is one."""
    if not settings.redis_url:
        return NoPacing()
    env = dict(settings.environ) | {"OUTREACH_PUBLIC_URL": settings.public_url}
    paces = load_paces(settings.config / "channels.yaml", env)
    lines = load_lines(settings.config / "channels.yaml", env)
    return RedisPacer(
        settings.redis_url,
        {name: Pace(pace.per_second, pace.burst, pace.concurrency) for name, pace in paces.items()},
        {channel: (line.name, line.per_second) for line in lines if line.per_second for channel in line.channels},
    )


def make_lines(settings: Settings) -> dict[str, Line]:
    """Return by channel how many calls may be in progress; empty where no file names channels."""
    path = settings.config / "channels.yaml"
    env = dict(settings.environ) | {"OUTREACH_PUBLIC_URL": settings.public_url}
    return {
        channel: Line(
            line.name, line.channels, line.at_once, timedelta(minutes=line.longest_minutes), line.own.get(channel)
        )
        for line in load_lines(path, env)
        for channel in line.channels
    }


async def open_house(
    settings: Settings,
    queue: Queue,
    *,
    clock: Clock | None = None,
    channels: dict[str, Channel] | None = None,
    pacer: Pacer | None = None,
) -> House:
    """Wire a house and open its store. Every configuration error surfaces here, before anything is sent."""
    house, store = wire_house(settings, queue, clock=clock, channels=channels, pacer=pacer)
    await store.open()
    return house


async def serve_house(settings: Settings, queue: Queue) -> House:
    """Open the house of a process that enrols, decides or schedules: what it runs can be named and replayed later."""
    house = await open_house(settings, queue)
    async with house.store.transaction() as tx:
        await load_versions(house, tx)
    return house


def wire_house(
    settings: Settings,
    queue: Queue,
    *,
    clock: Clock | None = None,
    channels: dict[str, Channel] | None = None,
    pacer: Pacer | None = None,
) -> tuple[House, PgStore]:
    """Read the configuration and put the parts together; the store is not open yet."""
    clock = clock or make_clock(settings)
    store = PgStore(settings.database_url, settings.database_pool)
    adapters = make_channels(settings, clock.now) if channels is None else channels
    pacer = pacer or make_pacer(settings)
    house = House(
        clock=clock,
        store=store,
        queue=queue,
        pacer=pacer,
        policy=_policy(settings.config / "policies"),
        renderer=Renderer(_catalog(settings.templates)),
        channels=adapters,
        plans=load_plans(settings.config / "plans"),
        creditors=load_creditors(settings.config / "creditors.yaml"),
        replies=load_reply_rules(settings.config),
        refusals=load_refusal_rules(settings.config / "refusals.yaml"),
        escalations=load_escalations(settings.config / "escalations.yaml"),
        protection=load_protection(settings.config / "protection.yaml"),
        portal=_portal(settings),
        tasks=load_task_rules(settings.config / "tasks.yaml"),
        lines=make_lines(settings) if channels is None else {},
        evidence=_evidence(settings),
        public_url=settings.public_url,
        mode=settings.mode,
        is_store_away=is_store_away,
        lease=timedelta(seconds=settings.lease_seconds),
        stranded_after=timedelta(seconds=settings.stranded_seconds),
        close=lambda: _close(store, adapters, pacer),
    )
    return house, store


Stamp = tuple[tuple[str, int, int], ...]


def _stamp(folder: Path) -> Stamp:
    """Return name, time and size of every file below a folder: what has the same stamp need not be read again."""
    files = ((path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple((str(path), found.st_mtime_ns, found.st_size) for path, found in files)


def _policy(folder: Path) -> Policy:
    """Return the policy of a folder, read once by a process for as long as no file of it changes."""
    return _policy_as_of(folder, _stamp(folder))


@lru_cache(maxsize=4)
def _policy_as_of(folder: Path, _: Stamp) -> Policy:
    return load_policy(folder)


def _catalog(folder: Path) -> Catalog:
    """Return the catalog of a folder, read once by a process for as long as no file of it changes."""
    return _catalog_as_of(folder, _stamp(folder))


@lru_cache(maxsize=4)
def _catalog_as_of(folder: Path, _: Stamp) -> Catalog:
    return Catalog.load(folder)


def _portal(settings: Settings) -> Portal | None:
    if not settings.portal_secrets:
        return None
    rules = load_portal_rules(settings.config / "portal.yaml")
    return Portal.of(rules, settings.public_url, settings.portal_secrets)


def _evidence(settings: Settings) -> Evidence:
    keep = timedelta(days=settings.exchange_days) if settings.exchange_days else None
    return Evidence(keep, settings.exchange_key.encode()) if settings.exchange_key else Evidence(keep)


async def _close(store: PgStore, adapters: dict[str, Channel], pacer: Pacer) -> None:
    await asyncio.gather(*(adapter.close() for adapter in adapters.values()), pacer.close(), return_exceptions=True)
    await store.close()
