"""Adapters pointed at local peers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from peers import ACCOUNT, AUTH_TOKEN, PERSON, PUBLIC_URL, SENDER

from channels.contract import Call, ChannelConfig, Content, Mail, Outbound, Template, Text

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def twilio_config(name: str, base_url: str, **options: object) -> ChannelConfig:
    base = {
        "account_sid": ACCOUNT, "auth_token": AUTH_TOKEN, "base_url": base_url, "sender": SENDER,
        "connect_seconds": 2.0, "total_seconds": 5.0,
    }  # fmt: skip
    return ChannelConfig(name, "test", PUBLIC_URL, base | options)


def smtp_config(port: int, **options: object) -> ChannelConfig:
    base = {
        "host": "127.0.0.1", "port": port, "tls": "none", "from_address": "pay@mail.example.com",
        "from_name": "Example Bank", "reply_to": "reply@mail.example.com", "bounce_to": "bounce@mail.example.com",
        "command_seconds": 5.0, "final_reply_seconds": 5.0, "inbound_secret": "s3cret",
    }  # fmt: skip
    return ChannelConfig("email", "test", PUBLIC_URL, base | options)


GATEWAY: dict[str, Any] = {
    "sender": SENDER,
    "secrets": {"api": "s3cret-api", "callback": "s3cret-callback"},
    "request": {
        "url": "/v1/messages",
        "fields": {
            "to": "{digits}", "from": "{sender}", "text": "{body}", "ttl": "{validity_seconds}",
            "client": {"id": "{attempt_id}", "callback": "{callback_url}"},
        },
    },
    "auth": {"kind": "bearer", "secret": "api"},
    "answer": {
        "success": {"pointer": "/code", "equals": ["0"]}, "reference": "/id", "segments": "/parts", "code": "/code",
        "codes": {
            "101": "bad_address", "102": "opted_out", "103": "content_refused", "104": "unsupported",
            "105": "misconfigured", "106": "throttled", "107": "unavailable",
        },
    },
    "callbacks": {
        "signature": {
            "kind": "hmac", "header": "X-Signature", "secrets": ["callback"], "prefix": "sha256=",
            "over": "{timestamp}.{payload}", "timestamp_header": "X-Timestamp",
        },
        "receipt": {
            "token": "/ref", "reference": "/id", "status": "/state", "code": "/error",
            "statuses": {"DELIVRD": "delivered", "UNDELIV": "undelivered", "ENROUTE": "sent"},
            "codes": {"1": "bad_address"},
        },
        "reply": {
            "when": {"pointer": "/kind", "equals": "mo"}, "reference": "/id", "address": "/from", "text": "/text",
            "to": "/to",
        },
    },
}  # fmt: skip
"""A gateway as its block would describe it; ``url`` gets the peer's address before it."""


def gateway_config(name: str, base_url: str, **options: Any) -> ChannelConfig:
    merged = GATEWAY | {"connect_seconds": 2.0, "total_seconds": 5.0} | options
    merged["request"] = merged["request"] | {"url": base_url + merged["request"]["url"]}
    return ChannelConfig(name, "test", PUBLIC_URL, merged)


CHINA_PERSON = "+8612905550312"
"""129 is not handed out: the mainland has no range for examples."""
APPROVED = Template(
    "pre_due", "zh", {"borrower.given_name": "Ana", "case.amount_due": "¥120.00 ~*/+", "case.due_on": "2026年11月25日"}
)
ALIYUN: dict[str, Any] = {
    "access_key_id": "LTAI-example", "access_key_secret": "s3cret-aliyun", "sign_name": "示例银行",
    "push_secret": "s3cret-push-0123456789", "sms_up_extend_code": "12",
    "templates": {
        "pre_due": {
            "zh": {"code": "SMS_1000001", "parameters": {"name": "borrower.given_name", "amount": "case.amount_due"}},
        },
        "due_today": {"zh": {"code": "SMS_1000002"}},
        "broken_promise": {"zh": {"code": "SMS_1000003", "parameters": {"day": "promise.due_on"}}},
    },
}  # fmt: skip


def aliyun_config(name: str, base_url: str, **options: Any) -> ChannelConfig:
    base = ALIYUN | {"base_url": base_url, "connect_seconds": 2.0, "total_seconds": 5.0}
    return ChannelConfig(name, "test", PUBLIC_URL, base | options)


def outbound(content: Content, address: str = PERSON, **fields: Any) -> Outbound:
    base: dict[str, Any] = {"attempt_id": "0190-att-1", "token": "tok_EN-123", "validity": timedelta(hours=2)}
    return Outbound(address=address, content=content, **(base | fields))


TEXT = Text("Hello Ana, your payment of $120.00 is due. ref 8F3K")
MAIL = Mail("Your payment is due", "Hello Ana,\nyour payment is due.\n", "<p>Hello Ana</p>", reply_token="rt-9")
CALL = Call(ring_seconds=20)
