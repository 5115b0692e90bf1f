"""What was agreed with borrowers: arrangements, promises, extensions, and the payments that count toward them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from outreach.store.base import Queries, Row


class Agreeing(Queries):
    """Reads and writes of agreements. Whoever calls holds the borrower's lock."""

    async def insert_arrangement(self, values: dict[str, Any], installments: Sequence[dict[str, Any]]) -> bool:
        """Store an arrangement with its installments; False when the case already has a live one."""
        if await self._row("agreement", "insert_arrangement", **values) is None:
            return False
        self._put("intake", "insert_installments", installments)
        return True

    async def arrangement(self, arrangement_id: UUID) -> Row | None:
        """Lock and return one arrangement, whatever its state; see the query for the columns."""
        return await self._row("agreement", "arrangement", arrangement_id=arrangement_id)

    async def arrangements_of_case(self, case_id: UUID) -> list[UUID]:
        """Return every arrangement of a case, oldest first."""
        return [row[0] for row in await self._rows("agreement", "arrangements_of_case", case_id=case_id)]

    async def end_arrangement(self, arrangement_id: UUID, state: str, by: str, at: datetime) -> None:
        """End an arrangement and say who did."""
        self._write("agreement", "end_arrangement", arrangement_id=arrangement_id, state=state, by=by, at=at)

    async def spare_arrangement(self, arrangement_id: UUID, until: date) -> None:
        """Do not count it as broken before this day."""
        self._write("agreement", "spare_arrangement", arrangement_id=arrangement_id, until=until)

    async def thank_for_arrangement(self, arrangement_id: UUID, at: datetime) -> bool:
        """Take the one thanks an arrangement gets; False when it was taken."""
        return await self._row("agreement", "thank_for_arrangement", arrangement_id=arrangement_id, at=at) is not None

    async def other_live_arrangement(self, case_id: UUID, arrangement_id: UUID) -> bool:
        """Tell whether the case has a live arrangement besides this one."""
        found = await self._row("agreement", "other_live_arrangement", case_id=case_id, arrangement_id=arrangement_id)
        return found is not None

    async def late_arrangements(self, on: date, limit: int) -> list[Row]:
        """Return (arrangement, case, borrower, grace days, due_on, spared until, zones) of what may be overdue."""
        return await self._rows("agreement", "late_arrangements", on=on, limit=limit)

    async def late_promises(self, on: date, limit: int) -> list[Row]:
        """Return (promise, case, borrower, grace days, due_on, spared until, zones) of what may be overdue."""
        return await self._rows("agreement", "late_promises", on=on, limit=limit)

    async def insert_promise(self, values: dict[str, Any]) -> UUID:
        """Store a promise, or move the open one."""
        row = await self._row("agreement", "insert_promise", **values)
        return row[0]  # type: ignore[index, no-any-return]

    async def promise(self, promise_id: UUID) -> Row | None:
        """Lock and return one promise, whatever its state; see the query for the columns."""
        return await self._row("agreement", "promise", promise_id=promise_id)

    async def other_open_promise(self, case_id: UUID, promise_id: UUID) -> bool:
        """Tell whether the case has an open promise besides this one."""
        found = await self._row("agreement", "other_open_promise", case_id=case_id, promise_id=promise_id)
        return found is not None

    async def spare_promise(self, promise_id: UUID, until: date) -> None:
        """Do not count it as broken before this day."""
        self._write("agreement", "spare_promise", promise_id=promise_id, until=until)

    async def thank_for_promise(self, promise_id: UUID, at: datetime) -> bool:
        """Take the one thanks a promise gets; False when it was taken."""
        return await self._row("agreement", "thank_for_promise", promise_id=promise_id, at=at) is not None

    async def count_payment(
        self, source: str, external_id: str, arrangement_id: UUID | None, promise_id: UUID | None
    ) -> None:
        """Remember what a payment counts toward."""
        self._write(
            "agreement", "count_payment", source=source, external_id=external_id, arrangement_id=arrangement_id,
            promise_id=promise_id,
        )  # fmt: skip

    async def payment_counted(self, source: str, external_id: str) -> Row | None:
        """Return (arrangement, promise) that a payment counted toward."""
        return await self._row("agreement", "payment_counted", source=source, external_id=external_id)

    async def paid_toward(self, key: UUID) -> tuple[int, int]:
        """Return what came in and was not taken back: (toward the arrangement ``key``, toward the promise ``key``)."""
        row = await self._row("agreement", "paid_toward", key=key)
        return row[0], row[1]  # type: ignore[index]

    async def insert_extension(self, values: dict[str, Any]) -> None:
        """Store a granted extension."""
        self._write("agreement", "insert_extension", **values)

    async def background(self, borrower_id: UUID, case_id: UUID, since: datetime) -> Row | None:
        """Return (broken arrangements after ``since``, latest extension at, country, subdivision, jurisdictions)."""
        return await self._row("agreement", "background", borrower_id=borrower_id, case_id=case_id, since=since)

    async def at_rest(
        self, cases: Iterable[UUID], at: datetime
    ) -> dict[UUID, tuple[bool, bool, date | None, str | None]]:
        """Return per case (arrangement in good standing, open promise, the day an extension reaches, oldest hold)."""
        rows = await self._rows("agreement", "at_rest", cases=list(cases), at=at)
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}
