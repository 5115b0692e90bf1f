"""Unsubscribe from emails: one POST is enough (RFC 8058), a GET only asks."""

from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from outreach.flows.unsubscribe import unsubscribe
from outreach.web.problems import ProblemError, read_body
from outreach.web.rendering import page

MOST_BYTES = 4096

router = APIRouter()


@router.get("/v1/unsubscribe/{token}")
async def ask(token: str) -> Response:
    """Show a page with a button. Mail scanners follow links, so this never unsubscribes; every token looks the same."""
    return page("unsubscribe.html", token=token, done=False)


@router.post("/v1/unsubscribe/{token}")
async def confirm(token: str, request: Request) -> Response:
    """Unsubscribe at once. The answer is the same for a token that nobody has."""
    body = await read_body(request, MOST_BYTES)
    if not _one_click(request.headers.get("content-type", ""), body):
        raise ProblemError(400, "expected the form field List-Unsubscribe=One-Click (RFC 8058)")
    await unsubscribe(request.app.state.house, token)
    return page("unsubscribe.html", token=token, done=True)


def _one_click(content_type: str, body: bytes) -> bool:
    """Find the field in either of the two encodings that RFC 8058 allows."""
    if content_type.lower().startswith("multipart/form-data"):
        return b'name="List-Unsubscribe"' in body and b"\r\n\r\nOne-Click\r\n" in body
    return parse_qs(body.decode("latin-1"), max_num_fields=10).get("List-Unsubscribe") == ["One-Click"]
