"""The listener process: takes the mail that the lender's mail system delivers. Any number may run."""

import asyncio
from collections.abc import Sequence

import structlog

from channels.email.listener import Arrived, Listener, ListenerOptions
from outreach.flows.house import House
from outreach.flows.mail import Delivered, mail_channel, take_mail, tell_of_trouble

GIVE_UP_SECONDS = 20.0
"""How long a mail may wait for a store that is away before the mail system is told to come again."""

_log = structlog.get_logger(__name__)


class StoringDesk:
    """Takes mail for every mailbox that a channel of the house writes from, into the inbox."""

    def __init__(self, house: House) -> None:
        self._house = house

    def is_ours(self, recipient: str) -> bool:
        """Tell whether a channel has this mailbox."""
        return mail_channel(self._house, recipient) is not None

    async def take(self, mails: Sequence[Arrived]) -> None:
        """Store mails in one transaction. Raises what kept them from being stored."""
        delivered = [Delivered(mail_channel(self._house, each.recipient) or "", each.raw) for each in mails]
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                news = await take_mail(self._house, delivered)
        except Exception as error:
            if not isinstance(error, TimeoutError) and not self._house.is_store_away(error):
                await self._tell(error)
            raise
        _log.info("mail taken", mails=len(mails), news=news)

    async def _tell(self, error: Exception) -> None:
        """Say that a mail cannot be taken at all: its mail system will give up one day, and then it would be lost."""
        _log.error("a mail could not be stored", error=type(error).__name__)
        try:
            await tell_of_trouble(self._house, "mail.not_taken", "listener")
        except Exception as worse:  # noqa: BLE001 - the first trouble is the one that is raised
            _log.warning("the alert could not be stored", error=type(worse).__name__)


async def listen(house: House, options: ListenerOptions, ended: asyncio.Event) -> None:
    """Listen until ``ended``. Raises OSError when the place is taken."""
    listener = Listener(options, StoringDesk(house))
    await listener.start()
    _log.info("listening for mail", listening_at=options.place)
    try:
        await ended.wait()
    finally:
        await listener.stop()
