"""What approvals of templates need from a transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol


class ApprovalTx(Protocol):
    """The part of a transaction that knows who approved which words."""

    async def approved_templates(self) -> frozenset[tuple[str, str, str, str]]:
        """Return what may be sent: (template, channel, locale, hash)."""
        ...

    async def list_approvals(self) -> list[tuple[Any, ...]]:
        """Return (template, channel, locale, hash, approved by, at, note, revoked by, at), the oldest first."""
        ...

    async def approve_templates(self, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
        """Record approvals; returns (template, channel, locale) of those that were not approved before."""
        ...

    async def revoke_templates(self, rows: Sequence[dict[str, Any]], by: str, at: datetime) -> list[tuple[Any, ...]]:
        """Revoke every approval of templates; returns (template, channel, locale) of each."""
        ...

    async def free_approved(self, templates: Sequence[str], at: datetime) -> int:
        """Make due what waited for an approval of one of these templates; returns how many touches."""
        ...
