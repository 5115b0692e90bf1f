"""The feed: what happened on cases, for the lender's systems to fetch, and the whole timeline of one case."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Security
from fastapi.security import HTTPBearer
from starlette.responses import Response

from outreach.clock import monotonic
from outreach.domain.outbound_types import Type
from outreach.flows.house import House
from outreach.flows.outgoing import Slice, read_events
from outreach.web.access import Access
from outreach.web.feed_docs import EVENTS_ANSWERS, TIMELINE_ANSWERS
from outreach.web.problems import ProblemError, fields, plain_json

MOST_EVENTS = 1_000
MOST_WAIT_SECONDS = 30
LOOK_EVERY = 0.5
"""Seconds between two looks while a request waits for something to happen."""

_MOST_POSITION = 2**63 - 1
_MOST_SEQ = 2**31 - 1


def _machine(request: Request) -> None:
    access: Access = request.app.state.access
    access.require_key(request)


# The key is asked for before any parameter is looked at: a stranger learns nothing. The second only documents it.
MACHINE = [Depends(_machine), Security(HTTPBearer(auto_error=False, description="An API key"))]
"""What every route for machines asks for."""

router = APIRouter(dependencies=MACHINE)

_After = Annotated[str, Query(description="The cursor of the last answer (`next`); left out: from the beginning")]
_Limit = Annotated[str, Query(description=f"How many at most, 1 to {MOST_EVENTS}")]


@router.get("/v1/events", responses=EVENTS_ANSWERS, summary="Read events in order, behind a cursor")
async def get_events(
    request: Request,
    after: _After = "0",
    limit: _Limit = "100",
    types: Annotated[str, Query(description="Only these types, separated by commas; left out: all")] = "",
    wait: Annotated[
        str, Query(description=f"Seconds to wait when there is nothing yet, 0 to {MOST_WAIT_SECONDS}")
    ] = "0",
) -> Response:
    """Return events after a cursor, in one order over all cases; go on with ``next``.

    An event is never skipped, however transactions commit, and its id never changes. ``more`` says that the next answer
    comes at once. With ``wait`` the answer comes as soon as there is an event, or empty when the time is over.
    """
    house: House = request.app.state.house
    bad: list[tuple[str, str]] = []
    position = number("after", after, 0, _MOST_POSITION, bad)
    count = number("limit", limit, 1, MOST_EVENTS, bad)
    seconds = number("wait", wait, 0, MOST_WAIT_SECONDS, bad)
    wanted = _types(types, bad)
    refuse(bad)
    until = monotonic() + seconds
    while True:
        found = await _read(request, house, position, count, wanted)
        # A position may pass without an event of these types: waiting goes on behind it.
        position = found.position
        if found.events or monotonic() >= until or await request.is_disconnected():
            source = request.app.state.webhooks.source
            events = [each.to_json(source) for each in found.events]
            return plain_json({"events": events, "next": str(position), "more": found.more})
        if not found.more:
            await asyncio.sleep(min(LOOK_EVERY, max(0.0, until - monotonic())))


async def _read(request: Request, house: House, position: int, count: int, wanted: frozenset[Type] | None) -> Slice:
    async with house.store.transaction() as tx:
        if position > await tx.settled():
            # Ours never lie ahead. One that does would wait in silence until others had passed it by.
            refuse([("after", "is no cursor of this feed: it lies ahead of everything that happened")])
        return await read_events(tx, position, count, wanted, words=request.app.state.webhooks.words_in_feed)


@router.get("/v1/cases/{case_id}/timeline", responses=TIMELINE_ANSWERS, summary="Read the timeline of one case")
async def get_timeline(
    request: Request,
    case_id: Annotated[str, Path(description="The case id, as in `case_id` of every event")],
    after: Annotated[str, Query(description="The `seq` of the last entry seen; left out: from the beginning")] = "0",
    limit: _Limit = "1000",
) -> Response:
    """Return every entry of a case, not only what becomes an event, with the chain of hashes that shows an edit.

    ``data`` is the exact text that was hashed: ids, codes and amounts, nothing personal.
    """
    house: House = request.app.state.house
    bad: list[tuple[str, str]] = []
    behind = number("after", after, 0, _MOST_SEQ, bad)
    count = number("limit", limit, 1, MOST_EVENTS, bad)
    refuse(bad)
    async with house.store.transaction() as tx:
        key = uuid_or_none(case_id)
        head = await tx.case_head(key) if key else None
        if key is None or head is None:
            raise ProblemError(404, "no such case")
        rows = await tx.timeline_page(key, behind, count)
    last = rows[-1][0] if rows else behind
    answer: dict[str, Any] = {
        "case_id": key,
        "account_id": head[0],
        "state": head[1],
        "last_seq": head[2],
        "last_hash": head[3],
        "entries": [
            {"seq": seq, "at": at, "kind": kind, "data": orjson.Fragment(data), "prev_hash": before, "hash": digest}
            for seq, at, kind, data, before, digest in rows
        ],
        "next": str(last),
        "more": last < head[2],
    }
    return Response(orjson.dumps(answer, option=orjson.OPT_UTC_Z), media_type="application/json")


def number(name: str, text: str, low: int, high: int, bad: list[tuple[str, str]]) -> int:
    """Read a whole number of a query; what is wrong with it is added to ``bad``."""
    if text.isascii() and text.isdigit() and len(text) <= 19 and low <= int(text) <= high:
        return int(text)
    wanted = "a cursor of this feed" if high == _MOST_POSITION else f"a whole number from {low} to {high}"
    bad.append((name, f"expected {wanted}"))
    return low


def _types(text: str, bad: list[tuple[str, str]]) -> frozenset[Type] | None:
    named = [each.strip() for each in text.split(",") if each.strip()]
    known = {each.value for each in Type}
    if not set(named) <= known:
        bad.append(("types", f"expected some of {', '.join(sorted(known))}"))
        return None
    return frozenset(Type(each) for each in named) or None


def refuse(bad: list[tuple[str, str]]) -> None:
    """Raise ProblemError (400) when a parameter is bad."""
    if bad:
        raise ProblemError(400, "a parameter cannot be used", errors=fields(bad))


def uuid_or_none(text: str) -> UUID | None:
    """Read an id; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
