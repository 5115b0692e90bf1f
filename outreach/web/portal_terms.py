"""The portal's pages about terms: a plan chosen, adjusted, changed or ended, a promise, a later due date."""

import re
from datetime import date, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from outreach.domain.arrangement import Frequency, Offer, Paydays, first_days, rhythms
from outreach.domain.money import Money, parse_minor
from outreach.flows import portal_acts as acts
from outreach.flows.portal import Kind, Standing, load_standing
from outreach.flows.portal_acts import Result, Wish
from outreach.web.portal_door import Inside, after, form_of, ours, to
from outreach.web.portal_pages import Desk, Errors, Rhythm, shown_offer
from outreach.web.portal_session import Fields

router = APIRouter(include_in_schema=False)

_AGREEING = frozenset({Kind.OPEN, Kind.ARRANGED})


@router.get("/p/{token}/plan")
async def plans(desk: Inside) -> Response:
    """Show the plans that may be chosen, for what is owed or in place of the plan that stands."""
    standing = await load_standing(desk.house, desk.case_id)
    return _plan(desk, standing) if standing.kind in _AGREEING else to(desk, "")


def _plan(desk: Desk, standing: Standing, fields: Fields | None = None) -> Response:
    """Show what is on offer; of ``fields`` that were sent how they would look, or what is wrong with them."""
    policy = standing.policy
    if policy is None or not standing.offers:
        return desk.page("no_plan", standing=standing, notices=desk.notices(standing))
    preview = _offer(standing, fields) if fields else None
    bounds, minimum = first_days(policy, standing.today), Money(policy.minimum_minor, policy.currency)
    errors = _plan_errors(desk, standing, fields, bounds, minimum) if fields and preview is None else []
    given = fields if errors else None
    shown = preview or standing.offers[0]
    return desk.page(
        "plan",
        422 if errors else 200,
        errors=errors,
        plan=standing.plan,
        offers=[] if preview or errors else [shown_offer(offer) for offer in standing.offers],
        preview=shown_offer(preview) if preview else None,
        count=given.one("count")[:4] if given else shown.count,
        each=given.one("each")[:14] if given else "",
        every=given.one("every")[:20] if given else Rhythm(shown.frequency, shown.paydays).key,
        first_on=given.one("first_on")[:10] if given else shown.first_on.isoformat(),
        rhythms=[Rhythm(*each) for each in rhythms(policy)],
        policy=policy,
        bounds=bounds,
        minimum=minimum,
        notices=desk.notices(standing),
    )


def _wish(standing: Standing, fields: Fields) -> Wish | None:
    """Read a plan from a form; None when a field cannot be read or is not among what the policy offers."""
    first_on, each = _day(fields.one("first_on")), _amount(fields.one("each"), standing.case.currency)
    rhythm = _rhythm(standing, fields.one("every"))
    if rhythm is None or first_on is None or each == "":
        return None
    if isinstance(each, Money):
        return Wish(None, rhythm[0], first_on, rhythm[1], each)
    count = _count(fields.one("count"))
    return Wish(count, rhythm[0], first_on, rhythm[1]) if count is not None else None


def _rhythm(standing: Standing, key: str) -> tuple[Frequency, Paydays | None] | None:
    known = rhythms(standing.policy) if standing.policy else []
    return next((each for each in known if Rhythm(*each).key == key), None)


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None


def _offer(standing: Standing, fields: Fields) -> Offer | None:
    wish = _wish(standing, fields)
    return acts.offer_for(standing, wish) if wish else None


def _plan_errors(desk: Desk, standing: Standing, fields: Fields, bounds: tuple[date, date], minimum: Money) -> Errors:
    """Say of each field what is wrong with it; of a plan that is too long or too small as a whole, at its count."""
    tongue, policy = desk.tongue, standing.policy
    assert policy is not None  # noqa: S101 - there are offers
    count, first_on = _count(fields.one("count")), _day(fields.one("first_on"))
    each = _amount(fields.one("each"), standing.case.currency)
    errors: Errors = []
    if first_on is None or not bounds[0] <= first_on <= bounds[1]:
        first, last = (tongue.day(day) for day in bounds)
        errors.append(("first_on", tongue.say("plan.bad_first", first=first, last=last)))
    if each is None and (count is None or not 2 <= count <= policy.max_count):
        errors.append(("count", tongue.say("plan.bad_count", least=2, most=policy.max_count)))
    if each == "" or (isinstance(each, Money) and each.minor < minimum.minor):
        errors.append(("each", tongue.say("plan.bad_each", minimum=tongue.money(minimum))))
    if errors:
        return errors
    whole = tongue.say("plan.bounds", minimum=tongue.money(minimum), days=policy.max_length_days)
    return [("each" if isinstance(each, Money) else "count", whole)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


@router.post("/p/{token}/plan")
async def plan(request: Request, desk: Inside) -> Response:
    """Show how a plan would look, or take it to be confirmed."""
    fields, once = await ours(request, desk)
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind not in _AGREEING:
        return to(desk, "", "rests")
    if fields.one("do") == "show":
        return _plan(desk, standing, fields)
    if not standing.offers:
        wish = Wish(2, Frequency.MONTHLY)
        return after(desk, await acts.propose(desk.house, form_of(desk, once, "plan"), wish), "")
    offer = _offer(standing, fields)
    if offer is None:
        return _plan(desk, standing, fields)
    wish = Wish.of(offer)
    result = await acts.propose(desk.house, form_of(desk, once, _told(offer)), wish)
    if result is Result.BOUNDS:
        return _plan(desk, await load_standing(desk.house, desk.case_id), fields)
    if result in {Result.DONE, Result.REPEATED}:
        return to(desk, "check")
    return after(desk, result, "")


def _told(offer: Offer) -> str:
    return f"plan: {offer.count} {Rhythm(offer.frequency, offer.paydays).key} {offer.first_on}"


@router.get("/p/{token}/check")
async def read_back(desk: Inside) -> Response:
    """Read a plan back that waits to be confirmed."""
    standing = await load_standing(desk.house, desk.case_id)
    return _check(desk, standing) if standing.kind in _AGREEING and standing.proposal else to(desk, "")


def _check(desk: Desk, standing: Standing, status: int = 200, *, changed: bool = False) -> Response:
    assert standing.proposal is not None  # noqa: S101 - asked for only when there is one
    return desk.page("check", status, offer=shown_offer(standing.proposal), changed=changed, plan=standing.plan,
                     notices=desk.notices(standing))  # fmt: skip


@router.post("/p/{token}/check")
async def check(request: Request, desk: Inside) -> Response:
    """Confirm the plan that was read back."""
    fields, once = await ours(request, desk)
    shown = fields.one("shown")
    result = await acts.confirm(desk.house, form_of(desk, once, f"yes: {shown[:24]}"), shown)
    if result is not Result.CHANGED:
        return after(desk, result, "plan")
    standing = await load_standing(desk.house, desk.case_id)
    still = acts.offer_for(standing, Wish.of(standing.proposal)) if standing.proposal else None
    if standing.kind in _AGREEING and still is not None and still == standing.proposal:
        return _check(desk, standing, 409, changed=True)
    return to(desk, "plan" if standing.kind is Kind.OPEN else "", "rests")


@router.get("/p/{token}/end")
async def ending(desk: Inside) -> Response:
    """Say what the end of a plan means, and ask."""
    standing = await load_standing(desk.house, desk.case_id)
    return _end(desk, standing) if standing.kind is Kind.ARRANGED else to(desk, "")


def _end(desk: Desk, standing: Standing, status: int = 200) -> Response:
    assert standing.plan is not None  # noqa: S101 - the case is arranged
    left = standing.plan.left - standing.plan.open_fee
    return desk.page("end", status, changed=status != 200, left=left, fee=standing.plan.open_fee,
                     shown=acts.seen_end(standing.plan), notices=desk.notices(standing))  # fmt: skip


@router.post("/p/{token}/end")
async def end(request: Request, desk: Inside) -> Response:
    """End the plan that stands."""
    fields, once = await ours(request, desk)
    result = await acts.end_plan(desk.house, form_of(desk, once, "end my plan"), fields.one("shown"))
    if result is Result.CHANGED:
        standing = await load_standing(desk.house, desk.case_id)
        return _end(desk, standing, 409) if standing.kind is Kind.ARRANGED else to(desk, "", "rests")
    return after(desk, result, "end")


@router.get("/p/{token}/time")
async def more_time(desk: Inside) -> Response:
    """Ask for a later due date, or read the one back that waits to be confirmed."""
    standing = await load_standing(desk.house, desk.case_id)
    return _time(desk, standing) if standing.more_time else to(desk, "")


@router.get("/p/{token}/time/check")
async def read_time_back(desk: Inside) -> Response:
    """Read a new due date back that waits to be confirmed."""
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind is not Kind.OPEN or standing.extension is None:
        return to(desk, "time")
    return desk.page("time_check", standing=standing, on=standing.extension.to_on, notices=desk.notices(standing))


def _time(desk: Desk, standing: Standing, fields: Fields | None = None) -> Response:
    assert standing.more_time is not None  # noqa: S101 - asked for only where it may be given
    assert standing.policy is not None  # noqa: S101 - as above
    first, last = standing.more_time
    words = desk.tongue.say("time.bad_day", first=desk.tongue.day(first), last=desk.tongue.day(last))
    return desk.page("time", 422 if fields else 200, errors=[("on", words)] if fields else [], standing=standing,
                     first=first, last=last, on=fields.one("on")[:10] if fields else "",
                     days=standing.policy.extension_every_days, notices=desk.notices(standing))  # fmt: skip


@router.post("/p/{token}/time")
async def ask_for_time(request: Request, desk: Inside) -> Response:
    """Take a new due date to be confirmed."""
    fields, once = await ours(request, desk)
    standing = await load_standing(desk.house, desk.case_id)
    if standing.more_time is None:
        return to(desk, "", "rests")
    on = _day(fields.one("on"))
    if on is None:
        return _time(desk, standing, fields)
    result = await acts.ask_for_time(desk.house, form_of(desk, once, f"more time: {on}"), on)
    if result is Result.BOUNDS:
        return _time(desk, standing, fields)
    return to(desk, "time/check") if result in {Result.DONE, Result.REPEATED} else after(desk, result, "")


@router.post("/p/{token}/time/check")
async def confirm_time(request: Request, desk: Inside) -> Response:
    """Confirm the new due date that was read back."""
    fields, once = await ours(request, desk)
    on = _day(fields.one("shown"))
    return after(desk, await acts.confirm_time(desk.house, form_of(desk, once, f"yes: {on}"), on), "time")


@router.get("/p/{token}/promise")
async def promising(desk: Inside) -> Response:
    """Ask by which day somebody will pay."""
    standing = await load_standing(desk.house, desk.case_id)
    return _promise(desk, standing) if standing.kind is Kind.OPEN else to(desk, "")


def _promise(desk: Desk, standing: Standing, errors: Errors | None = None, fields: Fields | None = None) -> Response:
    return desk.page(
        "promise", 422 if errors else 200, errors=errors or [], standing=standing,
        first=standing.today, last=_last_promise(standing), on=fields.one("on")[:10] if fields else "",
        amount=fields.one("amount")[:20] if fields else "", notices=desk.notices(standing),
    )  # fmt: skip


def _last_promise(standing: Standing) -> date | None:
    policy = standing.policy
    return standing.today + timedelta(days=policy.promise_max_days) if policy else None


@router.post("/p/{token}/promise")
async def promise(request: Request, desk: Inside) -> Response:
    """Take a promise to pay."""
    fields, once = await ours(request, desk)
    standing = await load_standing(desk.house, desk.case_id)
    if standing.kind is not Kind.OPEN:
        return to(desk, "", "rests")
    on, amount = _day(fields.one("on")), _amount(fields.one("amount"), standing.case.currency)
    errors = _promise_errors(desk, standing, on, amount)
    if on is None or errors:
        return _promise(desk, standing, errors, fields)
    part = amount if isinstance(amount, Money) else None
    told = f"promise: {on}" + (f" {part.minor} {part.currency}" if part else "")
    result = await acts.promise(desk.house, form_of(desk, once, told), on, part)
    if result is Result.BOUNDS:
        return _promise(desk, standing, _bad_day(desk, standing), fields)
    return after(desk, result, "promise")


def _promise_errors(desk: Desk, standing: Standing, on: date | None, amount: Money | str | None) -> Errors:
    last, due = _last_promise(standing), standing.case.amount_due
    fits = on is not None and standing.today <= on <= (last or on)
    errors = [] if fits else _bad_day(desk, standing)
    if amount == "" or (isinstance(amount, Money) and not 0 < amount.minor <= due.minor):
        errors.append(("amount", desk.tongue.say("promise.bad_amount", amount=desk.tongue.money(due))))
    return errors


def _bad_day(desk: Desk, standing: Standing) -> Errors:
    last, tongue = _last_promise(standing), desk.tongue
    if last is None:
        return [("on", tongue.say("promise.none"))]
    return [("on", tongue.say("promise.bad_day", first=tongue.day(standing.today), last=tongue.day(last)))]


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
