"""What the lender's systems hear, where each webhook stands in it, and what is escalated."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import orjson

from outreach.domain.escalation import EscalationRule
from outreach.domain.outbound import Told
from outreach.domain.webhook import Standing, Wait
from outreach.store.base import Queries, Row


class Outgoing(Queries):
    """Reads the timelines in their common order; reads and writes how far each webhook is."""

    async def settled(self) -> int:
        """Return up to which position every entry can be seen, or never will be."""
        row = await self._row("outgoing", "settled")
        return int(row[0]) if row else 0

    async def told_after(self, after: int, until: int, kinds: Sequence[str], limit: int) -> list[Told]:
        """Return entries in positions after ``after`` up to ``until``, which must be settled."""
        rows = await self._rows(
            "outgoing", "told_after", after=after, until=until, kinds=list(kinds), limit=limit
        )  # fmt: skip
        return [_told(row) for row in rows]

    async def told_at(self, positions: Iterable[int]) -> list[Told]:
        """Return the entries at ``positions``."""
        return [_told(row) for row in await self._rows("outgoing", "told_at", positions=list(positions))]

    async def words_of(self, replies: Collection[UUID]) -> dict[UUID, str]:
        """Return what borrowers wrote: personal."""
        if not replies:
            return {}
        return {row[0]: row[1] for row in await self._rows("outgoing", "words_of", replies=list(replies))}

    async def timeline_page(self, case_id: UUID, after: int, limit: int) -> list[Row]:
        """Return (seq, at, kind, data as the exact text hashed, prev_hash, hash) behind ``after``."""
        return await self._rows("outgoing", "timeline_page", case_id=case_id, after=after, limit=limit)

    async def case_head(self, case_id: UUID) -> Row | None:
        """Return (account reference, state, last seq, last hash) of a case."""
        return await self._row("outgoing", "case_head", case_id=case_id)

    async def add_endpoint(self, name: str, position: int) -> None:
        """Begin to tell an endpoint what comes after ``position``, unless it is known."""
        await self._run("outgoing", "add_endpoint", name=name, position=position)

    async def endpoints(self) -> list[Row]:
        """Return (name, position, state, failures, failing since, next at, delivered at, note, waiting, given up)."""
        return await self._rows("outgoing", "endpoints")

    async def look_at_endpoint(self, name: str, holder: UUID, real: datetime) -> Row | None:
        """Return (position, failures, failing since, generation) and lock it; None when there is nothing to do."""
        return await self._row("outgoing", "look_at_endpoint", name=name, holder=holder, real=real)

    async def hold_endpoint(self, name: str, holder: UUID, until: datetime) -> None:
        """Take the lease of an endpoint that is locked."""
        await self._run("outgoing", "hold_endpoint", name=name, holder=holder, until=until)

    async def due_deliveries(self, name: str, real: datetime, limit: int, *, anyway: bool = False) -> list[Row]:
        """Return (position, case, tries, first at) of what waits and is due; ``anyway``: due or not."""
        return await self._rows("outgoing", "due_deliveries", name=name, real=real, limit=limit, anyway=anyway)

    async def waiting_cases(self, name: str, cases: Iterable[UUID]) -> set[UUID]:
        """Return those of ``cases`` of which something waits."""
        rows = await self._rows("outgoing", "waiting_cases", name=name, cases=list(cases))
        return {row[0] for row in rows}

    async def is_still_held(self, name: str, holder: UUID, generation: int, real: datetime) -> bool:
        """Tell whether an endpoint is still ours to write about, and lock it."""
        row = await self._row(
            "outgoing", "is_still_held", name=name, holder=holder, generation=generation, real=real
        )  # fmt: skip
        return row is not None

    async def move_endpoint(self, name: str, standing: Standing) -> None:
        """Write where an endpoint stands, and give its lease back."""
        await self._run("outgoing", "move_endpoint", name=name, **asdict(standing))

    async def forget_delivered(self, name: str, positions: Sequence[int]) -> None:
        """Drop what was taken from what waits."""
        await self._run("outgoing", "forget_delivered", name=name, positions=list(positions))

    async def keep_waiting(self, name: str, rows: Sequence[Wait]) -> None:
        """Store what was not taken, and what waits behind it."""
        await self._bulk("outgoing", "keep_waiting", rows, name=name)

    async def wake_waiting(self, name: str, real: datetime) -> None:
        """Make everything due that waits for an endpoint: it works again."""
        await self._run("outgoing", "wake_waiting", name=name, real=real)

    async def replay_endpoint(self, name: str, position: int) -> str | None:
        """Set an endpoint back; what is under way is not recorded. Returns its state, None when it is unknown."""
        row = await self._row("outgoing", "replay_endpoint", name=name, position=position)
        await self._run("outgoing", "forget_after", name=name, position=position)
        return row[0] if row else None

    async def enable_endpoint(self, name: str) -> int | None:
        """Let a disabled endpoint go on where it stood; returns that position, None when it is unknown."""
        row = await self._row("outgoing", "enable_endpoint", name=name)
        return row[0] if row else None

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
        return await self._rows(
            "outgoing", "escalation_candidates", today=now.date(), since=since, now=now, after=after, limit=limit,
            only=None if only is None else list(only), when=rule.when, days_past_due=rule.days_past_due,
            contacts=rule.contacts, creditors=list(rule.creditors), products=list(rule.products),
        )  # fmt: skip

    async def insert_escalations(self, cases: Sequence[UUID], rule: str, at: datetime) -> set[UUID]:
        """Record that cases were escalated; returns those that had not been."""
        rows = await self._rows("outgoing", "insert_escalations", cases=list(cases), rule=rule, at=at)
        return {row[0] for row in rows}


def _told(row: Row) -> Told:
    position, case_id, seq, at, kind, data, account, borrower, creditor = row
    return Told(position, case_id, seq, at, kind, orjson.loads(data), account, borrower, creditor)
