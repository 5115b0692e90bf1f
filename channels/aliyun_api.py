"""Aliyun's RPC API over our HTTP pool: requests signed with ACS3-HMAC-SHA256, answers that are provably its own.

The signature is as Aliyun documents it for version 3 (https://help.aliyun.com/document_detail/2712199.html). Why not
the official SDK: docs/decisions/0012-aliyun-without-sdk.md.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

from yarl import URL

from channels.codes import Kind, codes_of
from channels.errors import Misconfigured, OutcomeUnknown, SendError, Throttled
from channels.exchange import Vocabulary
from channels.http_pool import HttpPool, Limits, retry_after_seconds

VERSION: Final = "2017-05-25"
_NOTHING: Final = hashlib.sha256(b"").hexdigest()
_SAID_NO: Final = frozenset({301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 407, 411, 413, 414, 421, 431})
"""Without an Aliyun code these come from something in between that did not pass the request on."""

WORDS: Final = Vocabulary(
    "aliyun",
    plain=frozenset({
        "SignName", "TemplateCode", "SmsUpExtendCode", "Code", "BizId", "RequestId",
        "SendDate", "ReceiveDate", "SendStatus", "ErrCode", "PageSize", "CurrentPage", "TotalCount",
    }),
    classes={
        "PhoneNumbers": "number", "TemplateParam": "words", "OutId": "token", "Message": "text",
        "PhoneNumber": "number", "PhoneNum": "number", "Content": "words",
    },
)  # fmt: skip
"""What the exchange log may show of Aliyun's fields."""

Now = Callable[[], datetime]


def canonical_query(fields: Mapping[str, str]) -> str:
    """Write the parameters sorted, as they are signed and sent."""
    return "&".join(f"{_quoted(name)}={_quoted(fields[name])}" for name in sorted(fields))


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def authorization(key_id: str, secret: str, query: str, headers: Mapping[str, str]) -> str:
    """Sign a POST to / without a body; ``headers`` (lower case) are all signed. Pure."""
    names = sorted(headers)
    signed = ";".join(names)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    request = f"POST\n/\n{query}\n{lines}\n{signed}\n{_NOTHING}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    mac = hmac.digest(secret.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), "sha256").hex()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={mac}"


class AliyunApi:
    """Makes one call at a time, exactly once each."""

    def __init__(self, base_url: str, key: tuple[str, str], limits: Limits, now: Now) -> None:
        self._base = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._key = key
        self._pool = HttpPool(limits, WORDS)
        self._now = now

    async def call(self, action: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer of a call whose Code is OK. Raises SendError."""
        query = canonical_query(fields)
        url = URL(f"{self._base}/?{query}", encoded=True)
        status, raw, headers = await self._pool.exchange("POST", url, None, self._headers(action, query))
        answer = _object(raw)
        code = answer.get("Code") if answer else None
        if 200 <= status < 300 and code == "OK" and answer is not None:
            return answer
        wait = retry_after_seconds(headers.get("Retry-After"), headers.get("Date"))
        raise refusal(status, code if isinstance(code, str) else None, wait)

    def _headers(self, action: str, query: str) -> dict[str, str]:
        signed = {
            "host": self._host,
            "x-acs-action": action,
            "x-acs-version": VERSION,
            "x-acs-date": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid4().hex,
            "x-acs-content-sha256": _NOTHING,
        }
        more = {"accept": "application/json", "accept-encoding": "identity"}
        return {**signed, **more, "authorization": authorization(*self._key, query, signed)}

    async def close(self) -> None:
        """Give back connections."""
        await self._pool.close()


def refusal(status: int, code: str | None, retry_after: float | None) -> SendError:
    """Turn an answer that is not OK into our error. Never quotes its words: they name the recipient."""
    if code is not None and code != "OK":
        row = codes_of("aliyun").row(code, "api")
        if row.kind is not Kind.UNKNOWN:
            return row.refusal(code, retry_after)
    if status >= 500:
        return OutcomeUnknown(f"HTTP {status}", provider_code=code, retry_after=retry_after)
    if status == 429:
        return Throttled("HTTP 429: never processed", provider_code=code, retry_after=retry_after)
    if code is not None and code != "OK":
        row = codes_of("aliyun").row(code, "api")
        return (replace(row, kind=Kind.MISCONFIGURED) if status in {401, 403} else row).refusal(code)
    if status in _SAID_NO:
        return Misconfigured(f"HTTP {status} without an Aliyun code: is the base URL right?")
    return OutcomeUnknown(f"HTTP {status} without an Aliyun code")


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
