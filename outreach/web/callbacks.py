"""What providers tell us: verified, then stored together with others, then 204."""

import inspect
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, cast

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from channels.contract import Acknowledges, Callback, Channel, Medium
from channels.errors import BadSignature, MalformedCallback
from outreach.flows.callbacks import take_callback
from outreach.flows.exchanges import heard_of
from outreach.flows.house import House
from outreach.web.group_commit import GroupCommit
from outreach.web.problems import ProblemError, read_body

MOST_FORM_BYTES = 64 * 1024
MOST_MAIL_BYTES = 2 * 1024 * 1024


class RawRoute(APIRoute):
    """A route that stands in the API's description and gets its request untouched.

    The framework would read the body, cookies and parameters anew for each request, which costs more than the callback.
    Only words of the path are handed on, as they are.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what calls the endpoint itself."""
        endpoint = self.endpoint
        names = [name for name in inspect.signature(endpoint).parameters if name != "request"]

        async def handle(request: Request) -> Response:
            words = request.path_params
            answer: Response = await endpoint(request=request, **{name: words[name] for name in names})
            return answer

        return handle


router = APIRouter(route_class=RawRoute)


async def callback_of(request: Request, limit: int) -> Callback:
    """Return the request as it came over the wire: the signature covers the raw path, query and body."""
    scope = request.scope
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Callback(
        path=raw_path.partition(b"?")[0].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=await read_body(request, limit),
    )


@router.get("/v1/callbacks/{channel}/{rest:path}", status_code=204)
@router.post("/v1/callbacks/{channel}/{rest:path}", status_code=204)
@router.get("/v1/callbacks/{channel}", status_code=204)
@router.post("/v1/callbacks/{channel}", status_code=204)  # the last is the first that is tried
async def take(channel: str, request: Request) -> Response:
    """Take delivery news and replies, signed by the provider; ``channel`` is a name of channels.yaml.

    What follows the name belongs to the adapter: the sender of a channel that has several, or a secret. Some gateways
    report by GET.
    """
    house: House = request.app.state.house
    adapter = house.channels.get(channel)
    if adapter is None:
        raise ProblemError(404, "no channel of this name")
    limit = MOST_MAIL_BYTES if adapter.medium is Medium.EMAIL else MOST_FORM_BYTES
    return await _take(request, channel, await callback_of(request, limit))


@router.post("/v1/inbound/email", status_code=204)
async def take_mail(request: Request) -> Response:
    """Take a raw mail (message/rfc822) that came to one of our addresses, signed by our own receiving host."""
    house: House = request.app.state.house
    named = [name for name, adapter in house.channels.items() if name == Medium.EMAIL or adapter.medium is Medium.EMAIL]
    if not named:
        raise ProblemError(404, "no email channel is configured")
    return await _take(request, named[0], await callback_of(request, MOST_MAIL_BYTES))


async def _take(request: Request, channel: str, callback: Callback) -> Response:
    house: House = request.app.state.house
    adapter = house.channels[channel]
    try:
        adapter.verify(callback)
        news = list(adapter.parse(callback))
    except BadSignature:
        raise ProblemError(403, "not signed by the provider") from None
    except MalformedCallback:
        await take_callback(house, channel, callback)
    else:
        await group_of(request, channel).add(news, heard_of(house, channel, callback, news))
    return _thanks(adapter, callback)


def _thanks(adapter: Channel, callback: Callback) -> Response:
    """Answer what was taken: nothing, or the words without which the provider would repeat it."""
    words = cast("Acknowledges", adapter).acknowledge(callback) if _has_words(type(adapter)) else None
    return Response(status_code=204) if words is None else Response(words.body, 200, media_type=words.content_type)


@cache
def _has_words(kind: type[Channel]) -> bool:
    """Tell whether an adapter has words of thanks. Asked of an adapter itself, the protocol is walked every time."""
    return issubclass(kind, Acknowledges)


def group_of(request: Request, channel: str) -> GroupCommit:
    """Return the group that callbacks of a channel share in this process."""
    groups: dict[str, GroupCommit] = request.app.state.groups
    if channel not in groups:
        groups[channel] = GroupCommit(request.app.state.house, channel)
    return groups[channel]
