"""Aliyun and the plain gateway at the carrier, spoken to by the real adapters."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from given import CHINA_PERSON
from sandbox_listener import Listener, Seen

from channels.contract import (
    Accepted,
    Callback,
    ChannelConfig,
    LookupKey,
    Outbound,
    ReceiptStatus,
    Reply,
    SenderConfig,
    Template,
    Text,
)
from channels.errors import (
    BadAddress,
    BadSignature,
    ContentRefused,
    Misconfigured,
    OptedOut,
    OutcomeUnknown,
    Throttled,
)
from channels.registry import make_channel
from channels.sandbox import defaults
from channels.sandbox.client import Sandbox

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TOKEN = "tok3nA-bcdefghijklmnop"
PERSON, SENDER = "+12025550143", "+12025550100"
T = TypeVar("T")
TEMPLATE = Template("pre_due", "zh", {"borrower.given_name": "王", "case.amount_due": "¥120.00"})
SCRIPT = {
    "patterns": [{"match": "*", "temperament": "silent"}],
    "aliyun": {"signs": ["示例银行"], "templates": {"SMS_1": "${name}您好,本期应还${amount},拒收请回复R"}},
    "gateway": {"fields": {"text": "message", "id": "message_id"}},
}


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        running.answers = lambda _: (200, b"{}")
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    with Sandbox(callback_base=listener.url, script=SCRIPT, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    listener.answers = lambda _: (200, b"{}")
    return running


def aliyun(sandbox: Sandbox, listener: Listener, **changes: Any) -> ChannelConfig:
    mapped = {"code": "SMS_1", "parameters": {"name": "borrower.given_name", "amount": "case.amount_due"}}
    options = {
        "access_key_id": defaults.ALIYUN_KEY_ID, "access_key_secret": defaults.ALIYUN_KEY_SECRET,
        "push_secret": defaults.ALIYUN_PUSH_SECRET, "sign_name": "示例银行", "base_url": sandbox.http_url,
        "templates": {"pre_due": {"zh": mapped}},
    }  # fmt: skip
    return ChannelConfig("aliyun", "aliyun_sms", listener.url, options | changes)


def gateway(sandbox: Sandbox, listener: Listener, body: str = "json") -> ChannelConfig:
    url = f"{sandbox.http_url}/gateway/v1/messages"
    fields = {
        "to": "{digits}", "from": "{sender}", "message": "{body}", "client_id": "{attempt_id}",
        "callback": "{callback_url}", "ttl": "{validity_seconds}",
    }  # fmt: skip
    states = {"ENROUTE": "sent", "DELIVRD": "delivered", "UNDELIV": "undelivered", "REJECTD": "failed"}
    options = {
        "sender": SENDER,
        "secrets": {"key": defaults.GATEWAY_KEY, "signing": defaults.GATEWAY_SECRET},
        "auth": {"kind": "bearer", "secret": "key"},
        "request": {"method": "GET" if body == "query" else "POST", "url": url, "body": body, "fields": fields},
        "answer": {
            "success": {"pointer": "/code", "equals": 0}, "reference": "/message_id", "segments": "/parts",
            "code": "/code", "codes": {"101": "bad_address", "102": "opted_out", "103": "content_refused"},
        },
        "callbacks": {
            "signature": {
                "kind": "hmac", "header": "X-Signature", "prefix": "sha256=", "secrets": ["signing"],
                "over": "{timestamp}.{url}.{payload}", "timestamp_header": "X-Timestamp",
            },
            "receipt": {
                "token": {"query": "t"}, "reference": "/message_id", "status": "/state", "statuses": states,
                "code": "/error", "codes": {"30005": "bad_address"},
            },
            "reply": {
                "when": {"pointer": "/kind", "equals": "mo"}, "reference": "/id", "address": "/from", "text": "/text",
                "to": "/to",
            },
        },
        "look_up": {
            "url": url, "fields": {"client_id": "{attempt_id}"}, "items": "/found",
            "match": {"/client_id": "{attempt_id}", "/to": "{address}"}, "reference": "/message_id",
            "status": "/state", "statuses": states, "code": "/error",
        },
    }  # fmt: skip
    return ChannelConfig("gateway", "http_gateway", listener.url, options)


def using(config: ChannelConfig, sandbox: Sandbox, work: Callable[[Any], Awaitable[T]]) -> T:
    async def run() -> T:
        channel: Any = make_channel(config, lambda: sandbox.client.state().now)
        try:
            return await work(channel)
        finally:
            await channel.close()

    return asyncio.run(run())


def outbound(address: str, **changes: Any) -> Outbound:
    text = Outbound("0190-att-1", TOKEN, address, Text("Your payment is due. ref 8F3K"), timedelta(hours=2))
    return replace(text, **changes)


CHINA = outbound(CHINA_PERSON, template=TEMPLATE)


def read(channel: Any, seen: list[Seen], name: str) -> list[Any]:
    """Have the adapter read what came to its own address; a late repeat for another test's channel is not its own."""
    news = []
    for one in seen:
        path, _, query = one.path.partition("?")
        if not path.startswith(f"/v1/callbacks/{name}"):
            continue
        callback = Callback(path, query, one.headers, one.body)
        channel.verify(callback)
        news += list(channel.parse(callback))
    return news


def on(sandbox: Sandbox, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in sandbox.client.log() if entry["kind"] == kind]


def after(sandbox: Sandbox, minutes: int) -> None:
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=minutes))
    sandbox.client.wait_idle()


def test_an_approved_template_its_report_and_the_answer_go_all_the_way_round(
    sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.client.profile({CHINA_PERSON: {"temperament": "paid", "delay_minutes": 3, "says": "已还"}})
    config = aliyun(sandbox, listener)

    async def work(channel: Any) -> Any:
        accepted = await channel.send(CHINA)
        await asyncio.to_thread(after, sandbox, 5)
        return accepted, sorted(read(channel, listener.seen, "aliyun"), key=lambda each: isinstance(each, Reply))

    accepted, (report, reply) = using(config, sandbox, work)
    assert (report.status, report.token, report.provider_ref) == (
        ReceiptStatus.DELIVERED, TOKEN, accepted.provider_ref
    )  # fmt: skip
    assert (reply.address, reply.text) == (CHINA_PERSON, "已还")
    (taken,) = on(sandbox, "text_taken")
    assert (taken["body"], taken["token"]) == ("【示例银行】王您好,本期应还¥120.00,拒收请回复R", TOKEN)


@pytest.mark.parametrize(
    ("changes", "expected", "code"),
    [
        ({"access_key_secret": "guess"}, Misconfigured, "SignatureDoesNotMatch"),
        ({"access_key_id": "LTAI-nobody"}, Misconfigured, "InvalidAccessKeyId.NotFound"),
        ({"sign_name": "别家"}, Misconfigured, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"templates": {"pre_due": {"zh": {"code": "SMS_9"}}}}, ContentRefused, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"templates": {"pre_due": {"zh": {"code": "SMS_1"}}}}, ContentRefused, "isv.TEMPLATE_MISSING_PARAMETERS"),
    ],
)  # fmt: skip
def test_aliyuns_refusals_arrive_as_our_errors(
    sandbox: Sandbox, listener: Listener, changes: Any, expected: Any, code: str
) -> None:
    with pytest.raises(expected) as caught:
        using(aliyun(sandbox, listener, **changes), sandbox, lambda channel: channel.send(CHINA))
    assert caught.value.provider_code == code
    assert on(sandbox, "text_taken") == []


def test_a_number_that_had_enough_is_asked_again_later(sandbox: Sandbox, listener: Listener) -> None:
    async def work(channel: Any) -> None:
        for _ in range(50):
            await channel.send(CHINA)
        with pytest.raises(Throttled) as caught:
            await channel.send(CHINA)
        assert (caught.value.provider_code, caught.value.retry_after) == ("isv.BUSINESS_LIMIT_CONTROL", 3600.0)

    using(aliyun(sandbox, listener), sandbox, work)
    assert len(on(sandbox, "text_taken")) == 50


def test_what_the_carrier_could_not_deliver_is_told_with_its_reason(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({CHINA_PERSON: "fail:30007", PERSON: "fail:30005"})

    async def work(channel: Any) -> Any:
        await channel.send(CHINA if channel.name == "aliyun_sms" else outbound(PERSON))
        await asyncio.to_thread(after, sandbox, 1)
        name = "aliyun" if channel.name == "aliyun_sms" else "gateway"
        return read(channel, listener.seen, name)[-1]

    report = using(aliyun(sandbox, listener), sandbox, work)
    assert (report.status, report.provider_code, report.error_class) == (
        ReceiptStatus.UNDELIVERED, "CONTENT_KEYWORD", "content_refused"
    )  # fmt: skip
    listener.clear()
    news = using(gateway(sandbox, listener), sandbox, work)
    assert (news.status, news.provider_code, news.error_class) == (ReceiptStatus.UNDELIVERED, "30005", "bad_address")


@pytest.mark.parametrize("fault", ["reset_after_accept_next", "http_500_after_accept_next", "html_next"])
@pytest.mark.parametrize("made", [aliyun, gateway])
def test_a_text_whose_answer_was_lost_is_unknown_taken_once_and_then_found(
    sandbox: Sandbox, listener: Listener, made: Any, fault: str
) -> None:
    sandbox.client.faults(**{fault: 1})
    text = CHINA if made is aliyun else outbound(PERSON)

    async def work(channel: Any) -> Any:
        with pytest.raises(OutcomeUnknown):
            await channel.send(text)
        started = sandbox.client.state().now.timestamp()
        mine = LookupKey(text.attempt_id, TOKEN, text.address, "Your payment is due. ref 8F3K", started)
        other = replace(mine, attempt_id="0190-att-2", token="another")
        return await channel.look_up(mine), await channel.look_up(other)

    found, other = using(made(sandbox, listener), sandbox, work)
    assert found is not None
    assert other is None
    assert len(on(sandbox, "text_taken")) == 1


@pytest.mark.parametrize("body", ["json", "form", "query"])
def test_a_gateway_text_its_receipts_and_the_answer_go_all_the_way_round(
    sandbox: Sandbox, listener: Listener, body: str
) -> None:
    sandbox.client.profile({PERSON: {"temperament": "paid", "delay_minutes": 3}})

    async def work(channel: Any) -> Any:
        accepted = await channel.send(outbound(PERSON))
        await asyncio.to_thread(after, sandbox, 5)
        true = next(each for each in listener.seen if b"ENROUTE" in each.body)  # they may come in any order
        forged = replace(true, body=true.body.replace(b"ENROUTE", b"DELIVRD"))
        with pytest.raises(BadSignature):
            read(channel, [forged], "gateway")
        return accepted, sorted(read(channel, listener.seen, "gateway"), key=lambda each: isinstance(each, Reply))

    accepted, (sent, delivered, reply) = using(gateway(sandbox, listener, body), sandbox, work)
    assert (sent.status, delivered.status) == (ReceiptStatus.SENT, ReceiptStatus.DELIVERED)
    assert (sent.token, delivered.provider_ref, accepted.segments) == (TOKEN, accepted.provider_ref, 1)
    assert (reply.address, reply.to) == (PERSON, SENDER)
    (taken,) = on(sandbox, "text_taken")
    assert (taken["token"], taken["client_id"], taken["validity"]) == (TOKEN, "0190-att-1", 7200)


def test_the_gateways_refusals_arrive_as_our_errors(sandbox: Sandbox, listener: Listener) -> None:
    async def work(channel: Any) -> None:
        sandbox.client.faults(http_429_next=1)
        with pytest.raises(Throttled):
            await channel.send(outbound(PERSON))
        sandbox.client.profile({PERSON: "reject"})
        with pytest.raises(BadAddress):
            await channel.send(outbound(PERSON))
        sandbox.client.profile({PERSON: "silent"})
        sandbox.client.say(PERSON, SENDER, "STOP")
        with pytest.raises(OptedOut):
            await channel.send(outbound(PERSON))

    using(gateway(sandbox, listener), sandbox, work)


def test_a_report_is_pushed_until_it_is_answered_with_200(sandbox: Sandbox, listener: Listener) -> None:
    answers = iter([204, 204, 200])
    listener.answers = lambda _: (next(answers, 200), b"{}")

    async def work(channel: Any) -> Any:
        await channel.send(CHINA)
        await asyncio.to_thread(after, sandbox, 1)
        return read(channel, listener.seen, "aliyun")

    first, second, third = using(aliyun(sandbox, listener), sandbox, work)
    assert first.dedupe_key == second.dedupe_key == third.dedupe_key


def test_in_a_storm_of_faults_nobody_is_texted_twice_and_every_lost_answer_is_found(
    sandbox: Sandbox, listener: Listener
) -> None:
    """Two senders, every fault at random: the carrier's own log is the witness."""
    twilio = {
        "account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token, "base_url": sandbox.http_url,
        "sender": SENDER,
    }  # fmt: skip
    main = ChannelConfig("sms/main", "twilio_sms", listener.url, twilio)
    second = replace(gateway(sandbox, listener), name="sms/second")
    senders = (SenderConfig(main, {"weight": 1}), SenderConfig(second, {"weight": 1}))
    block = ChannelConfig("sms", "", listener.url, senders=senders, routing={"open_after": 50})
    faults = ("reset_after_accept_next", "http_500_after_accept_next", "html_next", "http_429_next",
              "reset_before_accept_next", "http_500_next")  # fmt: skip
    sandbox.client.faults(**dict.fromkeys(faults, 0.1))
    texts = [
        outbound(f"+1202555{n:04d}", attempt_id=f"0190-att-{n}", token=f"tok3nA-bcdefghijkl-{n:04d}",
                 content=Text(f"Your payment is due. ref {n:04d}"), person=f"p{n}")
        for n in range(240)
    ]  # fmt: skip

    async def work(channel: Any) -> tuple[list[Any], list[Any]]:
        ends = await asyncio.gather(*(channel.send(text) for text in texts), return_exceptions=True)
        await asyncio.to_thread(sandbox.client.faults, **dict.fromkeys(faults, 0))
        found = []
        for text, end in zip(texts, ends, strict=True):
            if isinstance(end, OutcomeUnknown):
                started = START.timestamp()
                key = LookupKey(text.attempt_id, text.token, text.address, text.content.body, started)
                found.append((text.token, await channel.look_up(key)))
        return ends, found

    ends, found = using(block, sandbox, work)
    taken = Counter(entry["token"] for entry in on(sandbox, "text_taken"))
    assert set(taken.values()) == {1}
    for text, end in zip(texts, ends, strict=True):
        assert isinstance(end, Accepted | OutcomeUnknown | Throttled)
        assert text.token in taken if isinstance(end, Accepted) else True
        assert text.token not in taken if isinstance(end, Throttled) else True
    assert {token for token, answer in found if answer is not None} == {token for token, _ in found if token in taken}
    assert {end.provider_ref.split(":")[0] for end in ends if isinstance(end, Accepted)} == {"main", "second"}
    assert sum(isinstance(end, OutcomeUnknown) for end in ends) > 20
