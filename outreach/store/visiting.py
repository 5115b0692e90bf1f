"""The borrower portal in the store: tries at the identity question, times taken back, the language that was chosen."""

from datetime import datetime
from uuid import UUID

from outreach.store.base import Queries, Row


class Visiting(Queries):
    """What only the portal reads and writes; everything else it does goes through the aggregates of replies."""

    async def lock_identity(self, case_id: UUID, real: datetime) -> Row:
        """Lock and return the tries at a case's identity question: (tries, last at, locked until), in real time."""
        await self._run("portal", "first_try", case_id=case_id, real=real)
        row = await self._row("portal", "lock_identity", case_id=case_id)
        return row or (0, real, None)

    async def count_try(self, case_id: UUID, tries: int, until: datetime | None, real: datetime) -> None:
        """Write how often the question was answered wrongly, and until when nobody gets in."""
        await self._run("portal", "count_try", case_id=case_id, tries=tries, until=until, real=real)

    async def end_personal_windows(self, borrower_id: UUID, at: datetime) -> int:
        """Take back every time a borrower named; returns how many."""
        return await self._run("portal", "end_personal_windows", borrower_id=borrower_id, at=at)

    async def choose_locale(self, borrower_id: UUID, locale: str, at: datetime) -> None:
        """Remember in which language a borrower wants to be written to."""
        await self._run("portal", "choose_locale", borrower_id=borrower_id, locale=locale, at=at)
