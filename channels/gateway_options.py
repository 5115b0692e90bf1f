"""The keys of a generic HTTP gateway in channels.yaml: requests, answers, codes, callbacks, look-up."""

import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, SecretStr, field_validator, model_validator

from channels.contract import ReceiptStatus
from channels.errors import (
    BadAddress,
    ContentRefused,
    Misconfigured,
    OptedOut,
    OutcomeUnknown,
    Rejected,
    SendError,
    Throttled,
    Unavailable,
    Unsupported,
)
from channels.http_pool import Limits
from channels.options import Connections, Options, Part, Seconds
from channels.placeholders import SECRET, check, cut, every_text
from channels.spots import Condition, Format, Spot

ErrorClass = Literal[
    "bad_address", "opted_out", "content_refused", "unsupported", "misconfigured", "throttled", "unavailable",
    "rejected", "outcome_unknown",
]  # fmt: skip
RAISES: dict[str, type[SendError]] = {
    each.code: each
    for each in (
        BadAddress, OptedOut, ContentRefused, Unsupported, Misconfigured, Throttled, Unavailable, Rejected,
        OutcomeUnknown,
    )
}  # fmt: skip
"""What a code of the gateway becomes, by the name that ``codes`` gives it."""

ATTEMPT = frozenset({"attempt_id", "token", "address", "digits"})
SENDING = ATTEMPT | {"body", "sender", "validity_seconds", "callback_url", "timestamp", SECRET}
LOOKING_UP = ATTEMPT | {"body", "started", "timestamp", SECRET}
IN_HEADERS = frozenset({"attempt_id", "token", "sender", "timestamp", "callback_url", SECRET})
"""What a person typed, and whom it goes to, does not belong into headers."""
SIGNED_REQUEST = frozenset({"payload", "timestamp", "method", "path", "attempt_id"})
SIGNED_CALLBACK = frozenset({"payload", "timestamp", "path", "query", "url"})
WHOLE = frozenset({"validity_seconds", "timestamp", "started"})
"""Placeholders that are whole numbers in JSON when they stand alone."""

_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[^\s?#]*)?")
_CONFIDENTIAL = re.compile(r"authori[sz]ation|token|secret|password|api-?key", re.IGNORECASE)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Names = Annotated[list[Name], Field(min_length=1, max_length=4)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
HttpStatus = Annotated[int, Field(ge=100, le=599)]
Codes = dict[str, ErrorClass]


Values = TypeVar("Values", bound=dict[str, Any])


def _checked(value: Values, known: frozenset[str]) -> Values:
    for text in every_text(value):
        check(text, known)
    return value


class _Request(Part):
    """One request. ``fields`` may nest for JSON only."""

    method: Literal["POST", "GET", "PUT"] = "POST"
    url: Annotated[str, Field(max_length=500)]
    headers: dict[HeaderName, str] = Field(default_factory=dict)
    body: Literal["json", "form", "query"] = "json"
    fields: dict[str, Any] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _is_url(cls, text: str) -> str:
        check(text, {"attempt_id"})
        if _URL.fullmatch("".join(cut(text).pieces[::2])) is None:
            raise ValueError("is not in the form https://host/path (fields of a query go into fields)")
        return text

    @field_validator("headers")
    @classmethod
    def _keeps_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, text in headers.items():
            if _CONFIDENTIAL.search(name) and not any(each.startswith(SECRET) for each in cut(text).names):
                raise ValueError(f"{name} looks confidential: take its value from {{secret.NAME}}")
        return headers

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.method == "GET" and self.body != "query":
            raise ValueError("a GET has no body: use body: query, or method: POST")
        if self.body != "json" and any(not isinstance(each, str | int | float) for each in self.fields.values()):
            raise ValueError("fields: only json can nest; give each field one text or number")
        return self


class Sending(_Request):
    """The request that sends one text."""

    @field_validator("fields")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _checked(value, SENDING)

    @field_validator("headers")
    @classmethod
    def _known_in_headers(cls, value: dict[str, str]) -> dict[str, str]:
        return _checked(value, IN_HEADERS)


class Basic(Part):
    """HTTP Basic."""

    kind: Literal["basic"]
    username: Annotated[str, Field(min_length=1)]
    secret: Name


class Bearer(Part):
    """``Authorization: Bearer ...``."""

    kind: Literal["bearer"]
    secret: Name


class InHeader(Part):
    """A key in a header of the gateway's choice."""

    kind: Literal["header"]
    name: HeaderName
    secret: Name
    prefix: str = ""


class Mac(Part):
    """How an HMAC is made and written."""

    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


class Signing(Mac):
    """An HMAC of the request in a header. ``over`` says what is signed."""

    kind: Literal["hmac"]
    header: HeaderName
    secret: Name
    over: str = "{payload}"

    @field_validator("over")
    @classmethod
    def _known(cls, text: str) -> str:
        if "payload" not in cut(text).names:
            raise ValueError("must hold {payload}")
        return check(text, SIGNED_REQUEST)


Auth = Annotated[Basic | Bearer | InHeader | Signing, Field(discriminator="kind")]


class AnswerRules(Part):
    """How an answer is read. ``codes`` are the gateway's own words, ``statuses`` plain HTTP statuses.

    ``unlisted`` is what a code that is not in the table means: by default the attempt is over.
    """

    format: Format = "json"
    success_statuses: Annotated[tuple[HttpStatus, ...], Field(min_length=1)] = (200, 201, 202)
    success: Condition | None = None
    reference: Spot | None = None
    segments: Spot | None = None
    code: Spot | None = None
    codes: Codes = Field(default_factory=dict)
    statuses: dict[HttpStatus, ErrorClass] = Field(default_factory=dict)
    unlisted: Literal["rejected", "outcome_unknown"] = "rejected"
    retry_after: Spot = Spot(header="Retry-After")

    @model_validator(mode="after")
    def _proves(self) -> Self:
        if self.success is None and self.reference is None:
            raise ValueError("give reference or success: a status alone does not prove that the gateway answered")
        if self.codes and self.code is None:
            raise ValueError("codes needs code: where the code stands")
        spots = (self.success, self.reference, self.segments, self.code)
        if self.format == "text" and any(spot is not None and spot.pointer is not None for spot in spots):
            raise ValueError("format: text has no pointers; use regex")
        return self


class SignedByHmac(Mac):
    """Callbacks carry an HMAC. With ``timestamp_header`` its age is checked and it must be signed too."""

    kind: Literal["hmac"]
    header: HeaderName
    secrets: Names
    over: str = "{payload}"
    timestamp_header: HeaderName | None = None
    tolerance_seconds: Annotated[int, Field(ge=10, le=86_400)] = 300

    @model_validator(mode="after")
    def _known(self) -> Self:
        names = cut(check(self.over, SIGNED_CALLBACK)).names
        if not {"payload", "query", "url"} & set(names):
            raise ValueError("over must hold {payload}, {query} or {url}")
        if ("timestamp" in names) != (self.timestamp_header is not None):
            raise ValueError("timestamp_header and {timestamp} in over go together")
        return self


class SignedByToken(Part):
    """Callbacks carry a fixed word in a header, the query or the body."""

    kind: Literal["token"]
    at: Spot
    secrets: Names


class SignedByBasic(Part):
    """Callbacks carry HTTP Basic."""

    kind: Literal["basic"]
    username: Annotated[str, Field(min_length=1)]
    secrets: Names


class SignedByPath(Part):
    """Callbacks come to ``/v1/callbacks/<channel>/<secret>``: for gateways that can do nothing better."""

    kind: Literal["path"]
    secrets: Names


Signature = Annotated[SignedByHmac | SignedByToken | SignedByBasic | SignedByPath, Field(discriminator="kind")]


class ReceiptRules(Part):
    """How delivery news is read. ``token`` is our own word, where the gateway gives it back."""

    when: Condition | None = None
    token: Spot | None = None
    reference: Spot | None = None
    status: Spot
    statuses: Annotated[dict[str, ReceiptStatus], Field(min_length=1)]
    code: Spot | None = None
    codes: Codes = Field(default_factory=dict)

    @model_validator(mode="after")
    def _finds(self) -> Self:
        if self.token is None and self.reference is None:
            raise ValueError("give token or reference: news must name its attempt")
        return self


class ReplyRules(Part):
    """How a text from a person is read. ``reference`` is the gateway's own name of that text."""

    when: Condition | None = None
    reference: Spot
    address: Spot
    text: Spot
    to: Spot | None = None


class Acknowledgement(Part):
    """What the gateway wants to hear back. Without it: 204 and nothing."""

    content_type: str = "text/plain; charset=utf-8"
    body: Annotated[str, Field(max_length=500)]


class CallbackRules(Part):
    """How requests from the gateway are proven and read. ``batch`` points at the list when one holds several."""

    signature: Signature
    format: Literal["json", "form"] = "json"
    batch: Annotated[str, Field(pattern=r"^(/([^~/]|~[01])*)*$")] | None = None
    receipt: ReceiptRules | None = None
    reply: ReplyRules | None = None
    acknowledge: Acknowledgement | None = None

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.receipt is None and self.reply is None:
            raise ValueError("give receipt, reply or both")
        if self.receipt and self.reply and not (self.receipt.when or self.reply.when):
            raise ValueError("receipt and reply come the same way: give when to one of them")
        token, proof = self.receipt.token if self.receipt else None, self.signature
        unsigned = isinstance(proof, SignedByHmac) and not {"query", "url"} & set(cut(proof.over).names)
        if token is not None and token.query is not None and unsigned:
            raise ValueError("receipt.token stands in the query, which is not signed: sign {query}, or take another")
        return self


class LookUp(_Request):
    """The request that asks what became of an attempt, and how its answer is read.

    ``items`` points at the candidates; ``match`` holds what each pointer of the right one must say.
    """

    method: Literal["POST", "GET", "PUT"] = "GET"
    body: Literal["json", "form", "query"] = "query"
    absent_statuses: tuple[HttpStatus, ...] = (404,)
    items: Annotated[str, Field(pattern=r"^(/([^~/]|~[01])*)*$")] | None = None
    match: dict[Annotated[str, Field(pattern=r"^(/([^~/]|~[01])*)+$")], str] = Field(default_factory=dict)
    reference: Spot
    status: Spot | None = None
    statuses: dict[str, ReceiptStatus] = Field(default_factory=dict)
    code: Spot | None = None

    @field_validator("fields", "match")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _checked(value, LOOKING_UP)

    @field_validator("headers")
    @classmethod
    def _known_in_headers(cls, value: dict[str, str]) -> dict[str, str]:
        return _checked(value, LOOKING_UP & IN_HEADERS)

    @model_validator(mode="after")
    def _certain(self) -> Self:
        asked = {name for text in every_text([self.url, self.fields]) for name in cut(text).names}
        matched = {name for text in self.match.values() for name in cut(text).names}
        if not {"attempt_id", "token"} & (asked | matched):
            raise ValueError("must ask for {attempt_id} or {token}, or match one: a number alone may find another text")
        if self.items is not None and not {"attempt_id", "token"} & matched:
            raise ValueError("items needs match on {attempt_id} or {token}")
        return self


class HttpGatewayOptions(Options):
    """Everything about one gateway. ``secrets`` is the one place of secrets; the rest refers to them by name."""

    sender: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11})$")] | None = None
    max_body: Annotated[int, Field(ge=1, le=10_000)] = 1_600
    secrets: dict[Name, SecretStr] = Field(default_factory=dict)
    request: Sending
    auth: Auth | None = None
    answer: AnswerRules
    callbacks: CallbackRules | None = None
    look_up: LookUp | None = None
    connect_seconds: Seconds = 5.0
    total_seconds: Seconds = 15.0
    idle_seconds: Seconds = 15.0
    connections: Connections = 100

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.connect_seconds >= self.total_seconds:
            raise ValueError("connect_seconds must be below total_seconds")
        used = {name for text in self._texts() for name in cut(text).names}
        if not {"address", "digits"} & used or "body" not in used:
            raise ValueError("request: must hold {address} or {digits}, and {body}")
        if "sender" in used and self.sender is None:
            raise ValueError("request uses {sender}: give sender")
        if "callback_url" in used and self.callbacks is None:
            raise ValueError("request uses {callback_url}: give callbacks")
        for name in sorted(self._named()):
            if name not in self.secrets or not self.secrets[name].get_secret_value():
                given = ", ".join(sorted(self.secrets)) or "none"
                raise ValueError(f"no secret of the name {name} under secrets; there are: {given}")
        return self

    def _texts(self) -> list[str]:
        return [self.request.url, *every_text(self.request.headers), *every_text(self.request.fields)]

    def _named(self) -> set[str]:
        """Return the names of every secret that is referred to."""
        texts = self._texts()
        if self.look_up is not None:
            texts += [*every_text(self.look_up.headers), *every_text(self.look_up.fields)]
        named = {name.removeprefix(SECRET) for text in texts for name in cut(text).names if name.startswith(SECRET)}
        if self.auth is not None:
            named.add(self.auth.secret)
        return named | (set(self.callbacks.signature.secrets) if self.callbacks else set())

    def limits(self) -> Limits:
        """Return the HTTP limits."""
        return Limits(self.connect_seconds, self.total_seconds, self.idle_seconds, self.connections)
