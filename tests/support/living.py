"""Lives a scenario on the real stack: Postgres, Valkey, the web application, every flow; clock and carrier are ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx
import psycopg

from channels import errors
from channels.contract import Accepted, Channel, Found, LookupKey, Medium, Outbound, ReceiptStatus
from channels.fake import FakeChannel
from outreach.flows.campaigns import run_due
from outreach.flows.house import House
from outreach.flows.outage import reconsider
from outreach.flows.protect import Protector
from outreach.flows.schedule import plan_due, queue_ready
from outreach.flows.sweeps import sweep
from outreach.flows.switches import tend_switches
from outreach.flows.watch import Watcher
from outreach.settings import Settings, load_settings
from outreach.web.app import create_app

from .house import a_house, clock_of
from .life_file import Life
from .portal import SECRET, Visitor
from .terms import with_terms
from .valkey_lanes import ValkeyLanes, valkey_lanes
from .web import KEY, signed

_NEXT = """
with late as (
  select due_on + grace_days as last_on, spared_until, borrower_id from promise where state = 'open'
  union all
  select i.due_on + a.grace_days, a.spared_until, a.borrower_id
  from arrangement a join installment i using (arrangement_id)
  where a.state in ('confirmed', 'active') and i.paid_minor < i.amount_minor)
select at, bool_or(swept) from (
  select next_due_at, false from enrollment where state = 'active'
  union all select not_before, false from touch where state in ('planned', 'deferred')
  union all select expires_at, true from touch where state in ('planned', 'deferred', 'paused')
  union all select leave_by, true from attempt where leave_by is not null and state = 'accepted'
  union all select lookup_real_at, true from attempt where state = 'unknown' and lookups < 6
  union all select expires_at, true from dialogue where closed_at is null
  union all select next_run_at, false from campaign where state = 'running'
  union all select until_at, true from switch
  union all
  select (greatest(last_on, spared_until) + 1 + time '00:30') at time zone zone, true
  from late join borrower using (borrower_id), unnest(borrower.zones) zone
) due(at, swept) where at > %s and at <= %s group by at order by at limit 1"""
"""When something falls due next, and whether it is for one of the sweeps."""

_UNREPORTED = """
select attempt_id, channel, token, provider_ref from attempt where state = 'accepted' order by started_at, attempt_id"""

NEWS = {"sms": "delivered", "email": None, "voice": "no_answer", "ivr": "no_answer"}
"""What the carrier says of each channel when a scenario says nothing: mail servers say nothing at all."""


ENDINGS: dict[str, type[errors.SendError]] = {
    kind.code: kind
    for kind in (errors.Unavailable, errors.Throttled, errors.OutcomeUnknown, errors.BadAddress, errors.OptedOut,
                 errors.ContentRefused, errors.Unsupported, errors.Misconfigured)
}  # fmt: skip
"""How a send can end badly, by the code a scenario names."""


class Carrier(FakeChannel):
    """One channel of the carrier: in order, away, or saying nothing; what it took it can be asked about or not."""

    def __init__(self) -> None:
        super().__init__(script=self._decide)
        self.manner = "fine"

    def _decide(self, outbound: Outbound) -> Accepted | errors.SendError:
        if self.manner in ENDINGS:
            return ENDINGS[self.manner]("said the scenario")
        return Accepted(f"fake-{outbound.attempt_id}")

    async def look_up(self, key: LookupKey) -> Found | None:
        """Find everything that was handed over, once the scenario says ``found``."""
        known = self.manner == "found" and any(each.attempt_id == key.attempt_id for each in self.sent)
        return Found(f"fake-{key.attempt_id}", ReceiptStatus.SENT) if known else None


@dataclass
class Living:
    """One life under way. ``spoken`` collects what calls and pages said, in order, for the golden part."""

    life: Life
    dsn: str
    house: House
    lanes: ValkeyLanes
    app: httpx.ASGITransport
    client: httpx.AsyncClient
    protector: Protector
    line: psycopg.Connection[tuple[Any, ...]]
    news: dict[str, Any] = field(default_factory=lambda: dict(NEWS))
    spoken: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    visitor: Visitor | None = None
    _reported: set[object] = field(default_factory=set)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a query on the life's own line."""
        return self.line.execute(query, values).fetchall()  # type: ignore[arg-type]

    def key(self, what: str) -> str:
        """Return a name of its own for one more of something."""
        self.counts[what] = self.counts.get(what, 0) + 1
        return f"{what}-{self.counts[what]}"

    async def move_to(self, instant: datetime) -> None:
        """Let the clock pass, stopping wherever something falls due."""
        now = clock_of(self.house).instant
        await self.report(calls=True)
        await self.lanes.work_off(self.house)
        while found := self.rows(_NEXT, now, instant):
            ((at, swept),) = found
            now = clock_of(self.house).instant = at
            if swept:
                await self._sweep()
            await self.settle(final=at < instant)
        if clock_of(self.house).instant != instant:
            clock_of(self.house).instant = instant
            await self._sweep()
            await self.settle()

    async def settle(self, *, final: bool = False, at_once: bool = False) -> None:
        """Run scheduler, workers and carrier until nothing more happens at this instant.

        ``final``: the instant ends here, so that calls nobody picked up have rung out.
        """
        while True:
            await run_due(self.house)
            while await plan_due(self.house):
                pass
            await queue_ready(self.house)
            worked = await self.lanes.work_off(self.house, at_once=at_once)
            if not worked and not await self.report(calls=final):
                return

    async def _sweep(self) -> None:
        """Do what the scheduler does now and then rather than all the time: once at every instant is often enough."""
        house = self.house
        await tend_switches(house)
        await Watcher().look(house)
        await sweep(house)
        await reconsider(house)
        await self.protector.look(house)

    async def report(self, *, calls: bool) -> int:
        """Let the carrier tell what became of what it took; returns how much it told."""
        told = 0
        for attempt, channel, token, reference in self.rows(_UNREPORTED):
            if attempt in self._reported or (channel in {"voice", "ivr"} and not calls):
                continue
            self._reported.add(attempt)
            if status := self.news[channel]:
                news = status if isinstance(status, dict) else {"status": status}
                await self.tell(channel, dedupe_key=f"{token}-{news['status']}", provider_ref=reference, **news)
                told += 1
        return told

    def picked_up(self, token: str) -> None:
        """Note that a call was answered: the carrier does not say that it rang out."""
        ((attempt,),) = self.rows("select attempt_id from attempt where token = %s", token)
        self._reported.add(attempt)

    async def tell(self, channel: str, **fields: Any) -> httpx.Response:
        """Post one callback of the carrier."""
        answer = await self.client.post(f"/v1/callbacks/{channel}", **signed(self.house, channel, **fields))
        assert answer.is_success, (answer.status_code, answer.text)
        return answer

    async def event(self, kind: str, data: dict[str, Any], *, key: str | None = None, subject: str = "") -> None:
        """Send one event as the lender's system does."""
        now = clock_of(self.house).instant
        body = {
            "specversion": "1.0", "id": key or self.key("event"), "source": "/lender", "type": kind,
            "subject": subject or _subject(kind), "time": now.isoformat(), "data": data,
        }  # fmt: skip
        answer = await self.client.post("/v1/events", json=body, headers=_MACHINE)
        assert answer.is_success, answer.text

    def carrier(self, channel: str) -> Carrier:
        """Return the carrier's side of a channel."""
        found = self.house.channels[channel]
        assert isinstance(found, Carrier)
        return found


_MACHINE = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/cloudevents+json"}


def _subject(kind: str) -> str:
    about_person = kind.split(".", maxsplit=1)[0] in {"consent", "contact_point", "borrower"}
    return "borrower/B1" if about_person else "account/A-4821"


def settings_of(dsn: str, valkey: str) -> Settings:
    """Return the settings of the processes of a life."""
    return load_settings({
        "OUTREACH_DATABASE_URL": dsn, "OUTREACH_REDIS_URL": valkey, "OUTREACH_MODE": "sandbox",
        "OUTREACH_API_KEYS": KEY, "OUTREACH_PORTAL_SECRET": SECRET,
    })  # fmt: skip


@asynccontextmanager
async def living(life: Life, dsn: str, valkey: str) -> AsyncIterator[Living]:
    """Bring the stack up with one borrower in it, as the lender's system opens the case."""
    carriers: dict[str, Channel] = {medium.value: Carrier() for medium in Medium}
    settings = settings_of(dsn, valkey)
    async with (
        valkey_lanes(valkey) as lanes,
        a_house(dsn, life.begins, carriers, OUTREACH_PORTAL_SECRET=SECRET) as wired,
    ):
        house = with_terms(replace(wired, queue=lanes.queue), **life.terms)
        app = httpx.ASGITransport(app=create_app(settings, house))
        with psycopg.connect(dsn, autocommit=True) as line:
            async with httpx.AsyncClient(transport=app, base_url="http://outreach.test") as client:
                made = Living(life, dsn, house, lanes, app, client, Protector(), line)
                await made.event("case.opened", {"row": life.row()})
                await made.settle()
                yield made
                if made.visitor:
                    await made.visitor.close()
