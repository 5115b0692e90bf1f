"""Tasks over HTTP: for the lender's own screens, with the key that everything of machines needs."""

from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from outreach.domain.config_edge import is_slug
from outreach.flows.house import House
from outreach.flows.tasks import MOST, TaskError, TaskGoneError, close_task, list_tasks
from outreach.web.feed import MACHINE, number, refuse, uuid_or_none
from outreach.web.problems import ProblemError, fields, read_body

MOST_BYTES = 16 * 1024

router = APIRouter(dependencies=MACHINE)

_PROBLEM: Final = {"application/problem+json": {"schema": {"type": "object"}}}


class CloseBody(BaseModel):
    """How a task is closed. ``note`` may be personal: it is kept with the task, never on the timeline."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    disposition: Annotated[str, Field(min_length=1, max_length=60, description="One of `config/tasks.yaml`")]
    by: Annotated[str, Field(min_length=1, max_length=60, description="Who closes it")]
    note: Annotated[str, Field(max_length=2_000)] = ""


def _answers(example: dict[str, Any], **refused: str) -> dict[int | str, dict[str, Any]]:
    shown = {"schema": {"type": "object"}, "example": example}
    answers: dict[int | str, dict[str, Any]] = {200: {"description": "Done", "content": {"application/json": shown}}}
    for status, why in refused.items():
        answers[int(status[1:])] = {"description": why, "content": _PROBLEM}
    return answers


_TASK: Final = {
    "task_id": "018f2c3e-0000-7000-8000-000000000007", "case_id": "018f2c3e-0000-7000-8000-000000000000",
    "account_ref": "US-00001-1", "creditor_id": "harbour", "kind": "payment_claim", "opened_at": "2027-03-01T15:00:00Z",
    "due_at": "2027-03-02T15:00:00Z", "assigned_to": None, "closed_at": None, "closed_by": None, "disposition": None,
    "overdue": False, "dispositions": ["payment_found", "dealt_with"], "suggested": "payment_found",
}  # fmt: skip
_CLOSED: Final = {
    "task_id": _TASK["task_id"],
    "disposition": "payment_found",
    "by": "sam",
    "lifted": ["review"],
    "kept": [],
}


@router.get(
    "/v1/tasks",
    summary="List what was handed to people",
    responses=_answers({"tasks": [_TASK]}, _400="a parameter cannot be used", _401="no valid API key"),
)
async def get_tasks(
    request: Request,
    kind: Annotated[str, Query(description="Only this kind, as `about` in `case.handed_off`; left out: all")] = "",
    assigned_to: Annotated[str, Query(description="Only those of this person")] = "",
    state: Annotated[str, Query(description="`open`, or `all`: closed ones behind them, newest first")] = "open",
    limit: Annotated[str, Query(description=f"How many at most, 1 to {MOST}")] = "100",
) -> Response:
    """Return tasks, the most overdue first, each with what it can be closed with. Nothing personal is in it."""
    house: House = request.app.state.house
    bad: list[tuple[str, str]] = []
    count = number("limit", limit, 1, MOST, bad)
    if kind and not is_slug(kind):
        bad.append(("kind", "expected the kind of a task, such as dispute"))
    if state not in {"open", "all"}:
        bad.append(("state", "expected open or all"))
    refuse(bad)
    found = await list_tasks(
        house, kind=kind or None, assigned_to=assigned_to[:60] or None, closed=state == "all", limit=count
    )
    tasks = [_told(house, line) for line in found]
    return Response(orjson.dumps({"tasks": tasks}, option=orjson.OPT_UTC_Z), media_type="application/json")


def _told(house: House, line: Any) -> dict[str, Any]:  # noqa: ANN401 - a TaskLine, written field by field
    told: dict[str, Any] = orjson.loads(orjson.dumps(line, option=orjson.OPT_UTC_Z))
    suggested = house.tasks.suggested(line.kind)
    told["dispositions"] = [one.id for one in house.tasks.offered(line.kind)]
    return told | {"suggested": suggested.id if suggested else None}


@router.post(
    "/v1/tasks/{task_id}/close",
    summary="Close a task",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": CloseBody.model_json_schema()}}}},
    responses=_answers(
        _CLOSED,
        _400="not JSON",
        _401="no valid API key",
        _404="no such task",
        _409="somebody else closed it first; `closed` says who, when and as what",
        _422="`errors` names the field",
    ),
)
async def post_close(request: Request, task_id: Annotated[str, Path(description="The task")]) -> Response:
    """Close a task. A hold ends with it only where its disposition says so and the rules allow; `kept` says what stays.

    Of two who close it at once one gets 200, the other 409.
    """
    house: House = request.app.state.house
    key = uuid_or_none(task_id)
    body = _body(await read_body(request, MOST_BYTES))
    if key is None:
        raise ProblemError(404, "no such task")
    try:
        done = await close_task(house, key, body.disposition, body.by, body.note)
    except LookupError:
        raise ProblemError(404, "no such task") from None
    except TaskGoneError as error:
        raise ProblemError(409, str(error), closed=await _how(house, key)) from None
    except TaskError as error:
        raise ProblemError(422, "the task was not closed", errors=fields([("disposition", str(error))])) from None
    kept = [{"hold": hold, "because": why} for hold, why in done.kept]
    answer = {
        "task_id": done.task_id,
        "disposition": done.disposition,
        "by": done.by,
        "lifted": done.lifted,
        "kept": kept,
    }
    return Response(orjson.dumps(answer), media_type="application/json")


def _body(raw: bytes) -> CloseBody:
    try:
        return CloseBody.model_validate(orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, f"not JSON: line {error.lineno}, column {error.colno}") from None
    except ValidationError as error:
        found = [(".".join(str(part) for part in each["loc"]), str(each["msg"]))
                 for each in error.errors(include_url=False, include_input=False)]  # fmt: skip
        raise ProblemError(422, "the task was not closed", errors=fields(found)) from None


async def _how(house: House, task_id: UUID) -> dict[str, str | None]:
    async with house.store.transaction() as tx:
        task = await tx.task(task_id)
    if task is None or task.closed_at is None:
        return {}
    return {"by": task.closed_by, "at": task.closed_at.isoformat(), "disposition": task.disposition}
