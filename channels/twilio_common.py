"""What every Twilio adapter shares: refusals to our errors, signatures, callback fields and the account's client."""

import base64
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from multidict import MultiDict
from twilio.base.exceptions import TwilioException
from twilio.request_validator import HMAC_SHA1, RequestValidator, get_signature_algorithm

from channels.codes import Kind, Row, codes_of
from channels.contract import Callback, LookupKey
from channels.errors import BadSignature, MalformedCallback, Misconfigured, OutcomeUnknown, SendError, Throttled

_GATEWAY_SAID_NO = frozenset(
    {301, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 410, 411, 413, 414, 415, 421, 426, 431, 451}
)
"""Without a Twilio code these come from something in between that did not pass the request on."""

_SETTINGS = "x-twilio-webhooks-signature-settings"

_MOST_FIELDS = 200

_CREATED_SLACK_SECONDS = 30.0
"""How far Twilio's clock may lag ours when a look-up asks what was created since an attempt began."""


def refusal(status: int, body: bytes, retry_after: float | None) -> SendError:
    """Turn a status that is not 2xx, and its body, into our error. Never quotes the body: it names the recipient."""
    code = _provider_code(body)
    if status >= 500:
        return OutcomeUnknown(f"HTTP {status}", provider_code=code, retry_after=retry_after)
    if status == 429:
        return Throttled("HTTP 429: never processed", provider_code=code, retry_after=retry_after)
    if code is not None and status >= 400:
        row = row_of(code)
        if row.kind is Kind.UNKNOWN and status in {401, 403}:
            row = replace(row, kind=Kind.MISCONFIGURED)
        return row.refusal(code, retry_after)
    if status in _GATEWAY_SAID_NO:
        return Misconfigured(f"HTTP {status} without a Twilio code: is the base URL right?")
    return OutcomeUnknown(f"HTTP {status} without a Twilio code")


def _provider_code(body: bytes) -> str | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    code = answer.get("code") if isinstance(answer, dict) else None
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else None


@contextmanager
def unreadable_is_unknown() -> Iterator[None]:
    """Turn what the SDK raises over an answer it cannot read into OutcomeUnknown, without quoting it."""
    try:
        yield
    except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutcomeUnknown(f"unreadable answer: {type(error).__name__}") from None


def row_of(code: str) -> Row:
    """Return what one of Twilio's codes means; a code that is not in the data is ``Kind.UNKNOWN``."""
    return codes_of("twilio").row(code)


def news_class(code: str | None) -> str | None:
    """Return the ``error_class`` that a receipt with this ErrorCode carries."""
    return None if code is None else row_of(code).news


def decided_by(code: str | None) -> str | None:
    """Return the data, with its version, that gives this ErrorCode its meaning."""
    return None if code is None else row_of(code).decided_by


def price_micros(price: object) -> int | None:
    """Turn Twilio's signed decimal price into a positive number of millionths of its unit."""
    try:
        return abs(int(Decimal(str(price)) * 1_000_000)) if price else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def currency(unit: object, price: object) -> str | None:
    """Return the ISO 4217 code that a price is in; Twilio writes some in lower case. None without a price."""
    code = unit.upper() if isinstance(unit, str) and price else ""
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def whole(number: object) -> int | None:
    """Read a positive whole number, or None when it says nothing ("0" segments means not known yet)."""
    text = str(number)
    return (int(text) or None) if text.isascii() and text.isdigit() else None


def created_since(key: LookupKey, created: datetime | None) -> bool:
    """Tell whether a resource can belong to the attempt: it was not created before the attempt began."""
    if created is None:
        return False
    return created.timestamp() >= key.started_epoch - _CREATED_SLACK_SECONDS


def created_at(record: Any) -> datetime:  # noqa: ANN401 - SDK instances are not typed
    """Sort key: when a resource was created; those that do not say come last."""
    return record.date_created or datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Signatures:
    """Proves that a request came from our Twilio account.

    ``auth_tokens`` holds the primary and, while tokens are rotated, the secondary; ``shared_keys`` maps a SharedKey id
    to its secret. The URL is the configured public one plus the raw path and query: never a rebuilt URL.
    """

    public_url: str
    account_sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    shared_keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    def check(self, callback: Callback) -> None:
        """Raise BadSignature unless the request is provably Twilio's and about our account."""
        try:
            good = self._json(callback) if _is_json(callback) else self._form(callback)
        except Exception:  # noqa: BLE001 - whatever a forged request breaks, the answer is the same
            good = False
        if not good:
            raise BadSignature("not signed by the provider for this account")

    def _form(self, callback: Callback) -> bool:
        """Check a form. Blank fields are signed too."""
        pairs = callback.form()
        account = next((value for name, value in pairs if name == "AccountSid"), None)
        return account == self.account_sid and self.signs(callback, pairs)

    def signs(self, callback: Callback, pairs: Sequence[tuple[str, str]]) -> bool:
        """Tell whether one of our secrets signs the URL and these fields."""
        settings = callback.headers.get(_SETTINGS)
        algorithm = get_signature_algorithm(settings)
        secrets = self._secrets(algorithm, settings)
        signature = callback.headers["x-twilio-signature"]
        url = self._url(callback)
        if algorithm == HMAC_SHA1 and _signed_plainly(url, pairs, signature, secrets):
            return True
        return _validates(url, MultiDict(pairs), signature, algorithm, secrets)

    def _json(self, callback: Callback) -> bool:
        """Check a JSON body: its hash stands in the signed URL."""
        if "bodySHA256=" not in callback.query:
            return False
        settings = callback.headers.get(_SETTINGS)
        algorithm = get_signature_algorithm(settings)
        body, signature = callback.body.decode("utf-8"), callback.headers["x-twilio-signature"]
        return _validates(self._url(callback), body, signature, algorithm, self._secrets(algorithm, settings))

    def _url(self, callback: Callback) -> str:
        return self.public_url.rstrip("/") + callback.path + (f"?{callback.query}" if callback.query else "")

    def _secrets(self, algorithm: str, settings: str | None) -> tuple[str, ...]:
        if algorithm.upper() == HMAC_SHA1:
            return tuple(token for token in self.auth_tokens if token)
        named = dict(part.strip().partition("=")[::2] for part in (settings or "").split(","))
        secret = self.shared_keys.get(named.get("key", ""))
        return (secret,) if secret else ()


def _is_json(callback: Callback) -> bool:
    return callback.headers.get("content-type", "").startswith("application/json")


def _signed_plainly(url: str, pairs: Sequence[tuple[str, str]], signature: str, secrets: Iterable[str]) -> bool:
    """Check the usual case in a fifth of the SDK's time: the URL as configured, HMAC-SHA1."""
    text = (url + "".join([name + value for name, value in sorted(set(pairs))])).encode("utf-8")
    given = signature.encode("utf-8")
    return any(
        hmac.compare_digest(base64.b64encode(hmac.digest(secret.encode("utf-8"), text, "sha1")), given)
        for secret in secrets
    )


def _validates(
    url: str, signed: "MultiDict[str] | str", signature: str, algorithm: str, secrets: Iterable[str]
) -> bool:
    """Let the SDK decide: it also tries the URL with and without its port, and knows the other algorithms."""
    return any(RequestValidator(secret).validate(url, signed, signature, algorithm) for secret in secrets)


def form_of(callback: Callback) -> dict[str, str]:
    """Return the fields of a callback; of a repeated field the first. Raises MalformedCallback."""
    try:
        pairs = callback.form()
    except ValueError:
        raise MalformedCallback("the body is not a form") from None
    if callback.body.count(b"&") >= _MOST_FIELDS:
        raise MalformedCallback("the body is not a form")
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def required(fields: Mapping[str, str], name: str) -> str:
    """Return a field that must be there. Raises MalformedCallback."""
    value = fields.get(name)
    if not value:
        raise MalformedCallback(f"{name} is missing")
    return value


def token_of(callback: Callback) -> str | None:
    """Return our own word back: ``?t=`` of a status URL, else the last part of ``/v1/calls/<token>``."""
    for name, value in callback.parameters():
        if name == "t":
            return value
    before, _, token = callback.path.partition("/v1/calls/")
    return token.split("/", 1)[0] or None if token and before is not None else None
