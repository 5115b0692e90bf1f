"""Texts through any HTTP gateway that its block in channels.yaml describes."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from yarl import URL

from channels.adapter import Adapter
from channels.contract import (
    Accepted,
    Answer,
    Callback,
    Capability,
    ChannelConfig,
    Found,
    LookupKey,
    Medium,
    Outbound,
    Receipt,
    ReceiptStatus,
    Reply,
    Text,
)
from channels.errors import (
    BadAddress,
    BadSignature,
    ContentRefused,
    MalformedCallback,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    SendError,
    Throttled,
    Unavailable,
    Unsupported,
)
from channels.exchange import Vocabulary
from channels.gateway_callbacks import GatewayCallbacks
from channels.gateway_options import (
    RAISES,
    WHOLE,
    AnswerRules,
    Basic,
    Bearer,
    HttpGatewayOptions,
    InHeader,
    LookUp,
    Sending,
    Signing,
)
from channels.http_pool import HttpPool, retry_after_seconds
from channels.macs import mac
from channels.options import read_options
from channels.placeholders import SECRET, Fill, cut, grow, plant
from channels.spots import Said, as_text, at_pointer, said

Now = Callable[[], datetime]
MIN_VALIDITY_SECONDS: Final = 5
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")
_SAID_NO: Final = frozenset({301, 307, 308, 401, 402, 403, 404, 405, 406, 407, 410, 411, 413, 414, 415, 421, 426, 431})
"""Without a code of the gateway these mean that our request was not taken: address, key or account."""
_TYPES: Final = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
_IN_URL: Final = re.compile(r"[A-Za-z0-9_-]+")


_HOLDS: Final = {
    "address": "number", "digits": "number", "body": "words", "token": "token", "callback_url": "token",
}  # fmt: skip
_SAYS_NOTHING: Final = frozenset({"attempt_id", "sender", "validity_seconds", "timestamp"})


def words_of(name: str, rules: Sending) -> Vocabulary:
    """Return what the exchange log may show, as the block's own placeholders say it: a constant may be a secret."""
    filled = list(_placeholders(rules.fields))
    classes = {field: "credential" for field, names in filled if any(each.startswith(SECRET) for each in names)}
    for field, names in filled:
        held = next((_HOLDS[each] for each in names if each in _HOLDS), None)
        if held is not None:
            classes.setdefault(field, held)
    plain = {field for field, names in filled if names and set(names) <= _SAYS_NOTHING}
    path = frozenset(part for part in URL(rules.url.partition("{")[0]).path.split("/") if part)
    return Vocabulary(name.rpartition("/")[2], frozenset(plain) | _ANSWERS, classes, path)


_ANSWERS: Final = frozenset({"code", "status", "state", "id", "parts", "segments", "error_code"})
"""Names that gateways commonly give to what says nothing about a person."""


def _placeholders(fields: Mapping[str, Any]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _placeholders(value)
        elif isinstance(value, str):
            yield name, cut(value).names


class _Caller:
    """Makes one of the two requests of a gateway."""

    def __init__(self, rules: Sending | LookUp, options: HttpGatewayOptions, secrets: Mapping[str, str]) -> None:
        self._rules = rules
        self._url = cut(rules.url)
        self._fields = plant(rules.fields)
        self._headers = {name: cut(text) for name, text in rules.headers.items()}
        self._secrets = {f"{SECRET}{name}": value for name, value in secrets.items()}
        self._auth = options.auth
        self._secret = secrets[options.auth.secret] if options.auth else ""

    def build(self, values: Mapping[str, str]) -> tuple[str, URL, bytes | None, dict[str, str]]:
        """Return method, URL, body and headers. Pure."""
        values = {**values, **self._secrets}
        url = URL(self._url.text(values), encoded=True)
        filled = grow(self._fields, values, WHOLE)
        headers = {"Accept": "application/json, */*;q=0.5", "Accept-Encoding": "identity"}
        body: bytes | None = None
        if self._rules.body == "query":
            url = url.with_query({name: str(value) for name, value in filled.items()})
        else:
            body = _json(filled) if self._rules.body == "json" else _form(filled)
            headers["Content-Type"] = _TYPES[self._rules.body]
        headers |= {name: fill.text(values) for name, fill in self._headers.items()}
        return self._rules.method, url, body, headers | self._signed_in(url, body or b"", values)

    def _signed_in(self, url: URL, body: bytes, values: Mapping[str, str]) -> dict[str, str]:
        match self._auth:
            case Basic(username=name):
                return {"Authorization": "Basic " + b64encode(f"{name}:{self._secret}".encode()).decode()}
            case Bearer():
                return {"Authorization": f"Bearer {self._secret}"}
            case InHeader(name=name, prefix=prefix):
                return {name: f"{prefix}{self._secret}"}
            case Signing() as how:
                signed = cut(how.over).text(
                    {
                        "payload": body.decode("latin-1"),
                        "timestamp": values["timestamp"],
                        "attempt_id": values["attempt_id"],
                        "method": self._rules.method,
                        "path": url.raw_path_qs,
                    }
                )
                style = {"algorithm": how.algorithm, "encoding": how.encoding, "prefix": how.prefix}
                return {how.header: mac(self._secret, signed.encode("latin-1"), **style)}
            case _:
                return {}


def _json(filled: Any) -> bytes:  # noqa: ANN401 - plain JSON values
    return json.dumps(filled, ensure_ascii=False, separators=(",", ":")).encode()


def _form(filled: Mapping[str, Any]) -> bytes:
    return URL.build(query={name: str(value) for name, value in filled.items()}).raw_query_string.encode("ascii")


class HttpGateway:
    """``channels.contract.Channel`` for texts, as the block describes it. Without look-up; see ``AskedGateway``."""

    name: ClassVar[str] = "http_gateway"
    medium: ClassVar[Medium] = Medium.SMS
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.RECEIPTS, Capability.REPLIES})

    def __init__(self, config: ChannelConfig, options: HttpGatewayOptions, now: Now) -> None:
        secrets = {name: secret.get_secret_value() for name, secret in options.secrets.items()}
        self._options = options
        self._now = now
        self._pool = HttpPool(options.limits(), words_of(config.name, options.request))
        self._sending = _Caller(options.request, options, secrets)
        rules, path = options.callbacks, f"/v1/callbacks/{config.name}"
        base = config.public_url.rstrip("/")
        self._callbacks = GatewayCallbacks(rules, base, path, secrets, now) if rules else None
        self._asking = _Caller(options.look_up, options, secrets) if options.look_up else None

    async def send(self, outbound: Outbound) -> Accepted:
        """Send the text, once. Raises SendError."""
        request = self._sending.build(self._values(outbound))
        status, body, headers = await self._pool.exchange(*request)
        rules = self._options.answer
        what = said(body, rules.format, headers)
        if _succeeded(rules, status, what):
            return _accepted(rules, what, outbound)
        raise refusal(rules, status, what)

    def _values(self, outbound: Outbound) -> dict[str, str]:
        """Return what fills the request; everything refused here certainly never left."""
        if not isinstance(outbound.content, Text):
            raise Unsupported("this channel carries texts only")
        body = outbound.content.body
        if not body.strip() or len(body) > self._options.max_body or _HALF_CHARACTER.search(body):
            raise ContentRefused(f"a text needs between 1 and {self._options.max_body} whole characters")
        if _E164.fullmatch(outbound.address) is None:
            raise BadAddress("not an E.164 number")
        left = int(outbound.validity.total_seconds())
        if left < MIN_VALIDITY_SECONDS:
            raise Unavailable("window closing: too little validity left")
        if _IN_URL.fullmatch(outbound.attempt_id) is None:
            raise Rejected("the attempt's id cannot stand in a URL")
        return {
            "attempt_id": outbound.attempt_id,
            "token": outbound.token,
            "address": outbound.address,
            "digits": outbound.address[1:],
            "body": body,
            "sender": outbound.sender or self._options.sender or "",
            "validity_seconds": str(left),
            "callback_url": self._callbacks.url(outbound.token) if self._callbacks else "",
            "timestamp": str(int(self._now().timestamp())),
        }

    def verify(self, callback: Callback) -> None:
        """Check that a callback is the gateway's. Raises BadSignature."""
        if self._callbacks is None:
            raise BadSignature("not signed by the gateway")
        self._callbacks.verify(callback)

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a verified callback into news. Raises MalformedCallback."""
        if self._callbacks is None:
            raise MalformedCallback("no callbacks are described")
        return self._callbacks.parse(callback)

    def acknowledge(self, callback: Callback) -> Answer | None:  # noqa: ARG002 - the same for all
        """Say what the gateway wants to hear. Pure."""
        wanted = self._options.callbacks.acknowledge if self._options.callbacks else None
        return Answer(wanted.content_type, wanted.body.encode()) if wanted else None

    async def close(self) -> None:
        """Give back connections."""
        await self._pool.close()


class AskedGateway(HttpGateway):
    """A gateway that can be asked what became of an attempt."""

    capabilities: ClassVar[frozenset[Capability]] = HttpGateway.capabilities | {Capability.LOOKS_UP}

    async def look_up(self, key: LookupKey) -> Found | None:
        """Ask by our own id or token. Raises SendError when the gateway cannot be asked."""
        rules, asking = self._options.look_up, self._asking
        assert rules is not None  # noqa: S101 - the factory makes this class only with look_up
        assert asking is not None  # noqa: S101 - as above
        values = self._asked(key)
        status, body, headers = await self._pool.exchange(*asking.build(values))
        if status in rules.absent_statuses:
            return None
        what = said(body, "json", headers)
        if not 200 <= status < 300:
            raise refusal(self._options.answer, status, what)
        for item in _candidates(rules, what):
            if all(_says(item, pointer, cut(text), values) for pointer, text in rules.match.items()):
                return _found(rules, what, item)
        return None

    def _asked(self, key: LookupKey) -> dict[str, str]:
        return {
            "attempt_id": key.attempt_id,
            "token": key.token,
            "address": key.address,
            "digits": key.address.removeprefix("+"),
            "body": key.body or "",
            "started": str(int(key.started_epoch)),
            "timestamp": str(int(self._now().timestamp())),
        }


def make_gateway(config: ChannelConfig, now: Now) -> HttpGateway:
    """Make the gateway a block describes: one that can be asked when ``look_up`` is given. Raises ConfigError."""
    options = read_options(HttpGatewayOptions, config)
    return (AskedGateway if options.look_up else HttpGateway)(config, options, now)


def _succeeded(rules: AnswerRules, status: int, what: Said) -> bool:
    if status not in rules.success_statuses or (rules.format != "text" and what.content is None):
        return False
    return rules.success is None or rules.success.holds(what)


def _accepted(rules: AnswerRules, what: Said, outbound: Outbound) -> Accepted:
    """Read the reference. A gateway that gives none knows the attempt by our id."""
    reference = rules.reference.find(what) if rules.reference else outbound.attempt_id
    if not reference:
        raise OutcomeUnknown("an answer without a reference")
    segments = rules.segments.find(what) if rules.segments else None
    return Accepted(reference, segments=int(segments) if segments and segments.isdecimal() else None)


def refusal(rules: AnswerRules, status: int, what: Said) -> SendError:
    """Turn an answer that is not a success into our error: codes first, then statuses. Never quotes the answer."""
    code = (rules.code.find(what) or None) if rules.code else None
    listed = rules.codes.get(code or "") or rules.statuses.get(status)
    wait = retry_after_seconds(rules.retry_after.find(what))
    if listed is not None:
        return RAISES[listed](f"HTTP {status}", provider_code=code, retry_after=wait)
    if status == 429:
        return Throttled("HTTP 429: never processed", provider_code=code, retry_after=wait)
    if status >= 500:
        return OutcomeUnknown(f"HTTP {status}", provider_code=code, retry_after=wait)
    if status in _SAID_NO or (status == 400 and rules.format != "text" and what.content is None):
        return Misconfigured(f"HTTP {status}: is the URL right, and the secret?", provider_code=code)
    if code is not None and (status >= 400 or status in rules.success_statuses):
        return RAISES[rules.unlisted]("a code that is not in the table", provider_code=code)
    if status in {400, 422}:
        return Rejected(f"HTTP {status} without a code")
    return OutcomeUnknown(f"HTTP {status}, neither success nor a refusal")


def _candidates(rules: LookUp, what: Said) -> list[Any]:
    if what.content is None:
        raise OutcomeUnknown("a look-up answered with something that is not JSON")
    if rules.items is None:
        return [what.content]
    items = at_pointer(what.content, rules.items)
    if not isinstance(items, list):
        raise OutcomeUnknown("no list where the look-up should have one")
    return items


def _says(item: Any, pointer: str, wanted: Fill, values: Mapping[str, str]) -> bool:  # noqa: ANN401 - plain JSON
    return as_text(at_pointer(item, pointer)) == wanted.text(values)


def _found(rules: LookUp, what: Said, item: Any) -> Found:  # noqa: ANN401 - plain JSON values
    reference = rules.reference.find(what, item)
    if not reference:
        raise OutcomeUnknown("a look-up without a reference")
    word = rules.status.find(what, item) if rules.status else None
    code = (rules.code.find(what, item) or None) if rules.code else None
    return Found(reference, rules.statuses.get(word or "", ReceiptStatus.ACCEPTED), code)


ADAPTER = Adapter(AskedGateway, HttpGatewayOptions, make_gateway)
