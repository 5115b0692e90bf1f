"""What the borrower portal needs from a transaction besides what replies use."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


class PortalTx(Protocol):
    """The part of a transaction that knows who tried to get in, and what a visitor prefers."""

    async def lock_identity(self, case_id: UUID, real: datetime) -> tuple[Any, ...]:
        """Lock and return the tries at a case's identity question: (tries, last at, locked until), in real time."""
        ...

    async def count_try(self, case_id: UUID, tries: int, until: datetime | None, real: datetime) -> None:
        """Write how often the question was answered wrongly, and until when nobody gets in."""
        ...

    async def end_personal_windows(self, borrower_id: UUID, at: datetime) -> int:
        """Take back every time a borrower named; returns how many."""
        ...

    async def choose_locale(self, borrower_id: UUID, locale: str, at: datetime) -> None:
        """Remember in which language a borrower wants to be written to."""
        ...
