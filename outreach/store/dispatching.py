"""The dispatcher's reads and writes: one batch of touches, from lock to settlement."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.case import Borrower, Case, ContactPoint
from outreach.domain.timeline import Entry, chain
from outreach.domain.touch import NewAttempt, NewTouch, Settlement, Touch, TouchMove
from outreach.policy.dossier import Dossier
from outreach.policy.facts import Consent, Contact, Hold, Override, PersonalWindow, Suppression
from outreach.store.base import Queries, Row


class Dispatching(Queries):
    """Reads under lock, bulk writes."""

    async def lock_borrowers_of(self, touches: Sequence[UUID]) -> list[UUID]:
        """Lock the borrowers of queued touches, and whoever shares a number with them, in id order."""
        borrowers = [row[0] for row in await self._rows("dispatch", "borrowers_of", touches=list(touches))]
        return await self.lock_borrowers(borrowers)

    async def lock_borrowers(self, borrowers: Sequence[UUID]) -> list[UUID]:
        """Lock borrowers (and sharers of their numbers) in id order; returns the borrowers that were asked for."""
        asked = list(borrowers)
        if not asked:
            return []
        sharers = [row[0] for row in await self._rows("dispatch", "sharers_of", borrowers=asked)]
        await self._rows("dispatch", "lock_borrowers", borrowers=[*asked, *sharers])
        return asked

    async def queued_touches(self, touches: Sequence[UUID], channel: str) -> list[Touch]:
        """Read the touches that are still ours to send on ``channel``, most important first, and lock them."""
        rows = await self._rows("dispatch", "queued_touches", touches=list(touches), channel=channel)
        return [Touch(*row[:9], tuple(row[9]), *row[10:]) for row in rows]

    async def dossiers(self, borrowers: Sequence[UUID], *, at: datetime, since: datetime) -> dict[UUID, Dossier]:
        """Read everything the gate may use about ``borrowers``; history goes back to ``since``."""
        ids = list(borrowers)
        people: dict[UUID, Dossier] = {}
        for row in await self._rows("dispatch", "borrowers", borrowers=ids):
            people[row[0]] = Dossier(Borrower(*row[:8], tuple(row[8]), tuple(row[9])))
        for row in await self._rows("dispatch", "points", borrowers=ids):
            people[row[1]].points.append(ContactPoint(*row[:7], tuple(row[7]), tuple(row[8]), *row[9:]))
        for owner, kind, channel, state, given_at, point, expires_at, evidence in await self._rows(
            "dispatch", "consents", borrowers=ids, at=at
        ):
            people[owner].consents.append(Consent(kind, channel, state, given_at, _text(point), expires_at, evidence))
        for owner, channel, reason, since_at, point, until_at, case in await self._rows(
            "dispatch", "suppressions", borrowers=ids, at=at
        ):
            people[owner].suppressions.append(
                Suppression(channel, reason, since_at, _text(point), until_at, _text(case))
            )
        for owner, kind, since_at, case, until_at in await self._rows("dispatch", "holds", borrowers=ids, at=at):
            people[owner].holds.append(Hold(kind, since_at, _text(case), until_at))
        for owner, effect, opens, closes, days, channel, until_at in await self._rows(
            "dispatch", "personal_windows", borrowers=ids, at=at
        ):
            people[owner].windows.append(PersonalWindow(effect, opens, closes, tuple(days), channel, until_at))
        for owner, kind, since_at, until_at, channel, evidence, used in await self._rows(
            "dispatch", "permissions", borrowers=ids, at=at, since=since
        ):
            people[owner].overrides.append(Override(kind, since_at, until_at, channel, evidence, used))
        await self._history(people, ids, at, since)
        return people

    async def _history(self, people: dict[UUID, Dossier], ids: list[UUID], at: datetime, since: datetime) -> None:
        for owner, moment, channel, outcome, case, creditor, point, purpose in await self._rows(
            "dispatch", "history", borrowers=ids, at=at, since=since
        ):
            people[owner].history.append(
                Contact(moment, channel, outcome, (str(case),), creditor, str(point), "out", purpose)
            )
        for owner, moment, channel, case, point in await self._rows(
            "dispatch", "heard", borrowers=ids, at=at, since=since
        ):
            people[owner].history.append(
                Contact(
                    moment, channel, "conversation", (str(case),) if case else (), "", _text(point) or "", "in", "reply"
                )
            )
        for owner, moment, channel, outcome, creditor, point, purpose in await self._rows(
            "dispatch", "shared_history", borrowers=ids, at=at, since=since
        ):
            people[owner].history.append(
                Contact(moment, channel, outcome, (), creditor, str(point), "out", purpose, same_borrower=False)
            )

    async def cases(self, cases: Iterable[UUID]) -> dict[UUID, Case]:
        """Read cases with their accounts."""
        rows = await self._rows("dispatch", "cases", cases=list(cases))
        return {row[0]: Case(*row) for row in rows}

    async def switches(self) -> set[tuple[str, str]]:
        """Read what is paused: (scope, key)."""
        return {(row[0], row[1]) for row in await self._rows("dispatch", "switches")}

    async def server_clock(self) -> datetime:
        """Read the database's own time, to compare clocks."""
        row = await self._row("dispatch", "server_clock")
        return row[0]  # type: ignore[index, no-any-return]

    async def insert_decisions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store decisions with the facts they were made from."""
        await self._bulk("dispatch", "insert_decisions", rows)

    async def insert_attempts(self, rows: Sequence[NewAttempt]) -> None:
        """Store attempts as started: from here on they count toward caps."""
        await self._bulk("dispatch", "insert_attempts", rows)

    async def insert_touches(self, rows: Sequence[NewTouch]) -> None:
        """Store planned touches."""
        await self._bulk("dispatch", "insert_touches", rows)

    async def move_touches(self, rows: Sequence[TouchMove]) -> None:
        """Change the state of touches that are locked by this transaction."""
        await self._bulk("dispatch", "move_touches", rows)

    async def release_queued(self, touches: Sequence[UUID], not_before: datetime, reason: str) -> None:
        """Put queued touches back to planned."""
        await self._run("dispatch", "release_queued", touches=list(touches), not_before=not_before, reason=reason)

    async def settle_attempts(self, rows: Sequence[Settlement]) -> dict[UUID, str]:
        """Record how attempts ended; never moves one backwards. Returns the state each now has."""
        return {row[0]: row[1] for row in await self._bulk("dispatch", "settle_attempts", rows)}

    async def withdraw_returned(self, touches: Sequence[UUID], at: datetime) -> list[Row]:
        """Call off touches that came back while what planned them was paused or stopped.

        Returns (touch, case, step, channel, state, reason) of those it called off.
        """
        return await self._rows("dispatch", "withdraw_returned", touches=list(touches), at=at)

    async def mark_points(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Demote contact points (invalid, wrong party ...)."""
        await self._bulk("dispatch", "mark_points", rows, at=at)

    async def insert_suppressions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Record refusals."""
        await self._bulk("dispatch", "insert_suppressions", rows)

    async def use_permissions(self, borrowers: Sequence[UUID], kind: str, at: datetime) -> None:
        """Mark one-time permissions as used."""
        await self._run("dispatch", "use_permissions", borrowers=list(borrowers), kind=kind, at=at)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append to the timelines of the entries' cases: locks the heads, chains, writes."""
        if not entries:
            return
        ids = sorted({entry.case_id for entry in entries})
        heads = {row[0]: (row[1], row[2]) for row in await self._rows("dispatch", "lock_heads", cases=ids)}
        links = chain([entry for entry in entries if entry.case_id in heads], heads)
        await self._bulk("dispatch", "append_links", links)
        await self._bulk(
            "dispatch", "move_heads", [{"case_id": case, "seq": seq, "hash": tip} for case, (seq, tip) in heads.items()]
        )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
