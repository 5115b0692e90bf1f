"""The poller process: fetches mail from one mailbox, each mail once, and waits longer while the server is away."""

import asyncio
import random
from contextlib import suppress
from uuid import uuid4

import structlog

from channels.email.imap import Mailbox, MailboxAwayError, MailboxError, MailboxOptions, MailboxRefusedError
from outreach.clock import monotonic
from outreach.flows.house import House
from outreach.flows.mail import (
    Delivered,
    OpenMailbox,
    hold_mailbox,
    mail_channel,
    may_try,
    park_fetched,
    release_mailbox,
    take_fetched,
    tell_of_trouble,
)

LONGEST_WAIT = 300.0
AWAY_SECONDS = 900.0
"""How long a server may be away before an operator is told."""

_log = structlog.get_logger(__name__)


class NotTakenError(Exception):
    """A mail that could not be read or stored this time; what came after it waits for it."""


class Poller:
    """Looks into one mailbox."""

    def __init__(self, house: House, options: MailboxOptions) -> None:
        self._house = house
        self._options = options
        self._channel = mail_channel(house) or ""
        self._holder = uuid4().hex
        self._again = False
        self._good_at = monotonic()
        self._failed = 0

    async def run(self, ended: asyncio.Event) -> None:
        """Look again and again until ``ended``."""
        while not ended.is_set():
            await self.look_guarded()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self.wait_seconds())

    def wait_seconds(self) -> float:
        """Return how long to wait before the next look: longer after each failure, never all at one instant."""
        if not self._failed:
            return self._options.every_seconds
        longest: float = min(self._options.every_seconds * 2 ** min(self._failed - 1, 10), LONGEST_WAIT)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    async def look_guarded(self) -> None:
        """Look once; whatever goes wrong is logged, told to an operator if it lasts, and tried again later."""
        try:
            await self.look()
        except MailboxError as error:
            self._failed += 1
            _log.warning("the mailbox cannot be read", error=type(error).__name__, what=str(error))
            await self._tell(error)
        except Exception as error:  # noqa: BLE001 - a bad look must not end the process; the mail is still there
            self._failed += 1
            _log.warning("a look into the mailbox broke off", error=type(error).__name__)
        else:
            self._failed, self._good_at = 0, monotonic()

    async def _tell(self, error: MailboxError) -> None:
        kind = "mailbox.refused" if isinstance(error, MailboxRefusedError) else "mailbox.away"
        if kind == "mailbox.away" and monotonic() - self._good_at < AWAY_SECONDS:
            return
        try:
            await tell_of_trouble(self._house, kind, self._options.name)
        except Exception as worse:  # noqa: BLE001 - the next look tries again
            _log.warning("the alert could not be stored", error=type(worse).__name__)

    async def look(self) -> int:
        """Take what is new; returns how many mails. Raises MailboxError, NotTakenError or the store's own."""
        mailbox = await asyncio.to_thread(Mailbox.open, self._options)
        try:
            return await self._read(mailbox, OpenMailbox(self._options.name, mailbox.uid_validity, self._holder))
        finally:
            await asyncio.to_thread(mailbox.close)

    async def _read(self, mailbox: Mailbox, box: OpenMailbox) -> int:
        mark = await hold_mailbox(self._house, box)
        if mark is None:
            return 0
        taken, done = 0, False
        try:
            await asyncio.to_thread(mailbox.put_away, mark)
            while uids := await asyncio.to_thread(mailbox.uids_after, mark):
                for uid in uids:
                    taken += await self._take(mailbox, box, uid)
                mark = uids[-1]
                await asyncio.to_thread(mailbox.put_away, mark)
            done = True
        finally:
            await release_mailbox(self._house, box, to_its_end=done)
        if taken:
            _log.info("mail fetched", mails=taken)
        return taken

    async def _take(self, mailbox: Mailbox, box: OpenMailbox, uid: int) -> int:
        """Take one mail, or park it when it had its tries; returns 1 when it was taken."""
        may = await may_try(self._house, box, uid, again=self._again)
        self._again = False
        if may is None:
            return 0
        if not may:
            await asyncio.to_thread(mailbox.flag, uid)
            await park_fetched(self._house, box, uid)
            _log.error("a mail was parked", mailbox_uid=uid)
            return 0
        try:
            raw = await asyncio.to_thread(mailbox.fetch, uid)
            await take_fetched(self._house, box, uid, Delivered(self._channel, raw) if raw is not None else None)
        except Exception as error:
            # Trouble with the server or the store is not the mail's fault: the try does not count.
            self._again = isinstance(error, MailboxAwayError) or self._house.is_store_away(error)
            if isinstance(error, MailboxError) or self._again:
                raise
            raise NotTakenError(type(error).__name__) from None
        return 1
