"""The operators' console: what is happening, the story of a case, and the three switches of a campaign."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outreach.flows import campaigns
from outreach.flows.campaigns import CampaignError
from outreach.flows.exchange_words import PARTS, fields_of_part, headline
from outreach.flows.exchanges import Exchanged, load_exchanges
from outreach.flows.house import House
from outreach.flows.sentences import reason_words
from outreach.flows.story import load_story
from outreach.web.access import COOKIE, Access
from outreach.web.problems import ProblemError, read_body
from outreach.web.rendering import page, stylesheet

MOST_BYTES = 16 * 1024

router = APIRouter(include_in_schema=False)

_MOVES = {"pause": campaigns.pause, "resume": campaigns.resume, "cancel": campaigns.cancel}
_ALLOWED = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}


def operator(request: Request) -> str:
    """Return the session of the operator who asks. Raises ProblemError (303 to the login page) without one."""
    access: Access = request.app.state.access
    session = access.session(request, request.app.state.house.clock.real())
    if session is None:
        raise ProblemError(303, "log in first", headers={"Location": "/login"})
    return session


Operator = Annotated[str, Depends(operator)]


@router.get("/console.css")
async def style() -> Response:
    """Return the stylesheet."""
    return stylesheet()


@router.get("/login")
async def login_form() -> Response:
    """Ask for an API key."""
    return page("login.html", wrong=False)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Give a session to whoever has an API key."""
    access: Access = request.app.state.access
    form = await _form(request)
    if not access.is_key(form.get("key", "")):
        return page("login.html", 401, wrong=True)
    answer = RedirectResponse("/", 303)
    access.log_in(answer, request.app.state.house.clock.real(), form.get("name", ""))
    return answer


@router.post("/logout")
async def log_out(request: Request, session: Operator) -> Response:
    """End the session."""
    await our_form(request, session)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/")
async def overview(request: Request, session: Operator, problem: str = "") -> Response:
    """Show what happened, what was held back and why, and what runs."""
    house: House = request.app.state.house
    async with house.store.transaction() as tx:
        touches, attempts = await tx.tallies(), await tx.attempt_tallies()
        values: dict[str, Any] = {
            "alerts": await tx.open_alerts(),
            "switches": await tx.list_switches(house.clock.now()),
            "campaigns": [_campaign(row) for row in await tx.campaigns()],
            "health": await tx.health(),
            "counts": await tx.counts(),
        }
    return page(
        "overview.html",
        **frame(request, session),
        **values,
        outcomes=_grid(attempts),
        held=_held_back(touches),
        problem="The campaign is not in a state that allows this." if problem == "campaign" else "",
    )


@router.get("/cases")
async def find(request: Request, session: Operator, ref: str = "") -> Response:
    """Find a case by its id, its account's or its borrower's reference."""
    house: House = request.app.state.house
    ref = ref.strip()[:128]
    if ref and "\x00" not in ref:
        async with house.store.transaction() as tx:
            case_id = await tx.find_case(ref)
        if case_id is not None:
            return RedirectResponse(f"/cases/{case_id}", 303)
    return page("cases.html", 404 if ref else 200, **frame(request, session), ref=ref)


@router.get("/cases/{case_id}")
async def case(request: Request, session: Operator, case_id: UUID) -> Response:
    """Tell the story of a case."""
    house: House = request.app.state.house
    story = await load_story(house, str(case_id))
    if story is None:
        return page("cases.html", 404, **frame(request, session), ref=str(case_id))
    async with house.store.transaction() as tx:
        tasks = await tx.tasks_of_case(story.case_id)
        touches = await tx.touches_of_case(story.case_id)
    kept = [_exchange(one) for one in await load_exchanges(house, str(case_id))]
    return page("case.html", **frame(request, session), story=story, tasks=tasks, touches=touches, exchanges=kept)


def _exchange(one: Exchanged) -> dict[str, Any]:
    """Return one attempt with what went over the wire for it, in words: (way, at, headline, ended, fields)."""
    trips = [
        (
            line["way"],
            line["at"],
            headline(trip),
            line["ended"] if trip is line["trips"][-1] else None,
            [(part, name, value) for part in PARTS for name, value in fields_of_part(trip, part)],
        )
        for line in one.lines
        for trip in line["trips"]
    ]
    return {"attempt": one, "trips": trips}


@router.post("/campaigns/{campaign_id}/{move}")
async def move_campaign(request: Request, session: Operator, campaign_id: UUID, move: str) -> Response:
    """Pause, resume or cancel a campaign; it takes effect on work that is queued already."""
    await our_form(request, session)
    if move not in _MOVES:
        raise ProblemError(404, "no such action")
    try:
        await _MOVES[move](request.app.state.house, str(campaign_id))
    except CampaignError:
        return RedirectResponse("/?problem=campaign", 303)
    return RedirectResponse("/", 303)


def frame(request: Request, session: str) -> dict[str, Any]:
    """Return what every page of the console shows."""
    access: Access = request.app.state.access
    house: House = request.app.state.house
    return {
        "proof": access.form_proof(session),
        "mode": house.mode,
        "now": f"{house.clock.now():%a %d %b %Y, %H:%M} UTC",
    }


async def _form(request: Request) -> dict[str, str]:
    body = await read_body(request, MOST_BYTES)
    return {name: values[0] for name, values in parse_qs(body.decode("latin-1"), max_num_fields=10).items()}


async def our_form(request: Request, session: str) -> dict[str, str]:
    """Return the fields of a form that this session was given. Raises ProblemError (403) for any other."""
    access: Access = request.app.state.access
    given = await _form(request)
    if not access.is_our_form(session, given.get("proof", "")):
        raise ProblemError(403, "this form is not ours, or too old: load the page again")
    return given


def _campaign(row: Sequence[Any]) -> dict[str, Any]:
    names = (
        "id",
        "name",
        "plan",
        "state",
        "next_run_at",
        "last_run_at",
        "created_at",
        "enrolled",
        "held_out",
        "sent",
        "waiting",
    )
    told = dict(zip(names, row, strict=True))
    return told | {"moves": _ALLOWED.get(told["state"], ())}


def _grid(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Turn (channel, outcome, count) into a table: outcomes across, channels down."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for channel, outcome, count in rows:
        counts[channel][outcome] = count
    columns = sorted({outcome for row in counts.values() for outcome in row})
    return {"columns": columns, "rows": sorted(counts.items())}


def _held_back(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return what was deferred or not sent, by reason, most first."""
    kept = [row for row in rows if row[1] in {"deferred", "blocked", "expired", "cancelled", "failed", "unknown"}]
    return [
        {"channel": channel, "state": state, "code": code, "words": reason_words(code) if code else "", "count": count}
        for channel, state, code, count in sorted(kept, key=lambda row: -row[3])
    ]
