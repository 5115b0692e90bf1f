"""What flows need of the store about what was agreed with borrowers."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

Row = tuple[Any, ...]


class AgreementTx(Protocol):
    """The part of a transaction that is about agreements. Meanings: outreach.store.agreeing."""

    async def insert_arrangement(self, values: dict[str, Any], installments: Sequence[dict[str, Any]]) -> bool:
        """Store an arrangement with its installments; False when the case already has a live one."""
        ...

    async def arrangement(self, arrangement_id: UUID) -> Row | None:
        """Lock and return one arrangement, whatever its state; see the query for the columns."""
        ...

    async def arrangements_of_case(self, case_id: UUID) -> list[UUID]:
        """Return every arrangement of a case, oldest first."""
        ...

    async def end_arrangement(self, arrangement_id: UUID, state: str, by: str, at: datetime) -> None:
        """End an arrangement and say who did."""
        ...

    async def spare_arrangement(self, arrangement_id: UUID, until: date) -> None:
        """Do not count it as broken before this day."""
        ...

    async def thank_for_arrangement(self, arrangement_id: UUID, at: datetime) -> bool:
        """Take the one thanks an arrangement gets; False when it was taken."""
        ...

    async def other_live_arrangement(self, case_id: UUID, arrangement_id: UUID) -> bool:
        """Tell whether the case has a live arrangement besides this one."""
        ...

    async def late_arrangements(self, on: date, limit: int) -> list[Row]:
        """Return (arrangement, case, borrower, grace days, due_on, spared until, zones) of what may be overdue."""
        ...

    async def late_promises(self, on: date, limit: int) -> list[Row]:
        """Return (promise, case, borrower, grace days, due_on, spared until, zones) of what may be overdue."""
        ...

    async def insert_promise(self, values: dict[str, Any]) -> UUID:
        """Store a promise, or move the open one."""
        ...

    async def promise(self, promise_id: UUID) -> Row | None:
        """Lock and return one promise, whatever its state; see the query for the columns."""
        ...

    async def other_open_promise(self, case_id: UUID, promise_id: UUID) -> bool:
        """Tell whether the case has an open promise besides this one."""
        ...

    async def spare_promise(self, promise_id: UUID, until: date) -> None:
        """Do not count it as broken before this day."""
        ...

    async def thank_for_promise(self, promise_id: UUID, at: datetime) -> bool:
        """Take the one thanks a promise gets; False when it was taken."""
        ...

    async def count_payment(
        self, source: str, external_id: str, arrangement_id: UUID | None, promise_id: UUID | None
    ) -> None:
        """Remember what a payment counts toward."""
        ...

    async def payment_counted(self, source: str, external_id: str) -> Row | None:
        """Return (arrangement, promise) that a payment counted toward."""
        ...

    async def paid_toward(self, key: UUID) -> tuple[int, int]:
        """Return what came in and was not taken back: (toward the arrangement ``key``, toward the promise ``key``)."""
        ...

    async def insert_extension(self, values: dict[str, Any]) -> None:
        """Store a granted extension."""
        ...

    async def background(self, borrower_id: UUID, case_id: UUID, since: datetime) -> Row | None:
        """Return (broken arrangements after ``since``, latest extension at, country, subdivision, jurisdictions)."""
        ...

    async def at_rest(
        self, cases: Iterable[UUID], at: datetime
    ) -> dict[UUID, tuple[bool, bool, date | None, str | None]]:
        """Return per case (arrangement in good standing, open promise, the day an extension reaches, oldest hold)."""
        ...
