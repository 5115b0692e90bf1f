"""What went over the wire for one attempt, kept as evidence: recorded raw for a moment, told redacted.

Whatever is not known to be harmless is replaced by its class, its length and a keyed digest: names of fields are
listed as plain one by one, everything else is hidden. Credentials get no digest: nothing about them is worth keeping.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import blake2b
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from yarl import URL

from channels.contract import LookupKey, Mail, Outbound, Text

HIDDEN: Final = "{…}"
MOST_FIELDS: Final = 60
_MOST_DEPTH: Final = 4
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")
_HARMLESS: Final = re.compile(r"[\w+.:^,/ -]{0,64}")
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().-]{6,}")
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,16}/[a-z0-9.+-]{1,40}")

Told = dict[str, Any]
"""One exchange as it is stored: plain JSON values."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A provider's own words. ``plain``: fields whose values say nothing about a person and let nobody in.

    ``classes`` names what other fields hold (number, words, token, credential); ``path`` are the parts of its paths
    that may be shown.
    """

    provider: str
    plain: frozenset[str] = frozenset()
    classes: Mapping[str, str] = field(default_factory=dict)
    path: frozenset[str] = frozenset()
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.plain | self.classes.keys())


Form = Sequence[tuple[str, str]]
Known = tuple[str, str]
"""Something personal, as (class, value)."""


@dataclass(slots=True, repr=False)
class HttpTrip:
    """One request over HTTP and what came back; raw, so it is never kept.

    ``form`` holds the fields of ``body`` where the adapter has them, so that nobody reads them back out of it.
    ``about`` is the provider's reference of the attempt, where one call to an adapter asks about many.
    """

    words: Vocabulary
    method: str
    url: URL
    body: bytes | None
    headers: Mapping[str, str]
    form: Form | None = None
    about: str | None = None
    began: float = field(default_factory=monotonic)
    ended: float | None = None
    status: int | None = None
    answer: bytes = b""
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None

    def answered(self, status: int, answer: bytes, headers: Mapping[str, str]) -> None:
        """Note the whole answer."""
        self.ended, self.status, self.answer, self.answer_headers = monotonic(), status, answer, headers

    def failed(self, problem: str) -> None:
        """Note that no answer came, and the kind of error."""
        self.ended, self.problem = monotonic(), problem


@dataclass(slots=True, repr=False)
class MailTrip:
    """One mail handed over by SMTP: the codes of every stage, never the texts of replies, which quote addresses."""

    relay: str
    sender: str
    size: int
    signed: bool
    began: float = field(default_factory=monotonic)
    ended: float | None = None
    stages: list[tuple[str, int | None, str | None]] = field(default_factory=list)

    def heard(self, stage: str, code: int | None, enhanced: str | None = None) -> None:
        """Note a reply; without a code the connection was lost at this stage."""
        self.ended = monotonic()
        self.stages.append((stage, code, enhanced))


class Tape:
    """Everything recorded for one attempt. It shows nothing of itself."""

    __slots__ = ("trips",)

    def __init__(self) -> None:
        self.trips: list[HttpTrip | MailTrip] = []


_TAPE: ContextVar[Tape | None] = ContextVar("exchange_tape", default=None)
_ABOUT: ContextVar[str | None] = ContextVar("exchange_about", default=None)


@contextmanager
def recording(tape: Tape) -> Iterator[Tape]:
    """Record what adapters exchange in this task. A send that is called off has its tape up to then."""
    token = _TAPE.set(tape)
    try:
        yield tape
    finally:
        _TAPE.reset(token)


@contextmanager
def about(name: str) -> Iterator[None]:
    """Say whom requests in this task are about. Inside of another it goes behind it: ``sender:reference``."""
    outer = _ABOUT.get()
    token = _ABOUT.set(f"{outer}:{name}" if outer else name)
    try:
        yield
    finally:
        _ABOUT.reset(token)


def begin_http(
    words: Vocabulary, method: str, url: URL, body: bytes | None, headers: Mapping[str, str], form: Form | None = None
) -> HttpTrip | None:
    """Note that a request is being made; None when nobody records."""
    tape = _TAPE.get()
    if tape is None:
        return None
    trip = HttpTrip(words, method, url, body, headers, form, _ABOUT.get())
    tape.trips.append(trip)
    return trip


def begin_mail(relay: str, sender: str, size: int, *, signed: bool) -> MailTrip:
    """Note that a mail is being handed over."""
    trip = MailTrip(relay, sender, size, signed)
    tape = _TAPE.get()
    if tape is not None:
        tape.trips.append(trip)
    return trip


_GUESSED: Final = frozenset({"credential", "keys", "speech"})
"""Classes of values that are secret, or so few that who has the key could try them all."""


class Hider:
    """Hides values behind class, length and keyed digest. What is known to be personal is hidden wherever it stands."""

    def __init__(
        self,
        key: bytes,
        known: Sequence[Known] = (),
        *,
        inbound: bool = False,
        digests: frozenset[str] | None = None,
    ) -> None:
        """``digests``: the only classes that get one; None: all that may have one."""
        self._mac = blake2b(key=key[: blake2b.MAX_KEY_SIZE], digest_size=8)
        self._known = [(kind, value) for kind, value in known if value]
        self._least = min((len(value) for _, value in self._known), default=0)
        self._inbound = inbound
        self._digests = digests
        self._hidden: dict[tuple[str, str], Told] = {}

    @classmethod
    def of(cls, key: bytes, outbound: Outbound) -> "Hider":
        """Return what hides everything an attempt carries."""
        return cls(key, list(_carried(outbound)))

    def hide(self, kind: str, value: str) -> Told:
        """Return what stands for a value. Credentials, keys pressed and what was spoken have a length only."""
        if kind in _GUESSED or (self._digests is not None and kind not in self._digests):
            return {"is": kind, "length": len(value)}
        told = self._hidden.get((kind, value))  # an answer repeats what was asked
        if told is None:
            mac = self._mac.copy()
            mac.update(f"{kind}:{value}".encode("utf-8", "replace"))
            told = self._hidden[kind, value] = {"is": kind, "length": len(value), "digest": mac.hexdigest()}
        return told

    def value(self, words: Vocabulary, name: str, value: object) -> Any:  # noqa: ANN401 - plain JSON values
        """Return a field's value as it may be stored."""
        if value is None or value is True or value is False or value == "":
            return value
        text = value if isinstance(value, str) else str(value)
        kind = words.classes.get(name) or self._kind(text)
        if kind is None and name in words.plain and _HARMLESS.fullmatch(text):
            return value
        return self.hide(kind or "other", text)

    def _kind(self, text: str) -> str | None:
        if len(text) >= self._least:
            for kind, value in self._known:
                if value in text:
                    return kind
        return "number" if self._inbound and _NUMBER.fullmatch(text) else None

    def name(self, words: Vocabulary, name: str) -> str:
        """Return a field's name, unless it is more than a name."""
        if name in words.names:
            return name
        return name if _FIELD.fullmatch(name) and self._kind(name) is None else HIDDEN


_LEAST_NAME: Final = 3


def _carried(outbound: Outbound) -> Iterator[Known]:
    """Yield what an attempt carries that may stand nowhere, by class; whole things before their parts."""
    yield "token", outbound.token
    content = outbound.content
    if isinstance(content, Text):
        yield "words", content.body
    elif isinstance(content, Mail):
        yield "token", content.reply_token or ""
        yield "words", content.text
        yield "words", content.subject
    yield from _address(outbound.address)
    for value in outbound.template.parameters.values() if outbound.template else ():
        if len(value) >= _LEAST_NAME:
            yield "words", value


def _address(address: str) -> Iterator[Known]:
    kind = "mailbox" if "@" in address else "number"
    yield kind, address
    yield kind, address.removeprefix("+")
    if address.startswith("+86"):
        yield kind, address[3:]


def tell(tape: Tape, key: bytes, outbound: Outbound) -> list[Told]:
    """Return what was recorded, redacted, in the order in which it happened."""
    hider = Hider.of(key, outbound)
    return [_http(trip, hider) if isinstance(trip, HttpTrip) else _mail(trip, hider, outbound) for trip in tape.trips]


def tell_asked(what: str, trips: Sequence[HttpTrip | MailTrip], key: bytes, known: Sequence[Known] = ()) -> list[Told]:
    """Return what a provider was asked about an attempt once it had been handed over; ``known`` is personal."""
    hider = Hider(key, known)
    return [{"what": what} | _http(trip, hider) for trip in trips if isinstance(trip, HttpTrip)]


def known_of(asked: LookupKey) -> list[Known]:
    """Return what a look-up carries that may stand nowhere."""
    return [("token", asked.token), *([("words", asked.body)] if asked.body else []), *_address(asked.address)]


def _milliseconds(trip: HttpTrip | MailTrip) -> int:
    return round(((trip.ended or monotonic()) - trip.began) * 1000)


def _http(trip: HttpTrip, hider: Hider) -> Told:
    request: Told = {"fields": _fields_of_request(trip, hider), "bytes": len(trip.body or b"")}
    credential = next((text for name, text in trip.headers.items() if name.lower() == "authorization"), None)
    if credential is not None:
        request["authorization"] = hider.hide("credential", credential)
    told: Told = {
        "provider": trip.words.provider,
        "over": "http",
        "method": trip.method,
        "host": trip.url.authority,
        "path": path_shape(trip.url.raw_path, trip.words.path),
        "ms": _milliseconds(trip),
        "request": request,
    }
    if trip.status is None:
        return told | {"lost": trip.problem or "called off"}
    headers = trip.answer_headers
    answer: Told = {"status": trip.status, "bytes": len(trip.answer), "type": media_type(headers.get("Content-Type"))}
    wait = headers.get("Retry-After")
    if wait is not None and wait.strip().isdigit():
        answer["retry_after"] = int(wait[:9])
    return told | {"answer": answer | body_told(trip.words, trip.answer, hider)}


def _fields_of_request(trip: HttpTrip, hider: Hider) -> Told:
    fields = pairs_told(trip.words, list(trip.url.query.items()), hider) if trip.url.raw_query_string else {}
    if not trip.body:
        return fields
    kind = media_type(next((text for name, text in trip.headers.items() if name.lower() == "content-type"), None))
    if kind == "application/x-www-form-urlencoded":
        sent = trip.form if trip.form is not None else parse_qsl(trip.body.decode("utf-8", "replace"))
        return fields | pairs_told(trip.words, sent, hider)
    said = body_told(trip.words, trip.body, hider)
    return fields | dict(said.get("fields", said))


def pairs_told(words: Vocabulary, pairs: Form, hider: Hider) -> Told:
    """Tell named values in their order; a name that is repeated has a list."""
    told: Told = {}
    for name, value in pairs[:MOST_FIELDS]:
        shown, mine = hider.value(words, name, value), hider.name(words, name)
        told[mine] = shown if mine not in told else [*_as_list(told[mine]), shown]
    return told


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - plain JSON values
    return value if isinstance(value, list) else [value]


def body_told(words: Vocabulary, body: bytes, hider: Hider) -> Told:
    """Tell a body: the fields of JSON, else what stands for the whole."""
    if not body:
        return {}
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict | list):
        return {"body": hider.hide("text", body.decode("utf-8", "replace"))}
    fields: Told = {}
    _walk(words, content, "", "", fields, hider, 0)
    return {"fields": fields}


def _walk(  # what is null says nothing and is left out
    words: Vocabulary, value: Any, place: str, name: str, into: Told, hider: Hider, depth: int  # noqa: ANN401 - JSON
) -> None:  # fmt: skip
    items = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    for nth, (key, item) in enumerate(items):
        if item is None or len(into) >= MOST_FIELDS:
            continue
        part = str(nth) if key is None else key if key in words.names else hider.name(words, key)
        where, mine = f"{place}.{part}" if place else part, name if key is None else key
        if not isinstance(item, dict | list):
            into[where] = hider.value(words, mine, item)
        elif depth < _MOST_DEPTH:
            _walk(words, item, where, mine, into, hider, depth + 1)
        else:
            into[where] = hider.hide("other", orjson.dumps(item).decode())


def path_shape(path: str, known: frozenset[str]) -> str:
    """Return a path with every part hidden that is not known."""
    return "/".join(part if part in known or not part else HIDDEN for part in path.split("/"))


def media_type(header: str | None) -> str | None:
    """Return the bare media type of a Content-Type header."""
    found = _MEDIA_TYPE.match((header or "").lower())
    return found.group() if found else None


def _mail(trip: MailTrip, hider: Hider, outbound: Outbound) -> Told:
    content = outbound.content
    mail: Told = {"to": hider.hide("mailbox", outbound.address), "bytes": trip.size, "signed": trip.signed}
    if isinstance(content, Mail):
        mail["subject"] = hider.hide("words", content.subject)
        mail["text"] = hider.hide("words", content.text)
        if content.reply_token:
            mail["return_path"] = hider.hide("token", content.reply_token)
    return {
        "provider": "smtp",
        "over": "smtp",
        "host": trip.relay,
        "sender": trip.sender,
        "ms": _milliseconds(trip),
        "request": mail,
        "dialogue": [
            {"stage": stage, "code": code, "enhanced": enhanced} if code is not None else {"stage": stage, "lost": True}
            for stage, code, enhanced in trip.stages
        ],
    }
