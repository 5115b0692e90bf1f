"""What every channel adapter accepts, answers and raises: the whole contract between outreach and a provider."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol, runtime_checkable
from urllib.parse import parse_qsl


class Medium(StrEnum):
    """How a touch reaches a person. One queue and one worker lane per medium."""

    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"
    IVR = "ivr"


class Capability(StrEnum):
    """What an adapter can do beyond sending."""

    LOOKS_UP = "looks_up"
    CANCELS = "cancels"
    INTERACTIVE = "interactive"
    RECEIPTS = "receipts"
    REPLIES = "replies"
    LOOKS_AFTER = "looks_after"  # reads prices afterwards and takes words off the provider
    TEMPLATES = "templates"  # carries approved templates: wants Outbound.template
    WHATSAPP = "whatsapp"  # carries addresses that begin with ``whatsapp:``, beside or instead of plain numbers


WHATSAPP: Final = "whatsapp:"
"""What an address and a number of ours begin with when a text goes by WhatsApp."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text: ``body`` is exactly what leaves, already rendered and counted."""

    body: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A small text file that goes with an email. ``media_type`` is ``text/...``; ``name`` is plain ASCII."""

    name: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """An email with a plain part and, optionally, an HTML part and files. All already rendered."""

    subject: str
    text: str
    html: str | None = None
    reply_token: str | None = None  # opaque, goes into the VERP return path and Reply-To
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose words are fetched from outreach when it is answered (``/v1/calls/<token>``)."""

    ring_seconds: int = 25
    detect_machine: bool = True


Content = Text | Mail | Call


TEMPLATE_FIELDS = frozenset(
    {
        "borrower.given_name", "borrower.family_name", "creditor.name", "creditor.phone", "creditor.pay_url",
        "creditor.help_hours", "case.reference", "case.product", "case.amount_due", "case.balance", "case.due_on",
        "case.days_past_due", "promise.amount", "promise.due_on", "installment.no", "installment.count",
        "installment.amount", "installment.due_on", "arrangement.count", "arrangement.frequency", "arrangement.total",
        "arrangement.first_on", "ref",
    }
)  # fmt: skip
"""Names that ``Template.parameters`` can have. What a touch has no value for is left out."""


@dataclass(frozen=True, slots=True)
class Template:
    """The template the words came from, for providers that send only templates they approved.

    ``name`` and ``locale`` are ours; ``parameters`` are values as the words show them, by ``TEMPLATE_FIELDS``.
    """

    name: str
    locale: str
    parameters: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outbound:
    """One attempt, ready to leave.

    ``attempt_id`` is stable and opaque (Message-ID, idempotency where a provider has it); ``token`` is the unguessable
    word that comes back in callbacks; ``address`` is E.164 (after ``whatsapp:`` for WhatsApp) or an RFC 5321 mailbox;
    ``validity`` is how long the provider may still hand it over: the rest of the permitted window, as of this call.
    ``template`` is given to adapters that carry templates; ``in_thread``: the person wrote on WhatsApp so lately that
    free words may answer for all of ``validity``. ``person`` is an opaque id, the same for all attempts to one person,
    for routes that stay the same.
    """

    attempt_id: str
    token: str
    address: str
    content: Content
    validity: timedelta
    sender: str | None = None
    template: Template | None = None
    person: str | None = None
    in_thread: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took responsibility. ``provider_ref`` names the attempt at the provider."""

    provider_ref: str
    status: str = "accepted"
    segments: int | None = None
    price_micros: int | None = None
    currency: str | None = None


class ReceiptStatus(StrEnum):
    """Delivery news, normalised. Ranks and merging belong to outreach.domain.touch."""

    ACCEPTED = "accepted"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Callback:
    """A request a provider made to us, untouched: the signature covers the raw bytes.

    ``path`` and ``query`` are as they came over the wire (still percent-encoded); header names are lower case.
    """

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    _read: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def form(self) -> Sequence[tuple[str, str]]:
        """Return the fields of a form as they came, blank ones too; read once. Raises ValueError."""
        if "form" not in self._read:
            self._read["form"] = tuple(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))
        return self._read["form"]

    def parameters(self) -> Sequence[tuple[str, str]]:
        """Return the parameters of the query that are not blank; read once."""
        if "query" not in self._read:
            self._read["query"] = tuple(parse_qsl(self.query))
        return self._read["query"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Delivery news about one attempt. ``dedupe_key`` is the same for a repeated callback.

    ``decided_by`` names the data, with its version, that turned ``provider_code`` into ``error_class``.
    ``price_micros`` are millionths of ``currency`` (ISO 4217).
    """

    dedupe_key: str
    status: ReceiptStatus
    token: str | None = None
    provider_ref: str | None = None
    provider_code: str | None = None
    error_class: str | None = None  # a code of channels.errors (bad_address, opted_out ...) when the news is a failure
    answered_by: str | None = None  # human | machine | fax | unknown
    duration_seconds: int | None = None
    decided_by: str | None = None
    segments: int | None = None
    price_micros: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Words or digits from a person.

    ``text`` for SMS, email and speech; ``digits`` for a keypad. ``provider_keyword`` is set when the provider itself
    already recognised and acted on STOP, START or HELP. ``dialled``: whether the one a call was handed on to answered.
    ``by_whatsapp``: a text that came by WhatsApp; ``address`` is the number alone then as well.
    """

    dedupe_key: str
    medium: Medium
    address: str | None
    text: str | None = None
    digits: str | None = None
    token: str | None = None
    provider_ref: str | None = None
    provider_keyword: str | None = None
    to: str | None = None
    confidence: float | None = None
    dialled: bool | None = None
    by_whatsapp: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a call says next and what it listens for. ``say`` may hold the limited SSML of docs/adding-a-channel.md.

    With ``gather`` false the call says its words and hangs up; with empty ``say`` it only hangs up. ``action`` is the
    path that takes the answer. ``dial`` (E.164) hands the call on to somebody else after the words; ``action`` then
    hears whether they answered.
    """

    say: str
    locale: str
    gather: bool = False
    digits: int = 1
    speech: bool = False
    action: str | None = None
    timeout_seconds: int = 6
    hints: tuple[str, ...] = ()
    dial: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to a provider that waits for instructions (TwiML for Twilio) or for certain words."""

    content_type: str
    body: bytes


@runtime_checkable
class Acknowledges(Protocol):
    """An adapter whose provider repeats a callback until it hears the words it expects (status 200)."""

    def acknowledge(self, callback: Callback) -> Answer | None:
        """Return what to say to a callback that was taken; None for 204 and nothing. Pure."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up learned about an attempt whose outcome was unknown. ``None`` fields were not said."""

    provider_ref: str
    status: ReceiptStatus
    provider_code: str | None = None
    error_class: str | None = None
    decided_by: str | None = None
    segments: int | None = None
    price_micros: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class LookupKey:
    """What identifies an attempt at a provider when its answer was lost.

    ``started_epoch`` bounds the search; ``body`` is the exact text (texts carry a short reference).
    """

    attempt_id: str
    token: str
    address: str
    body: str | None
    started_epoch: float


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What a provider's own record of an attempt says once it is over. ``None`` fields were not said.

    ``complete``: there is nothing more to ask for. ``words_off``: True when the provider no longer holds the words,
    False when they were to go and are still there, None when they are to stay.
    """

    provider_ref: str
    complete: bool
    segments: int | None = None
    price_micros: int | None = None
    currency: str | None = None
    words_off: bool | None = None


class Channel(Protocol):
    """One adapter for one provider and one medium."""

    name: ClassVar[str]
    medium: ClassVar[Medium]
    capabilities: ClassVar[frozenset[Capability]]

    async def send(self, outbound: Outbound) -> Accepted:
        """Make the one provider call. Raises SendError: NotSent, Rejected, Misconfigured or OutcomeUnknown."""
        ...

    def verify(self, callback: Callback) -> None:
        """Check that a callback is the provider's. Raises BadSignature."""
        ...

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a verified callback into news. Raises MalformedCallback."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


@runtime_checkable
class LooksUp(Protocol):
    """An adapter that can ask the provider what became of an attempt."""

    async def look_up(self, key: LookupKey) -> Found | None:
        """Return what the provider knows, or None when it has no trace. Raises SendError when it cannot be asked."""
        ...


@runtime_checkable
class Cancels(Protocol):
    """An adapter that can call back what has not left the provider yet."""

    async def cancel(self, provider_ref: str) -> bool:
        """Return True when the provider confirmed that it will not leave."""
        ...


@runtime_checkable
class LooksAfter(Protocol):
    """An adapter that reads what an attempt cost, and takes its words off the provider, once it is over.

    ``cares``: whether its configuration asks for either; ``takes_words_off``: whether for the second.
    """

    @property
    def cares(self) -> bool:
        """Whether there is anything to look after."""
        ...

    @property
    def takes_words_off(self) -> bool:
        """Whether words are to be taken off the provider."""
        ...

    async def look_after(self, provider_refs: Sequence[str]) -> Sequence[Aftermath]:
        """Look after attempts that were accepted. What is missing in the answer is to be asked again later."""
        ...


@runtime_checkable
class TakesMail(Protocol):
    """An adapter whose bounces, complaints and answers come back as mail to mailboxes of its own."""

    def is_ours(self, recipient: str) -> bool:
        """Tell whether a mailbox is one that this adapter puts into what it sends, with or without a token. Pure."""
        ...

    def read_mail(self, raw: bytes) -> Iterable[Receipt | Reply]:
        """Turn a mail that came to such a mailbox into news; where it came from is the caller's to know. Pure.

        Raises MalformedCallback.
        """
        ...


@runtime_checkable
class Interactive(Protocol):
    """An adapter that holds a spoken exchange turn by turn."""

    def answer(self, prompt: Prompt) -> Answer:
        """Turn a prompt into the provider's own call markup. Pure."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """The block of one channel in channels.yaml with its ${ENV} names resolved.

    ``public_url`` is where the provider reaches us; ``options`` are the adapter's own keys, checked by the adapter.
    """

    name: str
    adapter: str
    public_url: str
    options: Mapping[str, object] = field(default_factory=dict, repr=False)  # holds secrets
    senders: tuple["SenderConfig", ...] = ()  # instead of an adapter: the several that share the channel
    routing: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SenderConfig:
    """One of several senders: its own block, and ``route``: weight, prefixes, numbers, local_presence."""

    config: ChannelConfig
    route: Mapping[str, object] = field(default_factory=dict)
