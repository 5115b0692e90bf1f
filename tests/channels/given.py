"""Adapters pointed at local peers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from peers import ACCOUNT, AUTH_TOKEN, PERSON, PUBLIC_URL, SENDER

from channels.contract import Call, ChannelConfig, Content, Mail, Outbound, Text

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


def outbound(content: Content, address: str = PERSON, **fields: Any) -> Outbound:
    base: dict[str, Any] = {"attempt_id": "0190-att-1", "token": "tok_EN-123", "validity": timedelta(hours=2)}
    return Outbound(address=address, content=content, **(base | fields))


TEXT = Text("Hello Ana, your payment of $120.00 is due. ref 8F3K")
MAIL = Mail("Your payment is due", "Hello Ana,\nyour payment is due.\n", "<p>Hello Ana</p>", reply_token="rt-9")
CALL = Call(ring_seconds=20)
