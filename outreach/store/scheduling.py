"""The scheduler's reads and writes: claims, enrollments, sweeps."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from outreach.domain.enrollment import AudienceRow, ConditionRow, DueEnrollment, NewEnrollment
from outreach.domain.intake import Claimed
from outreach.store.base import Queries, Row


class Scheduling(Queries):
    """Claims use SKIP LOCKED: any number of schedulers may call them at once."""

    async def claim_enrollments(self, now: datetime, limit: int) -> list[DueEnrollment]:
        """Lock up to ``limit`` enrollments whose next step is due: the prompt ones if there are any, earliest first."""
        rows = await self._rows("schedule", "claim_prompt_enrollments", now=now, limit=limit)
        rows = rows or await self._rows("schedule", "claim_enrollments", now=now, limit=limit)
        return [DueEnrollment(*row) for row in rows]

    async def advance_enrollments(self, rows: Sequence[dict[str, Any]]) -> None:
        """Move claimed enrollments to their next step, or end them."""
        self._put("schedule", "advance_enrollments", rows)

    async def condition_rows(self, cases: Iterable[UUID]) -> dict[UUID, ConditionRow]:
        """Read what conditions may ask about ``cases``."""
        rows = await self._rows("schedule", "condition_facts", cases=list(cases))
        return {row[0]: ConditionRow(*row) for row in rows}

    async def audience_page(self, after: UUID, limit: int, now: datetime) -> list[AudienceRow]:
        """Read one page of open cases behind ``after`` in id order."""
        rows = await self._rows("schedule", "audience", after=after, limit=limit, now=now)
        return [AudienceRow(ConditionRow(*row[:15]), *row[15:]) for row in rows]

    async def claim_ready(self, now: datetime, lease_until: datetime, rooms: Sequence[dict[str, Any]]) -> list[Claimed]:
        """Lease touches whose time has come: as many of each channel and level as ``rooms`` says there is room for."""
        rows = await self._bulk("schedule", "claim_ready", rooms, now=now, lease_until=lease_until)
        return [Claimed(*row) for row in rows]

    async def claim_lost(self, real: datetime, lease_until: datetime, limit: int) -> list[Claimed]:
        """Lease again what was queued and never picked up."""
        rows = await self._rows("schedule", "claim_lost", real=real, lease_until=lease_until, limit=limit)
        return [Claimed(*row) for row in rows]

    async def claim_stranded(self, before: datetime, limit: int) -> list[Row]:
        """Lock attempts that were started before ``before`` (real time) and never settled."""
        return await self._rows("schedule", "claim_stranded", before=before, limit=limit)

    async def claim_lookups(self, real: datetime, limit: int) -> list[Row]:
        """Lock attempts of unknown outcome, then those without news, that are due to be looked up."""
        rows = await self._rows("schedule", "claim_lookups", real=real, limit=limit)
        if len(rows) < limit:
            rows += await self._rows("schedule", "claim_overdue_lookups", real=real, limit=limit - len(rows))
        return rows

    async def postpone_lookups(self, rows: Sequence[dict[str, Any]]) -> None:
        """Set when an unknown attempt is looked up next (None: no more)."""
        self._put("schedule", "postpone_lookups", rows)

    async def addresses(self, points: Iterable[UUID]) -> dict[UUID, str]:
        """Read the numbers and mailboxes behind contact points."""
        rows = await self._rows("schedule", "addresses", points=list(points))
        return {row[0]: row[1] for row in rows}

    async def touch_states(self, touches: Iterable[UUID]) -> dict[UUID, Row]:
        """Lock touches and read (touch_id, state, fallback, tries, expires_at)."""
        rows = await self._rows("schedule", "touch_states", touches=list(touches))
        return {row[0]: row for row in rows}

    async def expire_touches(self, now: datetime, limit: int) -> list[Row]:
        """Close touches whose time has passed; returns (touch, case, step, template)."""
        return await self._rows("schedule", "expire_touches", now=now, limit=limit)

    async def next_instant(self) -> datetime | None:
        """Return the next moment at which anything falls due, or None."""
        row = await self._row("schedule", "next_instant")
        return row[0] if row else None

    async def unfinished(self, now: datetime) -> int:
        """Count work that is under way or due right now; 0 means the system is idle."""
        row = await self._row("schedule", "unfinished", now=now)
        return sum(row) if row else 0

    async def insert_enrollments(self, rows: Sequence[NewEnrollment]) -> set[UUID]:
        """Enrol cases; returns the cases that were not already enrolled for the same cause."""
        return {row[1] for row in await self._bulk("schedule", "insert_enrollments", rows)}

    async def latest_enrollments(self, cases: Iterable[UUID], plan: str) -> dict[UUID, Row]:
        """Return per case its newest enrollment on ``plan``: (case, enrollment, state, trigger key, created at)."""
        rows = await self._rows("schedule", "latest_enrollments", cases=list(cases), plan=plan)
        return {row[0]: row for row in rows}

    async def stop_enrollments(
        self, cases: Iterable[UUID], plans: Iterable[str], reason: str, at: datetime
    ) -> list[Row]:
        """Stop live enrollments of ``cases`` on ``plans``; returns (enrollment, case, plan, cause)."""
        return await self._rows(
            "schedule", "stop_enrollments", cases=list(cases), plans=list(plans), reason=reason, at=at
        )

    async def stop_enrollments_of_causes(
        self, case_id: UUID, causes: Iterable[str], reason: str, at: datetime
    ) -> list[Row]:
        """Stop what a case was enrolled for by these causes; returns (enrollment, case, plan, cause)."""
        return await self._rows(
            "schedule", "stop_enrollments_of_causes", case_id=case_id, causes=list(causes), reason=reason, at=at
        )

    async def cancel_touches_of_enrollments(
        self, borrowers: Iterable[UUID], enrollments: Iterable[UUID], reason: str, at: datetime
    ) -> list[Row]:
        """Cancel what has not started of ``enrollments``; returns (touch, case, step, channel)."""
        return await self._rows(
            "schedule",
            "cancel_touches_of_enrollments",
            borrowers=list(borrowers),
            enrollments=list(enrollments),
            reason=reason,
            at=at,
        )

    async def cancel_touches(
        self, cases: Iterable[UUID], purposes: Iterable[str], reason: str, at: datetime
    ) -> list[Row]:
        """Cancel what has not started of ``cases`` for ``purposes``; returns (touch, case, step, channel)."""
        return await self._rows(
            "schedule", "cancel_touches", cases=list(cases), purposes=list(purposes), reason=reason, at=at
        )

    async def keep_plan_version(self, version: str, name: str, body: dict[str, Any], at: datetime) -> None:
        """Store a plan version once, so that running enrollments can stay on it."""
        self._write("schedule", "upsert_plan_version", version=version, name=name, body=Jsonb(body), at=at)

    async def plan_bodies(self, versions: Iterable[str]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Read stored plan versions: version -> (name, body)."""
        rows = await self._rows("schedule", "plan_versions", versions=list(versions))
        return {row[0]: (row[1], row[2]) for row in rows}

    async def keep_policy_version(self, version: str, body: str, at: datetime) -> None:
        """Store a policy version once, so that its decisions can be replayed. ``body`` is its canonical JSON."""
        self._write("schedule", "upsert_policy_version", version=version, body=body, at=at)

    async def policy_body(self, version: str) -> str | None:
        """Read a stored policy version: its canonical JSON, byte for byte."""
        row = await self._row("schedule", "policy_version", version=version)
        return row[0] if row else None

    async def due_campaigns(self, now: datetime) -> list[Row]:
        """Lock campaigns whose run is due: (id, name, plan, spec, next_run_at, when its state changed)."""
        return await self._rows("schedule", "due_campaigns", now=now)

    async def campaign_ran(self, campaign_id: UUID, now: datetime, next_run_at: datetime | None, state: str) -> None:
        """Record a campaign's run and when it runs next."""
        self._write("schedule", "campaign_ran", campaign_id=campaign_id, now=now, next_run_at=next_run_at, state=state)

    async def campaign_slots(
        self, campaigns: Iterable[UUID]
    ) -> dict[UUID, tuple[datetime | None, date | None, int, dict[str, Any]]]:
        """Lock campaigns and read their throughput state: next free slot, day, touches on that day, spec."""
        rows = await self._rows("schedule", "campaign_slots", campaigns=list(campaigns))
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}

    async def move_campaign_slots(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write back the throughput state of locked campaigns."""
        self._put("schedule", "move_campaign_slots", rows)
