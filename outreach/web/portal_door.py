"""The portal's door: who is on the other side of a link, the identity question, and which forms are ours."""

import re
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outreach.flows.house import House
from outreach.flows.portal import find_door
from outreach.flows.portal_acts import Form, Result
from outreach.web.portal_pages import EXTRA_HEADERS, Desk, gone, tongue_for, words_of
from outreach.web.portal_session import SAID, Fields, Visits, read_fields
from outreach.web.rendering import HEADERS


class Elsewhere(Exception):  # noqa: N818 - an answer given early, not a fault
    """The request is answered by another page than the one asked for."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


async def on_elsewhere(_request: Request, error: Exception) -> Response:
    """Give the answer that was ready."""
    assert isinstance(error, Elsewhere)  # noqa: S101 - registered for this class only
    return error.answer


async def knocking(request: Request, token: str) -> Desk:
    """Return the desk of a link, identified or not. Raises Elsewhere for a link that leads nowhere."""
    house: House = request.app.state.house
    words = words_of(request.app.state.settings.templates)
    door = await find_door(house, token)
    if door is None or house.portal is None:
        raise Elsewhere(gone(house, words, request))
    visits, real = Visits(house.portal), house.clock.real()
    tongue, asked = tongue_for(house, words, request, door.locale)
    visit = visits.read(request, token, real)
    said = request.cookies.get(SAID, "") if visit.identified else ""
    said = said if f"said.{said}" in words.by_language[tongue.language] else ""
    request.state.door = door
    return Desk(house, visits, visit, door.case_id, door.creditor, tongue, said, asked, real=real)


Knocking = Annotated[Desk, Depends(knocking)]


async def inside(request: Request, desk: Knocking) -> Desk:
    """Return the desk of somebody who was identified. Raises Elsewhere with the question otherwise."""
    if not desk.visit.identified:
        if request.method == "GET":
            raise Elsewhere(ask(request, desk))
        raise Elsewhere(to(desk, ""))
    return desk


Inside = Annotated[Desk, Depends(inside)]


def ask(request: Request, desk: Desk, status: int = 200, problem: str = "") -> Response:
    """Show the identity question. It says the same whatever was wrong."""
    door, portal = request.state.door, desk.visits.portal
    fresh = Desk(desk.house, desk.visits, desk.visit if desk.visit.nonce else desk.visits.fresh(desk.visit.token),
                 desk.case_id, desk.creditor, desk.tongue, "", desk.asked, real=desk.real)  # fmt: skip
    minutes = int(portal.rules.lock.total_seconds()) // 60
    facts = [str(fact) for fact in door.facts]
    words = desk.tongue.say(f"door.{problem}", tries=portal.rules.tries, minutes=minutes) if problem else ""
    return fresh.page("door", status, facts=facts, problem=problem,
                      errors=[(facts[0], words)] if problem and facts else [])  # fmt: skip


def to(desk: Desk, way: str, said: str = "") -> Response:
    """Send the browser on to a page of this link, which says what was done."""
    answer = RedirectResponse(f"{desk.base}/{way}" if way else desk.base, 303, HEADERS | EXTRA_HEADERS)
    if said:
        desk.visits.note(answer, desk.visit.token, said)
    return answer


def after(desk: Desk, result: Result, said: str) -> Response:
    """Go back to the first page, which says what became of a form."""
    words = {Result.DONE: said, Result.HANDED_OFF: "asked", Result.REPEATED: "repeated"}
    return to(desk, "", words.get(result, "rests"))


async def ours(request: Request, desk: Desk) -> tuple[Fields, str]:
    """Return the fields of a form of ours and its own word. Raises Elsewhere for any other form."""
    fields = await read_fields(request)
    if not desk.visits.is_ours(desk.visit, fields.one("proof")):
        raise Elsewhere(desk.page("sorry", 403, problem="form"))
    return fields, re.sub(r"[^A-Za-z0-9_-]", "", fields.one("once"))[:64]


def form_of(desk: Desk, once: str, told: str) -> Form:
    """Return a form as the case takes it."""
    return Form(desk.case_id, once or desk.visits.fresh("").nonce, told, desk.tongue.language)
