"""What comes back: the inbox, receipts, replies, dialogues, and what they change on the case."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from outreach.domain.book import BookEntry, Conflict
from outreach.domain.case import Case
from outreach.domain.intake import AnsweredCall, InboxRow, KnownAttempt, OpenDialogue
from outreach.policy.dossier import REFUSED_BY_THE_PERSON
from outreach.store.base import Queries, Row
from outreach.store.book import StagedLines


class Receiving(Queries):
    """Inbox first, effects second."""

    async def insert_inbox(self, rows: Sequence[dict[str, Any]]) -> dict[str, UUID]:
        """Store what is new; returns dedupe key -> id of the rows that were not known yet."""
        return {row[1]: row[0] for row in await self._bulk("intake", "insert_inbox", rows)}

    async def claim_inbox(self, inbox: Sequence[UUID]) -> list[InboxRow]:
        """Lock the rows that are still to be applied."""
        return [InboxRow(*row) for row in await self._rows("intake", "claim_inbox", inbox=list(inbox))]

    async def due_inbox(self, real: datetime, limit: int) -> list[Row]:
        """Return (id, kind) of rows whose wake-up is due or was lost."""
        return await self._rows("intake", "due_inbox", real=real, limit=limit)

    async def lease_inbox(self, inbox: Sequence[UUID], until: datetime) -> None:
        """Do not look at these rows again before ``until`` (real time)."""
        self._write("intake", "lease_inbox", inbox=list(inbox), until=until)

    async def close_inbox(self, rows: Sequence[dict[str, Any]]) -> None:
        """Move inbox rows to applied or parked, or keep them new with a retry time."""
        self._put("intake", "close_inbox", rows)

    async def attempts_by_news(self, tokens: Iterable[str], refs: Iterable[str]) -> list[KnownAttempt]:
        """Lock the attempts that receipts speak of."""
        rows = await self._rows("intake", "attempts_by_news", tokens=list(tokens), refs=list(refs))
        return [KnownAttempt(*row) for row in rows]

    async def apply_news(self, rows: Sequence[dict[str, Any]], at: datetime) -> None:
        """Write merged outcomes."""
        self._put("intake", "apply_news", rows, at=at)

    async def touches_of_attempts(self, touches: Iterable[UUID]) -> dict[UUID, str]:
        """Lock touches and return their states."""
        return {row[0]: row[1] for row in await self._rows("intake", "touches_of_attempts", touches=list(touches))}

    async def owners_of_address(self, value: str) -> list[Row]:
        """Return (borrower, contact point, last attempt at, state) of everyone who has or had a number or mailbox."""
        return await self._rows("intake", "owners_of_address", value=value)

    async def attempt_by_token(self, token: str) -> Row | None:
        """Return the attempt a callback's token names: (attempt, touch, case, borrower, point, ...)."""
        return await self._row("intake", "attempt_by_token", token=token)

    async def attempt_by_reference(self, reference: str, attempt_id: UUID | None) -> Row | None:
        """Return what ``attempt_by_token`` does, of the attempt with this provider's reference or this id."""
        return await self._row("intake", "attempt_by_reference", reference=reference, attempt_id=attempt_id)

    async def last_attempt(self, borrower_id: UUID, channel: str, since: datetime) -> Row | None:
        """Return (case, creditor, point) of what we last wrote to this borrower about."""
        return await self._row("intake", "last_attempt", borrower_id=borrower_id, channel=channel, since=since)

    async def open_case_of(self, borrower_id: UUID) -> UUID | None:
        """Return the borrower's oldest open case."""
        row = await self._row("intake", "open_case_of", borrower_id=borrower_id)
        return row[0] if row else None

    async def insert_reply(self, row: dict[str, Any]) -> None:
        """Store a reply with its reading."""
        self._put("intake", "insert_reply", [row])

    async def open_dialogue(self, borrower_id: UUID, surface: str) -> OpenDialogue | None:
        """Lock the borrower's open dialogue on a surface."""
        row = await self._row("intake", "open_dialogue", borrower_id=borrower_id, surface=surface)
        return OpenDialogue(*row) if row else None

    async def unfinished_call(self, borrower_id: UUID, since: datetime) -> OpenDialogue | None:
        """Lock the borrower's last call that broke off after ``since`` while an offer or a question was open."""
        row = await self._row("intake", "unfinished_call", borrower_id=borrower_id, since=since)
        return OpenDialogue(*row) if row else None

    async def save_dialogue(self, values: dict[str, Any]) -> None:
        """Insert or update a dialogue."""
        self._write("intake", "save_dialogue", **values | {"data": Jsonb(values["data"])})

    async def close_dialogues(self, borrower_id: UUID, outcome: str, at: datetime) -> list[Row]:
        """Close every open dialogue of a borrower; returns (dialogue, case, kind)."""
        return await self._rows("intake", "close_dialogues", borrower_id=borrower_id, outcome=outcome, at=at)

    async def expire_dialogues(self, now: datetime, limit: int) -> list[Row]:
        """Close dialogues that waited too long; returns (dialogue, case, kind, state)."""
        return await self._rows("intake", "expire_dialogues", now=now, limit=limit)

    async def insert_holds(self, rows: Sequence[dict[str, Any]]) -> None:
        """Place holds."""
        self._put("intake", "insert_holds", rows)

    async def lift_holds(self, borrower_id: UUID, case_id: UUID | None, kind: str, at: datetime) -> int:
        """Lift holds of one kind; returns how many."""
        return len(await self._rows("intake", "lift_holds", borrower_id=borrower_id, case_id=case_id, kind=kind, at=at))

    async def insert_consents(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append to the consent ledger."""
        self._put("intake", "insert_consents", rows)

    async def lift_suppressions(
        self, borrower_id: UUID, channels: Sequence[str], reason: str, before: datetime, at: datetime
    ) -> int:
        """Lift suppressions on ``channels`` for one reason that began at or before ``before``; returns how many."""
        rows = await self._rows(
            "intake", "lift_suppressions", borrower_id=borrower_id, channels=list(channels), reason=reason,
            before=before, at=at,
        )  # fmt: skip
        return len(rows)

    async def lift_refusals(
        self,
        borrower_id: UUID,
        channels: Sequence[str],
        point: UUID | None,
        creditor_id: str | None,
        before: datetime,
        at: datetime,
    ) -> list[Row]:
        """Lift what a person refused on ``channels`` up to ``before``, as far as it bears on a point and a programme.

        Returns (channel, reason, since, contact point, creditor) of each refusal that was lifted.
        """
        return await self._rows(
            "intake", "lift_refusals", borrower_id=borrower_id, channels=list(channels), point=point,
            creditor=creditor_id, reasons=sorted(REFUSED_BY_THE_PERSON), before=before, at=at,
        )  # fmt: skip

    async def lift_broad_refusals(self, borrower_id: UUID, at: datetime) -> list[Row]:
        """Lift what a person refused about every programme; returns what ``lift_refusals`` does."""
        reasons = sorted(REFUSED_BY_THE_PERSON)
        return await self._rows("intake", "lift_broad_refusals", borrower_id=borrower_id, reasons=reasons, at=at)

    async def creditors_of(self, borrower_id: UUID) -> list[str]:
        """Return the creditors a borrower owes."""
        return sorted(row[0] for row in await self._rows("intake", "creditors_of", borrower_id=borrower_id))

    async def locate_borrower(
        self, borrower_id: UUID, jurisdictions: Sequence[str], zones: Sequence[str], at: datetime
    ) -> bool:
        """Record where a borrower says to be; False when something newer is known."""
        row = await self._row(
            "intake", "locate_borrower", borrower_id=borrower_id, jurisdictions=list(jurisdictions),
            zones=list(zones), at=at,
        )  # fmt: skip
        return row is not None

    async def accounts_of(self, refs: Iterable[str]) -> dict[str, Row]:
        """Return per account reference (reference, account, borrower, creditor)."""
        return {row[0]: row for row in await self._rows("intake", "accounts_of", refs=list(refs))}

    async def insert_recorded(self, rows: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
        """Store contacts that others made; returns (maker, identifier) of those that are new or moved forward."""
        return {(row[0], row[1]) for row in await self._bulk("intake", "insert_recorded", rows)}

    async def insert_permission(self, values: dict[str, Any]) -> None:
        """Record evidence that lifts one named rule for a while."""
        self._write("intake", "insert_permission", **values)

    async def insert_personal_window(self, values: dict[str, Any]) -> None:
        """Record times the borrower named."""
        self._write("intake", "insert_personal_window", **values)

    async def cancel_open_touches(
        self,
        borrowers: Sequence[UUID],
        *,
        channels: Sequence[str] | None,
        case_id: UUID | None,
        keep: Sequence[str],
        reason: str,
        at: datetime,
    ) -> list[Row]:
        """Cancel what has not started; returns (touch, case, step, channel). ``keep`` are purposes left alone."""
        return await self._rows(
            "intake", "cancel_open_touches", borrowers=list(borrowers),
            channels=None if channels is None else list(channels),
            case_id=case_id, keep=list(keep), reason=reason, at=at,
        )  # fmt: skip

    async def insert_task(self, values: dict[str, Any]) -> None:
        """Hand something to a person."""
        self._write("intake", "insert_task", **values | {"detail": Jsonb(values["detail"])})

    async def live_arrangements(self, cases: Iterable[UUID]) -> dict[UUID, Row]:
        """Return per case its live arrangement: (case, arrangement, state, frequency, total_minor, currency)."""
        return {row[0]: row for row in await self._rows("dispatch", "live_arrangements", cases=list(cases))}

    async def installments(self, arrangements: Iterable[UUID]) -> dict[UUID, list[tuple[int, date, int, int]]]:
        """Return per arrangement its installments: (no, due_on, amount_minor, paid_minor)."""
        found: dict[UUID, list[tuple[int, date, int, int]]] = {}
        for row in await self._rows("dispatch", "installments_of", arrangements=list(arrangements)):
            found.setdefault(row[0], []).append((row[1], row[2], row[3], row[4]))
        return found

    async def live_promises(self, cases: Iterable[UUID]) -> dict[UUID, Row]:
        """Return per case its open promise: (case, promise, amount_minor, currency, due_on, paid_minor)."""
        return {row[0]: row for row in await self._rows("dispatch", "live_promises", cases=list(cases))}

    async def move_arrangement(self, arrangement_id: UUID, state: str, ended_at: datetime | None) -> None:
        """Change an arrangement's state."""
        self._write("intake", "move_arrangement", arrangement_id=arrangement_id, state=state, ended_at=ended_at)

    async def pay_installments(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write what has been paid of installments."""
        self._put("intake", "pay_installments", rows)

    async def move_promise(self, promise_id: UUID, state: str, paid_minor: int, ended_at: datetime | None) -> None:
        """Change a promise's state."""
        self._write(
            "intake", "move_promise", promise_id=promise_id, state=state, paid_minor=paid_minor, ended_at=ended_at
        )

    async def borrowers_of_cases(self, cases: Iterable[UUID]) -> list[UUID]:
        """Return the borrowers of cases."""
        return [row[0] for row in await self._rows("intake", "borrowers_of_cases", cases=list(cases))]

    async def insert_events(self, rows: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
        """Store events; returns (source, id) of those that were not known yet."""
        return {(row[0], row[1]) for row in await self._bulk("intake", "insert_events", rows)}

    async def cases_by_account(self, accounts: Iterable[str]) -> dict[str, tuple[UUID, UUID]]:
        """Return per account reference (case, borrower)."""
        rows = await self._rows("intake", "cases_by_account", accounts=list(accounts))
        return {row[0]: (row[1], row[2]) for row in rows}

    async def borrowers_by_ref(self, refs: Iterable[str]) -> dict[str, UUID]:
        """Return per borrower reference its id."""
        return {row[0]: row[1] for row in await self._rows("intake", "borrowers_by_ref", refs=list(refs))}

    async def save_cases(self, cases: Sequence[Case], at: datetime) -> None:
        """Write back what is owed on cases and whether they are open."""
        self._put(
            "intake",
            "update_accounts",
            [
                {
                    "account_id": case.account_id,
                    "amount_due_minor": case.amount_due_minor,
                    "balance_minor": case.balance_minor,
                    "due_on": case.due_on,
                    "charged_off": case.charged_off,
                    "time_barred": case.time_barred,
                    "accelerated": case.accelerated,
                    "creditor_kind": case.creditor_kind,
                }
                for case in cases
            ],
            at=at,
        )
        self._put("intake", "move_cases", [{"case_id": case.case_id, "state": case.state} for case in cases], at=at)

    async def put_book_entries(self, entries: Sequence[BookEntry], at: datetime) -> list[Conflict]:
        """Take in borrowers with their accounts, as an import does; returns what contradicts the store."""
        await self._send()
        staged = StagedLines(self._connection, at)
        await staged.open()
        await staged.stage(replace(entry, line=line) for line, entry in enumerate(entries, 1))
        conflicts = [conflict async for conflict in staged.conflicts()]
        for batch in range(await staged.batches(len(entries))):
            await staged.apply(batch, at)
        await staged.close()
        return conflicts

    async def open_case(self, case_id: UUID, account: str, at: datetime) -> tuple[UUID, UUID] | None:
        """Open a case on a known account; None when one is open or the account is unknown."""
        row = await self._row("intake", "open_case", case_id=case_id, account=account, at=at)
        return (row[0], row[1]) if row else None

    async def insert_payment(self, values: dict[str, Any]) -> bool:
        """Store a payment once; False when it is known."""
        return await self._row("intake", "insert_payment", **values) is not None

    async def reverse_payment(self, source: str, external_id: str, at: datetime) -> Row | None:
        """Mark a payment as reversed; returns (case, amount_minor), None when unknown or already reversed."""
        return await self._row("intake", "reverse_payment", source=source, external_id=external_id, at=at)

    async def notify_due(self) -> None:
        """Wake the schedulers when this transaction commits."""
        self._write("intake", "notify_due")

    async def open_cases_of(self, borrower_id: UUID) -> list[UUID]:
        """Return the borrower's open cases."""
        return [row[0] for row in await self._rows("intake", "open_cases_of", borrower_id=borrower_id)]

    async def answered_call(self, token: str, since: datetime) -> AnsweredCall | None:
        """Return the call a token names, unless it was placed before ``since``."""
        row = await self._row("intake", "answered_call", token=token, since=since)
        return AnsweredCall(*row) if row else None

    async def close_surface(self, borrower_id: UUID, surface: str, outcome: str, at: datetime) -> None:
        """Close what is still open of a borrower on one surface."""
        self._write("intake", "close_surface", borrower_id=borrower_id, surface=surface, outcome=outcome, at=at)

    async def raise_outcome(self, attempt_id: UUID, outcome: str, rank: int, at: datetime) -> None:
        """Record what a call itself learned, unless something of a higher rank is known already."""
        self._write("intake", "raise_outcome", attempt_id=attempt_id, outcome=outcome, rank=rank, at=at)

    async def tasks_of_case(self, case_id: UUID) -> list[Row]:
        """Return what was handed to people: (task, kind, opened_at, due_at, closed_at, detail)."""
        return await self._rows("intake", "tasks_of_case", case_id=case_id)
