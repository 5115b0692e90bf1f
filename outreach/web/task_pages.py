"""The console's pages of tasks: what is open and by when, one task with all it needs, taking it and closing it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outreach.flows.house import House
from outreach.flows.task_view import load_task
from outreach.flows.task_words import task_sentence
from outreach.flows.tasks import TaskError, assign_task, close_task, list_tasks
from outreach.web.access import Access
from outreach.web.console import Operator, frame, our_form
from outreach.web.rendering import page

NOBODY = "console"
"""Who did it when nobody gave a name at the login."""
MOST_NOTE = 2_000
_DUE = {"": "any time", "overdue": "overdue", "day": "within 24 hours"}
_TOLD = {"closed": "The task is closed.", "taken": "The task is yours."}

router = APIRouter(include_in_schema=False)


def _me(session: str) -> str:
    return Access.name_of(session) or NOBODY


@router.get("/tasks")
async def tasks(request: Request, session: Operator, kind: str = "", due: str = "", mine: str = "") -> Response:
    """List open tasks, the most overdue first."""
    house: House = request.app.state.house
    now = house.clock.now()
    lines = await list_tasks(
        house, kind=kind[:60] or None, due_before=_before(due, now), assigned_to=_me(session) if mine else None
    )
    async with house.store.transaction() as tx:
        counts = await tx.task_counts(now)
    return page(
        "tasks.html", **frame(request, session), tasks=lines, counts=counts, kind=kind[:60], due=due, mine=bool(mine),
        dues=_DUE, open=sum(row[1] for row in counts), overdue=sum(row[2] for row in counts), about=task_sentence,
    )  # fmt: skip


def _before(due: str, now: datetime) -> datetime | None:
    return {"overdue": now, "day": now + timedelta(days=1)}.get(due)


@router.get("/tasks/{task_id}")
async def task(request: Request, session: Operator, task_id: UUID, told: str = "") -> Response:
    """Show one task with everything a person needs."""
    return await _shown(request, session, task_id, told=_TOLD.get(told, ""))


@router.post("/tasks/{task_id}/take")
async def take(request: Request, session: Operator, task_id: UUID) -> Response:
    """Give the task to whoever asks."""
    await our_form(request, session)
    try:
        await assign_task(request.app.state.house, task_id, _me(session))
    except LookupError:
        return await _shown(request, session, task_id)
    except TaskError as error:
        return await _shown(request, session, task_id, 409, problem=str(error))
    return RedirectResponse(f"/tasks/{task_id}?told=taken", 303)


@router.post("/tasks/{task_id}/close")
async def close(request: Request, session: Operator, task_id: UUID) -> Response:
    """Close the task as was chosen; whoever comes second is told who was faster."""
    form = await our_form(request, session)
    chosen, note = form.get("disposition", ""), form.get("note", "")[:MOST_NOTE]
    try:
        done = await close_task(request.app.state.house, task_id, chosen, _me(session), note)
    except LookupError:
        return await _shown(request, session, task_id)
    except TaskError as error:
        return await _shown(request, session, task_id, 409, problem=f"Nothing was changed: {error}.")
    if done.kept:
        why = "; ".join(f"{hold}: {reason}" for hold, reason in done.kept)
        return await _shown(request, session, task_id, told=f"The task is closed. What stays on hold: {why}.")
    return RedirectResponse(f"/tasks/{task_id}?told=closed", 303)


async def _shown(request: Request, session: str, task_id: UUID, status: int = 200, **said: Any) -> Response:  # noqa: ANN401 - texts
    house: House = request.app.state.house
    view = await load_task(house, task_id)
    if view is None:
        return page("tasks.html", 404, **frame(request, session), tasks=[], counts=[], kind="", due="", mine=False,
                    dues=_DUE, open=0, overdue=0, about=task_sentence, missing=True)  # fmt: skip
    values = {"told": "", "problem": ""} | said
    return page("task.html", status, **frame(request, session), view=view, task=view.task, me=_me(session), **values)
