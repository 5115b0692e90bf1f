"""Who may come in: API keys for machines, a signed cookie for people, and proof that a form is ours."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from outreach.settings import Settings
from outreach.web.problems import ProblemError

COOKIE = "outreach_console"
SESSION_SECONDS = 12 * 3600
_DOTS = 2
MOST_NAME = 60
"""Characters of a name that are kept."""


@dataclass(frozen=True, slots=True)
class Access:
    """Checks keys and sessions in constant time. Without any API key nobody comes in."""

    keys: tuple[str, ...] = field(repr=False)
    secret: bytes = field(repr=False)
    secure: bool = True

    @staticmethod
    def of(settings: Settings) -> "Access":
        """Make it from settings; sessions end when the keys change."""
        seed = "\0".join(("console", settings.callback_secret, *settings.api_keys))
        secure = settings.public_url.startswith("https://")
        return Access(settings.api_keys, hashlib.sha256(seed.encode()).digest(), secure)

    def is_key(self, given: str) -> bool:
        """Tell whether ``given`` is one of the keys; takes the same time for every key."""
        good = [hmac.compare_digest(given.encode(), key.encode()) for key in self.keys]
        return any(good)

    def require_key(self, request: Request) -> None:
        """Raise ProblemError (401) unless the request carries an API key."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.is_key(given.strip()):
            raise ProblemError(401, "send an API key as Authorization: Bearer", headers={"WWW-Authenticate": "Bearer"})

    def log_in(self, response: Response, now: datetime, name: str = "") -> None:
        """Give a browser a session; ``name`` is who sits before it, for the record of what they do."""
        known = base64.urlsafe_b64encode(name.strip()[:MOST_NAME].encode()).decode().rstrip("=")
        body = f"{int(now.timestamp())}.{secrets.token_urlsafe(12)}.{known}"
        response.set_cookie(
            COOKIE, f"{body}.{self._sign('session', body)}", max_age=SESSION_SECONDS, httponly=True,
            secure=self.secure, samesite="strict", path="/",
        )  # fmt: skip

    def session(self, request: Request, now: datetime) -> str | None:
        """Return the session of a request, or None when there is none that is ours and young enough."""
        body, _, mac = request.cookies.get(COOKIE, "").rpartition(".")
        if not body or not hmac.compare_digest(mac.encode(), self._sign("session", body).encode()):
            return None
        age = now.timestamp() - int(body.partition(".")[0])
        return body if 0 <= age <= SESSION_SECONDS else None

    @staticmethod
    def name_of(session: str) -> str:
        """Return the name given at the login of a session that is ours; empty when none was."""
        if session.count(".") != _DOTS:
            return ""  # given by an older version
        known = session.rpartition(".")[2]
        return base64.urlsafe_b64decode(known + "=" * (-len(known) % 4)).decode(errors="replace")

    def form_proof(self, session: str) -> str:
        """Return the word that forms of this session carry (against cross-site requests)."""
        return self._sign("form", session)

    def is_our_form(self, session: str, given: str) -> bool:
        """Tell whether a form was made by us for this session."""
        return hmac.compare_digest(given.encode(), self.form_proof(session).encode())

    def _sign(self, use: str, text: str) -> str:
        return hmac.new(self.secret, f"{use}\0{text}".encode(), hashlib.sha256).hexdigest()
