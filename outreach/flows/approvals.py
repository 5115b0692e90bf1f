"""Approved words: in production a template is sent only in the very words that somebody approved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outreach.domain.ids import new_id
from outreach.domain.touch import Touch
from outreach.domain.words import Channel
from outreach.flows.approval_ports import ApprovalTx
from outreach.rendering.catalog import Catalog, Template

if TYPE_CHECKING:
    from outreach.flows.house import House

STALE_AFTER = timedelta(seconds=1)
"""How long a process may go on with what it read: an approval or its revocation is in force everywhere after this."""

ASK_AGAIN = timedelta(minutes=15)
"""When a touch that waits for an approval is decided anew, if nobody lets it go before."""

UNAPPROVED = "template.unapproved"
NEEDED_IN = "production"


class Approvals:
    """What one process last read of the approvals."""

    def __init__(self) -> None:
        self._known: frozenset[tuple[str, str, str, str]] = frozenset()
        self._read_at: datetime | None = None

    async def refresh(self, tx: ApprovalTx, real: datetime) -> None:
        """Read the approvals unless they were read less than a second ago. ``real`` is machine time."""
        if self._read_at is None or not timedelta() <= real - self._read_at < STALE_AFTER:
            self._known, self._read_at = await tx.approved_templates(), real

    def permit(self, template: Template) -> bool:
        """Say whether a template is approved as it stands now."""
        return key_of(template) in self._known


def may_be_sent(house: "House", touch: Touch, locale: str) -> bool:
    """Say whether the words of a touch were approved or need not be. What does not exist is refused elsewhere."""
    return may_be_said(house, touch.template, Channel(touch.channel), locale)


def may_be_said(house: "House", name: str, channel: Channel, locale: str) -> bool:
    """Say the same of a template by its name."""
    if house.mode != NEEDED_IN:
        return True
    template = house.renderer.catalog.find(name, channel, locale)
    return template is None or house.approvals.permit(template)


def key_of(template: Template) -> tuple[str, str, str, str]:
    """Return what an approval is about: (template, channel, locale, hash)."""
    return (template.name, template.channel.value, template.locale.code, template.hash)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a template stands. ``state`` is approved, changed (other words were approved), revoked or new."""

    template: Template
    state: str
    by: str | None = None
    at: datetime | None = None
    note: str = ""


async def standings(tx: ApprovalTx, catalog: Catalog) -> list[Standing]:
    """Return how every template of the catalog stands, in the order of the catalog."""
    live: dict[tuple[str, str, str, str], tuple[str, datetime, str]] = {}
    history: dict[tuple[str, str, str], str] = {}
    for name, channel, locale, digest, by, at, note, revoked_by, _ in await tx.list_approvals():
        history[name, channel, locale] = "revoked" if revoked_by else "changed"
        if not revoked_by:
            live[name, channel, locale, digest] = (by, at, note)
    found = []
    for template in catalog.templates.values():
        key = key_of(template)
        if key in live:
            found.append(Standing(template, "approved", *live[key]))
        else:
            found.append(Standing(template, history.get(key[:3], "new")))
    return found


async def approve(house: "House", templates: Sequence[Template], by: str, note: str) -> int:
    """Approve templates as they stand and let go what waited for it; returns how many were not approved before."""
    async with house.store.transaction() as tx:
        now = house.clock.now()
        rows = [
            {"id": new_id(now), "template": name, "channel": channel, "locale": locale, "hash": digest,
             "by": by, "at": now, "note": note}
            for name, channel, locale, digest in map(key_of, templates)
        ]  # fmt: skip
        fresh = await tx.approve_templates(rows)
        await tx.free_approved(sorted({row[0] for row in fresh}), now)
        await tx.notify_due()
    return len(fresh)


async def revoke(house: "House", templates: Iterable[Template], by: str) -> int:
    """Take back every approval of templates, whichever words it was for; returns how many there were."""
    rows = [
        {"template": name, "channel": channel, "locale": locale} for name, channel, locale, _ in map(key_of, templates)
    ]
    async with house.store.transaction() as tx:
        return len(await tx.revoke_templates(rows, by, house.clock.now()))
