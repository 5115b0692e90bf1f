"""The portal's pages: words of one language, amounts and dates as its readers write them, nothing from elsewhere."""

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from outreach.domain.arrangement import Frequency, Offer, Paydays, schedule
from outreach.domain.arrangement_life import Coverage
from outreach.domain.arrangement_life import Standing as Plan
from outreach.domain.creditor import Creditor
from outreach.domain.ics import CalendarDay, calendar_text
from outreach.domain.money import Money
from outreach.flows.house import House
from outreach.flows.portal import Standing
from outreach.flows.portal_acts import seen
from outreach.rendering import formats
from outreach.rendering.locales import Locale
from outreach.rendering.portal_words import PortalWords, load_portal_words
from outreach.web.portal_session import SAID, TONGUE, Visit, Visits
from outreach.web.rendering import page

EXTRA_HEADERS = {
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


Errors = list[tuple[str, str]]
"""What is wrong with a form: the field to go to, and words."""

_LAST_DAY = 31


@lru_cache(maxsize=4)
def words_of(templates: Path) -> PortalWords:
    """Return the words of a templates folder, read once. Raises ConfigError."""
    return load_portal_words(templates / "portal")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How far apart installments are, as a form names it."""

    frequency: Frequency
    paydays: Paydays | None = None

    @property
    def key(self) -> str:
        """What the field of a form holds."""
        return "-".join((self.frequency, *(str(day) for day in self.paydays or ())))


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the pages, with the locale whose amounts and dates it shows."""

    words: PortalWords
    language: str
    locale: Locale

    def say(self, key: str, **places: object) -> str:
        """Return the words under a key."""
        return self.words.say(self.language, key, **places)

    def money(self, amount: Money) -> str:
        """Write an amount."""
        return formats.money(amount, self.locale.babel)

    def day(self, value: date) -> str:
        """Write a date in full."""
        return formats.day(value, self.locale.babel, "long")

    def short_day(self, value: date) -> str:
        """Write a date for a table."""
        return formats.day(value, self.locale.babel)

    def often(self, rhythm: Rhythm) -> str:
        """Say how far apart installments are."""
        if rhythm.paydays is None:
            return self.say(f"plan.{rhythm.frequency}")
        first, second = rhythm.paydays
        key = "plan.semimonthly_last" if second == _LAST_DAY else "plan.semimonthly"
        return self.say(key, first=first, second=second)

    def phone(self, e164: str) -> str:
        """Write a telephone number."""
        return formats.phone(e164, self.locale.region)

    def product(self, key: str) -> str:
        """Return a product in words."""
        return self.locale.products.get(key) or self.locale.products["other"]


@dataclass(frozen=True, slots=True)
class Desk:
    """One request on one link: whose page, in which language, by which visit."""

    house: House
    visits: Visits
    visit: Visit
    case_id: UUID
    creditor: Creditor
    tongue: Tongue
    said: str = ""
    asked: str = ""
    real: datetime = field(kw_only=True)

    @property
    def base(self) -> str:
        """The path of the page."""
        return f"/p/{self.visit.token}"

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """Render a page with what all pages share, and keep the visit."""
        tongue = self.tongue
        answer = page(
            f"portal/{template}.html",
            status,
            t=tongue.say,
            tongue=tongue,
            lang=tongue.locale.code if tongue.locale.language == tongue.language else tongue.language,
            languages=[(code, tongue.words.name(code)) for code in tongue.words.languages],
            base=self.base,
            creditor=self.creditor,
            name=self.creditor.name_for(tongue.locale.code),
            hours=self.creditor.help_hours.told(tongue.locale.code),
            proof=self.visits.proof(self.visit),
            once=secrets.token_urlsafe(12),
            identified=self.visit.identified,
            said=self.said,
            **({"errors": []} | values),
        )
        answer.headers.update(EXTRA_HEADERS)
        self.visits.keep(answer, self.visit, self.real)
        if self.asked:
            self.visits.speak(answer, self.visit.token, self.asked)
        if self.said:
            answer.delete_cookie(SAID, path=self.base)
        return answer

    def notices(self, standing: Standing) -> list[str]:
        """Return the statements of a case in words; one without words in this language is left to the templates."""
        known = self.tongue.locale.notices
        return [known[name] for name in standing.notices if name in known]


def tongue_for(house: House, words: PortalWords, request: Request, locale: str) -> tuple[Tongue, str]:
    """Return the language of a page and the one just asked for: asked for, kept, the borrower's, the browser's."""
    asked = request.query_params.get("lang", "")
    asked = asked if asked in words.languages else ""
    kept = request.cookies.get(TONGUE, "")
    spoken = locale.partition("-")[0].lower()
    browser = request.headers.get("accept-language", "")[:2].lower()
    language = next(one for one in (asked, kept, spoken, browser, words.languages[0]) if one in words.languages)
    locales = house.renderer.catalog.locales
    found = locales.resolve(locale if spoken == language else language) or locales.by_code[locales.default]
    return Tongue(words, language, found), asked


def gone(house: House, words: PortalWords, request: Request) -> Response:
    """Answer every link that leads nowhere, whatever the reason, with the same page."""
    tongue, _ = tongue_for(house, words, request, "")
    answer = page(
        "portal/gone.html", 404, t=tongue.say, lang=tongue.language, name="", identified=False, said="", errors=[],
        languages=[(code, words.name(code)) for code in words.languages], base=None, creditor=None, hours=None,
        tongue=tongue,
    )  # fmt: skip
    answer.headers.update(EXTRA_HEADERS)
    return answer


def shown_offer(offer: Offer) -> dict[str, Any]:
    """Return a plan for a page."""
    parts = schedule(offer)
    return {
        "count": offer.count,
        "rhythm": Rhythm(offer.frequency, offer.paydays),
        "first_on": offer.first_on,
        "amount": offer.regular,
        "even": len({one.amount.minor for one in parts}) == 1,
        "total": offer.total,
        "fee": Money(offer.fee_minor, offer.total.currency) if offer.fee_minor else None,
        "parts": [{"due_on": one.due_on, "amount": one.amount} for one in parts],
        "seen": seen(offer),
    }


def calendar(plan: Plan, tongue: Tongue, at: datetime) -> str:
    """Return the unpaid parts of a plan as a calendar file. It names no lender: calendars are shared."""
    return calendar_text([_calendar_day(plan, part, tongue) for part in plan.covered if part.open.minor], at)


def _calendar_day(plan: Plan, part: Coverage, tongue: Tongue) -> CalendarDay:
    number, on = part.installment.number, part.installment.due_on
    words = tongue.say("calendar.event", number=number, count=len(plan.covered))
    uid = f"{plan.arrangement_id.hex[-12:]}-{number}@outreach.invalid"
    return CalendarDay(uid, on, f"{words}: {tongue.money(part.open)}")
