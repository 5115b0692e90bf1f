"""The borrower portal: one link, one case. Identity first, then what is owed and what can be done about it."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outreach.domain.arrangement import Frequency, first_days, frequencies
from outreach.domain.money import Money, parse_minor
from outreach.domain.portal import Fact
from outreach.flows import portal_acts as acts
from outreach.flows.fields import last_characters
from outreach.flows.house import House
from outreach.flows.portal import Kind, Standing, find_door, identify, load_standing
from outreach.flows.portal_acts import MOST_TIMES, MOST_WORDS, Form, Result, Wish
from outreach.policy.facts import PersonalWindow
from outreach.policy.windows import WEEKDAYS
from outreach.replies.reading import ALL_CHANNELS, Intent
from outreach.web.portal_pages import EXTRA_HEADERS, Desk, calendar, gone, shown_offer, tongue_for, words_of
from outreach.web.portal_session import SAID, Fields, Visits, read_fields
from outreach.web.rendering import HEADERS, portal_stylesheet

router = APIRouter(include_in_schema=False)

_TOLD = {
    "paid": Intent.ALREADY_PAID,
    "hardship": Intent.HARDSHIP,
    "dispute": Intent.DISPUTE,
    "call": Intent.CALLBACK_REQUEST,
}
_PARTS_OF_DAY = ("any", "morning", "afternoon", "evening")
_CHANNELS = {"sms": ("sms",), "email": ("email",), "calls": ("voice", "ivr")}
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


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
            raise Elsewhere(_ask(request, desk))
        raise Elsewhere(_to(desk, ""))
    return desk


Inside = Annotated[Desk, Depends(inside)]


def _ask(request: Request, desk: Desk, status: int = 200, problem: str = "") -> Response:
    """Show the identity question. It says the same whatever was wrong."""
    door, portal = request.state.door, desk.visits.portal
    fresh = Desk(desk.house, desk.visits, desk.visit if desk.visit.nonce else desk.visits.fresh(desk.visit.token),
                 desk.case_id, desk.creditor, desk.tongue, "", desk.asked, real=desk.real)  # fmt: skip
    minutes = int(portal.rules.lock.total_seconds()) // 60
    return fresh.page("door", status, facts=[str(fact) for fact in door.facts], problem=problem,
                      tries=portal.rules.tries, minutes=minutes)  # fmt: skip


def _to(desk: Desk, way: str, said: str = "") -> Response:
    """Send the browser on to a page of this link, which says what was done."""
    answer = RedirectResponse(f"{desk.base}/{way}" if way else desk.base, 303, HEADERS | EXTRA_HEADERS)
    if said:
        desk.visits.note(answer, desk.visit.token, said)
    return answer


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
    open_parts = [part for part in standing.parts if part.paid.minor < part.amount.minor]
    return desk.page(
        "home",
        standing=standing,
        kind=str(standing.kind),
        given_name=standing.dossier.borrower.given_name,
        reference=last_characters(standing.case.account_ref),
        next_part=open_parts[0] if open_parts else None,
        notices=desk.notices(standing),
    )


@router.post("/p/{token}/identify")
async def identified(request: Request, desk: Knocking) -> Response:
    """Check the answers, and let in whoever gave the right ones."""
    fields = await read_fields(request)
    if not desk.visits.is_ours(desk.visit, fields.one("proof")):
        return _ask(request, desk, 403, "old")
    answers = {fact: fields.one(fact) for fact in Fact}
    if not request.state.door.facts or not await identify(desk.house, request.state.door, answers):
        return _ask(request, desk, 403, "failed")
    answer = _to(desk, "")
    desk.visits.keep(answer, desk.visits.fresh(desk.visit.token, identified=True), desk.real)
    return answer


@router.post("/p/{token}/leave")
async def leave(request: Request, desk: Inside) -> Response:
    """End the visit."""
    await _ours(request, desk)
    answer = _to(desk, "")
    desk.visits.leave(answer, desk.visit.token)
    return answer


async def _ours(request: Request, desk: Desk) -> tuple[Fields, str]:
    """Return the fields of a form of ours and its own word. Raises Elsewhere for any other form."""
    fields = await read_fields(request)
    if not desk.visits.is_ours(desk.visit, fields.one("proof")):
        raise Elsewhere(desk.page("sorry", 403, problem="form"))
    return fields, re.sub(r"[^A-Za-z0-9_-]", "", fields.one("once"))[:64]


def _form(desk: Desk, once: str, told: str) -> Form:
    return Form(desk.case_id, once or desk.visits.fresh("").nonce, told, desk.tongue.language)


@router.get("/p/{token}/schedule.ics")
async def schedule(desk: Inside) -> Response:
    """Return the dates of the plan for a calendar."""
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind is not Kind.ARRANGED:
        return _to(desk, "")
    text = calendar(desk.case_id, desk.tongue, standing.parts, desk.house.clock.now())
    more = {"Content-Disposition": 'attachment; filename="schedule.ics"'}
    return Response(text, 200, HEADERS | EXTRA_HEADERS | more, media_type="text/calendar; charset=utf-8")


@router.get("/p/{token}/{way}")
async def form(desk: Inside, way: str) -> Response:
    """Show one of the forms; an unknown one, or one that does not fit the case, is the first page."""
    standing = await load_standing(desk.house, desk.case_id)
    match way:
        case "plan" if standing.kind is Kind.OPEN:
            return _plan(desk, standing)
        case "check" if standing.kind is Kind.OPEN and standing.proposal is not None:
            return _check(desk, standing)
        case "promise" if standing.kind is Kind.OPEN:
            return _promise(desk, standing)
        case "contact":
            return _contact(desk, standing)
        case _ if way in _TOLD:
            return _tell(desk, standing, way)
        case _:
            return _to(desk, "")


def _plan(desk: Desk, standing: Standing, status: int = 200, fields: Fields | None = None) -> Response:
    policy = standing.policy
    if policy is None or not standing.offers:
        return desk.page("no_plan", standing=standing, notices=desk.notices(standing))
    wish = _wish(standing, fields) if fields else None
    preview = acts.offer_for(standing, wish) if wish else None
    first = standing.offers[0]
    return desk.page(
        "plan",
        422 if fields and preview is None else status,
        offers=[shown_offer(offer) for offer in standing.offers],
        preview=shown_offer(preview) if preview else None,
        problem=bool(fields and preview is None),
        count=fields.one("count")[:4] if fields else first.count,
        every=fields.one("every")[:20] if fields else str(first.frequency),
        first_on=fields.one("first_on")[:10] if fields else first.first_on.isoformat(),
        frequencies=[str(each) for each in frequencies(policy)],
        policy=policy,
        bounds=first_days(policy, standing.today),
        minimum=Money(policy.minimum_minor, policy.currency),
        notices=desk.notices(standing),
    )


def _wish(standing: Standing, fields: Fields) -> Wish | None:
    """Read a plan from a form; None when a field cannot be read or is not among what the policy offers."""
    count, every, first_on = fields.one("count"), fields.one("every"), _day(fields.one("first_on"))
    if standing.policy is None or first_on is None or not re.fullmatch(r"[0-9]{1,3}", count):
        return None
    offered = {str(each) for each in frequencies(standing.policy)}
    return Wish(int(count), Frequency(every), first_on) if every in offered else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


@router.post("/p/{token}/plan")
async def plan(request: Request, desk: Inside) -> Response:
    """Show how a plan would look, or take it to be confirmed."""
    fields, once = await _ours(request, desk)
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind is not Kind.OPEN:
        return _to(desk, "", "rests")
    if fields.one("do") == "show":
        return _plan(desk, standing, fields=fields)
    if not standing.offers:
        return _after(desk, await acts.propose(desk.house, _form(desk, once, "plan"), Wish(2, Frequency.MONTHLY)), "")
    wish = _wish(standing, fields)
    if wish is None:
        return _plan(desk, standing, fields=fields)
    told = f"plan: {wish.count} {wish.frequency} {wish.first_on}"
    result = await acts.propose(desk.house, _form(desk, once, told), wish)
    if result is Result.BOUNDS:
        return _plan(desk, standing, fields=fields)
    if result in {Result.DONE, Result.REPEATED}:
        return _to(desk, "check")
    return _after(desk, result, "")


def _check(desk: Desk, standing: Standing, status: int = 200, *, changed: bool = False) -> Response:
    assert standing.proposal is not None  # noqa: S101 - asked for only when there is one
    return desk.page("check", status, offer=shown_offer(standing.proposal), changed=changed,
                     notices=desk.notices(standing))  # fmt: skip


@router.post("/p/{token}/check")
async def check(request: Request, desk: Inside) -> Response:
    """Confirm the plan that was read back."""
    fields, once = await _ours(request, desk)
    shown = fields.one("shown")
    result = await acts.confirm(desk.house, _form(desk, once, f"yes: {shown[:24]}"), shown)
    if result is Result.CHANGED:
        standing = await load_standing(desk.house, desk.case_id)
        still = standing.proposal and acts.offer_for(
            standing, Wish(standing.proposal.count, standing.proposal.frequency, standing.proposal.first_on)
        )
        if standing.kind is Kind.OPEN and still is not None and still == standing.proposal:
            return _check(desk, standing, 409, changed=True)
        return _to(desk, "plan" if standing.kind is Kind.OPEN else "", "rests")
    return _after(desk, result, "plan")


def _after(desk: Desk, result: Result, said: str) -> Response:
    """Go back to the first page, which says what became of a form."""
    words = {Result.DONE: said, Result.HANDED_OFF: "asked", Result.REPEATED: "repeated"}
    return _to(desk, "", words.get(result, "rests"))


def _promise(desk: Desk, standing: Standing, status: int = 200, fields: Fields | None = None) -> Response:
    policy = standing.policy
    return desk.page(
        "promise", status, standing=standing, problem=fields is not None,
        first=standing.today, last=standing.today.fromordinal(standing.today.toordinal() + policy.promise_max_days)
        if policy else None,
        on=fields.one("on")[:10] if fields else "", amount=fields.one("amount")[:20] if fields else "",
        notices=desk.notices(standing),
    )  # fmt: skip


@router.post("/p/{token}/promise")
async def promise(request: Request, desk: Inside) -> Response:
    """Take a promise to pay."""
    fields, once = await _ours(request, desk)
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind is not Kind.OPEN:
        return _to(desk, "", "rests")
    on, amount = _day(fields.one("on")), _amount(fields.one("amount"), standing.case.currency)
    if on is None or amount == "":
        return _promise(desk, standing, 422, fields)
    part = amount if isinstance(amount, Money) else None
    told = f"promise: {on}" + (f" {part.minor} {part.currency}" if part else "")
    result = await acts.promise(desk.house, _form(desk, once, told), on, part)
    if result is Result.BOUNDS:
        return _promise(desk, standing, 422, fields)
    return _after(desk, result, "promise")


def _amount(text: str, currency: str) -> Money | str | None:
    """Read an amount: None for all of it, "" for what cannot be read."""
    plain = re.sub(r"[\s$¥€£₹]", "", text)
    if not plain:
        return None
    if not re.fullmatch(r"[0-9]{1,9}([.,][0-9]{1,3})?", plain, re.ASCII):
        return ""
    try:
        return Money(parse_minor(plain.replace(",", "."), currency), currency)
    except (ValueError, ArithmeticError):
        return ""


def _tell(desk: Desk, standing: Standing, way: str, status: int = 200, words: str = "") -> Response:
    """Show a form for words, if the case takes them now."""
    if standing.kind not in acts.TOLD_WHILE[_TOLD[way]]:
        return _to(desk, "")
    return desk.page("tell", status, way=way, most=MOST_WORDS, words=words, problem=status != 200,
                     parts_of_day=_PARTS_OF_DAY, notices=desk.notices(standing))  # fmt: skip


@router.post("/p/{token}/contact")
async def contact(request: Request, desk: Inside) -> Response:
    """Stop channels, name times, or choose a language."""
    fields, once = await _ours(request, desk)
    match fields.one("do"):
        case "stop":
            chosen = [each for name in fields.every("channel") for each in _CHANNELS.get(name, ())]
            return await _stopped(desk, once, chosen)
        case "stop_all":
            return await _stopped(desk, once, ALL_CHANNELS)
        case "time":
            window = _window(fields)
            if window is None:
                return await _again(desk, "bad_time")
            told = f"not: {window.start} {window.end} {' '.join(window.days)}"
            result = await acts.name_time(desk.house, _form(desk, once, told), window)
            return await _again(desk, "bad_time") if result is Result.BOUNDS else _noted(desk, result, "times")
        case "clear":
            result = await acts.forget_times(desk.house, _form(desk, once, "times: none"))
            return _noted(desk, result, "times")
        case "language" if fields.one("language") in desk.tongue.words.languages:
            return _noted(desk, await _choose(desk, once, fields.one("language")), "language")
        case _:
            return _to(desk, "contact")


async def _stopped(desk: Desk, once: str, channels: Sequence[str]) -> Response:
    result = await acts.stop(desk.house, _form(desk, once, f"stop: {' '.join(channels)}"), channels)
    return await _again(desk, "pick") if result is Result.BOUNDS else _noted(desk, result, "stop")


def _noted(desk: Desk, result: Result, said: str) -> Response:
    return _to(desk, "contact", {Result.HANDED_OFF: "asked", Result.REPEATED: "repeated"}.get(result, said))


async def _again(desk: Desk, problem: str) -> Response:
    return _contact(desk, await load_standing(desk.house, desk.case_id), 422, problem)


async def _choose(desk: Desk, once: str, language: str) -> Result:
    """Choose the locale of a language that fits where the borrower lives."""
    standing = await load_standing(desk.house, desk.case_id)
    borrower, locales = standing.dossier.borrower, desk.house.renderer.catalog.locales
    if borrower.locale.partition("-")[0].lower() == language:
        return Result.DONE
    local = f"{language}-{borrower.country}"
    locale = local if local in locales.by_code else locales.languages.get(language, locales.default)
    return await acts.choose_language(desk.house, _form(desk, once, f"language: {locale}"), locale)


def _window(fields: Fields) -> PersonalWindow | None:
    opens, closes = fields.one("from"), fields.one("to")
    if not _CLOCK.fullmatch(opens) or not _CLOCK.fullmatch(closes) or opens == closes:
        return None
    days = tuple(day for day in WEEKDAYS if day in fields.every("day"))
    return PersonalWindow("bar", opens, closes, days)


def _contact(desk: Desk, standing: Standing, status: int = 200, problem: str = "") -> Response:
    refused = standing.refused
    return desk.page(
        "contact", status, problem=problem, most=MOST_TIMES, weekdays=WEEKDAYS,
        channels=[(name, all(each in refused for each in of)) for name, of in _CHANNELS.items()],
        windows=[one for one in standing.dossier.windows if one.effect == "bar"],
        written=standing.dossier.borrower.locale.partition("-")[0].lower(),
        hours_of_day=[f"{hour:02d}:00" for hour in range(24)],
        start=desk.tongue.locale.keys["start"], notices=desk.notices(standing),
    )  # fmt: skip


@router.post("/p/{token}/{way}")
async def tell(request: Request, desk: Inside, way: str) -> Response:
    """Take what a borrower says in their own words: it is paid, it is wrong, it is too hard, please call."""
    fields, once = await _ours(request, desk)
    if way not in _TOLD:
        return _to(desk, "")
    words = fields.one("words").replace("\r\n", "\n")
    if len(words) > MOST_WORDS:
        standing = await load_standing(desk.house, desk.case_id)
        return _tell(desk, standing, way, 422, words[:MOST_WORDS])
    part = fields.one("when") if fields.one("when") in _PARTS_OF_DAY else "any"
    told = f"{way}{f' ({part})' if way == 'call' else ''}: {words}" if words or way == "call" else way
    result = await acts.tell(desk.house, _form(desk, once, told), _TOLD[way], words)
    return _after(desk, result, way)
