"""Replies: words from a person are stored with their reading, acted on by a dialogue, and answered through the gate."""

from collections.abc import Sequence
from uuid import UUID

from outreach.flows.house import House


async def take_replies(house: House, inbox: Sequence[UUID]) -> int:
    async with house.store.transaction() as tx:
        rows = await tx.claim_inbox(inbox)
    return len(rows)
