"""Every adapter with a peer on a real socket: what the peer does in each row of the table, and what must follow."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from given import (
    ALIYUN,
    APPROVED,
    CALL,
    CHINA_PERSON,
    MAIL,
    NOW,
    TEXT,
    aliyun_config,
    gateway_config,
    outbound,
    smtp_config,
    twilio_config,
)
from peers import (
    ACCOUNT,
    DROP,
    GARBLE,
    PERSON,
    PUBLIC_URL,
    SILENCE,
    Behaviour,
    Hang,
    Provider,
    Relay,
    ResetAfter,
    ResetBefore,
    Say,
    Truncate,
    call,
    closed_port,
    message,
    patience,
    refused,
    signature,
)

from channels import errors
from channels.contract import Callback, Channel, ChannelConfig, Content, Outbound
from channels.registry import ADAPTERS

ANA = "ana@borrower.example.com"
SECRETS = (PERSON, PERSON[1:], CHINA_PERSON[3:], ANA, "Ana", "tok_EN-123", "s3cret")
"""What may stand in no error, no log and no repr: the person, the words, the attempt's token, the credentials."""

Expected = type[errors.SendError] | None
LOST = errors.OutcomeUnknown
QUICK = patience(Hang())


@dataclass(frozen=True)
class Row:
    """What the peer does with the next send, and the error that must follow; None is an acceptance.

    ``counted`` is how often the peer may have met the send. ``options`` shorten a wait that the row is about.
    """

    does: Any
    expected: Expected
    code: str | None = None
    retry_after: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lane:
    """One adapter. ``covers`` is what its callbacks' proof covers; a fixed secret covers nothing but itself."""

    adapter: str
    content: Content
    config: Callable[[str, Any], ChannelConfig]
    rows: Mapping[str, Row]
    genuine: Callable[[], Callback]
    stranger: Callable[[], Callback]
    proof: str
    covers: frozenset[str] = frozenset({"body"})
    address: str = PERSON
    spoken: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def peer(self) -> Any:
        return Relay() if self.adapter == "smtp" else Provider()

    def make(self, peer: Any, **options: Any) -> Channel:
        where = str(peer.port) if isinstance(peer, Relay) else peer.url
        return self.at(where, **options)

    def at(self, where: str, **options: Any) -> Channel:
        config = self.config(where, options)
        return ADAPTERS[self.adapter].make(config, lambda: NOW)

    def nowhere(self) -> str:
        return str(closed_port()) if self.adapter == "smtp" else f"http://127.0.0.1:{closed_port()}"

    def outbound(self) -> Outbound:
        return outbound(self.content, self.address, **self.more)

    def script(self, peer: Any, row: Row) -> None:
        """Make the peer do what the row says."""
        if isinstance(peer, Relay):
            for stage, replies in row.does.items():
                peer.at[stage] = list(replies)
        elif isinstance(row.does, ResetBefore):
            peer.script.append(row.does)
        else:
            peer.default = row.does

    def met(self, peer: Any) -> int:
        """Return how often the peer met the send: connections when it never read, else requests or mails."""
        if isinstance(peer, Relay):
            return max(len(peer.mails), sum(line == "DATA" for line in peer.commands))
        return len(peer.seen)


def http(accepted: Behaviour, **rows: Row) -> dict[str, Row]:
    """The rows every HTTP provider has, and its own."""
    page = "<html>bad gateway</html>"
    return {
        "accepted": Row(accepted, None),
        "hang": Row(Hang(), LOST, options=QUICK),
        "reset before the request was read": Row(ResetBefore(), LOST),
        "reset after the request was read": Row(ResetAfter(), LOST),
        "truncated answer": Row(Truncate(), LOST),
        "5xx": Row(Say(500, "oops"), LOST),
        "5xx of a proxy": Row(Say(502, page, content_type="text/html"), LOST),
        "HTML instead of an answer": Row(Say(200, page, content_type="text/html"), LOST),
        "JSON of another shape": Row(Say(200, "[]"), LOST),
        "nothing instead of an answer": Row(Say(200, ""), LOST),
        "half an answer": Row(Say(200, '{"half":'), LOST),
        "see other": Row(Say(303, "", {"Location": "/elsewhere"}), LOST),
        "moved": Row(Say(301, "", {"Location": "https://elsewhere.example.com/"}), errors.Misconfigured),
        "a proxy's refusal": Row(Say(403, page, content_type="text/html"), errors.Misconfigured),
    } | rows


# --- Twilio -----------------------------------------------------------------------------------------------------------


def twilio_rows(accepted: dict[str, Any]) -> dict[str, Row]:
    def no(code: int, expected: Expected, status: int = 400, text: str = PERSON, **headers: str) -> Row:
        wait = float(headers["Retry_After"]) if headers else None
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return Row(Say(status, refused(code, text=text), said), expected, str(code), wait)

    return http(
        Say(201, accepted),
        bad_address=no(21211, errors.BadAddress),
        opted_out=no(21610, errors.OptedOut),
        content_refused=no(30007, errors.ContentRefused),
        unsupported=no(21408, errors.Unsupported),
        misconfigured=no(20003, errors.Misconfigured, 401),
        throttled=no(20429, errors.Throttled, 429, Retry_After="7"),
        unavailable=no(21611, errors.Throttled),
        unlisted=no(29999, errors.Rejected),
    ) | {
        "5xx with a code": Row(Say(503, refused(20503), {"Retry-After": "9"}), LOST, "20503", 9.0),
        "a success without its reference": Row(Say(201, {"status": "queued"}), LOST),
        "conflict": Row(Say(409, "conflict"), LOST),
        "another address": Row(Say(404, "not found"), errors.Misconfigured),
    }


TWILIO_TOKEN = "s3cret-twilio"


def twilio_callback(path: str, fields: Mapping[str, str], token: str = TWILIO_TOKEN) -> Callback:
    body = urlencode({"AccountSid": ACCOUNT, **fields}).encode()
    signed = signature(f"{PUBLIC_URL}{path}?t=tok_EN-123", body, token)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signed}
    return Callback(path, "t=tok_EN-123", headers, body)


def twilio(adapter: str, content: Content, resource: dict[str, Any], **news: str) -> Lane:
    path = "/v1/callbacks/lane"
    return Lane(
        adapter=adapter,
        content=content,
        config=lambda url, options: twilio_config("lane", url, auth_token=TWILIO_TOKEN, **options),
        rows=twilio_rows(resource),
        genuine=lambda: twilio_callback(path, news),
        stranger=lambda: twilio_callback(path, news, "guess"),
        proof="x-twilio-signature",
        covers=frozenset({"body", "path", "query"}),
        spoken=content is CALL,
    )


# --- SMTP -------------------------------------------------------------------------------------------------------------

SMTP_ROWS = {
    "accepted": Row({}, None),
    "hang": Row({"words": [SILENCE]}, LOST, options={"command_seconds": 0.2, "final_reply_seconds": 0.2}),
    "reset before the request was read": Row({"connect": [DROP]}, errors.Unavailable),
    "reset after the request was read": Row({"words": [DROP]}, LOST),
    "truncated answer": Row({"words": [GARBLE]}, LOST),
    "5xx": Row({"data": ["554 5.7.1 refused"]}, errors.ContentRefused, "5.7.1"),
    "5xx of a proxy": Row({"connect": ["554 5.3.2 go away"]}, errors.Unavailable, "554"),
    "HTML instead of an answer": Row({"words": ["<html>"]}, LOST),
    "bad_address": Row({"rcpt": [f"550 5.1.1 <{ANA}> no such user"]}, errors.BadAddress, "5.1.1"),
    "content_refused": Row({"words": ["554 5.6.0 spam"]}, errors.ContentRefused, "5.6.0"),
    "misconfigured": Row({"mail": ["530 5.7.0 sign in first"]}, errors.Misconfigured, "5.7.0"),
    "throttled": Row({"rcpt": ["450 4.2.0 greylisted"]}, errors.Throttled, "4.2.0", 300.0),
    "unavailable": Row({"connect": ["421 4.3.2 busy"]}, errors.Unavailable, "421"),
    "unlisted": Row({"rcpt": ["554 5.4.0 no"]}, errors.Rejected, "5.4.0"),
}


MAIL_SECRET, GATEWAY_SECRET = "s3cret", "s3cret-callback"


def posted_mail(secret: str = MAIL_SECRET) -> Callback:
    raw = (
        b"From: Ana <ana@borrower.example.com>\r\nTo: reply+rt-9@mail.example.com\r\nSubject: Re: due\r\n"
        b"Message-ID: <x1@borrower.example.com>\r\n\r\nI can pay on Friday.\r\n"
    )
    stamp = int(NOW.timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"content-type": "message/rfc822", "x-outreach-signature": f"t={stamp},v1={mac}"}
    return Callback("/v1/callbacks/lane", "", headers, raw)


# --- The generic gateway ----------------------------------------------------------------------------------------------

GATEWAY_CODES = {
    "bad_address": ("101", errors.BadAddress), "opted_out": ("102", errors.OptedOut),
    "content_refused": ("103", errors.ContentRefused), "unsupported": ("104", errors.Unsupported),
    "misconfigured": ("105", errors.Misconfigured), "unavailable": ("107", errors.Unavailable),
    "unlisted": ("999", errors.Rejected),
}  # fmt: skip
GATEWAY_ROWS = http(
    Say(200, {"code": 0, "id": "gw-1", "parts": 2}),
    throttled=Row(
        Say(429, {"code": 106, "error": f"slow down {PERSON}"}, {"Retry-After": "7"}), errors.Throttled, "106", 7.0
    ),
    **{
        row: Row(Say(400, {"code": int(code), "error": f"{PERSON} refused"}), expected, code)
        for row, (code, expected) in GATEWAY_CODES.items()
    },
) | {
    "a refusal inside a success": Row(Say(200, {"code": 101, "error": PERSON}), errors.BadAddress, "101"),
    "a success without its reference": Row(Say(200, {"code": 0}), LOST),
}


def gateway_callback(secret: str = GATEWAY_SECRET) -> Callback:
    body = b'{"id": "gw-1", "state": "DELIVRD", "ref": "tok_EN-123"}'
    mac = "sha256=" + hmac.new(secret.encode(), f"{int(NOW.timestamp())}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-signature": mac, "x-timestamp": str(int(NOW.timestamp()))}
    return Callback("/v1/callbacks/lane", "", headers, body)


# --- Aliyun -----------------------------------------------------------------------------------------------------------

ALIYUN_CODES = {
    "bad_address": ("isv.MOBILE_NUMBER_ILLEGAL", 200, errors.BadAddress),
    "content_refused": ("isv.SMS_TEMPLATE_ILLEGAL", 200, errors.ContentRefused),
    "unsupported": ("isv.DOMESTIC_NUMBER_NOT_SUPPORTED", 200, errors.Unsupported),
    "misconfigured": ("InvalidAccessKeyId.NotFound", 404, errors.Misconfigured),
    "unavailable": ("Throttling.User", 503, errors.Throttled),
    "unlisted": ("isv.BRAND_NEW", 200, errors.Rejected),
    "a code for what it may have done": ("isp.SYSTEM_ERROR", 200, LOST),
    "a request that came twice": ("SignatureNonceUsed", 400, LOST),
}


def aliyun_said(code: str, **fields: Any) -> dict[str, Any]:
    return {"Code": code, "Message": f"{PERSON} Ana", "RequestId": "3A4B", **fields}


ALIYUN_ROWS = http(
    Say(200, aliyun_said("OK", BizId="9006^0")),
    throttled=Row(Say(429, aliyun_said("Throttling"), {"Retry-After": "7"}), errors.Throttled, "Throttling", 7.0),
    **{
        row: Row(Say(status, aliyun_said(code)), expected, code)
        for row, (code, status, expected) in ALIYUN_CODES.items()
    },
) | {
    "a number that had enough": Row(
        Say(200, aliyun_said("isv.BUSINESS_LIMIT_CONTROL")), errors.Throttled, "isv.BUSINESS_LIMIT_CONTROL", 3600.0
    ),
    "a success without its reference": Row(Say(200, aliyun_said("OK")), LOST),
}


def aliyun_push(secret: str = ALIYUN["push_secret"]) -> Callback:
    body = (
        b'[{"phone_number": "12905550312", "send_time": "2026-11-22 23:00:00", "report_time": "2026-11-22 23:00:05", '
        b'"success": true, "err_code": "DELIVERED", "err_msg": "", "sms_size": "1", "biz_id": "9006^0", '
        b'"out_id": "tok_EN-123"}]'
    )
    return Callback(f"/v1/callbacks/lane/{secret}", "", {"content-type": "application/json"}, body)


LANES: dict[str, Lane] = {
    "twilio sms": twilio("twilio_sms", TEXT, message(), MessageSid="SM" + "c" * 32, MessageStatus="delivered"),
    "twilio whatsapp": replace(
        twilio("twilio_whatsapp", TEXT, message(), MessageSid="SM" + "c" * 32, MessageStatus="read"),
        address=f"whatsapp:{PERSON}",
        more={"in_thread": True},
    ),
    "twilio voice": twilio("twilio_voice", CALL, call(), CallSid="CA" + "d" * 32, CallStatus="completed"),
    "twilio ivr": twilio("twilio_ivr", CALL, call(), CallSid="CA" + "d" * 32, CallStatus="completed"),
    "smtp": Lane(
        adapter="smtp",
        content=MAIL,
        config=lambda port, options: smtp_config(int(port), **options),
        rows=SMTP_ROWS,
        genuine=posted_mail,
        stranger=lambda: posted_mail("guess"),
        proof="x-outreach-signature",
        address=ANA,
    ),
    "http gateway": Lane(
        adapter="http_gateway",
        content=TEXT,
        config=lambda url, options: gateway_config("lane", url, **options),
        rows=GATEWAY_ROWS,
        genuine=gateway_callback,
        stranger=lambda: gateway_callback("guess"),
        proof="x-signature",
    ),
    "aliyun": Lane(
        adapter="aliyun_sms",
        content=TEXT,
        config=lambda url, options: aliyun_config("lane", url, **options),
        rows=ALIYUN_ROWS,
        genuine=aliyun_push,
        stranger=lambda: aliyun_push("guess-guess-guess-guess"),
        proof="path",
        covers=frozenset({"path"}),
        address=CHINA_PERSON,
        more={"template": APPROVED},
    ),
}
"""Every adapter of the registry; a test holds that none is left out."""

ALWAYS = frozenset(
    {
        "accepted", "hang", "reset before the request was read", "reset after the request was read", "5xx",
        "HTML instead of an answer", "bad_address", "content_refused", "misconfigured", "throttled", "unavailable",
        "unlisted",
    }
)  # fmt: skip
"""Rows that no adapter may leave out."""


def forgeries(lane: Lane) -> dict[str, Callback]:
    """Callbacks that are not provably the provider's."""
    good = lane.genuine()
    headers = dict(good.headers)
    bare = {name: value for name, value in headers.items() if name != lane.proof}
    found = {
        "foreign secret": lane.stranger(),
        "no proof": replace(good, headers=bare, path=_without_proof(good.path, lane)),
        "empty proof": replace(good, headers=bare | {lane.proof: ""}, path=_without_proof(good.path, lane)),
        "random proof": replace(
            good,
            headers=bare | {lane.proof: base64.b64encode(b"x" * 20).decode()},
            path=_without_proof(good.path, lane) + "/xx",
        ),
        "nothing at all": Callback("/v1/callbacks/lane", "", {}, b""),
    }
    if "body" in lane.covers:
        found |= {
            "another body": replace(good, body=good.body.replace(b"e", b"f", 1)),
            "a longer body": replace(good, body=good.body + b" "),
            "not UTF-8": replace(good, body=b"\xff\xfe"),
        }
    if "query" in lane.covers:
        found["another attempt's token"] = replace(good, query="t=tok-2")
    if "path" in lane.covers:
        found["another path"] = replace(good, path="/v1/callbacks/other")
    return found


def _without_proof(path: str, lane: Lane) -> str:
    return path.rpartition("/")[0] if lane.proof == "path" else path
