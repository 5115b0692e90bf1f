"""Mailboxes that are read: the mark up to which, in which generation of UIDs, and the lease of who reads."""

from datetime import datetime

from outreach.store.base import Queries, Row


class Mailboxes(Queries):
    """One row a mailbox. Its mark moves in the transaction that stores a mail, so each is taken once."""

    async def hold_mailbox(
        self, mailbox: str, uid_validity: int, holder: str, real: datetime, until: datetime
    ) -> int | None:
        """Lease a mailbox until then; returns the UID up to which it was read, None while somebody else has it.

        Another UIDVALIDITY means that the server numbered its mails anew: the mark goes back to 0.
        """
        row = await self._row(
            "mailbox", "hold_mailbox", mailbox=mailbox, uid_validity=uid_validity, holder=holder, real=real, until=until
        )
        return row[0] if row else None

    async def try_mail(
        self, mailbox: str, uid_validity: int, uid: int, holder: str, until: datetime, *, again: bool
    ) -> int | None:
        """Count a try at a mail before it is looked at, so that one that ends its process is counted, too.

        ``again`` repeats a try that the store itself broke off, which does not count. Returns the tries so far, None
        when the mail is not ours to take (passed already, or the lease went to somebody else).
        """
        row = await self._row(
            "mailbox", "try_mail", mailbox=mailbox, uid_validity=uid_validity, uid=uid, holder=holder, until=until,
            counts=0 if again else 1,
        )  # fmt: skip
        return row[0] if row else None

    async def pass_mail(self, mailbox: str, uid_validity: int, uid: int) -> bool:
        """Move the mark past a mail that is stored or parked; False when it was passed before."""
        row = await self._row("mailbox", "pass_mail", mailbox=mailbox, uid_validity=uid_validity, uid=uid)
        return row is not None

    async def release_mailbox(self, mailbox: str, holder: str, real: datetime, looked_at: datetime | None) -> None:
        """Give a lease back; ``looked_at`` (real time) is given when the mailbox was read to its end."""
        await self._run("mailbox", "release_mailbox", mailbox=mailbox, holder=holder, real=real, looked_at=looked_at)

    async def mailboxes(self) -> list[Row]:
        """Return (mailbox, UID up to which it was read, looked at) of every mailbox."""
        return await self._rows("mailbox", "mailboxes")
