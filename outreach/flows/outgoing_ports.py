"""What the way out to the lender's systems needs from a transaction, and from whoever posts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from outreach.domain.escalation import EscalationRule
from outreach.domain.outbound import Told
from outreach.domain.webhook import Answer, Endpoint, Standing, Wait

Row = tuple[Any, ...]


class Poster(Protocol):
    """Posts to endpoints."""

    async def post(self, endpoint: Endpoint, headers: dict[str, str], body: bytes) -> Answer:
        """Post once; never raises for what the other side or the network does."""
        ...


class OutgoingTx(Protocol):
    """The part of a transaction that knows what the lender's systems hear."""

    async def settled(self) -> int:
        """Return up to which position every entry can be seen, or never will be."""
        ...

    async def told_after(self, after: int, until: int, kinds: Sequence[str], limit: int) -> list[Told]:
        """Return entries in positions after ``after`` up to ``until``, which must be settled."""
        ...

    async def told_at(self, positions: Iterable[int]) -> list[Told]:
        """Return the entries at ``positions``."""
        ...

    async def words_of(self, replies: Collection[UUID]) -> dict[UUID, str]:
        """Return what borrowers wrote: personal."""
        ...

    async def timeline_page(self, case_id: UUID, after: int, limit: int) -> list[Row]:
        """Return (seq, at, kind, data as the exact text hashed, prev_hash, hash) behind ``after``."""
        ...

    async def case_head(self, case_id: UUID) -> Row | None:
        """Return (account reference, state, last seq, last hash) of a case."""
        ...

    async def add_endpoint(self, name: str, position: int) -> None:
        """Begin to tell an endpoint what comes after ``position``, unless it is known."""
        ...

    async def endpoints(self) -> list[Row]:
        """Return (name, position, state, failures, failing since, next at, delivered at, note, waiting, given up)."""
        ...

    async def look_at_endpoint(self, name: str, holder: UUID, real: datetime) -> Row | None:
        """Return (position, failures, failing since, generation) and lock it; None when there is nothing to do."""
        ...

    async def hold_endpoint(self, name: str, holder: UUID, until: datetime) -> None:
        """Take the lease of an endpoint that is locked."""
        ...

    async def due_deliveries(self, name: str, real: datetime, limit: int, *, anyway: bool = False) -> list[Row]:
        """Return (position, case, tries, first at) of what waits and is due; ``anyway``: due or not."""
        ...

    async def waiting_cases(self, name: str, cases: Iterable[UUID]) -> set[UUID]:
        """Return those of ``cases`` of which something waits."""
        ...

    async def is_still_held(self, name: str, holder: UUID, generation: int, real: datetime) -> bool:
        """Tell whether an endpoint is still ours to write about, and lock it."""
        ...

    async def move_endpoint(self, name: str, standing: Standing) -> None:
        """Write where an endpoint stands, and give its lease back."""
        ...

    async def forget_delivered(self, name: str, positions: Sequence[int]) -> None:
        """Drop what was taken from what waits."""
        ...

    async def keep_waiting(self, name: str, rows: Sequence[Wait]) -> None:
        """Store what was not taken, and what waits behind it."""
        ...

    async def wake_waiting(self, name: str, real: datetime) -> None:
        """Make everything due that waits for an endpoint: it works again."""
        ...

    async def replay_endpoint(self, name: str, position: int) -> str | None:
        """Set an endpoint back; what is under way is not recorded. Returns its state, None when it is unknown."""
        ...

    async def enable_endpoint(self, name: str) -> int | None:
        """Let a disabled endpoint go on where it stood; returns that position, None when it is unknown."""
        ...

    async def escalation_candidates(
        self,
        rule: EscalationRule,
        *,
        since: datetime,
        now: datetime,
        after: UUID,
        limit: int,
        only: Sequence[UUID] | None = None,
    ) -> list[Row]:
        """Return (case, borrower, days past due, attempts) of cases a rule reaches, in id order behind ``after``."""
        ...

    async def insert_escalations(self, cases: Sequence[UUID], rule: str, at: datetime) -> set[UUID]:
        """Record that cases were escalated; returns those that had not been."""
        ...
