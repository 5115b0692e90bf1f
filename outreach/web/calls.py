"""Answered calls: the provider asks for words, turn by turn."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from channels.errors import BadSignature
from outreach.flows.calls import UnknownCallError, answer_call
from outreach.web.callbacks import MOST_FORM_BYTES, callback_of
from outreach.web.problems import ProblemError

router = APIRouter()


@router.post("/v1/calls/{token}")
async def answered(token: str, request: Request) -> Response:
    """Return the first words of a call that has just been answered."""
    return await _answer(token, request, None)


@router.post("/v1/calls/{token}/turn")
async def turn(token: str, request: Request, n: int) -> Response:
    """Take what was pressed in turn ``n`` and return the next words. A repeated request gets the same words."""
    return await _answer(token, request, n)


async def _answer(token: str, request: Request, number: int | None) -> Response:
    callback = await callback_of(request, MOST_FORM_BYTES)
    try:
        answer = await answer_call(request.app.state.house, token, callback, number)
    except BadSignature:
        raise ProblemError(403, "not signed by the provider") from None
    except UnknownCallError:
        raise ProblemError(404, "no such call") from None
    return Response(answer.body, headers={"Content-Type": answer.content_type, "Cache-Control": "no-store"})
