"""What voice and IVR share: placing a call, its progress and keys, finding and cancelling it. Words come on answer."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from channels.contract import (
    Accepted,
    Aftermath,
    Answer,
    Call,
    Callback,
    Capability,
    ChannelConfig,
    Found,
    LookupKey,
    Medium,
    Outbound,
    Prompt,
    Receipt,
    ReceiptStatus,
    Reply,
)
from channels.errors import (
    BadAddress,
    MalformedCallback,
    SendError,
    Unavailable,
    Unsupported,
)
from channels.options import E164, Part, read_options
from channels.twilio_account import TwilioAdapter, TwilioOptions
from channels.twilio_after import look_after_each
from channels.twilio_common import (
    created_at,
    created_since,
    currency,
    decided_by,
    form_of,
    news_class,
    price_micros,
    required,
    token_of,
    unreadable_is_unknown,
    whole,
)
from channels.twiml import VOICES, Voice, spoken, voice_of

_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$"
EVENTS = ["initiated", "ringing", "answered", "completed"]
_LOOK_BACK = 100
_NOT_A_NUMBER = frozenset({"404", "410", "484", "604"})
"""SIP answers that say the number does not exist."""
_TALKED = frozenset({"completed", "answered"})
_COST_NOTHING = frozenset({"busy", "no-answer", "failed", "canceled"})
"""Endings of calls that were not connected: Twilio bills none of them, and their price stays empty."""
_TOO_LATE_TO_CANCEL = frozenset({"20404", "21220"})

STATUSES: dict[str, ReceiptStatus] = {
    "queued": ReceiptStatus.ACCEPTED,
    "initiated": ReceiptStatus.SENDING,
    "ringing": ReceiptStatus.RINGING,
    "in-progress": ReceiptStatus.ANSWERED,
    "answered": ReceiptStatus.ANSWERED,
    "completed": ReceiptStatus.COMPLETED,
    "busy": ReceiptStatus.BUSY,
    "no-answer": ReceiptStatus.NO_ANSWER,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.CANCELLED,
}
"""Twilio's words for a call, in ours."""


class VoiceOptions(Part):
    """How a locale is spoken and listened to: a voice of the provider, and language tags where they differ from it."""

    voice: Annotated[str, Field(pattern=r"^[A-Za-z]+\.[A-Za-z0-9-]+$")]
    speaks: Annotated[str, Field(pattern=_TAG)] | None = None
    listens: Annotated[str, Field(pattern=_TAG)] | None = None


class TwilioCallOptions(TwilioOptions):
    """Calls leave from one number; ``machine_detection`` is Enable (quick) or DetectMessageEnd (waits for the beep).

    ``speech``: whether callers may also say what they want. ``voices``: by locale (es-MX) or language (es), beside the
    shipped ones or instead of them. ``prices``: what calls cost is read at Twilio once they are over.
    """

    sender: E164
    machine_detection: str = "Enable"
    time_limit_seconds: int = 600
    speech: bool = True
    prices: bool = True
    voices: dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")], VoiceOptions] = Field(default_factory=dict)

    def all_voices(self) -> dict[str, Voice]:
        """Return the shipped voices with the configured ones over them."""
        return {**VOICES, **{locale: _voice(locale, given) for locale, given in self.voices.items()}}


def _voice(locale: str, given: VoiceOptions) -> Voice:
    """Fill in what was not given from the shipped voice of the locale, so that only the name need be written."""
    try:
        like = voice_of(locale)
    except Unsupported:
        like = Voice(locale, given.voice, locale)
    return Voice(given.speaks or like.speaks, given.voice, given.listens or like.listens)


class TwilioCalls(TwilioAdapter):
    """One call per attempt. Calls have no validity at Twilio: what still queues when the window closes is cancelled."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.LOOKS_UP,
            Capability.CANCELS,
            Capability.INTERACTIVE,
            Capability.RECEIPTS,
            Capability.REPLIES,
            Capability.LOOKS_AFTER,
        }
    )
    medium: ClassVar[Medium]

    def __init__(self, config: ChannelConfig) -> None:
        options = read_options(TwilioCallOptions, config)
        super().__init__(config, options)
        self._calls = self._account.calls
        self._sender = options.sender
        self._detection = options.machine_detection
        self._time_limit = options.time_limit_seconds
        self._voices = options.all_voices()
        self._speech = options.speech
        self._prices = options.prices

    async def send(self, outbound: Outbound) -> Accepted:
        """Place the call, once. Raises SendError."""
        created = await self._create("Calls", self._form(outbound))
        return Accepted(
            created["sid"],
            str(created.get("status")),
            price_micros=price_micros(created.get("price")),
            currency=currency(created.get("price_unit"), created.get("price")),
        )

    def _form(self, outbound: Outbound) -> dict[str, object]:
        call = outbound.content
        if not isinstance(call, Call):
            raise Unsupported("this channel places calls only")
        if outbound.validity.total_seconds() < call.ring_seconds:
            raise Unavailable("window closing: it would ring after the window")
        form: dict[str, object] = {
            "To": outbound.address,
            "From": outbound.sender or self._sender,
            "Url": f"{self._public_url}/v1/calls/{outbound.token}",
            "StatusCallback": self._status_callback(outbound.token),
            "StatusCallbackEvent": EVENTS,
            "Timeout": call.ring_seconds,
            "TimeLimit": self._time_limit,
        }
        return form | {"MachineDetection": self._detection} if call.detect_machine else form

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn progress, digits or speech into news; silence is none. Raises MalformedCallback."""
        fields = form_of(callback)
        if fields.get("Digits") or fields.get("SpeechResult") or fields.get("DialCallStatus"):
            return (_reply(callback, fields, self.medium),)
        receipt = progress(callback)
        return () if receipt is None else (receipt,)

    def answer(self, prompt: Prompt) -> Answer:
        """Turn a prompt into TwiML. Raises Unsupported (locale) or ContentRefused (length, missing action)."""
        return spoken(prompt, self._public_url, self._voices, speech=self._speech)

    async def look_up(self, key: LookupKey) -> Found | None:
        """Find the first call to the number created since the attempt began. Raises SendError."""
        with unreadable_is_unknown():
            records = await self._calls.list_async(to=key.address, limit=_LOOK_BACK)
            mine = [record for record in records if self._is_attempt(record, key)]
            if not mine:
                return None
            first = min(mine, key=created_at)
            return Found(
                first.sid,
                STATUSES.get(first.status, ReceiptStatus.ACCEPTED),
                price_micros=price_micros(first.price),
                currency=currency(first.price_unit, first.price),
            )

    def _is_attempt(self, record: Any, key: LookupKey) -> bool:  # noqa: ANN401 - SDK instances are not typed
        return str(record.direction or "").startswith("outbound") and created_since(key, record.date_created)

    async def cancel(self, provider_ref: str) -> bool:
        """Take back a call that is queued or ringing. False when it is too late. Raises SendError."""
        try:
            with unreadable_is_unknown():
                record = await self._calls(provider_ref).update_async(status="canceled")
                return bool(record.status == "canceled")
        except SendError as error:
            if error.provider_code in _TOO_LATE_TO_CANCEL:
                return False
            raise

    @property
    def cares(self) -> bool:
        """Whether prices are to be read."""
        return self._prices

    @property
    def takes_words_off(self) -> bool:
        """A call leaves no words at Twilio: they are fetched as it goes."""
        return False

    async def look_after(self, provider_refs: Sequence[str]) -> Sequence[Aftermath]:
        """Read what each call cost. A price is null at first."""
        return await look_after_each(provider_refs, self._record, _aftermath)

    async def _record(self, ref: str) -> Mapping[str, Any]:
        record: Mapping[str, Any] = await self._api.fetch_async(
            "GET", f"{self._resources}Calls/{quote(ref, safe='')}.json"
        )
        return record


def _aftermath(ref: str, record: Mapping[str, Any]) -> Aftermath:
    price = record["price"]
    micros = price_micros(price)
    complete = micros is not None or record["status"] in _COST_NOTHING
    return Aftermath(ref, complete, price_micros=micros, currency=currency(record.get("price_unit"), price))


def progress(callback: Callback) -> Receipt | None:
    """Read a status callback or the request for a call's first words. None for a call somebody made to us."""
    fields = form_of(callback)
    if fields.get("Direction") == "inbound":
        return None
    sid = required(fields, "CallSid")
    word = required(fields, "CallStatus")
    status = STATUSES.get(word)
    if status is None:
        raise MalformedCallback("a call status that is not known")
    answered_by = _answered_by(fields.get("AnsweredBy"))
    return Receipt(
        # Who answered is news of its own: the same status comes first without it, then with it.
        dedupe_key=":".join(part for part in (sid, word, answered_by) if part),
        status=status,
        token=token_of(callback),
        provider_ref=sid,
        provider_code=_code(fields),
        error_class=_error_class(fields) if status is ReceiptStatus.FAILED else None,
        decided_by=_decided_by(fields) if status is ReceiptStatus.FAILED else None,
        answered_by=answered_by,
        duration_seconds=whole(fields.get("CallDuration")),
    )


def _answered_by(word: str | None) -> str | None:
    if not word:
        return None
    kind = word.partition("_")[0]
    return kind if kind in {"human", "machine", "fax"} else "unknown"


def _code(fields: dict[str, str]) -> str | None:
    if fields.get("ErrorCode"):
        return fields["ErrorCode"]
    sip = fields.get("SipResponseCode")
    return f"sip_{sip}" if sip and sip != "200" else None


def _error_class(fields: dict[str, str]) -> str:
    """Tell a number that does not exist from a network that failed."""
    if fields.get("SipResponseCode") in _NOT_A_NUMBER:
        return BadAddress.code
    return news_class(fields.get("ErrorCode") or None) or Unavailable.code


def _decided_by(fields: dict[str, str]) -> str | None:
    if fields.get("SipResponseCode") in _NOT_A_NUMBER:
        return None
    return decided_by(fields.get("ErrorCode") or None)


def _reply(callback: Callback, fields: dict[str, str], medium: Medium) -> Reply:
    sid = required(fields, "CallSid")
    inbound = fields.get("Direction") == "inbound"
    person, ours = ("From", "To") if inbound else ("To", "From")
    return Reply(
        dedupe_key=f"{sid}:{_turn(callback)}",
        medium=medium,
        address=fields.get(person),
        text=fields.get("SpeechResult") or None,
        digits=fields.get("Digits") or None,
        token=token_of(callback),
        provider_ref=sid,
        to=fields.get(ours),
        confidence=_confidence(fields.get("Confidence")),
        dialled=fields["DialCallStatus"] in _TALKED if fields.get("DialCallStatus") else None,
    )


def _turn(callback: Callback) -> str:
    """Name the turn by where the answer came to, never by what was pressed: digits may be secrets."""
    return hashlib.sha256(f"{callback.path}?{callback.query}".encode()).hexdigest()[:16]


def _confidence(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0.0 <= value <= 1.0 else None
