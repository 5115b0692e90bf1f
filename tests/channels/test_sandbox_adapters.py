"""The real adapters against the sandbox: what one side sends and signs, the other takes and believes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from sandbox_listener import Listener, Seen

from channels.contract import (
    Call,
    Callback,
    Channel,
    ChannelConfig,
    Interactive,
    LooksUp,
    LookupKey,
    Mail,
    Outbound,
    Prompt,
    ReceiptStatus,
    Reply,
    Text,
)
from channels.errors import BadSignature, OptedOut, OutcomeUnknown, Throttled
from channels.registry import make_channel
from channels.sandbox.client import Sandbox

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PERSON, SENDER, MAILBOX = "+12025550143", "+12025550100", "ana@borrower.test"
TOKEN = "tok3nA-bcdefghijklmnop"
T = TypeVar("T")


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture(scope="module")
def running(listener: Listener) -> Iterator[Sandbox]:
    script = {"patterns": [{"match": "*", "temperament": "silent"}]}
    with Sandbox(callback_base=listener.url, script=script, start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox, listener: Listener) -> Sandbox:
    running.client.reset()
    running.client.wait_idle()
    listener.clear()
    return running


def twilio(sandbox: Sandbox, listener: Listener, adapter: str) -> ChannelConfig:
    options = {"account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token, "base_url": sandbox.http_url}
    return ChannelConfig(adapter, adapter, listener.url, options | {"sender": SENDER})


def smtp(sandbox: Sandbox, listener: Listener) -> ChannelConfig:
    options = {
        "host": sandbox.smtp_host, "port": sandbox.smtp_port, "tls": "none", "from_address": "pay@mail.example.com",
        "from_name": "Example Bank", "reply_to": "reply@mail.example.com", "bounce_to": "bounce@mail.example.com",
        "inbound_secret": sandbox.inbound_secret,
    }  # fmt: skip
    return ChannelConfig("email", "smtp", listener.url, options)


def using(config: ChannelConfig, sandbox: Sandbox, work: Callable[[Any], Awaitable[T]]) -> T:
    async def run() -> T:
        channel: Channel = make_channel(config, lambda: sandbox.client.state().now)
        try:
            return await work(channel)
        finally:
            await channel.close()

    return asyncio.run(run())


def outbound(content: Any, address: str = PERSON) -> Outbound:
    return Outbound("0190-att-1", TOKEN, address, content, timedelta(hours=2))


def callback(seen: Seen) -> Callback:
    path, _, query = seen.path.partition("?")
    return Callback(path, query, seen.headers, seen.body)


async def read(channel: Channel, seen: list[Seen]) -> list[Any]:
    news = []
    for one in map(callback, seen):
        channel.verify(one)
        news += list(channel.parse(one))
    return news


def test_a_text_its_receipts_and_its_answer_go_all_the_way_round(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "paid", "delay_minutes": 3}})
    config = twilio(sandbox, listener, "twilio_sms")
    accepted = using(config, sandbox, lambda channel: channel.send(outbound(Text("Your payment is due."))))
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=5))
    sandbox.client.wait_idle()
    # Receipts keep their order among themselves; the answer is a subject of its own and may overtake them.
    news = using(config, sandbox, lambda channel: read(channel, listener.seen))
    sent, delivered, reply = sorted(news, key=lambda one: isinstance(one, Reply))
    assert (sent.status, delivered.status) == (ReceiptStatus.SENT, ReceiptStatus.DELIVERED)
    assert (sent.token, delivered.provider_ref) == (TOKEN, accepted.provider_ref)
    assert (reply.address, reply.to) == (PERSON, SENDER)
    taken = next(entry for entry in sandbox.client.log() if entry["kind"] == "text_taken")
    assert (taken["token"], taken["ref"], taken["validity"]) == (TOKEN, accepted.provider_ref, 7200)


def test_a_forged_callback_is_not_believed(sandbox: Sandbox, listener: Listener) -> None:
    config = twilio(sandbox, listener, "twilio_sms")
    using(config, sandbox, lambda channel: channel.send(outbound(Text("Your payment is due."))))
    sandbox.client.wait_idle()
    seen = listener.wait_for(1)[0]
    forged = Seen(seen.path, seen.url, seen.headers, seen.body.replace(b"sent", b"read"))
    with pytest.raises(BadSignature):
        using(config, sandbox, lambda channel: read(channel, [forged]))


@pytest.mark.parametrize("fault", ["reset_after_accept_next", "http_500_after_accept_next", "html_next"])
def test_a_text_whose_answer_was_lost_is_unknown_and_then_found(
    sandbox: Sandbox, listener: Listener, fault: str
) -> None:
    config = twilio(sandbox, listener, "twilio_sms")
    sandbox.client.faults(**{fault: 1})
    with pytest.raises(OutcomeUnknown):
        using(config, sandbox, lambda channel: channel.send(outbound(Text("Your payment is due. ref 8F3K"))))
    started = sandbox.client.state().now.timestamp()
    key = LookupKey("0190-att-1", TOKEN, PERSON, "Your payment is due. ref 8F3K", started)

    async def look_up(channel: LooksUp) -> Any:
        return await channel.look_up(key)

    found = using(config, sandbox, look_up)
    taken = [entry["ref"] for entry in sandbox.client.log() if entry["kind"] == "text_taken"]
    assert [found.provider_ref] == taken


def test_refusals_arrive_as_our_errors(sandbox: Sandbox, listener: Listener) -> None:
    config = twilio(sandbox, listener, "twilio_sms")
    sandbox.client.faults(http_429_next=1)
    with pytest.raises(Throttled):
        using(config, sandbox, lambda channel: channel.send(outbound(Text("Hello"))))
    sandbox.client.say(PERSON, SENDER, "STOP")
    with pytest.raises(OptedOut):
        using(config, sandbox, lambda channel: channel.send(outbound(Text("Hello"))))


def test_a_mail_bounces_back_to_its_attempt(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({MAILBOX: "bounce"})
    config = smtp(sandbox, listener)
    mail = Mail("Your payment is due", "Hello Ana\n", "<p>Hello Ana</p>", reply_token="rt9")
    accepted = using(config, sandbox, lambda channel: channel.send(outbound(mail, MAILBOX)))
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=5))
    sandbox.client.wait_idle()
    (receipt,) = using(config, sandbox, lambda channel: read(channel, listener.seen))
    assert receipt.status in {ReceiptStatus.FAILED, ReceiptStatus.UNDELIVERED}
    assert receipt.token == "rt9"
    taken = next(entry for entry in sandbox.client.log() if entry["kind"] == "mail_taken")
    assert taken["message_id"].strip("<>") == accepted.provider_ref


def test_a_person_answers_a_mail_with_its_token(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({MAILBOX: {"temperament": "promise", "delay_minutes": 3}})
    config = smtp(sandbox, listener)
    mail = Mail("Your payment is due", "Hello Ana\n", reply_token="rt9")
    using(config, sandbox, lambda channel: channel.send(outbound(mail, MAILBOX)))
    sandbox.client.set_clock(sandbox.client.state().now + timedelta(minutes=5))
    sandbox.client.wait_idle()
    (reply,) = using(config, sandbox, lambda channel: read(channel, listener.seen))
    assert (reply.address, reply.token) == (MAILBOX, "rt9")


def test_a_call_is_walked_through_the_adapters_own_words(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.client.profile({PERSON: {"temperament": "installments", "birth_year": 1984}})
    config = twilio(sandbox, listener, "twilio_ivr")
    ask = Prompt("Enter the year you were born.", "en-US", gather=True, digits=4, action=f"/v1/calls/{TOKEN}/id")
    menu = Prompt("For a plan, press 2.", "en-US", gather=True, action=f"/v1/calls/{TOKEN}/menu")
    prompts = {"": ask, "/id": menu, "/menu": Prompt("Thank you.", "en-US")}

    async def place(channel: Interactive) -> Any:
        def answers(seen: Seen) -> tuple[int, bytes]:
            _, _, turn = seen.path.partition(f"/v1/calls/{TOKEN}")
            return (200, channel.answer(prompts[turn]).body) if seen.path.startswith("/v1/calls/") else (204, b"")

        listener.answers = answers
        accepted = await channel.send(outbound(Call()))  # type: ignore[attr-defined] - a channel with both
        await asyncio.get_running_loop().run_in_executor(None, sandbox.client.wait_idle)
        return accepted, await read(channel, listener.seen)  # type: ignore[arg-type] - as above

    accepted, news = using(config, sandbox, place)
    end = next(entry for entry in sandbox.client.log() if entry["kind"] == "call_ended")
    assert (end["digits"], end["said"][-1], end["token"]) == (["1984", "2"], "Thank you.", TOKEN)
    assert news[-1].status == ReceiptStatus.COMPLETED
    assert {one.provider_ref for one in news} == {accepted.provider_ref}
