"""Texts to mainland China through Aliyun: approved signature and templates, never free words."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from channels.adapter import Adapter
from channels.aliyun_api import AliyunApi
from channels.approved import Sources, filled, known_sources
from channels.codes import Row, codes_of
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
    MalformedCallback,
    NoTemplate,
    OutcomeUnknown,
    SendError,
    Unavailable,
    Unsupported,
)
from channels.http_pool import Limits
from channels.macs import same
from channels.options import Connections, HttpUrl, Options, Part, Seconds, read_options

Now = Callable[[], datetime]
MIN_VALIDITY_SECONDS: Final = 5
CHINA: Final = timezone(timedelta(hours=8))
"""Aliyun's dates are the mainland's, which has one zone and no summer time."""
_MOBILE: Final = re.compile(r"\+86(1[0-9]{10})")
_PAGE: Final = 50
_PAGES: Final = 20
_MOST_IN_PUSH: Final = 1_000
_STATES: Final = {1: ReceiptStatus.SENT, 2: ReceiptStatus.UNDELIVERED, 3: ReceiptStatus.DELIVERED}
_TAKEN: Final = Answer("application/json; charset=utf-8", b'{"code":0,"msg":"ok"}')


class ApprovedTemplate(Part):
    """One template that Aliyun approved: its code, and which of our fields fills each of its parameters."""

    code: Annotated[str, Field(pattern=r"^SMS_[0-9]{1,20}$")]
    parameters: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")], str], AfterValidator(known_sources)
    ] = Field(default_factory=Sources)


class AliyunOptions(Options):
    """Key, signature and templates. ``templates`` maps our template and locale to what Aliyun approved.

    ``push_secret`` is the last part of the address that is entered in Aliyun's console for SmsReport and SmsUp; its
    pushes are not signed. ``push_secret_secondary`` is believed beside it while it is changed.
    """

    access_key_id: Annotated[str, Field(min_length=8, max_length=64)]
    access_key_secret: SecretStr
    sign_name: Annotated[str, Field(min_length=2, max_length=32)]
    templates: dict[str, dict[str, ApprovedTemplate]]
    push_secret: SecretStr | None = None
    push_secret_secondary: SecretStr | None = None
    sms_up_extend_code: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")] | None = None
    base_url: HttpUrl = "https://dysmsapi.aliyuncs.com"
    connect_seconds: Seconds = 5.0
    total_seconds: Seconds = 15.0
    idle_seconds: Seconds = 15.0
    connections: Connections = 100

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.connect_seconds >= self.total_seconds:
            raise ValueError("connect_seconds must be below total_seconds")
        if not self.access_key_secret.get_secret_value():
            raise ValueError("access_key_secret is empty")
        if any(len(secret) < 16 for secret in self.push_secrets()):
            raise ValueError("push_secret needs at least 16 characters: it is all that proves a push")
        return self

    def push_secrets(self) -> tuple[str, ...]:
        """Return every secret a push may come with."""
        given = (self.push_secret, self.push_secret_secondary)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)

    def limits(self) -> Limits:
        """Return the HTTP limits."""
        return Limits(self.connect_seconds, self.total_seconds, self.idle_seconds, self.connections)


class AliyunSms:
    """``channels.contract.Channel`` for texts to +86. Our token travels as OutId and comes back in every report.

    OutId is no idempotency key: what may have left is looked up by number, day and OutId, and never sent again.
    """

    name: ClassVar[str] = "aliyun_sms"
    medium: ClassVar[Medium] = Medium.SMS
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.LOOKS_UP, Capability.RECEIPTS, Capability.REPLIES, Capability.TEMPLATES}
    )

    def __init__(self, config: ChannelConfig, now: Now) -> None:
        options = read_options(AliyunOptions, config)
        key = (options.access_key_id, options.access_key_secret.get_secret_value())
        self._api = AliyunApi(options.base_url, key, options.limits(), now)
        self._options = options
        self._path = f"/v1/callbacks/{config.name}/"

    async def send(self, outbound: Outbound) -> Accepted:
        """Send the approved template, once. Raises SendError."""
        answer = await self._api.call("SendSms", self._fields(outbound))
        reference = answer.get("BizId")
        if not isinstance(reference, str) or not reference:
            raise OutcomeUnknown("an answer without a BizId")
        return Accepted(reference)

    def _fields(self, outbound: Outbound) -> dict[str, str]:
        """Build the request; everything refused here certainly never left."""
        if not isinstance(outbound.content, Text):
            raise Unsupported("this channel carries texts only")
        mobile = _national(outbound.address)
        if outbound.validity.total_seconds() < MIN_VALIDITY_SECONDS:
            raise Unavailable("window closing: too little validity left")
        code, parameters = self._template(outbound)
        fields = {
            "PhoneNumbers": mobile,
            "SignName": self._options.sign_name,
            "TemplateCode": code,
            "OutId": outbound.token,
        }
        if parameters:
            fields["TemplateParam"] = json.dumps(parameters, ensure_ascii=False, separators=(",", ":"))
        if self._options.sms_up_extend_code:
            fields["SmsUpExtendCode"] = self._options.sms_up_extend_code
        return fields

    def _template(self, outbound: Outbound) -> tuple[str, dict[str, str]]:
        """Return the approved template's code and its parameters' values. Free words are not carried."""
        template = outbound.template
        if template is None:
            raise NoTemplate("no template was given, and free words are not carried to mainland China")
        approved = self._options.templates.get(template.name, {}).get(template.locale)
        if approved is None:
            raise NoTemplate(f"no approved template for {template.name} in {template.locale}")
        return approved.code, filled(template, approved.parameters)

    def verify(self, callback: Callback) -> None:
        """Check the secret in the path: pushes are not signed. Raises BadSignature."""
        before, _, secret = callback.path.rpartition("/")
        if f"{before}/" != self._path or not same(secret, self._options.push_secrets()):
            raise BadSignature("not from the provider")

    def parse(self, callback: Callback) -> Iterable[Receipt | Reply]:
        """Turn a batch of SmsReport or SmsUp into news. Raises MalformedCallback."""
        try:
            items = json.loads(callback.body)
        except (ValueError, RecursionError):
            raise MalformedCallback("the body is not JSON") from None
        if not isinstance(items, list) or len(items) > _MOST_IN_PUSH:
            raise MalformedCallback("the body is not a list, or too long a one")
        return [_news(item) for item in items]

    def acknowledge(self, callback: Callback) -> Answer:  # noqa: ARG002 - the same for all
        """Say what Aliyun wants to hear; anything but 200 makes it push again."""
        return _TAKEN

    async def look_up(self, key: LookupKey) -> Found | None:
        """Find the text by number, day and OutId. Raises SendError when Aliyun cannot be asked."""
        mobile = _national(key.address)
        for day in _days(key.started_epoch):
            for page in range(1, _PAGES + 1):
                asked = {
                    "PhoneNumber": mobile, "SendDate": day, "PageSize": str(_PAGE), "CurrentPage": str(page),
                }  # fmt: skip
                rows = _rows(await self._ask(asked))
                for row in rows:
                    if row.get("OutId") == key.token:
                        return _found(row, key)
                if len(rows) < _PAGE:
                    break
        return None

    async def _ask(self, fields: Mapping[str, str]) -> dict[str, Any]:
        try:
            return await self._api.call("QuerySendDetails", fields)
        except SendError as error:
            if error.provider_code == "isv.DATA_NOT_EXIST":
                return {"SmsSendDetailDTOs": {"SmsSendDetailDTO": []}}
            raise

    async def close(self) -> None:
        """Give back connections."""
        await self._api.close()


def _national(address: str) -> str:
    """Return the eleven digits of a mainland mobile number. Raises Unsupported or BadAddress."""
    if not address.startswith("+86"):
        raise Unsupported("only numbers of mainland China are served")
    found = _MOBILE.fullmatch(address)
    if found is None:
        raise BadAddress("not a mobile number of mainland China")
    return found.group(1)


def _days(started: float) -> list[str]:
    """Return the mainland's dates on which it may have been sent: more than one around its midnight."""
    began = datetime.fromtimestamp(started, UTC).astimezone(CHINA)
    around = (began + timedelta(minutes=shift) for shift in (-1, 0, 5))
    return sorted({f"{each:%Y%m%d}" for each in around})


def _rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    holder = answer.get("SmsSendDetailDTOs")
    rows = holder.get("SmsSendDetailDTO") if isinstance(holder, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OutcomeUnknown("a look-up without its list")
    return rows


def _found(row: Mapping[str, Any], key: LookupKey) -> Found:
    """Read one record. It has no BizId, so the attempt keeps our own id as its reference."""
    status = _STATES.get(row.get("SendStatus", 0), ReceiptStatus.ACCEPTED)
    code = row.get("ErrCode")
    if status is not ReceiptStatus.UNDELIVERED or not isinstance(code, str) or not code:
        return Found(key.attempt_id, status)
    meant = _meant(code)
    return Found(key.attempt_id, status, code, error_class=meant.news, decided_by=meant.decided_by)


def _meant(code: str | None) -> Row:
    return codes_of("aliyun").row(code or "", "receipts")


def _news(item: Any) -> Receipt | Reply:  # noqa: ANN401 - plain JSON values
    if isinstance(item, dict) and isinstance(item.get("success"), bool):
        return _receipt(item)
    if isinstance(item, dict) and "content" in item:
        return _reply(item)
    raise MalformedCallback("neither a report nor a text from a person")


def _receipt(item: dict[str, Any]) -> Receipt:
    reference, token = _text(item, "biz_id"), _text(item, "out_id")
    if not reference and not token:
        raise MalformedCallback("a report that names no attempt")
    good, code = item["success"], _text(item, "err_code")
    return Receipt(
        dedupe_key=f"{reference or token}:{'delivered' if good else 'undelivered'}",
        status=ReceiptStatus.DELIVERED if good else ReceiptStatus.UNDELIVERED,
        token=token,
        provider_ref=reference,
        provider_code=None if good else code,
        error_class=None if good else _meant(code).news,
        decided_by=None if good else _meant(code).decided_by,
    )


def _reply(item: dict[str, Any]) -> Reply:
    sequence, number = _text(item, "sequence_id"), _text(item, "phone_number")
    if not sequence or not number:
        raise MalformedCallback("a text without its sequence_id or its number")
    digits = number.removeprefix("+").removeprefix("0086")
    return Reply(
        dedupe_key=f"up:{sequence}:received",
        medium=Medium.SMS,
        address=f"+86{digits}" if len(digits) == 11 else f"+{digits}",
        text=_text(item, "content") or "",
        provider_ref=f"up:{sequence}",
        to=_text(item, "dest_code"),
    )


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


ADAPTER = Adapter(AliyunSms, AliyunOptions, AliyunSms)
