"""Approvals of templates in the store: which words may be sent in production, who said so, and what waited for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from outreach.store.base import Queries, Row


class Approving(Queries):
    """Reads and writes of approvals. The record is append-only: an approval is revoked, never removed."""

    async def approved_templates(self) -> frozenset[tuple[str, str, str, str]]:
        """Return what may be sent: (template, channel, locale, hash)."""
        return frozenset((row[0], row[1], row[2], row[3]) for row in await self._rows("approval", "approved"))

    async def list_approvals(self) -> list[Row]:
        """Return (template, channel, locale, hash, approved by, at, note, revoked by, at), the oldest first."""
        return await self._rows("approval", "approvals")

    async def approve_templates(self, rows: Sequence[dict[str, Any]]) -> list[Row]:
        """Record approvals (id, template, channel, locale, hash, by, at, note).

        Returns (template, channel, locale) of those that were not approved before.
        """
        return await self._bulk("approval", "approve", rows)

    async def revoke_templates(self, rows: Sequence[dict[str, Any]], by: str, at: datetime) -> list[Row]:
        """Revoke every approval of templates (template, channel, locale), whichever words it was for."""
        return await self._bulk("approval", "revoke", rows, by=by, at=at)

    async def free_approved(self, templates: Sequence[str], at: datetime) -> int:
        """Make due what waited for an approval of one of these templates; returns how many touches."""
        return await self._run("approval", "free_approved", templates=list(templates), at=at)
