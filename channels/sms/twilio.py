"""Texts through Twilio."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote

from pydantic import Field, model_validator

from channels.adapter import Adapter
from channels.contract import (
    WHATSAPP,
    Accepted,
    Aftermath,
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
    ContentRefused,
    MalformedCallback,
    Unavailable,
    Unsupported,
)
from channels.options import read_options
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
    row_of,
    token_of,
    unreadable_is_unknown,
    whole,
)

MAX_VALIDITY_SECONDS = 36_000
MIN_VALIDITY_SECONDS = 5
MAX_BODY = 1_600
_LOOK_BACK = 200
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_FAILURES = frozenset({ReceiptStatus.FAILED, ReceiptStatus.UNDELIVERED})

STATUSES: dict[str, ReceiptStatus] = {
    "accepted": ReceiptStatus.ACCEPTED,
    "scheduled": ReceiptStatus.ACCEPTED,
    "queued": ReceiptStatus.ACCEPTED,
    "sending": ReceiptStatus.SENDING,
    "sent": ReceiptStatus.SENT,
    "partially_delivered": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "undelivered": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.CANCELLED,
}
"""Twilio's words for an outbound text, in ours."""


class TwilioSmsOptions(TwilioOptions):
    """Texts leave from one ``sender`` or from the senders of a ``messaging_service_sid``.

    ``redact``: their words are taken off Twilio once they are over; ``prices``: what they cost is read there.
    """

    messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-fA-F]{32}$")] | None = None
    redact: bool = False
    prices: bool = True

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError("give either sender (E.164) or messaging_service_sid (MG...), not both")
        return self


class TwilioSms(TwilioAdapter):
    """``channels.contract.Channel`` for texts, with look-up by number, exact body and time of creation."""

    name: ClassVar[str] = "twilio_sms"
    medium: ClassVar[Medium] = Medium.SMS
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.LOOKS_UP, Capability.RECEIPTS, Capability.REPLIES, Capability.LOOKS_AFTER}
    )

    def __init__(self, config: ChannelConfig, options: TwilioSmsOptions | None = None) -> None:
        options = options or read_options(TwilioSmsOptions, config)
        super().__init__(config, options)
        self._messages = self._account.messages
        self._service = options.messaging_service_sid
        self._sender = options.sender
        self._redacts = options.redact
        self._prices = options.prices

    async def send(self, outbound: Outbound) -> Accepted:
        """Create the text, once. Raises SendError."""
        return _accepted(await self._create("Messages", self._form(outbound)))

    def _form(self, outbound: Outbound) -> dict[str, object]:
        """Build the request; everything refused here certainly never left."""
        if outbound.address.startswith(WHATSAPP) != (Capability.WHATSAPP in self.capabilities):
            raise Unsupported("a text goes to a number, WhatsApp to one behind whatsapp:")
        if not isinstance(outbound.content, Text):
            raise Unsupported("this channel carries texts only")
        body = outbound.content.body
        if not body.strip() or len(body) > MAX_BODY:
            raise ContentRefused(f"a text needs between 1 and {MAX_BODY} characters")
        if _HALF_CHARACTER.search(body):
            raise ContentRefused("half a character: the text cannot be written as UTF-8")
        validity = int(min(outbound.validity.total_seconds(), MAX_VALIDITY_SECONDS))
        if validity < MIN_VALIDITY_SECONDS:
            raise Unavailable("window closing: too little validity left")
        return {
            "To": outbound.address,
            "Body": body,
            "ValidityPeriod": validity,
            "StatusCallback": self._status_callback(outbound.token),
            **self._origin(outbound.sender),
        }

    def _origin(self, sender: str | None) -> dict[str, object]:
        if sender is not None:
            return {"From": sender}
        return {"MessagingServiceSid": self._service} if self._service else {"From": self._sender}

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a status callback or a text from a person into news. Raises MalformedCallback."""
        fields = form_of(callback)
        word = fields.get("MessageStatus") or required(fields, "SmsStatus")
        if word in {"received", "receiving"}:
            return (_reply(fields, self._keyword(fields)),) if word == "received" else ()
        return (_receipt(fields, word, token_of(callback)),)

    def _keyword(self, fields: dict[str, str]) -> str | None:
        """Return the keyword that Twilio acts on and answers by itself."""
        default = None if fields.get("From", "").startswith(WHATSAPP) else _keyword(fields.get("Body", ""))
        return fields.get("OptOutType") or default

    async def look_up(self, key: LookupKey) -> Found | None:
        """Find the text by recipient, exact body and creation not before the attempt began. Raises SendError.

        DateSent is not used: it is whole days, and empty while a text is queued.
        """
        with unreadable_is_unknown():
            records = await self._messages.list_async(to=key.address, limit=_LOOK_BACK)
            mine = [record for record in records if _is_attempt(record, key)]
            return _found(min(mine, key=created_at)) if mine else None

    @property
    def cares(self) -> bool:
        """Whether prices are to be read or words to be taken off."""
        return self._prices or self._redacts

    @property
    def takes_words_off(self) -> bool:
        """Whether words are to be taken off Twilio."""
        return self._redacts

    async def look_after(self, provider_refs: Sequence[str]) -> Sequence[Aftermath]:
        """Read each text's record, or redact it, which answers with its record.

        Twilio redacts one text a request, and only what is over.
        """

        def read(ref: str, record: Mapping[str, Any]) -> Aftermath:
            return _aftermath(ref, record, prices=self._prices, redacts=self._redacts)

        return await look_after_each(provider_refs, self._care, read, redacts=self._redacts)

    async def _care(self, ref: str) -> Mapping[str, Any]:
        uri = f"{self._resources}Messages/{quote(ref, safe='')}.json"
        asked = (
            self._api.update_async("POST", uri, data={"Body": ""})
            if self._redacts
            else self._api.fetch_async("GET", uri)
        )
        record: Mapping[str, Any] = await asked
        return record


# What Twilio acts on and answers by itself when it is the whole text (its default keywords, any case).
_KEYWORDS = {
    **dict.fromkeys(("stop", "stopall", "unsubscribe", "cancel", "end", "quit"), "STOP"),
    **dict.fromkeys(("start", "unstop"), "START"),
}


def _keyword(body: str) -> str | None:
    return _KEYWORDS.get(body.strip().lower())


def _accepted(created: dict[str, Any]) -> Accepted:
    """Read the answer to a create request. A text that failed at once is a refusal, not an acceptance."""
    word, code = str(created.get("status")), created.get("error_code")
    if STATUSES.get(word) in _FAILURES and code is not None:
        raise row_of(str(code)).refusal(str(code))
    return Accepted(
        created["sid"],
        word,
        segments=whole(created.get("num_segments")),
        price_micros=price_micros(created.get("price")),
        currency=currency(created.get("price_unit"), created.get("price")),
    )


def _aftermath(ref: str, record: Mapping[str, Any], *, prices: bool, redacts: bool) -> Aftermath:
    price = record.get("price")
    micros = price_micros(price)
    words_off = not record["body"] if redacts else None
    return Aftermath(
        ref,
        complete=(micros is not None or not prices) and words_off is not False,
        segments=whole(record.get("num_segments")),
        price_micros=micros,
        currency=currency(record.get("price_unit"), price),
        words_off=words_off,
    )


def _is_attempt(record: Any, key: LookupKey) -> bool:  # noqa: ANN401 - SDK instances are not typed
    outbound = str(record.direction or "").startswith("outbound")
    return outbound and record.body == key.body and created_since(key, record.date_created)


def _found(record: Any) -> Found:  # noqa: ANN401 - as above
    status = STATUSES.get(record.status, ReceiptStatus.ACCEPTED)
    code = None if record.error_code is None else str(record.error_code)
    failed = status in _FAILURES
    return Found(
        record.sid,
        status,
        code,
        error_class=(news_class(code) or "rejected") if failed else None,
        decided_by=decided_by(code) if failed else None,
        segments=whole(record.num_segments),
        price_micros=price_micros(record.price),
        currency=currency(record.price_unit, record.price),
    )


def _receipt(fields: dict[str, str], word: str, token: str | None) -> Receipt:
    sid = required(fields, "MessageSid")
    status = STATUSES.get(word)
    if status is None:
        raise MalformedCallback("a message status that is not known")
    code = fields.get("ErrorCode") or None
    failed = status in _FAILURES
    return Receipt(
        dedupe_key=f"{sid}:{word}",
        status=status,
        token=token,
        provider_ref=sid,
        provider_code=code,
        error_class=(news_class(code) or "rejected") if failed else None,
        decided_by=decided_by(code) if failed else None,
    )


def _reply(fields: dict[str, str], keyword: str | None) -> Reply:
    sid, address = required(fields, "MessageSid"), required(fields, "From")
    return Reply(
        dedupe_key=f"{sid}:received",
        medium=Medium.SMS,
        address=address.removeprefix(WHATSAPP),
        text=fields.get("Body", ""),
        provider_ref=sid,
        provider_keyword=keyword,
        to=fields.get("To"),
        by_whatsapp=address.startswith(WHATSAPP),
    )


ADAPTER = Adapter(TwilioSms, TwilioSmsOptions, lambda config, _now: TwilioSms(config))
