"""The feed: what the lender's systems hear, read off the timelines in one order, behind a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from outreach.domain.outbound import Public, Told, kinds_of, publish
from outreach.domain.outbound_types import Type
from outreach.flows.ports import Tx

STRETCH = 5_000
"""Positions looked at in one statement: a rare type must not make one of them read the whole table."""
MOST_STRETCHES = 10
"""Stretches of one request. Where none of the wanted types stands in them, the cursor moves on all the same."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Events behind a cursor. ``position`` is where the next slice begins, ``more`` whether it begins at once."""

    events: tuple[Public, ...]
    position: int
    more: bool


async def read_events(
    tx: Tx, after: int, limit: int, types: frozenset[Type] | None = None, *, words: bool = False
) -> Slice:
    """Return up to ``limit`` events after a position, in order.

    Nothing is skipped by going on from the returned position: an entry whose transaction is still under way keeps
    everything behind it back, however it commits.
    """
    settled = await tx.settled()
    found: list[Public] = []
    position = after
    for _ in range(MOST_STRETCHES):
        if position >= settled or len(found) >= limit:
            break
        until = min(settled, position + STRETCH)
        wanted = limit - len(found)
        told = await tx.told_after(position, until, kinds_of(types), wanted)
        position = told[-1].position if len(told) == wanted else until
        found += await publish_all(tx, told, types, words=words)
    return Slice(tuple(found), position, more=position < settled)


async def publish_all(tx: Tx, told: Sequence[Told], types: frozenset[Type] | None, *, words: bool) -> list[Public]:
    """Return what the lender hears of entries, in their order; with ``words`` what borrowers wrote, too."""
    if words:
        told = await _with_words(tx, told)
    public = [each for each in map(publish, told) if each is not None]
    return [each for each in public if types is None or each.type in types]


async def _with_words(tx: Tx, told: Sequence[Told]) -> list[Told]:
    keys = {each.position: UUID(each.data["reply_id"]) for each in told if each.kind == "reply"}
    bodies = await tx.words_of(set(keys.values()))
    return [replace(each, words=bodies.get(keys[each.position])) if each.position in keys else each for each in told]
