"""The HTTP client under the twilio SDK, on our own pool.

The SDK's own asynchronous client has no time limit (twilio-python#925), repeats a POST when asked to retry, loses
``Retry-After`` and logs addresses. This one takes its place through the SDK's documented seam. It raises our own
errors (``channels.errors``) instead of handing the SDK an answer it would turn into an exception that quotes the
recipient.
"""

import logging
import platform
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from multidict import CIMultiDict
from twilio import __version__ as sdk_version
from twilio.http import AsyncHttpClient
from twilio.rest import Client
from yarl import URL

from channels.errors import OutcomeUnknown, SendError
from channels.exchange import Form, Vocabulary
from channels.http_pool import HttpPool, Limits, retry_after_seconds

# The SDK writes whole URLs at INFO, with telephone numbers in list filters; its validator quotes headers in warnings.
_SDK_LOGGER = logging.getLogger("twilio")
for _logger in (_SDK_LOGGER, logging.getLogger("twilio.async_http_client"), logging.getLogger("twilio.http_client")):
    _logger.setLevel(logging.ERROR)

WORDS = Vocabulary(
    "twilio",
    plain=frozenset({
        "From", "ValidityPeriod", "MessagingServiceSid", "StatusCallbackEvent", "Timeout", "TimeLimit",
        "MachineDetection", "sid", "status", "code", "num_segments", "num_media", "error_code", "price",
        "price_unit", "direction", "date_created", "date_sent", "date_updated", "api_version",
        "messaging_service_sid", "from", "queue_time", "answered_by", "duration", "start_time", "end_time",
        "Status", "PageSize", "page", "page_size", "end", "start",
    }),
    classes={
        "To": "number", "to": "number", "Body": "words", "body": "words", "StatusCallback": "token", "Url": "token",
        "account_sid": "account", "message": "text",
    },
    path=frozenset({"2010-04-01", "Accounts", "Messages.json", "Calls.json"}),
)  # fmt: skip
"""What the exchange log may show of Twilio's fields. ``From`` is ours: calls and texts of people come as callbacks."""

Refusal = Callable[[int, bytes, float | None], SendError]
"""Makes our error of a status >= 300, the body and Retry-After in seconds."""


class TwilioAnswer:
    """What the SDK reads of an HTTP answer. ``text`` is JSON already known to be an object."""

    __slots__ = ("headers", "status_code", "text")

    def __init__(self, status_code: int, text: str, headers: Mapping[str, str]) -> None:
        self.status_code = status_code
        self.text = text
        self.headers = headers


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]  # the SDK is not typed
    """The SDK's seam on our pool.

    Raises Unavailable, OutcomeUnknown, or whatever ``refusal`` makes of a status that is not 2xx.
    """

    def __init__(
        self, auth: tuple[str, str], refusal: Refusal, *, base_url: str | None = None, limits: Limits | None = None
    ) -> None:
        super().__init__(_SDK_LOGGER, is_async=True)
        self._refusal = refusal
        self._pool = HttpPool(limits or Limits(), WORDS)
        self._url = lru_cache(maxsize=64)(_Rebase(base_url))
        self._headers = _fixed_headers(auth)

    async def request(  # the SDK's signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - ours are fixed
        auth: tuple[str, str] | None = None,  # noqa: ARG002 - as above
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the SDK's signature; ours are in Limits
        allow_redirects: bool = False,  # noqa: ARG002 - the SDK's signature; a redirect drops the form
    ) -> TwilioAnswer:
        """Make one exchange, exactly once. See the class for what it raises."""
        url = self._url(uri)
        if params:
            url = url.update_query([(name, str(value)) for name, value in params.items()])
        fields = _fields(data)
        status, raw, answer_headers = await self._pool.exchange(method, url, _form(fields), self._headers, fields)
        if 200 <= status < 300:
            return TwilioAnswer(status, _json_text(raw), answer_headers)
        raise self._refusal(
            status, raw, retry_after_seconds(answer_headers.get("Retry-After"), answer_headers.get("Date"))
        )

    async def close(self) -> None:
        """Close this loop's session. Sending afterwards opens a new one."""
        await self._pool.close()


class TwilioClient(Client):  # type: ignore[misc]  # the SDK is not typed
    """The SDK's client with the per-request header and environment work taken out: the HTTP client has it fixed.

    Edge and region are deliberately not read from the environment: the base URL says where requests go.
    """

    def __init__(self, http: TwilioHttp, auth: tuple[str, str], account_sid: str) -> None:
        super().__init__(*auth, account_sid=account_sid, http_client=http, environment={"TWILIO": ""})

    async def request_async(self, method: str, uri: str, **kwargs: Any) -> TwilioAnswer:  # noqa: ANN401 - the SDK's
        """Pass the request straight on."""
        answer: TwilioAnswer = await self.http_client.request(method, uri, kwargs.get("params"), kwargs.get("data"))
        return answer


class _Rebase:
    """Moves the SDK's absolute URLs to another scheme and host."""

    def __init__(self, base_url: str | None) -> None:
        self._base = urlsplit(base_url.rstrip("/")) if base_url else None

    def __call__(self, uri: str) -> URL:
        if self._base is None:
            return URL(uri)
        asked = urlsplit(uri)
        return URL(
            urlunsplit((self._base.scheme, self._base.netloc, self._base.path + asked.path, asked.query, "")),
            encoded=True,
        )


def _fixed_headers(auth: tuple[str, str]) -> "CIMultiDict[str]":
    """Everything aiohttp or the SDK would otherwise work out for each request."""
    agent = f"twilio-python/{sdk_version} ({platform.system()} {platform.machine()}) Python/{platform.python_version()}"
    return CIMultiDict(
        {
            "Authorization": aiohttp.encode_basic_auth(*auth),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": agent,
            "X-Twilio-Client": f"python-{sdk_version}",
        }
    )


def _fields(data: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Return the fields of a form; a list becomes repeated fields."""
    return [
        (name, str(each))
        for name, value in (data or {}).items()
        for each in (value if isinstance(value, list) else (value,))
    ]


def _form(fields: Form) -> bytes | None:
    """Encode a form. yarl's quoting is C, a fifth of urlencode's time."""
    return URL.build(query=fields).raw_query_string.encode("ascii") if fields else None


def _json_text(raw: bytes) -> str:
    """Return the body, or say that what happened is unknown when a 2xx does not hold a JSON object."""
    if raw[:1] != b"{":
        if not raw:
            return ""
        raise OutcomeUnknown("a 2xx answer that is not JSON")
    return raw.decode("utf-8", "replace")
