"""Twilio Messages: create, list, fetch, update, delete, and what becomes of a text afterwards."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from channels.contract import WHATSAPP
from channels.sandbox.carrier import Carrier, Names, rfc2822
from channels.sandbox.chance import draw
from channels.sandbox.http import Answer, Request, Response
from channels.sandbox.listing import Shelf
from channels.sandbox.people import Temper
from channels.sandbox.problems import problem
from channels.sandbox.segments import count_segments
from channels.sandbox.senders import Senders
from channels.sandbox.texting import Texting
from channels.sandbox.witness import token_of

_E164: Final = re.compile(r"(?:whatsapp:|rcs:)?\+[1-9]\d{6,14}").fullmatch
_SENDER: Final = re.compile(r"(?:whatsapp:|rcs:)?\+[1-9]\d{6,14}|\d{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}").fullmatch
_URL: Final = re.compile(r"https?://[^\s/]+\S*").fullmatch
_MAGIC_TO: Final = {"+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550009": 21614}
_MAGIC_FROM: Final = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
_MAX_BODY: Final = 1600
_LONGEST_VALIDITY: Final = 36000
_PRICE: Final = 0.0079
"""US dollars a segment."""
_FLAKY: Final = 0.3
_DAY: Final = 86_400
_CONTENT: Final = re.compile(r"HX[0-9a-fA-F]{32}").fullmatch
_FAILED: Final = frozenset({30001, 30002, 30024, 30034, 30036, 30410, 30610, 30640, 63016})
"""Errors before the carrier took the text (status failed); the others are undelivered."""
_FINAL: Final = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read"})


@dataclass(slots=True)
class TextRecord:
    """One text as the carrier keeps it. Instants are seconds since 1970."""

    sid: str
    account: str
    to: str
    from_: str
    body: str
    service: str | None
    status: str
    segments: int
    created: float
    callback: str
    validity: int
    direction: str = "outbound-api"
    sent: float | None = None
    updated: float = 0.0
    error_code: int | None = None
    price: str | None = None
    content: bool = False  # an approved template
    tell: "Tell | None" = None  # how its fate is reported, when not by Twilio's callback

    def as_json(self) -> dict[str, object]:
        """Return the Message resource."""
        uri = f"/2010-04-01/Accounts/{self.account}/Messages/{self.sid}"
        created = rfc2822(self.created)
        return {
            "body": self.body,
            "num_segments": "0" if self.service and self.sent is None else str(self.segments),
            "direction": self.direction,
            "from": self.from_ or None,
            "date_updated": rfc2822(self.updated) if self.updated else created,
            "price": self.price,
            "error_message": None if self.error_code is None else f"Error {self.error_code}",
            "uri": f"{uri}.json",
            "account_sid": self.account,
            "num_media": "0",
            "to": self.to,
            "date_created": created,
            "status": self.status,
            "sid": self.sid,
            "date_sent": rfc2822(self.sent),
            "messaging_service_sid": self.service,
            "error_code": self.error_code,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }


Tell = Callable[["TextRecord", bool], None]
"""Reports a text's new status; the flag says that it is the last."""


class Texts:
    """The Messages resource."""

    def __init__(self, carrier: Carrier, senders: Senders) -> None:
        self._carrier = carrier
        self._senders = senders
        self._names = Names("SM")
        path = f"/2010-04-01/Accounts/{carrier.account.sid}/Messages.json"
        self.shelf: Shelf[TextRecord] = Shelf(
            "messages", path, "DateSent", lambda text: text.sent, lambda text: text.tell is None
        )
        self._written: dict[str, float] = {}  # when people last wrote by WhatsApp
        self.also_forget: list[Callable[[], None]] = []
        self.texting = Texting(carrier, senders, self.keep_inbound)

    def create(self, request: Request) -> Answer:
        """POST Messages.json."""
        form = request.form()
        return self._carrier.accept(lambda: self._take(form))

    def fetch(self, sid: str) -> Response:
        """GET Messages/{sid}.json."""
        text = self.shelf.by_sid.get(sid)
        return problem(20404) if text is None else Response(200, orjson.dumps(text.as_json()))

    def update(self, sid: str, request: Request) -> Response:
        """POST Messages/{sid}.json: an empty Body redacts, Status=canceled cancels what is still scheduled."""
        text = self.shelf.by_sid.get(sid)
        if text is None:
            return problem(20404)
        form = request.form()
        if form.get("Status") == "canceled":
            if text.status != "scheduled":
                return problem(30409)
            self._move(text, "canceled", last=True)
        elif form.get("Body") == "":
            if text.status not in _FINAL:
                return problem(20009)
            text.body = ""
        return Response(200, orjson.dumps(text.as_json()))

    def delete(self, sid: str) -> Response:
        """DELETE Messages/{sid}.json, once the text's story is over."""
        text = self.shelf.by_sid.get(sid)
        if text is None:
            return problem(20404)
        if text.status not in _FINAL:
            return problem(20009)
        self.shelf.remove(text)
        return Response(204)

    def confirm(self, sid: str, status: str, code: int | None = None) -> None:
        """Have a person say what became of a text. Raises ValueError when its story is over or the word is unknown."""
        text = self.shelf.by_sid.get(sid)
        if text is None or text.direction == "inbound" or text.status in _FINAL:
            raise ValueError("the text's story is over")
        if status not in {"delivered", "undelivered"}:
            raise ValueError("a text is delivered or undelivered")
        if status == "delivered":
            self._arrive(text, None, self._carrier.people.touches("sms", text.to))
        else:
            self._arrive(text, code or 30003, 0)

    def take_over(self, text: TextRecord, **facts: object) -> None:
        """File a text that came another way than by Twilio's API, and lay out what becomes of it."""
        self.shelf.add(text)
        self._carrier.witness.record(
            "text_taken", channel="sms", to=text.to, body=text.body, ref=text.sid, segments=text.segments,
            validity=text.validity, status=text.status, **{"from": text.from_}, **facts,
        )  # fmt: skip
        if not self._carrier.script.mute:
            self._plan(text, None)

    def forget(self) -> None:
        """Drop every text and everything that was said, here and with those that hand their texts over."""
        self.shelf.forget()
        self.texting.forget()
        self._written.clear()
        for forget in self.also_forget:
            forget()

    def keep_inbound(self, person: str, number: str, body: str) -> str:
        """Put a text from a person on the shelf and return its SID."""
        account, now = self._carrier.account.sid, self._carrier.clock.epoch()
        text = TextRecord(
            self._names.new(), account, number, person, body, None, "received", count_segments(body), now, "", 0,
            direction="inbound", sent=now,
        )  # fmt: skip
        self.shelf.add(text)
        if person.startswith(WHATSAPP):
            self._written[person] = now
        return text.sid

    def _take(self, form: Mapping[str, str]) -> Response:
        code = self._refusal(form)
        if code is not None:
            self._carrier.witness.record(
                "text_refused", channel="sms", to=form.get("To"), body=form.get("Body"), code=code,
                token=token_of(form.get("StatusCallback", "")),
            )  # fmt: skip
            return problem(code)
        text = self._keep(form)
        if not self._carrier.script.mute:
            self._plan(text, form.get("SendAt") if text.status == "scheduled" else None)
        return Response(201, orjson.dumps(text.as_json()))

    def _keep(self, form: Mapping[str, str]) -> TextRecord:
        body, service = form.get("Body") or _content_words(form), form.get("MessagingServiceSid")
        sender = form.get("From") or self._senders.of_service(service or "")
        segments = count_segments(body)
        scheduled = form.get("ScheduleType") == "fixed"
        text = TextRecord(
            sid=self._names.new(),
            account=self._carrier.account.sid,
            to=form["To"],
            from_=sender,
            body=body,
            service=service,
            status="scheduled" if scheduled else "accepted" if service else "queued",
            segments=segments,
            created=self._carrier.clock.epoch(),
            callback=form.get("StatusCallback", ""),
            validity=int(form.get("ValidityPeriod", _LONGEST_VALIDITY)),
            content="ContentSid" in form,
        )
        self.shelf.add(text)
        self._carrier.witness.record(
            "text_taken", channel="sms", to=text.to, body=body, ref=text.sid, segments=segments, validity=text.validity,
            token=token_of(text.callback), callback=text.callback, status=text.status, **{"from": sender},
        )  # fmt: skip
        return text

    def _refusal(self, form: Mapping[str, str]) -> int | None:
        to, body, sender, service = (form.get(name, "") for name in ("To", "Body", "From", "MessagingServiceSid"))
        if not to:
            return 21604
        if not sender and not service:
            return 21603
        if _E164(to) is None:
            return 21211
        if sender and (_SENDER(sender) is None):
            return 21212
        if not body and not form.get("MediaUrl") and not form.get("ContentSid"):
            return 21602
        if len(body) > _MAX_BODY:
            return 21617
        if sender and to.startswith(WHATSAPP) != sender.startswith(WHATSAPP):
            return 21612
        return _refused_content(form) or self._refused_options(form) or self._refused_route(to, sender, service)

    def _refused_options(self, form: Mapping[str, str]) -> int | None:
        callback, validity = form.get("StatusCallback"), form.get("ValidityPeriod")
        if callback and _URL(callback) is None:
            return 21609
        if validity is not None and not (validity.isdigit() and 1 <= int(validity) <= _LONGEST_VALIDITY):
            return 21624
        if form.get("ScheduleType") != "fixed":
            return None
        if not form.get("MessagingServiceSid"):
            return 35118
        if not form.get("SendAt"):
            return 35111
        return None if 900 <= self._ahead(form["SendAt"]) <= 35 * 86400 else 35114

    def _ahead(self, send_at: str) -> float:
        try:
            instant = datetime.fromisoformat(send_at)
        except ValueError:
            return -1.0
        return instant.replace(tzinfo=instant.tzinfo or UTC).timestamp() - self._carrier.clock.epoch()

    def _refused_route(self, to: str, sender: str, service: str) -> int | None:
        if to in _MAGIC_TO or sender in _MAGIC_FROM:
            return _MAGIC_TO.get(to) or _MAGIC_FROM.get(sender)
        if not self._senders.owns(sender, service):
            return 21606 if sender else 21701
        if self._senders.blocked(to, sender or self._senders.of_service(service)):
            return 21610
        if self._carrier.script.mute:
            return None
        temper = self._carrier.people.temper("sms", to, 0)
        return (temper.code or 21614) if temper.name == "reject" else None

    def _plan(self, text: TextRecord, send_at: str | None) -> None:
        """Lay out what becomes of a text; each stage plans the next when its time comes."""
        people = self._carrier.people
        touch = people.touched("sms", text.to)
        temper = people.temper("sms", text.to, touch)
        held = float(temper.code or 600) if temper.name == "slow" else self._carrier.script.timing.sent_seconds
        ready = self._ahead(send_at) if send_at else 0.0
        if held > text.validity:
            self._carrier.agenda.after(ready + text.validity, lambda: self._expire(text))
        else:
            self._carrier.agenda.after(ready + held, lambda: self._leave(text, temper, touch))

    def _expire(self, text: TextRecord) -> None:
        if text.status not in _FINAL:
            self._move(text, "failed", 30036, last=True)

    def _leave(self, text: TextRecord, temper: Temper, touch: int) -> None:
        if text.status in _FINAL:
            return
        text.sent = self._carrier.clock.epoch()
        code = self._trouble(text, temper, touch)
        if code in _FAILED:
            self._move(text, "failed", code, last=True)
            return
        self._move(text, "sent", last=temper.name == "sent_only")
        if temper.name != "sent_only":
            wait = self._carrier.script.timing.delivered_seconds
            self._carrier.agenda.after(wait, lambda: self._arrive(text, code, touch))

    def _trouble(self, text: TextRecord, temper: Temper, touch: int) -> int | None:
        if text.error_code is not None:  # decided when it was taken
            return text.error_code
        if text.to.startswith(WHATSAPP) and not text.content and not self._in_thread(text.to):
            return 63016
        if temper.name == "fail":
            return temper.code or 30003
        if temper.name == "flaky" and draw(self._carrier.seed, "flaky", text.to, touch) < _FLAKY:
            return 30003
        return None

    def _in_thread(self, person: str) -> bool:
        """Say whether a person wrote by WhatsApp within the last day: only then free words reach them."""
        return self._carrier.clock.epoch() - self._written.get(person, -_DAY) < _DAY

    def _arrive(self, text: TextRecord, code: int | None, touch: int) -> None:
        if text.status in _FINAL:
            return
        if code is not None:
            self._move(text, "undelivered", code, last=True)
            return
        self._move(text, "delivered", last=True)
        if text.to.startswith(WHATSAPP):
            wait = self._carrier.script.timing.delivered_seconds
            self._carrier.agenda.after(wait, lambda: self._move(text, "read", last=True))
        self.texting.read(text.to, text.from_, text.body, touch)

    def _move(self, text: TextRecord, status: str, code: int | None = None, *, last: bool) -> None:
        """Take a text to its next status and tell the status callback."""
        text.status, text.error_code, text.updated = status, code, self._carrier.clock.epoch()
        if last and text.sent is not None:  # a price comes late: null in the answer to the create request
            text.price = f"{-_PRICE * text.segments:.5f}"
        self._carrier.witness.record("text_status", channel="sms", to=text.to, ref=text.sid, status=status, code=code)
        if text.tell is not None:
            text.tell(text, last)
        if text.tell is not None or not text.callback:
            return
        fields = {
            "AccountSid": text.account, "ApiVersion": "2010-04-01", "From": text.from_, "To": text.to,
            "MessageSid": text.sid, "SmsSid": text.sid, "MessageStatus": status, "SmsStatus": status,
        }  # fmt: skip
        if text.service:
            fields["MessagingServiceSid"] = text.service
        if code is not None:
            fields |= {"ErrorCode": str(code), "ErrorMessage": f"Error {code}"}
        if status in {"delivered", "undelivered"}:
            fields["RawDlrDoneDate"] = f"{self._carrier.clock.now():%y%m%d%H%M}"
        self._carrier.deliveries.form(text.sid, text.callback, fields, "status_posted", last=last, status=status)


def _refused_content(form: Mapping[str, str]) -> int | None:
    if "ContentSid" not in form:
        return None
    if _CONTENT(form["ContentSid"]) is None:
        return 21655
    values = _variables(form)
    return 21656 if values is None or not all(isinstance(each, str) and each for each in values.values()) else None


def _variables(form: Mapping[str, str]) -> dict[str, object] | None:
    try:
        values = orjson.loads(form.get("ContentVariables", "{}"))
    except orjson.JSONDecodeError:
        return None
    return values if isinstance(values, dict) else None


def _content_words(form: Mapping[str, str]) -> str:
    """Return what the page shows of an approved template: the carrier does not know its words."""
    values = " · ".join(f"{name}: {value}" for name, value in (_variables(form) or {}).items())
    return f"[template {form.get('ContentSid', '')}] {values}".strip()
