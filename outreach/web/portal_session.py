"""A visit to the portal: the cookie of somebody who was identified, and proof that a form is ours."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from outreach.domain.portal import Portal
from outreach.web.problems import read_body

VISIT, KNOCK, TONGUE, SAID = "outreach_portal", "outreach_portal_form", "outreach_portal_lang", "outreach_portal_said"
"""Cookies: an identified visit, a form before that, the language of the pages, what was just done."""

MOST_BYTES = 32 * 1024
MOST_FIELDS = 40
_SAID_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser on one link. ``nonce`` is its own; ``identified`` says whether it may see the case."""

    token: str
    nonce: str
    identified: bool = False


@dataclass(frozen=True, slots=True)
class Visits:
    """Makes and reads the cookies of one portal. Everything is signed for one link and for nothing else."""

    portal: Portal

    def read(self, request: Request, token: str, real: datetime) -> Visit:
        """Return the visit of a request: identified when its cookie is ours, for this link, and young enough."""
        issued, _, rest = request.cookies.get(VISIT, "").partition(".")
        nonce, _, mac = rest.partition(".")
        if issued.isascii() and issued.isdigit() and self.portal.is_signed(mac, "visit", token, issued, nonce):
            age = real.timestamp() - int(issued)
            if 0 <= age <= self.portal.rules.session.total_seconds():
                return Visit(token, nonce, identified=True)
        knock = request.cookies.get(KNOCK, "")
        return Visit(token, knock[:64] if knock.isascii() else "")

    def fresh(self, token: str, *, identified: bool = False) -> Visit:
        """Return a new visit; being identified begins one of its own, so that nobody can plant theirs."""
        return Visit(token, secrets.token_urlsafe(18), identified)

    def keep(self, response: Response, visit: Visit, real: datetime) -> None:
        """Write a visit's cookie, and with it its length anew."""
        if not visit.identified:
            self._set(response, KNOCK, visit.nonce, visit.token, None)
            return
        issued = str(int(real.timestamp()))
        value = f"{issued}.{visit.nonce}.{self.portal.sign('visit', visit.token, issued, visit.nonce)}"
        self._set(response, VISIT, value, visit.token, int(self.portal.rules.session.total_seconds()))

    def leave(self, response: Response, token: str) -> None:
        """End a visit."""
        response.delete_cookie(VISIT, path=f"/p/{token}")

    def proof(self, visit: Visit) -> str:
        """Return the word that the forms of a visit carry (against cross-site requests)."""
        return self.portal.sign("form", visit.token, visit.nonce)

    def is_ours(self, visit: Visit, given: str) -> bool:
        """Tell whether a form was made by us for this visit."""
        return bool(visit.nonce) and self.portal.is_signed(given, "form", visit.token, visit.nonce)

    def note(self, response: Response, token: str, said: str) -> None:
        """Keep for a moment what was just done, for the next page to say."""
        self._set(response, SAID, said, token, _SAID_SECONDS)

    def speak(self, response: Response, token: str, language: str) -> None:
        """Keep the language of the pages."""
        self._set(response, TONGUE, language, token, 30 * 24 * 3600)

    def _set(self, response: Response, name: str, value: str, token: str, seconds: int | None) -> None:
        secure = not self.portal.is_loopback
        response.set_cookie(
            name, value, max_age=seconds, httponly=True, secure=secure, samesite="strict", path=f"/p/{token}"
        )


class Fields:
    """The fields of a form, as text; what is not there is empty."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def one(self, name: str) -> str:
        """Return a field without the spaces around it."""
        return self._values.get(name, [""])[0].strip()

    def every(self, name: str) -> list[str]:
        """Return all values of a field."""
        return self._values.get(name, [])


async def read_fields(request: Request) -> Fields:
    """Read a form. Raises ProblemError (413) when it is too large; more fields than a page has make it empty."""
    body = await read_body(request, MOST_BYTES)
    try:
        return Fields(parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS))
    except ValueError:
        return Fields({})
