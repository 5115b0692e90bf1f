"""The borrower portal: one link, one case. Identity first, then what is owed and what can be done about it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from outreach.domain.portal import Fact
from outreach.flows.fields import last_characters
from outreach.flows.portal import Kind, Standing, identify, load_standing
from outreach.web import portal_contact, portal_terms
from outreach.web.portal_door import Elsewhere, Inside, Knocking, ask, on_elsewhere, ours, to
from outreach.web.portal_pages import EXTRA_HEADERS, Desk, calendar
from outreach.web.portal_session import read_fields
from outreach.web.rendering import HEADERS, portal_stylesheet

__all__ = ["Elsewhere", "on_elsewhere", "router"]

router = APIRouter(include_in_schema=False)


@router.get("/portal.css")
async def style() -> Response:
    """Return the stylesheet."""
    return portal_stylesheet()


@router.get("/p/{token}")
async def home(desk: Inside) -> Response:
    """Show how the case stands."""
    standing = await load_standing(desk.house, desk.case_id)
    return _home(desk, standing)


def _home(desk: Desk, standing: Standing) -> Response:
    return desk.page(
        "home",
        standing=standing,
        plan=standing.plan,
        kind=str(standing.kind),
        given_name=standing.dossier.borrower.given_name,
        reference=last_characters(standing.case.account_ref),
        notices=desk.notices(standing),
    )


@router.post("/p/{token}/identify")
async def identified(request: Request, desk: Knocking) -> Response:
    """Check the answers, and let in whoever gave the right ones."""
    fields = await read_fields(request)
    if not desk.visits.is_ours(desk.visit, fields.one("proof")):
        return ask(request, desk, 403, "old")
    answers = {fact: fields.one(fact) for fact in Fact}
    if not request.state.door.facts or not await identify(desk.house, request.state.door, answers):
        return ask(request, desk, 403, "failed")
    answer = to(desk, "")
    desk.visits.keep(answer, desk.visits.fresh(desk.visit.token, identified=True), desk.real)
    return answer


@router.post("/p/{token}/leave")
async def leave(request: Request, desk: Inside) -> Response:
    """End the visit."""
    await ours(request, desk)
    answer = to(desk, "")
    desk.visits.leave(answer, desk.visit.token)
    return answer


@router.get("/p/{token}/schedule.ics")
async def schedule(desk: Inside) -> Response:
    """Return the dates of the plan for a calendar."""
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind is not Kind.ARRANGED or standing.plan is None:
        return to(desk, "")
    text = calendar(standing.plan, desk.tongue, desk.house.clock.now())
    more = {"Content-Disposition": 'attachment; filename="schedule.ics"'}
    return Response(text, 200, HEADERS | EXTRA_HEADERS | more, media_type="text/calendar; charset=utf-8")


router.include_router(portal_terms.router)
router.include_router(portal_contact.router)  # the last: its ways take every name that is left
