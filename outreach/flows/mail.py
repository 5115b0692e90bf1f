"""Mail intake: mail delivered to us or fetched from a mailbox is read, then stored whole before anybody is told so."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from channels.contract import Medium, Receipt, Reply, TakesMail
from channels.errors import MalformedCallback
from outreach.flows.callbacks import Stored, queue_stored, store_malformed, store_news
from outreach.flows.exchanges import Heard, heard_of_mail
from outreach.flows.house import House
from outreach.flows.ports import Tx

MOST_TRIES = 3
"""Tries at a mail of a mailbox before it is left there for a person."""
LEASE = timedelta(minutes=2)
"""How long (real time) a mailbox stays with a reader that says nothing; longer than any one mail takes."""
_KEPT_OF_MALFORMED = 20_000


@dataclass(frozen=True, slots=True)
class Delivered:
    """One mail for one recipient, as it came, with the trace headers of its last hop on top."""

    channel: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenMailbox:
    """A mailbox that this process has the lease of. ``name`` is account@host/folder."""

    name: str
    uid_validity: int
    holder: str


@dataclass(frozen=True, slots=True)
class _Read:
    mail: Delivered
    news: Sequence[Receipt | Reply] = ()
    problem: str | None = None
    heard: Heard = field(default_factory=dict)


def mail_channel(house: House, recipient: str | None = None) -> str | None:
    """Return the channel whose mailbox it is, or, for a whole mailbox, the first that takes mail; else None."""
    named = {name: each for name, each in house.channels.items() if isinstance(each, TakesMail)}
    mine = (name for name, each in named.items() if recipient is None or each.is_ours(recipient))
    return min(mine, key=lambda name: name != Medium.EMAIL, default=None)


async def take_mail(house: House, mails: Sequence[Delivered]) -> int:
    """Read mails and store what they say in one transaction; returns how many news were not known yet.

    Everything is committed, and every stop in it in force, when this returns; whatever is raised, nothing is.
    """
    read = await asyncio.to_thread(_read, house, mails)
    async with house.store.transaction() as tx:
        stored = [await _store(house, tx, each) for each in read]
    return sum([await queue_stored(house, each) for each in stored])


def _read(house: House, mails: Sequence[Delivered]) -> list[_Read]:
    """Take mails apart; beside the event loop, since a large one takes a while."""
    return [_read_one(house, mail) for mail in mails]


def _read_one(house: House, mail: Delivered) -> _Read:
    adapter = house.channels[mail.channel]
    if not isinstance(adapter, TakesMail):
        raise TypeError(f"the channel {mail.channel} takes no mail")
    try:
        news = list(adapter.read_mail(mail.raw))
        return _Read(mail, news, heard=heard_of_mail(house, mail.channel, mail.raw, news))
    except MalformedCallback as error:
        return _Read(mail, problem=str(error))


async def _store(house: House, tx: Tx, read: _Read) -> Stored:
    if read.problem is None:
        return await store_news(house, tx, read.mail.channel, read.news, read.heard) if read.news else {}
    key = hashlib.sha256(read.mail.raw).hexdigest()[:32]
    payload = {"body": read.mail.raw.decode("utf-8", "replace")[:_KEPT_OF_MALFORMED]}
    await store_malformed(house, tx, read.mail.channel, payload, read.problem, key)
    return {}


async def hold_mailbox(house: House, box: OpenMailbox) -> int | None:
    """Lease a mailbox; returns the UID up to which it was read, None while another process reads it."""
    real = house.clock.real()
    async with house.store.transaction() as tx:
        return await tx.hold_mailbox(box.name, box.uid_validity, box.holder, real, real + LEASE)


async def may_try(house: House, box: OpenMailbox, uid: int, *, again: bool = False) -> bool | None:
    """Count a try at a mail; False when it had enough of them and is to be parked, None when it is not ours to take."""
    until = house.clock.real() + LEASE
    async with house.store.transaction() as tx:
        tries = await tx.try_mail(box.name, box.uid_validity, uid, box.holder, until, again=again)
    return None if tries is None else tries <= MOST_TRIES


async def take_fetched(house: House, box: OpenMailbox, uid: int, mail: Delivered | None) -> int:
    """Store what a fetched mail says and move the mailbox's mark past it, in one transaction; returns the new news.

    None is a mail that was gone when it was asked for.
    """
    read = await asyncio.to_thread(_read_one, house, mail) if mail else None
    async with house.store.transaction() as tx:
        first = await tx.pass_mail(box.name, box.uid_validity, uid)
        stored = await _store(house, tx, read) if first and read else {}
    return await queue_stored(house, stored)


async def park_fetched(house: House, box: OpenMailbox, uid: int) -> None:
    """Move the mark past a mail that cannot be taken and tell an operator; it stays in its mailbox."""
    now = house.clock.now()
    async with house.store.transaction() as tx:
        if await tx.pass_mail(box.name, box.uid_validity, uid):
            detail = f"a mail could not be taken in {MOST_TRIES} tries; it is left in the mailbox, flagged"
            await tx.open_alert("mail.parked", f"{box.name}#{uid}", detail, now)


async def release_mailbox(house: House, box: OpenMailbox, *, to_its_end: bool) -> None:
    """Give a mailbox back; read to its end, what was said about its being away is no longer true."""
    now, real = house.clock.now(), house.clock.real()
    async with house.store.transaction() as tx:
        await tx.release_mailbox(box.name, box.holder, real, real if to_its_end else None)
        if to_its_end:
            await tx.close_alerts(box.name, now)


async def tell_of_trouble(house: House, kind: str, subject: str) -> None:
    """Tell an operator of an intake that does not work."""
    async with house.store.transaction() as tx:
        now = house.clock.now()
        if kind == "mail.not_taken":
            await tx.open_alert("mail.not_taken", subject, "a mail could not be stored; the mail system keeps it", now)
        elif kind == "mailbox.refused":
            await tx.open_alert("mailbox.refused", subject, "the server refuses our login, folder or certificate", now)
        else:
            await tx.open_alert("mailbox.away", subject, "the server has not answered for a quarter of an hour", now)
