"""The control API of the sandbox, for loopback only: clock, log, faults, keys, profiles and people texting in."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, cast

import orjson

from channels.sandbox.calls import Calls
from channels.sandbox.carrier import Carrier
from channels.sandbox.http import Answer, Request, Response
from channels.sandbox.mailroom import SandboxMailroom
from channels.sandbox.people import MEDIA
from channels.sandbox.script import parse_profiles
from channels.sandbox.senders import Senders
from channels.sandbox.texts import Texts

_LONGEST_WAIT: Final = 30.0
_LOG_PAGE: Final = 10_000
Json = Mapping[str, object]


class Control:
    """Answers everything under /sandbox/."""

    def __init__(
        self, carrier: Carrier, senders: Senders, texts: Texts, calls: Calls, mailroom: SandboxMailroom
    ) -> None:
        self._carrier = carrier
        self._senders = senders
        self._texts = texts
        self._calls = calls
        self._mailroom = mailroom
        self._routes: dict[tuple[str, str], Callable[[Request], Answer | Awaitable[Answer]]] = {
            ("GET", "/sandbox/state"): self._state,
            ("GET", "/sandbox/log"): self._log,
            ("GET", "/sandbox/faults"): lambda _: _json(carrier.faults.as_json()),
            ("POST", "/sandbox/faults"): self._faults,
            ("GET", "/sandbox/keys"): lambda _: _json(carrier.keys.as_json()),
            ("POST", "/sandbox/keys"): self._keys,
            ("POST", "/sandbox/clock"): self._clock,
            ("POST", "/sandbox/say"): self._say,
            ("POST", "/sandbox/profile"): self._profile,
            ("POST", "/sandbox/reset"): self._reset,
        }

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        """Answer one request; a bad one gets 400 and says what would be valid."""
        route = self._routes.get((request.method, request.path))
        if route is None:
            known = sorted(f"{method} {path}" for method, path in self._routes)
            return _refused(404, f"no such call; there are {', '.join(known)}")
        try:
            return route(request)
        except ValueError as error:
            return _refused(400, str(error))

    def _state(self, request: Request) -> Answer | Awaitable[Answer]:
        self._carrier.agenda.fire_due()
        self._carrier.witness.flush()
        wait = min(_LONGEST_WAIT, float(request.args().get("wait", "0")))
        return self._state_when_idle(wait) if wait > 0 and self._carrier.deliveries.pending else self._state_now()

    async def _state_when_idle(self, seconds: float) -> Answer:
        await self._carrier.deliveries.wait_idle(seconds)
        self._carrier.witness.flush()
        return self._state_now()

    def _state_now(self) -> Response:
        carrier = self._carrier
        return _json(
            {
                "now": carrier.clock.now(),
                "stepped": carrier.clock.stepped,
                "pending": carrier.deliveries.pending,
                "next_at": carrier.agenda.next_at(),
                "log": carrier.witness.last,
            }
        )

    def _log(self, request: Request) -> Answer:
        args = request.args()
        after, limit = int(args.get("after", "0")), int(args.get("limit", str(_LOG_PAGE)))
        return Response(200, self._carrier.witness.entries(after, limit))

    def _faults(self, request: Request) -> Answer:
        self._carrier.faults.set(_body(request))
        return _json(self._carrier.faults.as_json())

    def _keys(self, request: Request) -> Answer:
        self._carrier.keys.set(_body(request))
        self._carrier.witness.record("keys_changed", **self._carrier.keys.as_json())
        return _json(self._carrier.keys.as_json())

    def _clock(self, request: Request) -> Answer:
        clock = self._carrier.clock
        if not clock.stepped:
            return _refused(409, "the clock is real; start with --clock stepped to move it")
        instant = _instant(_body(request), "now")
        if instant < clock.now():
            return _refused(409, f"now: the clock stands at {clock.now().isoformat()} and does not go back")
        fired = self._carrier.agenda.advance(instant.timestamp())
        state = orjson.loads(self._state_now().body)
        return _json(state | {"fired": fired})

    def _say(self, request: Request) -> Answer:
        body = _body(request)
        person, to, words = (_text(body, name) for name in ("from", "to", "text"))
        if body.get("channel", "sms") == "email":
            subject, reply_to = str(body.get("subject") or ""), body.get("in_reply_to")
            name = self._mailroom.say(person, to, words, subject=subject, in_reply_to=cast("str | None", reply_to))
        else:
            name = self._texts.texting.say(person, to, words)
        return _json({"ref": name})

    def _profile(self, request: Request) -> Answer:
        profiles = parse_profiles(_body(request), "profile")
        self._carrier.people.profiles.update(profiles)
        return _json({"profiles": len(self._carrier.people.profiles), "media": MEDIA})

    def _reset(self, request: Request) -> Answer:  # noqa: ARG002 - every route takes the request
        carrier = self._carrier
        carrier.agenda.clear()
        carrier.deliveries.drop()
        carrier.faults.reset()
        carrier.keys.forget()
        carrier.people.forget()
        self._senders.forget()
        self._texts.forget()
        self._calls.shelf.forget()
        self._mailroom.forget()
        carrier.witness.record("reset")
        carrier.witness.forget()
        return self._state_now()


def _json(body: Json) -> Response:
    return Response(200, orjson.dumps(body, option=orjson.OPT_UTC_Z))


def _refused(status: int, reason: str) -> Response:
    return Response(status, orjson.dumps({"error": reason}))


def _body(request: Request) -> dict[str, object]:
    body = orjson.loads(request.body or b"{}")
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - one kind of error for bad input
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: text is required")
    return value


def _instant(body: Json, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(body, name))
    except ValueError as error:
        raise ValueError(f"{name}: an ISO 8601 instant such as 2026-03-02T15:00:00Z") from error
    if instant.tzinfo is None:
        raise ValueError(f"{name}: the instant needs an offset, such as Z")
    return instant
