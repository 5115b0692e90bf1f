"""The dispatcher's reads and writes: one batch of touches, from lock to settlement."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from outreach.domain.case import Borrower, Case, ContactPoint
from outreach.domain.timeline import Entry, chain
from outreach.domain.touch import NewAttempt, NewTouch, Settlement, Touch, TouchMove
from outreach.policy.dossier import Dossier, Reopened
from outreach.policy.facts import Consent, Contact, Hold, Override, PersonalWindow, Suppression
from outreach.store.base import Ask, Queries, Row

People = dict[UUID, Dossier]


class Dispatching(Queries):
    """Reads under lock, bulk writes."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        super().__init__(connection)
        self._told: list[Entry] = []

    async def lock_borrowers_of(self, touches: Sequence[UUID]) -> list[UUID]:
        """Lock the borrowers of queued touches, and whoever shares a number with them, in id order."""
        rows = await self._rows("dispatch", "lock_borrowers_of", touches=list(touches))
        return [borrower for borrower, asked in rows if asked]

    async def lock_borrowers(self, borrowers: Sequence[UUID]) -> list[UUID]:
        """Lock borrowers (and sharers of their numbers) in id order; returns the borrowers that were asked for."""
        asked = list(borrowers)
        if asked:
            await self._rows("dispatch", "lock_borrowers", borrowers=asked)
        return asked

    async def queued_touches(self, touches: Sequence[UUID], channel: str) -> list[Touch]:
        """Read the touches that are still ours to send on ``channel``, most important first, and lock them."""
        rows = await self._rows("dispatch", "queued_touches", touches=list(touches), channel=channel)
        return [Touch(*_tupled(row, 9)) for row in rows]

    async def dossiers(
        self, borrowers: Sequence[UUID], *, at: datetime, since: datetime, until: datetime | None = None
    ) -> dict[UUID, Dossier]:
        """Read everything the gate may use about ``borrowers`` that was known ``until`` then, else at ``at``.

        History goes back to ``since``. Who decides for now reads a little beyond it: another process's clock may be
        ahead of ours, and what it sent, or heard somebody refuse, counts.
        """
        return self._people(await self._many(*self._dossier_asks(borrowers, at, since, until or at)))

    @staticmethod
    def _dossier_asks(borrowers: Sequence[UUID], at: datetime, since: datetime, until: datetime) -> list[Ask]:
        """Return the reads of dossiers: the people, then what is filed about them."""
        values = {"borrowers": list(borrowers), "at": at, "until": until, "since": since}
        return [("dispatch", name, values) for name in ("borrowers", *_FILE)]

    @staticmethod
    def _people(found: Sequence[list[Row]]) -> People:
        """File the rows of those reads."""
        people = {row[0]: Dossier(Borrower(*_tupled(row, 8, 9, 10, 11))) for row in found[0]}
        for file, rows in zip(_FILE.values(), found[1:], strict=True):
            file(people, rows)
        return people

    async def has_consents(self, borrower_id: UUID, channel: str) -> bool:
        """Tell whether the ledger says anything of a borrower and ``channel``."""
        return await self._row("dispatch", "has_consents", borrower_id=borrower_id, channel=channel) is not None

    async def last_texts(self, borrowers: Sequence[UUID], since: datetime) -> list[Row]:
        """Return (borrower, point, last by WhatsApp or None, last at all) of those who wrote a text after ``since``."""
        return await self._rows("dispatch", "last_texts", borrowers=list(borrowers), since=since)

    async def cases(self, cases: Iterable[UUID]) -> dict[UUID, Case]:
        """Read cases with their accounts."""
        rows = await self._rows("dispatch", "cases", cases=list(cases))
        return {row[0]: Case(*row) for row in rows}

    async def server_clock(self) -> datetime:
        """Read the database's own time, to compare clocks."""
        row = await self._row("dispatch", "server_clock")
        return row[0]  # type: ignore[index, no-any-return]

    async def insert_decisions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store decisions with the facts they were made from."""
        self._put("dispatch", "insert_decisions", rows)

    async def insert_attempts(self, rows: Sequence[NewAttempt]) -> None:
        """Store attempts as started: from here on they count toward caps."""
        self._put("dispatch", "insert_attempts", rows)

    async def insert_touches(self, rows: Sequence[NewTouch]) -> None:
        """Store planned touches."""
        self._put("dispatch", "insert_touches", rows)

    async def move_touches(self, rows: Sequence[TouchMove]) -> None:
        """Change the state of touches that are locked by this transaction."""
        self._put("dispatch", "move_touches", rows)

    async def release_queued(self, touches: Sequence[UUID], not_before: datetime, reason: str) -> None:
        """Put queued touches back to planned."""
        self._write("dispatch", "release_queued", touches=list(touches), not_before=not_before, reason=reason)

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
        self._put("dispatch", "mark_points", rows, at=at)

    async def points_at(self, value: str) -> list[Row]:
        """Return (contact point, borrower, kind, state, created at) of everyone who has a number or mailbox."""
        return await self._rows("dispatch", "points_at", value=value)

    async def update_points(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Change what is known of contact points: label, state with its reason, confirmed; None keeps it."""
        self._put("dispatch", "update_points", rows, at=at)

    async def confirm_points(self, borrower_id: UUID, value: str, at: datetime) -> list[UUID]:
        """Note that a borrower has used a number or mailbox; returns those that were not confirmed before."""
        return [row[0] for row in await self._rows(
            "dispatch", "confirm_points", borrower_id=borrower_id, value=value, at=at
        )]  # fmt: skip

    async def insert_suppressions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Record refusals."""
        self._put("dispatch", "insert_suppressions", rows)

    async def use_permissions(self, borrowers: Sequence[UUID], kind: str, at: datetime) -> None:
        """Mark one-time permissions as used."""
        self._write("dispatch", "use_permissions", borrowers=list(borrowers), kind=kind, at=at)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append to the timelines of the entries' cases. It is written when the transaction ends, all at once.

        Cases are what everybody writes to: locked last, and in id order, they close no circle of waiting.
        """
        self._told.extend(entries)

    async def write_told(self) -> None:
        """Write what was appended, and whatever else was not sent yet. The last thing of a transaction."""
        await self._chain_told()
        await self._send()

    async def _chain_told(self) -> None:
        """Lock the heads of the timelines, chain what was appended to them, have it written."""
        entries, self._told = self._told, []
        if not entries:
            return
        ids = sorted({entry.case_id for entry in entries})
        heads = {row[0]: (row[1], row[2]) for row in await self._rows("dispatch", "lock_heads", cases=ids)}
        links = chain([entry for entry in entries if entry.case_id in heads], heads)
        tips = [{"case_id": case, "seq": seq, "hash": tip} for case, (seq, tip) in heads.items()]
        self._put("dispatch", "append_links", links)
        self._put("dispatch", "move_heads", tips)


def _points(people: People, rows: list[Row]) -> None:
    for row in rows:
        people[row[1]].points.append(ContactPoint(*_tupled(row, 7, 8)))


def _consents(people: People, rows: list[Row]) -> None:
    for owner, kind, channel, state, said_at, point, expires_at, evidence, creditor, reopens in rows:
        said = Consent(kind, channel, state, said_at, _text(point), expires_at, evidence)
        _file_said(people[owner], said, creditor)
        if reopens:
            people[owner].reopened.append(Reopened(said_at, channel, said.point_id, creditor))


def _file_said(dossier: Dossier, said: Consent | Suppression, creditor: str | None) -> None:
    if creditor is not None:
        dossier.topical.append((creditor, said))
    elif isinstance(said, Consent):
        dossier.consents.append(said)
    else:
        dossier.suppressions.append(said)


def _suppressions(people: People, rows: list[Row]) -> None:
    for owner, channel, reason, since_at, point, until_at, case, creditor in rows:
        said = Suppression(channel, reason, since_at, _text(point), until_at, _text(case))
        _file_said(people[owner], said, creditor)


def _holds(people: People, rows: list[Row]) -> None:
    for owner, kind, since_at, case, until_at in rows:
        people[owner].holds.append(Hold(kind, since_at, _text(case), until_at))


def _windows(people: People, rows: list[Row]) -> None:
    for owner, effect, opens, closes, days, channel, until_at in rows:
        people[owner].windows.append(PersonalWindow(effect, opens, closes, tuple(days), channel, until_at))


def _permissions(people: People, rows: list[Row]) -> None:
    for owner, kind, since_at, until_at, channel, evidence, used in rows:
        people[owner].overrides.append(Override(kind, since_at, until_at, channel, evidence, used))


def _history(people: People, rows: list[Row]) -> None:
    add = {str(owner): dossier.history.append for owner, dossier in people.items()}
    for owner, moment, channel, outcome, case, creditor, point, purpose in rows:
        add[owner](Contact(moment, channel, outcome, (case,), creditor, point, "out", purpose))


def _heard(people: People, rows: list[Row]) -> None:
    for owner, moment, channel, case, point in rows:
        about = (str(case),) if case else ()
        people[owner].history.append(
            Contact(moment, channel, "conversation", about, "", _text(point) or "", "in", "reply")
        )


def _shared_history(people: People, rows: list[Row]) -> None:
    for owner, moment, channel, outcome, creditor, point, purpose in rows:
        people[owner].history.append(
            Contact(moment, channel, outcome, (), creditor, str(point), "out", purpose, same_borrower=False)
        )


def _recorded(people: People, rows: list[Row]) -> None:
    for owner, moment, channel, outcome, cases, creditor, point, direction, purpose, notice, own in rows:
        about = tuple(str(case) for case in cases)
        people[owner].history.append(
            Contact(moment, channel, outcome, about, creditor, point, direction, purpose, own, notice)
        )


_FILE: dict[str, Callable[[People, list[Row]], None]] = {
    "points": _points,
    "consents": _consents,
    "suppressions": _suppressions,
    "holds": _holds,
    "personal_windows": _windows,
    "permissions": _permissions,
    "history": _history,
    "heard": _heard,
    "shared_history": _shared_history,
    "recorded": _recorded,
}
"""Where the rows of each query go in a dossier."""


def _tupled(row: Row, *places: int) -> list[Any]:
    """Return a row whose arrays (lists, as the driver reads them) at ``places`` are tuples."""
    values = list(row)
    for place in places:
        values[place] = tuple(values[place])
    return values


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
