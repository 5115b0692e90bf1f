"""Campaign throughput: touches of a campaign leave at most so many a minute and a day, over all schedulers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from outreach.flows.ports import Tx


@dataclass(slots=True)
class _Slot:
    next_at: datetime | None
    day_on: date | None
    day_count: int
    per_minute: int | None
    per_day: int | None


class Slots:
    """The next free moment of each campaign, read and written under the campaign's row lock."""

    def __init__(self, slots: dict[UUID, _Slot]) -> None:
        self._slots = slots

    @classmethod
    async def load(cls, tx: Tx, campaigns: Iterable[UUID]) -> "Slots":
        """Lock the campaigns that have a limit."""
        ids = sorted(set(campaigns))
        if not ids:
            return cls({})
        found = {}
        for key, (next_at, day_on, count, spec) in (await tx.campaign_slots(ids)).items():
            limits = spec.get("throughput") or {}
            if limits.get("per_minute") or limits.get("per_day"):
                found[key] = _Slot(next_at, day_on, count, limits.get("per_minute"), limits.get("per_day"))
        return cls(found)

    def take(self, campaign_id: UUID | None, now: datetime) -> datetime:
        """Take the next free moment of a campaign: ``now`` when it has no limit."""
        slot = self._slots.get(campaign_id) if campaign_id else None
        if slot is None:
            return now
        at = max(now, slot.next_at or now)
        if slot.day_on is None or at.date() > slot.day_on:
            slot.day_on, slot.day_count = at.date(), 0
        if slot.per_day is not None and slot.day_count >= slot.per_day:
            slot.day_on, slot.day_count = slot.day_on + timedelta(days=1), 0
            at = datetime.combine(slot.day_on, datetime.min.time(), tzinfo=at.tzinfo)
        slot.day_count += 1
        slot.next_at = at + timedelta(seconds=60 / slot.per_minute) if slot.per_minute else at
        return at

    async def save(self, tx: Tx) -> None:
        """Write back what was taken."""
        await tx.move_campaign_slots(
            [
                {"campaign_id": key, "slot_at": slot.next_at, "day_on": slot.day_on, "day_count": slot.day_count}
                for key, slot in self._slots.items()
            ]
        )
