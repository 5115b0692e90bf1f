"""Answers to bad requests (RFC 9457 problem documents) and reading a body that may be too large."""

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outreach.flows.house import House

RETRY_AFTER_SECONDS = "2"

_log = structlog.get_logger(__name__)


class ProblemError(Exception):
    """A request that cannot be served; becomes a problem document. Texts never hold a value that was sent."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.members = status, detail, headers, members


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object) -> Response:
    """Return a problem document. ``members`` are extensions: ``errors`` names bad fields, ``results`` each event."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    shown = orjson.dumps(document | members)
    return Response(shown, status, dict(headers or {}), media_type="application/problem+json")


def plain_json(content: Any, status: int = 200) -> Response:  # noqa: ANN401 - whatever JSON can hold
    """Return JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")


async def on_problem(_request: Request, error: Exception) -> Response:
    """Answer a ProblemError."""
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class only
    return problem(error.status, error.detail, headers=error.headers, **error.members)


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Answer what the framework refuses itself: no such address, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return problem(error.status_code, "see the status", headers=error.headers)


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes, whatever its length header claims. Raises ProblemError (413)."""
    claimed = request.headers.get("content-length", "")
    if claimed.isascii() and claimed.isdigit() and int(claimed) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> ProblemError:
    # Closing keeps the rest of an endless body from being read as the next request.
    return ProblemError(413, f"a body may have at most {limit} bytes", headers={"Connection": "close"})


def fields(problems: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return problems as (field, detail) in the form documents show them."""
    return [{"field": name, "detail": detail} for name, detail in problems]


class LastResort:
    """Outermost layer: a store that is away is 503 with Retry-After, anything unforeseen 500 without a word of why."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if started:
                raise
            await self._refusal(scope, error)(scope, receive, send)

    def _refusal(self, scope: Scope, error: Exception) -> Response:
        house: House | None = getattr(scope["app"].state, "house", None) if "app" in scope else None
        if isinstance(error, TimeoutError) or (house is not None and house.is_store_away(error)):
            _log.warning("the store is away", error=type(error).__name__)
            return problem(503, "try again in a moment", headers={"Retry-After": RETRY_AFTER_SECONDS})
        _log.error("a request failed", error=type(error).__name__, where=_where(error))
        return problem(500, "this request failed on our side")


def _where(error: Exception) -> list[str]:
    """Return the innermost places of an error. Its text may quote what was sent, so only places are logged."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
