"""What the audit needs from the store: decisions and attempts read back."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

Row = tuple[Any, ...]


class AuditTx(Protocol):
    """The part of a transaction that reads records back. Meanings: outreach.store.auditing."""

    async def count_sends(self, since: datetime | None, until: datetime | None) -> int:
        """Count the attempts started from ``since`` on and before ``until``."""
        ...

    def sends(
        self, since: datetime | None, until: datetime | None, part: tuple[int, int] = (0, 1)
    ) -> AsyncIterator[Row]:
        """Stream attempts with the decisions they name, borrower by borrower; see the query for the columns."""
        ...

    async def count_unsent(self, since: datetime | None, until: datetime | None) -> int:
        """Count the decisions from ``since`` on and before ``until`` that no attempt followed."""
        ...

    def unsent(
        self, since: datetime | None, until: datetime | None, part: tuple[int, int] = (0, 1)
    ) -> AsyncIterator[Row]:
        """Stream the decisions that no attempt followed; see the query for the columns."""
        ...

    async def contacts_before(self, borrowers: Sequence[UUID], since: datetime, until: datetime) -> list[Row]:
        """Return what left to ``borrowers`` and to who shares a number with them, after ``since`` up to ``until``.

        Rows: (borrower, attempt, touch, at, channel, outcome, state, case, creditor, the borrower's own contact point,
        purpose, whether it went to the borrower themselves).
        """
        ...

    async def contacts_elsewhere(self, borrowers: Sequence[UUID], since: datetime, until: datetime) -> list[Row]:
        """Return what other systems did with ``borrowers``: (borrower, at, channel, outcome, when we were told)."""
        ...

    async def refusals_and_holds(self, borrowers: Sequence[UUID]) -> list[Row]:
        """Return (borrower, suppression or hold, reason or kind, since, until, lifted at, creditor), ended ones too.

        With a creditor it is about that creditor's debts only.
        """
        ...

    async def live_plans(self, case_id: UUID) -> list[Row]:
        """Return (plan, campaign or None) of everything that is, or may be, planned for a case."""
        ...

    async def policy_versions(self) -> list[Row]:
        """Return (version, stored at) of the newest policy versions."""
        ...

    async def newest_decision(self) -> datetime | None:
        """Return the instant of the newest decision, or None when there is none."""
        ...

    async def count_decisions(self, since: datetime) -> int:
        """Count the decisions after ``since``."""
        ...

    def decisions(self, since: datetime) -> AsyncIterator[Row]:
        """Stream the decisions after ``since``: (touch, at, verdict, policy version, facts as stored text)."""
        ...
