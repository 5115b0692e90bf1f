"""Aliyun's SMS API as the carrier speaks it: SendSms, QuerySendDetails, and pushes of reports and texts."""

import hashlib
import hmac
import re
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from urllib.parse import quote

import orjson

from channels.sandbox import defaults
from channels.sandbox.carrier import Carrier, Names
from channels.sandbox.http import Answer, Request, Response
from channels.sandbox.segments import count_segments
from channels.sandbox.senders import Senders
from channels.sandbox.texts import TextRecord, Texts

SENDER: Final = "10690000"
"""The number that people see and answer to."""
_CHINA: Final = timezone(timedelta(hours=8))
_MOBILE: Final = re.compile(r"(?:\+?86|0086)?(1\d{10})").fullmatch
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_LINK: Final = re.compile(r"https?://|www\.", re.IGNORECASE)
_PER_DAY: Final = 50
_SKEW_SECONDS: Final = 900
_VALIDITY_SECONDS: Final = 86_400
_RECEIPTS: Final = {
    30003: "MOBILE_NOT_ON_SERVICE", 30005: "MOBILE_NOT_ON_SERVICE", 30006: "INVALID_NUMBER", 30007: "CONTENT_KEYWORD",
    21610: "USER_REJECT", 30036: "IS_CLOSE",
}  # fmt: skip
"""The tempers' codes are Twilio's; this is how the same fate reads here."""


class Aliyun:
    """The RPC endpoint. What becomes of a text, and what people answer, is as for every other text."""

    def __init__(self, carrier: Carrier, texts: Texts, senders: Senders) -> None:
        self._carrier = carrier
        self._texts = texts
        self._senders = senders
        self._script = carrier.script.aliyun
        self._names = Names("ALI")
        self._nonces: set[str] = set()
        self._recent: defaultdict[tuple[str, str, str], deque[float]] = defaultdict(deque)
        self._out_ids: dict[str, str] = {}
        texts.texting.others[SENDER] = self._push_reply
        texts.also_forget += [self._recent.clear, self._out_ids.clear]

    def answer(self, request: Request) -> Answer:
        """Answer one call."""
        refused = self._unsigned(request)
        if refused is not None:
            return refused
        fields = request.args() | (request.form() if request.body else {})
        action = request.headers.get("x-acs-action")
        if action == "SendSms":
            return self._carrier.accept(lambda: self._send(fields))
        return self._details(fields) if action == "QuerySendDetails" else _said("InvalidAction.NotFound", 404)

    def _unsigned(self, request: Request) -> Response | None:
        """Check who calls, as the API's gateway does before the service sees anything."""
        headers = request.headers
        given = dict(part.partition("=")[::2] for part in headers.get("authorization", "").partition(" ")[2].split(","))
        if given.get("Credential") != defaults.ALIYUN_KEY_ID:
            return _said("InvalidAccessKeyId.NotFound", 404)
        if headers.get("x-acs-version") != "2017-05-25":
            return _said("InvalidVersion", 400)
        if not hmac.compare_digest(_signature(request, headers, given.get("SignedHeaders", "")), given["Signature"]):
            return _said("SignatureDoesNotMatch", 400)
        if abs(_epoch(headers.get("x-acs-date", "")) - self._carrier.clock.epoch()) > _SKEW_SECONDS:
            return _said("InvalidTimeStamp.Expired", 400)
        nonce = headers.get("x-acs-signature-nonce", "")
        if not nonce or nonce in self._nonces:
            return _said("SignatureNonceUsed", 400)
        self._nonces.add(nonce)
        return None

    def _send(self, fields: Mapping[str, str]) -> Response:
        out_id = fields.get("OutId", "")
        code = self._refusal(fields)
        if code is not None:
            to, body = fields.get("PhoneNumbers"), fields.get("TemplateParam")
            self._carrier.witness.record("text_refused", channel="sms", to=to, body=body, code=code, token=out_id)
            return _said(code)
        mobile = _MOBILE(fields["PhoneNumbers"])
        assert mobile is not None  # noqa: S101 - the refusal checked it
        body, now = self._words(fields), self._carrier.clock.epoch()
        self._recent[self._series(fields)].append(now)
        text = TextRecord(
            self._names.new(), "aliyun", f"+86{mobile.group(1)}", SENDER, body, fields["TemplateCode"], "accepted",
            count_segments(body), now, "", _VALIDITY_SECONDS, tell=self._push_report,
        )  # fmt: skip
        self._out_ids[text.sid] = out_id
        if self._senders.blocked(text.to, SENDER):
            text.error_code = 21610
        self._texts.take_over(text, token=out_id, template=fields["TemplateCode"])
        return _said("OK", BizId=text.sid)

    def _refusal(self, fields: Mapping[str, str]) -> str | None:
        number = _MOBILE(fields.get("PhoneNumbers", ""))
        if number is None:
            return "isv.MOBILE_NUMBER_ILLEGAL"
        sign, template = fields.get("SignName", ""), fields.get("TemplateCode", "")
        if not sign or (self._script.signs and sign not in self._script.signs):
            return "isv.SMS_SIGNATURE_ILLEGAL"
        if not template.startswith("SMS_") or (self._script.templates and template not in self._script.templates):
            return "isv.SMS_TEMPLATE_ILLEGAL"
        return self._refused_values(fields, template) or self._refused_number(fields, f"+86{number.group(1)}")

    def _refused_values(self, fields: Mapping[str, str], template: str) -> str | None:
        try:
            given = orjson.loads(fields.get("TemplateParam", "{}"))
        except orjson.JSONDecodeError:
            return "isv.INVALID_JSON_PARAM"
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            return "isv.INVALID_JSON_PARAM"
        wanted = _VARIABLE.findall(self._script.templates.get(template, ""))
        if any(name not in given for name in wanted):
            return "isv.TEMPLATE_MISSING_PARAMETERS"
        return "isv.PARAM_NOT_SUPPORT_URL" if any(_LINK.search(value) for value in given.values()) else None

    def _refused_number(self, fields: Mapping[str, str], to: str) -> str | None:
        recent, now = self._recent[self._series(fields)], self._carrier.clock.epoch()
        while recent and recent[0] <= now - 86_400:
            recent.popleft()
        if len(recent) >= _PER_DAY:
            return "isv.BUSINESS_LIMIT_CONTROL"
        temper = self._carrier.people.temper("sms", to, 0)
        return "isv.MOBILE_NUMBER_ILLEGAL" if temper.name == "reject" and not self._carrier.script.mute else None

    def _series(self, fields: Mapping[str, str]) -> tuple[str, str, str]:
        """Return what Aliyun counts together: signature, template and number."""
        return fields["SignName"], fields["TemplateCode"], fields["PhoneNumbers"]

    def _words(self, fields: Mapping[str, str]) -> str:
        given = orjson.loads(fields.get("TemplateParam", "{}"))
        text = self._script.templates.get(fields["TemplateCode"])
        if text is None:
            text = f"{fields['TemplateCode']} " + " ".join(given.values())
        return f"【{fields['SignName']}】" + _VARIABLE.sub(lambda found: given[found.group(1)], text)

    def _push_report(self, text: TextRecord, last: bool) -> None:
        """Report the end of a text; Aliyun reports nothing before it."""
        if not last or text.status == "sent":
            return
        good = text.status == "delivered"
        report = {
            "phone_number": text.to[3:], "send_time": _local(text.created), "report_time": _local(text.updated),
            "success": good, "err_code": "DELIVERED" if good else _receipt_code(text), "err_msg": "",
            "sms_size": str(text.segments), "biz_id": text.sid, "out_id": self._out_ids[text.sid],
        }  # fmt: skip
        body = orjson.dumps([report])
        self._carrier.deliveries.json(
            text.sid, self._carrier.account.aliyun_url, {}, body, "status_posted", wants=200, status=text.status
        )

    def _push_reply(self, person: str, number: str, body: str, sid: str) -> None:
        up = {
            "phone_number": person.removeprefix("+86"), "content": body, "dest_code": number[-4:],
            "send_time": _local(self._carrier.clock.epoch()), "sequence_id": int(sid[-8:], 16),
            "sign_name": next(iter(sorted(self._script.signs)), ""),
        }  # fmt: skip
        self._carrier.deliveries.json(
            sid, self._carrier.account.aliyun_url, {}, orjson.dumps([up]), "inbound_posted", wants=200
        )

    def _details(self, fields: Mapping[str, str]) -> Response:
        """Answer QuerySendDetails: the texts to one number on one local day, newest first."""
        try:
            page, size = int(fields["CurrentPage"]), int(fields["PageSize"])
        except (KeyError, ValueError):
            return _said("isv.INVALID_PARAMETERS")
        number, day = f"+86{fields.get('PhoneNumber', '')[-11:]}", fields.get("SendDate", "")
        mine = [
            text
            for text in reversed(self._texts.shelf.to(number))
            if text.account == "aliyun" and _local(text.created)[:10].replace("-", "") == day
        ]
        rows = [self._detail(text) for text in mine[(page - 1) * size : page * size]]
        return _said("OK", TotalCount=str(len(mine)), SmsSendDetailDTOs={"SmsSendDetailDTO": rows})

    def _detail(self, text: TextRecord) -> dict[str, object]:
        state = {"delivered": 3, "undelivered": 2, "failed": 2}.get(text.status, 1)
        row: dict[str, object] = {
            "PhoneNum": text.to[3:], "SendDate": _local(text.created), "Content": text.body, "SendStatus": state,
            "TemplateCode": text.service, "OutId": self._out_ids[text.sid],
        }  # fmt: skip
        code = {1: "", 2: _receipt_code(text), 3: "DELIVERED"}[state]
        return row | {"ErrCode": code, "ReceiveDate": _local(text.updated) if state > 1 else ""}


def _receipt_code(text: TextRecord) -> str:
    return _RECEIPTS.get(text.error_code or 0, "SP_UNKNOWN_ERROR")


def _signature(request: Request, headers: Mapping[str, str], names: str) -> str:
    """Work out what the signature must be, from the request as it came."""
    lines = [f"{name}:{headers.get(name, '').strip()}" for name in names.split(";")]
    query = "&".join(sorted(request.query.split("&"))) if request.query else ""
    digest = hashlib.sha256(request.body).hexdigest()
    whole = "\n".join([request.method, quote(request.path, safe="/"), query, *lines, "", names, digest])
    hashed = "ACS3-HMAC-SHA256\n" + hashlib.sha256(whole.encode("latin-1")).hexdigest()
    return hmac.new(defaults.ALIYUN_KEY_SECRET.encode(), hashed.encode(), hashlib.sha256).hexdigest()


def _epoch(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _local(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, _CHINA):%Y-%m-%d %H:%M:%S}"


def _said(code: str, status: int = 200, **fields: object) -> Response:
    body = {"Code": code, "Message": code if code == "OK" else f"refused: {code}", "RequestId": "00000000-SANDBOX"}
    return Response(status, orjson.dumps(body | fields))
