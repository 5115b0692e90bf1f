"""The portal's pages about contact: what a borrower tells in words, and how, when and in which language we write."""

import re
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from outreach.flows import portal_acts as acts
from outreach.flows.languages import locale_for
from outreach.flows.personal_times import MOST_TIMES
from outreach.flows.portal import Standing, load_standing
from outreach.flows.portal_acts import MOST_WORDS, Result
from outreach.policy.facts import PersonalWindow
from outreach.policy.windows import WEEKDAYS
from outreach.replies.reading import ALL_CHANNELS, Intent
from outreach.web.portal_door import Inside, after, form_of, ours, to
from outreach.web.portal_pages import Desk
from outreach.web.portal_session import Fields

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
_FIELD_OF = {"pick": "stop-sms", "bad_time": "from"}
"""Which field an answer about contact is wrong in."""


@router.get("/p/{token}/contact")
async def preferences(desk: Inside) -> Response:
    """Show how and when a borrower is contacted."""
    return _contact(desk, await load_standing(desk.house, desk.case_id))


@router.get("/p/{token}/{way}")
async def telling(desk: Inside, way: str) -> Response:
    """Show a form for words; an unknown way, or one that the case does not take, is the first page."""
    return _tell(desk, await load_standing(desk.house, desk.case_id), way) if way in _TOLD else to(desk, "")


def _tell(desk: Desk, standing: Standing, way: str, status: int = 200, words: str = "") -> Response:
    """Show a form for words, if the case takes them now."""
    if standing.kind not in acts.TOLD_WHILE[_TOLD[way]]:
        return to(desk, "")
    errors = [("words", desk.tongue.say("errors.long", most=MOST_WORDS))] if status != 200 else []
    return desk.page("tell", status, way=way, most=MOST_WORDS, words=words, errors=errors,
                     parts_of_day=_PARTS_OF_DAY, notices=desk.notices(standing))  # fmt: skip


@router.post("/p/{token}/contact")
async def contact(request: Request, desk: Inside) -> Response:
    """Stop channels, name times, or choose a language."""
    fields, once = await ours(request, desk)
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
            result = await acts.name_time(desk.house, form_of(desk, once, told), window)
            return await _again(desk, "bad_time") if result is Result.BOUNDS else _noted(desk, result, "times")
        case "clear":
            result = await acts.forget_times(desk.house, form_of(desk, once, "times: none"))
            return _noted(desk, result, "times")
        case "language" if fields.one("language") in desk.tongue.words.languages:
            return _noted(desk, await _choose(desk, once, fields.one("language")), "language")
        case _:
            return to(desk, "contact")


async def _stopped(desk: Desk, once: str, channels: Sequence[str]) -> Response:
    result = await acts.stop(desk.house, form_of(desk, once, f"stop: {' '.join(channels)}"), channels)
    return await _again(desk, "pick") if result is Result.BOUNDS else _noted(desk, result, "stop")


def _noted(desk: Desk, result: Result, said: str) -> Response:
    return to(desk, "contact", {Result.HANDED_OFF: "asked", Result.REPEATED: "repeated"}.get(result, said))


async def _again(desk: Desk, problem: str) -> Response:
    return _contact(desk, await load_standing(desk.house, desk.case_id), 422, problem)


async def _choose(desk: Desk, once: str, language: str) -> Result:
    """Choose the locale of a language that fits where the borrower lives."""
    standing = await load_standing(desk.house, desk.case_id)
    borrower, locales = standing.dossier.borrower, desk.house.renderer.catalog.locales
    if borrower.locale.partition("-")[0].lower() == language:
        return Result.DONE
    locale = locale_for(locales, language, borrower)
    return await acts.choose_language(desk.house, form_of(desk, once, f"language: {locale}"), locale)


def _window(fields: Fields) -> PersonalWindow | None:
    opens, closes = fields.one("from"), fields.one("to")
    if not _CLOCK.fullmatch(opens) or not _CLOCK.fullmatch(closes) or opens == closes:
        return None
    days = tuple(day for day in WEEKDAYS if day in fields.every("day"))
    return PersonalWindow("bar", opens, closes, days)


def _contact(desk: Desk, standing: Standing, status: int = 200, problem: str = "") -> Response:
    refused = standing.refused
    errors = [(_FIELD_OF[problem], desk.tongue.say(f"contact.{problem}", most=MOST_TIMES))] if problem else []
    return desk.page(
        "contact", status, errors=errors, weekdays=WEEKDAYS,
        channels=[(name, all(each in refused for each in of)) for name, of in _CHANNELS.items()],
        windows=[one for one in standing.dossier.windows if one.effect == "bar"],
        written=standing.dossier.borrower.locale.partition("-")[0].lower(),
        hours_of_day=[f"{hour:02d}:00" for hour in range(24)],
        start=desk.tongue.locale.keys["start"], notices=desk.notices(standing),
    )  # fmt: skip


@router.post("/p/{token}/{way}")
async def tell(request: Request, desk: Inside, way: str) -> Response:
    """Take what a borrower says in their own words: it is paid, it is wrong, it is too hard, please call."""
    fields, once = await ours(request, desk)
    if way not in _TOLD:
        return to(desk, "")
    words = fields.one("words").replace("\r\n", "\n")
    if len(words) > MOST_WORDS:
        standing = await load_standing(desk.house, desk.case_id)
        return _tell(desk, standing, way, 422, words[:MOST_WORDS])
    part = fields.one("when") if fields.one("when") in _PARTS_OF_DAY else "any"
    told = f"{way}{f' ({part})' if way == 'call' else ''}: {words}" if words or way == "call" else way
    result = await acts.tell(desk.house, form_of(desk, once, told), _TOLD[way], words)
    return after(desk, result, way)
