"""The events API: CloudEvents 1.0 in JSON, one or many, each taken once."""

from collections.abc import Sequence
from typing import Any

import orjson
import tenacity
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from outreach.domain.events import Event, read_event
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.web.access import Access
from outreach.web.problems import ProblemError, fields, plain_json, problem, read_body

MOST_BYTES = 8 * 1024 * 1024
MOST_EVENTS = 10_000
CHUNK = 500
GIVE_UP_SECONDS = 10.0

_ONE = "application/cloudevents+json"
_MANY = "application/cloudevents-batch+json"
_EITHER = "application/json"
_UNKNOWN_SUBJECT = ("subject", "no account or borrower of this reference; import it first")

Result = dict[str, Any]

router = APIRouter()


@router.post("/v1/events")
async def post_events(request: Request) -> Response:
    """Take one event (``application/cloudevents+json``) or an array (``application/cloudevents-batch+json``).

    200: every event is applied, or known already by its (source, id). 422: at least one was not taken; the others were.
    Both list every event as ``{index, id, result, problems}`` with result applied, known, unknown_subject or invalid
    and problems as ``{field, detail}``. Sending the same again is safe.
    """
    access: Access = request.app.state.access
    access.require_key(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in {_ONE, _MANY, _EITHER}:
        raise ProblemError(415, f"expected {_ONE}, {_MANY} or {_EITHER}", headers={"Accept-Post": f"{_ONE}, {_MANY}"})
    raw = _read_json(await read_body(request, MOST_BYTES))
    many = isinstance(raw, list)
    if (media == _MANY and not many) or (media == _ONE and many):
        raise ProblemError(400, f"{media} holds {'an array of events' if media == _MANY else 'one event'}")
    events = raw if isinstance(raw, list) else [raw]
    if len(events) > MOST_EVENTS:
        raise ProblemError(413, f"a batch may have at most {MOST_EVENTS} events")
    return _answer(await _take(request.app.state.house, events), many=many)


def _read_json(body: bytes) -> Any:  # noqa: ANN401 - checked by read_event
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, f"not JSON: line {error.lineno}, column {error.colno}") from None


async def _take(house: House, raw: Sequence[object]) -> list[Result]:
    """Take what can be taken, in order; returns what became of each."""
    now = house.clock.now()
    results: list[Result] = []
    good: list[tuple[Result, Event]] = []
    for index, each in enumerate(raw):
        event = read_event(each, now)
        result: Result = {"index": index, "id": _id_of(each), "result": "invalid"}
        if isinstance(event, Event):
            good.append((result, event))
        else:
            result["problems"] = fields([(one.field, one.detail) for one in event])
        results.append(result)
    for at in range(0, len(good), CHUNK):
        chunk = good[at : at + CHUNK]
        for (result, _), taken in zip(chunk, await _apply(house, [event for _, event in chunk]), strict=True):
            result["result"] = taken
            if taken == "unknown_subject":
                result["problems"] = fields([_UNKNOWN_SUBJECT])
    return results


async def _apply(house: House, events: Sequence[Event]) -> list[str]:
    """Apply events, again when the store went away for a moment: nothing is applied twice."""
    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(house.is_store_away),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=1),
        stop=tenacity.stop_after_delay(GIVE_UP_SECONDS),
        reraise=True,
    )
    taken: list[str] = []
    async for attempt in retrying:
        with attempt:
            taken = [each.result for each in await take_events(house, events)]
    return taken


def _id_of(raw: object) -> str | None:
    """Return an event's own id so that the sender finds it again; None when it has none that can be repeated."""
    known = raw.get("id") if isinstance(raw, dict) else None
    return known[:128] if isinstance(known, str) else None


def _answer(results: Sequence[Result], *, many: bool) -> Response:
    bad = [one for one in results if one["result"] not in {"applied", "known"}]
    if not bad:
        return plain_json({"results": results} if many else results[0])
    if many:
        return problem(422, f"{len(bad)} of {len(results)} events were not taken; the others were", results=results)
    return problem(422, "the event was not taken", errors=bad[0]["problems"], **bad[0])
