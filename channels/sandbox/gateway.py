"""A plain HTTP gateway for texts, as many lenders have one: JSON, form or query in, JSON out, signed callbacks."""

import hmac
import re
from collections.abc import Mapping
from typing import Final

import orjson

from channels.sandbox import defaults
from channels.sandbox.carrier import Carrier, Names
from channels.sandbox.http import Answer, Request, Response
from channels.sandbox.segments import count_segments
from channels.sandbox.senders import Senders
from channels.sandbox.texts import TextRecord, Texts
from channels.sandbox.witness import token_of

PATH: Final = "/gateway/v1/messages"
CODES: Final = {"ok": 0, "key": 1, "number": 101, "stopped": 102, "words": 103, "sender": 105}
"""What the gateway's codes stand for."""
_NUMBER: Final = re.compile(r"\+?[1-9]\d{6,14}").fullmatch
_STATES: Final = {"sent": "ENROUTE", "delivered": "DELIVRD", "undelivered": "UNDELIV", "failed": "REJECTD"}
_MAX_BODY: Final = 1600
_READ: Final = ("to", "from", "text", "client_id", "callback", "ttl")


class Gateway:
    """POST or GET on ``PATH`` sends when it holds a text, and otherwise lists by ``client_id``."""

    def __init__(self, carrier: Carrier, texts: Texts, senders: Senders) -> None:
        self._carrier = carrier
        self._texts = texts
        self._senders = senders
        self._name = carrier.script.gateway.name
        self._names = Names("GW")
        self._clients: dict[str, list[TextRecord]] = {}
        texts.also_forget.append(self._forget)

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if not hmac.compare_digest(request.authorization, b"Bearer " + defaults.GATEWAY_KEY.encode()):
            return self._said("key", 401)
        if request.path != PATH or request.method not in {"GET", "POST"}:
            return Response(404, b'{"error":"not found"}')
        try:
            fields = self._fields(request)
        except ValueError:
            return self._said("words", 400)
        if self._name("text") in fields:
            return self._carrier.accept(lambda: self._send(fields))
        return self._list(fields.get(self._name("client_id"), ""))

    def _forget(self) -> None:
        for texts in self._clients.values():
            for text in texts:
                self._texts.texting.others.pop(text.from_, None)
        self._clients.clear()

    def _fields(self, request: Request) -> dict[str, str]:
        if not request.body:
            return request.args()
        if not request.headers.get("content-type", "").startswith("application/json"):
            return request.form()
        body = orjson.loads(request.body)
        if not isinstance(body, dict):
            raise ValueError("not an object")  # noqa: TRY004 - one kind of error for bad input
        return {name: str(value) for name, value in body.items()}

    def _send(self, fields: Mapping[str, str]) -> Response:
        ours = {name: fields.get(self._name(name), "") for name in _READ}
        number, body = ours["to"], ours["text"]
        to = number if number.startswith("+") else f"+{number}"
        refused = self._refusal(to, ours["from"], body)
        if refused is not None:
            self._carrier.witness.record("text_refused", channel="sms", to=to, body=body, code=CODES[refused])
            return self._said(refused, 400)
        text = TextRecord(
            self._names.new(), "gateway", to, ours["from"], body, None, "accepted", count_segments(body),
            self._carrier.clock.epoch(), ours["callback"], int(ours["ttl"] or 86_400), tell=self._report,
        )  # fmt: skip
        self._clients.setdefault(ours["client_id"], []).append(text)
        self._texts.texting.others[text.from_] = self._reply
        token, client = token_of(text.callback), ours["client_id"]
        self._texts.take_over(text, token=token, callback=text.callback, client_id=client)
        return self._said("ok", 200, id=text.sid, parts=text.segments)

    def _refusal(self, to: str, sender: str, body: str) -> str | None:
        if _NUMBER(to) is None:
            return "number"
        if not sender or not self._senders.owns(sender, ""):
            return "sender"
        if not body.strip() or len(body) > _MAX_BODY:
            return "words"
        if self._senders.blocked(to, sender):
            return "stopped"
        temper = self._carrier.people.temper("sms", to, 0)
        return "number" if temper.name == "reject" and not self._carrier.script.mute else None

    def _list(self, client_id: str) -> Response:
        found = [self._shown(text, client_id) for text in self._clients.get(client_id, ())]
        return Response(200, orjson.dumps({"found": found}))

    def _shown(self, text: TextRecord, client_id: str) -> dict[str, str]:
        shown = {"id": text.sid, "to": text.to, "client_id": client_id, "error": str(text.error_code or "")}
        shown["state"] = _STATES.get(text.status, "ACCEPTD")
        return {self._name(name): value for name, value in shown.items()}

    def _report(self, text: TextRecord, last: bool) -> None:
        if not text.callback or text.status not in _STATES:
            return
        news = {"id": text.sid, "state": _STATES[text.status], "error": str(text.error_code or "")}
        body = orjson.dumps({self._name(name): value for name, value in news.items()})
        self._post(text.sid, text.callback, body, "status_posted", last=last, status=text.status)

    def _reply(self, person: str, number: str, body: str, sid: str) -> None:
        said = {"kind": "mo", "id": sid, "from": person.removeprefix("+"), "to": number, "text": body}
        self._post(sid, self._carrier.account.gateway_url, orjson.dumps(said), "inbound_posted", last=True)

    def _post(self, sid: str, url: str, body: bytes, what: str, *, last: bool, status: str | None = None) -> None:
        """Post with an HMAC over the time, the whole URL and the body."""
        stamp = str(int(self._carrier.clock.epoch()))
        signed = f"{stamp}.{url}.".encode() + body
        mac = hmac.new(defaults.GATEWAY_SECRET.encode(), signed, "sha256").hexdigest()
        headers = {"X-Timestamp": stamp, "X-Signature": f"sha256={mac}"}
        self._carrier.deliveries.json(sid, url, headers, body, what, last=last, status=status)

    def _said(self, word: str, status: int, **fields: object) -> Response:
        body = {self._name("code"): CODES[word]} | {self._name(name): value for name, value in fields.items()}
        return Response(status, orjson.dumps(body))
