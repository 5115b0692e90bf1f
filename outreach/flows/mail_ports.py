"""What flows need of the store about the mailboxes that are read: how far each was read, and by whom."""

from datetime import datetime
from typing import Any, Protocol

Row = tuple[Any, ...]


class MailTx(Protocol):
    """The part of a transaction that is about mailboxes. Meanings: outreach.store.mailboxes."""

    async def hold_mailbox(
        self, mailbox: str, uid_validity: int, holder: str, real: datetime, until: datetime
    ) -> int | None:
        """Lease a mailbox until then; returns the UID up to which it was read, None while somebody else has it."""
        ...

    async def try_mail(
        self, mailbox: str, uid_validity: int, uid: int, holder: str, until: datetime, *, again: bool
    ) -> int | None:
        """Count a try at a mail before it is looked at; returns the tries so far, None when it is not ours to take."""
        ...

    async def pass_mail(self, mailbox: str, uid_validity: int, uid: int) -> bool:
        """Move the mark past a mail that is stored or parked; False when it was passed before."""
        ...

    async def release_mailbox(self, mailbox: str, holder: str, real: datetime, looked_at: datetime | None) -> None:
        """Give a lease back; ``looked_at`` (real time) is given when the mailbox was read to its end."""
        ...

    async def mailboxes(self) -> list[Row]:
        """Return (mailbox, UID up to which it was read, looked at) of every mailbox."""
        ...
