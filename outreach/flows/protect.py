"""Protection around the lanes: news that never came is said once; what goes wrong too often is paused."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from outreach.domain.plan import duration_text
from outreach.domain.protection import Finding, Threshold, Trouble, find_troubles, pause_length
from outreach.domain.timeline import Entry
from outreach.domain.words import Channel
from outreach.flows.contactability import give_up_worn
from outreach.flows.house import House
from outreach.flows.ports import Tx

EVERY_REAL = timedelta(seconds=10)
EVERY = timedelta(minutes=2)
"""A look is due after so much machine time, or so much business time where a clock is stepped."""

PAGE = 1000
"""Attempts whose time for news is over, looked at in one transaction."""

PAGES = 10
"""Pages of a channel that one look takes at most; the rest is for the next."""

SAMPLE = 2000
"""Attempts that a window holds at most, the latest: work is bounded however fast a lane is."""

DAY = timedelta(days=1)

_NEWS = {"late": "receipts.late", "missing": "receipts.missing"}
_CHANNELS = tuple(str(channel) for channel in Channel)
_log = structlog.get_logger(__name__)


class Protector:
    """Looks every few seconds, however often it is asked."""

    def __init__(self) -> None:
        self._looked: tuple[datetime, datetime] | None = None

    async def look(self, house: House) -> int:
        """Run every check that is due; returns how much there was to do."""
        real, now = house.clock.real(), house.clock.now()
        if self._looked and real - self._looked[0] < EVERY_REAL and now - self._looked[1] < EVERY:
            return 0
        self._looked = real, now
        return await protect(house)


async def protect(house: House) -> int:
    """Run every check once; returns how much there was to do. Safe for any number of processes at once."""
    done = 0
    for channel in house.protection.bands:
        for _ in range(PAGES):
            marked, more = await _watch_news(house, channel)
            done += marked
            if not more:
                break
    done += await _find_surges(house)
    await _judge_news(house)
    await _judge_addresses(house)
    return done


async def _watch_news(house: House, channel: str) -> tuple[int, bool]:
    """Look once at what is past its time; returns how much of a page had no news, and whether there may be more.

    An attempt keeps its outcome, and its place in the caps: it was taken, and what became of it is not known.
    """
    band, window = house.protection.bands[channel], house.protection.missing.window
    async with house.store.transaction() as tx:
        now, real = house.clock.now(), house.clock.real()
        until = now - band.overdue
        page = await tx.watch_page(channel, until - window, until, PAGE)
        if not page:
            return 0, False
        waiting = [row[0] for row in page if row[2]]
        await tx.lock_attempts(waiting)
        marked = await tx.mark_overdue(waiting, now, real) if waiting else []
        await tx.move_watch(channel, page[-1][1], page[-1][0])
        await tx.append([_overdue(row, band.overdue, now) for row in marked])
        await give_up_worn(tx, house, {row[3] for row in marked}, now)
    if marked:
        _log.warning("no news came", channel=channel, attempts=len(marked))
    return len(marked), len(page) == PAGE


def _overdue(row: tuple[UUID, UUID, UUID, UUID, str], after: timedelta, now: datetime) -> Entry:
    told = {"attempt_id": row[0], "touch_id": row[1], "channel": row[4], "after": duration_text(after)}
    return Entry(row[2], now, "receipt.overdue", told)


async def _judge_news(house: House) -> None:
    """Tell an operator when too much of a lane has had no news: late at first, then never."""
    rules = house.protection
    async with house.store.transaction() as tx:
        now = house.clock.now()
        longest = max(rules.missing.window, rules.late.window)
        closed = await tx.closed_since(now - longest)
        asked = []
        for channel, band in rules.bands.items():
            for what, wait, window in (
                ("late", band.usual, rules.late.window),
                ("missing", band.overdue, rules.missing.window),
            ):
                since = max(now - wait - window, closed.get((_NEWS[what], channel), now - longest) - wait)
                asked.append({"what": what, "channel": channel, "since": since, "until": now - wait})
        for what, channel, taken, waiting in await tx.news_tallies(asked, SAMPLE):
            band = rules.bands[channel]
            if what == "late" and rules.late.is_passed(waiting, taken):
                told = _no_news(channel, waiting, taken, band.usual, rules.late)
                await tx.open_alert("receipts.late", channel, f"{told}; do callbacks reach us?", now)
            elif what == "missing" and rules.missing.is_passed(waiting, taken):
                told = _no_news(channel, waiting, taken, band.overdue, rules.missing)
                await tx.open_alert("receipts.missing", channel, f"{told}; nothing of it is sent again", now)


def _no_news(channel: str, waiting: int, taken: int, after: timedelta, rule: Threshold) -> str:
    return (
        f"{waiting} of {taken} attempts on {channel} had no final news after {duration_text(after)}"
        f" (window {duration_text(rule.window)})"
    )


async def _find_surges(house: House) -> int:
    """Pause lanes and campaigns that go wrong; returns how many were paused. What a person paused stays as it is."""
    rules = house.protection
    async with house.store.transaction() as tx:
        now = house.clock.now()
        off = await tx.switches(now)
        lanes = [channel for channel in _CHANNELS if ("channel", channel) not in off]
        tallies = await tx.lane_tallies(lanes, now - rules.surge.window, now, SAMPLE)
        troubles = [each for each in find_troubles(tallies, rules, now) if (each.scope, each.key) not in off]
        before = await tx.paused_before([f"{each.scope}:{each.key}" for each in troubles], now - DAY)
        for each in troubles:
            length = pause_length(rules, each.trouble, before.get(f"{each.scope}:{each.key}", 0))
            await _pause(tx, house, each, now, now + length)
        if troubles:
            await tx.notify_due()
    return len(troubles)


async def _pause(tx: Tx, house: House, each: Finding, now: datetime, until: datetime) -> None:
    rules = house.protection
    on = f"paused until {until:%Y-%m-%d %H:%M} UTC; outreach resume {each.scope} {each.name} --catch-up re-decide"
    if each.trouble is Trouble.DOWN:
        why = f"provider down: {each.bad} attempts in a row were not taken for {duration_text(rules.patience)} and more"
        await tx.open_alert("channel.down", each.key, f"{why}; {on}", now)
    else:
        window = duration_text(rules.surge.window)
        why = (
            f"error surge: {each.bad} of {each.of} attempts within {window} were refused, failed or of unknown outcome"
        )
        if each.scope == "channel":
            await tx.open_alert("channel.error_surge", each.key, f"{why}; {on}", now)
        else:
            await tx.open_alert("campaign.error_surge", each.key, f"{why}; {on}", now)
    await tx.set_switch(each.scope, each.key, why, now, until=until)
    _log.error("paused by the system", scope=each.scope, key=each.key, bad=each.bad, of=each.of)


async def _judge_addresses(house: House) -> None:
    """Tell an operator when too many refusals are on the borrowers' side. Nothing is paused for them."""
    rule = house.protection.hygiene
    async with house.store.transaction() as tx:
        now = house.clock.now()
        closed = await tx.closed_since(now - rule.window)
        asked = [
            {"channel": channel, "since": closed.get(("hygiene.refusals", channel), now - rule.window)}
            for channel in _CHANNELS
        ]
        for channel, ended, refused in await tx.refusal_tallies(asked, now, SAMPLE):
            if rule.is_passed(refused, ended):
                told = (
                    f"{refused} of {ended} attempts on {channel} within {duration_text(rule.window)} went to numbers or"
                    " mailboxes that are none, or to people who had stopped us; outreach hygiene shows more"
                )
                await tx.open_alert("hygiene.refusals", channel, told, now)
