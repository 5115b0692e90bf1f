"""Operations on what runs: alerts, switches, campaigns by hand, health."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from outreach.domain.ids import new_id
from outreach.store.base import Queries, Row


class Operating(Queries):
    """Reads and writes of the people who run the system."""

    async def open_alert(self, kind: str, subject: str, detail: str, at: datetime) -> None:
        """Tell an operator, once per kind and subject until it is closed."""
        self._write("ops", "open_alert", alert_id=new_id(at), kind=kind, subject=subject, detail=detail, at=at)

    async def open_alerts(self) -> list[Row]:
        """Return open alerts: (kind, subject, detail, opened_at)."""
        return await self._rows("ops", "open_alerts")

    async def close_alerts(self, subject: str, at: datetime) -> int:
        """Close the alerts about ``subject``."""
        return await self._run("ops", "close_alerts", subject=subject, at=at)

    async def lock_attempts(self, attempts: Sequence[UUID]) -> None:
        """Lock attempts in id order, so that settlement and receipts never wait for each other in a circle."""
        await self._rows("ops", "lock_attempts", attempts=list(attempts))

    async def insert_campaign(
        self, campaign_id: UUID, name: str, plan: str, spec: dict[str, Any], next_run_at: datetime, at: datetime
    ) -> UUID | None:
        """Store a running campaign; None when one of that name is live."""
        row = await self._row(
            "ops", "insert_campaign", campaign_id=campaign_id, name=name, plan=plan, spec=Jsonb(spec),
            next_run_at=next_run_at, at=at,
        )  # fmt: skip
        return row[0] if row else None

    async def campaigns(self, name: str | None = None) -> list[Row]:
        """List campaigns with counts; ``name`` (or id) narrows to one."""
        return await self._rows("ops", "campaigns", name=name)

    async def campaign_outcomes(self, campaign_id: UUID) -> list[Row]:
        """Return (channel, state, reason, touches) of one campaign."""
        return await self._rows("ops", "campaign_outcomes", campaign_id=campaign_id)

    async def move_campaign(self, name: str, to: str, allowed: Iterable[str], at: datetime) -> UUID | None:
        """Change a campaign's state; None when there is none in an allowed state."""
        row = await self._row("ops", "move_campaign", name=name, to=to, at=at, **{"from": list(allowed)})
        return row[0] if row else None

    async def pause_enrollments(self, campaign_id: UUID) -> int:
        """Pause the active enrollments of a campaign."""
        return len(await self._rows("ops", "pause_enrollments", campaign_id=campaign_id))

    async def resume_enrollments(self, campaign_id: UUID) -> int:
        """Make the paused enrollments of a campaign active again."""
        return len(await self._rows("ops", "resume_enrollments", campaign_id=campaign_id))

    async def cancel_enrollments(self, campaign_id: UUID, at: datetime) -> int:
        """Stop the live enrollments of a campaign."""
        return len(await self._rows("ops", "cancel_enrollments", campaign_id=campaign_id, at=at))

    async def pause_touches(self, campaign_id: UUID) -> int:
        """Take the campaign's waiting touches out of their lanes."""
        return len(await self._rows("ops", "pause_touches", campaign_id=campaign_id))

    async def resume_touches(self, campaign_id: UUID, at: datetime) -> int:
        """Put the campaign's paused touches back to planned."""
        return len(await self._rows("ops", "resume_touches", campaign_id=campaign_id, at=at))

    async def cancel_campaign_touches(self, campaign_id: UUID, at: datetime) -> list[Row]:
        """Cancel what has not started; returns (touch, case, step, channel)."""
        return await self._rows("ops", "cancel_campaign_touches", campaign_id=campaign_id, at=at)

    async def health(self) -> Row:
        """Return counts: waiting, queued, started, unknown, inbox new, inbox parked, tasks, active enrollments."""
        row = await self._row("ops", "health")
        return row or ()

    async def unknown_attempts(self) -> list[Row]:
        """Return (attempt, case, channel, started_at, lookups, next look-up) of attempts of unknown outcome."""
        return await self._rows("ops", "unknown_attempts")

    async def tallies(self) -> list[Row]:
        """Return (channel, state, reason, touches) over everything."""
        return await self._rows("ops", "tallies")

    async def attempt_tallies(self) -> list[Row]:
        """Return (channel, outcome, attempts) over everything."""
        return await self._rows("ops", "attempt_tallies")
