"""WhatsApp by Twilio: what goes over the wire, what is refused before it does, and what the sandbox makes of it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from given import NOW, TEXT, outbound, twilio_config
from peers import PERSON, PUBLIC_URL, SENDER, Provider, Say, message
from sandbox_listener import Listener, twilio_client

from channels.contract import Callback, ChannelConfig, LookupKey, Outbound, ReceiptStatus, Reply, SenderConfig, Template
from channels.errors import ContentRefused, NoTemplate, SendError, Unsupported
from channels.registry import make_channel
from channels.sandbox.client import Sandbox
from channels.sms.twilio import TwilioSms
from channels.sms.whatsapp import TwilioWhatsApp

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SID = "HX" + "c" * 32
TEMPLATES = {
    "pre_due": {
        "en-US": {"content_sid": SID, "variables": {"1": "borrower.given_name", "2": "case.amount_due"}},
        "es": {"variables": {"1": "borrower.given_name"}},
        "zh": {"content_sid": SID, "variables": {"1": "promise.due_on"}},
    }
}
VALUES = {"borrower.given_name": "Ana\nMaría", "case.amount_due": "$120.00"}
TO = f"whatsapp:{PERSON}"


def filled(locale: str = "en-US", name: str = "pre_due", **values: str) -> Template:
    return Template(name, locale, VALUES | values)


def sent(what: Outbound, adapter: Any = TwilioWhatsApp, **options: object) -> tuple[SendError | None, list[Any]]:
    """Send to a provider that takes everything; returns the refusal and the requests that reached it."""

    async def main() -> tuple[SendError | None, list[Any]]:
        async with Provider() as provider:
            provider.default = Say(201, message())
            more = {"templates": TEMPLATES} if adapter is TwilioWhatsApp else {}
            channel = adapter(twilio_config("sms/whatsapp", provider.url, **(more | options)))
            try:
                await channel.send(what)
            except SendError as error:
                return error, provider.seen
            finally:
                await channel.close()
            return None, provider.seen

    return asyncio.run(main())


def test_outside_the_thread_an_approved_template_leaves_and_none_of_our_words() -> None:
    refused, (seen,) = sent(outbound(TEXT, TO, template=filled()))
    assert refused is None
    assert (seen.one("To"), seen.one("From")) == (TO, f"whatsapp:{SENDER}")
    assert seen.one("ContentSid") == SID
    assert json.loads(seen.one("ContentVariables")) == {"1": "Ana María", "2": "$120.00"}
    assert "Body" not in seen.form
    assert seen.one("StatusCallback").startswith(f"{PUBLIC_URL}/v1/callbacks/sms/whatsapp?t=tok_EN-123")


def test_within_the_thread_our_own_words_leave_and_no_template() -> None:
    refused, (seen,) = sent(outbound(TEXT, TO, template=filled(), in_thread=True))
    assert refused is None
    assert seen.one("Body") == TEXT.body
    assert not {"ContentSid", "ContentVariables"} & set(seen.form)


@pytest.mark.parametrize(
    ("template", "kind", "words"),
    [
        (None, NoTemplate, "no template"),
        (filled(name="due_today"), NoTemplate, "due_today in en-US"),
        (filled("es"), NoTemplate, "content_sid) for pre_due in es"),  # known, and not approved yet
        (filled("en-GB"), NoTemplate, "pre_due in en-GB"),
        (filled("zh"), Unsupported, "promise.due_on"),
        (filled(**{"case.amount_due": " "}), ContentRefused, "without a value"),
    ],
)
def test_without_an_approved_template_nothing_leaves_and_it_says_which(
    template: Template | None, kind: type[SendError], words: str
) -> None:
    refused, seen = sent(outbound(TEXT, TO, template=template))
    assert seen == []
    assert type(refused) is kind
    assert words in str(refused)


def test_a_text_never_leaves_by_whatsapp_nor_whatsapp_as_a_text() -> None:
    assert [type(each) for each in (sent(outbound(TEXT, PERSON, in_thread=True))[0],)] == [Unsupported]
    refused, seen = sent(outbound(TEXT, TO, in_thread=True), TwilioSms)
    assert (type(refused), seen) == (Unsupported, [])


def routed(url: str, *kinds: str) -> Any:
    """Return the channel of texts with a sender of each kind."""
    senders = tuple(
        SenderConfig(
            ChannelConfig(
                f"sms/{kind}", kind, PUBLIC_URL,
                twilio_config(kind, url, **({"templates": TEMPLATES} if "whats" in kind else {})).options,
            )
        )
        for kind in kinds
    )  # fmt: skip
    return make_channel(ChannelConfig("sms", "", PUBLIC_URL, {}, senders), lambda: NOW)


def test_the_router_keeps_the_two_apart_and_looks_in_both() -> None:
    async def main() -> None:
        async with Provider() as provider:
            provider.default = Say(201, message())
            both = routed(provider.url, "twilio_sms", "twilio_whatsapp")
            for address, named in ((PERSON, "twilio_sms"), (TO, "twilio_whatsapp")):
                taken = await both.send(outbound(TEXT, address, template=filled()))
                assert taken.provider_ref.startswith(f"{named}:")
            assert [seen.one("To") for seen in provider.seen] == [PERSON, TO]
            provider.default = Say(200, {"messages": [], "next_page_uri": None, "page": 0, "page_size": 50})
            assert await both.look_up(LookupKey("x", "x", PERSON, "words", START.timestamp())) is None
            asked = [seen.query for seen in provider.seen[2:]]
            assert ["whatsapp" in str(each) for each in asked] == [False, True]
            await both.close()
            texts = routed(provider.url, "twilio_sms")
            with pytest.raises(Unsupported, match="no sender serves"):
                await texts.send(outbound(TEXT, TO, template=filled(), in_thread=True))
            await texts.close()

    asyncio.run(main())


@pytest.mark.parametrize("adapter", [TwilioSms, TwilioWhatsApp])
def test_words_by_whatsapp_are_the_numbers_own_and_no_keyword_is_twilios(adapter: Any) -> None:
    async def main() -> None:
        channel = adapter(twilio_config("sms", "http://127.0.0.1:9"))
        body = f"MessageSid=SM1&SmsStatus=received&From=whatsapp%3A%2B{PERSON[1:]}&To=whatsapp%3A%2B1&Body=STOP"
        (reply,) = channel.parse(Callback("/v1/callbacks/sms", "", {}, body.encode()))
        assert isinstance(reply, Reply)
        assert (reply.address, reply.by_whatsapp, reply.provider_keyword) == (PERSON, True, None)
        read = Callback("/v1/callbacks/sms", "t=tok", {}, b"MessageSid=SM1&MessageStatus=read")
        assert [each.status for each in channel.parse(read)] == [ReceiptStatus.READ]
        await channel.close()

    asyncio.run(main())


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Sandbox, Listener]]:
    script = {"numbers": [SENDER], "patterns": [{"match": "*", "temperament": "silent"}]}
    with Listener() as listener, Sandbox(callback_base=listener.url, script=script, start=START) as sandbox:
        yield sandbox, listener


def test_the_sandbox_reads_templates_and_refuses_free_words_outside_the_day(world: tuple[Sandbox, Listener]) -> None:
    sandbox, _ = world
    client, now = twilio_client(sandbox), START

    def fate(**content: str) -> tuple[str, int | None]:
        made = client.messages.create(to=TO, from_=f"whatsapp:{SENDER}", **content)
        nonlocal now
        now += timedelta(minutes=5)
        sandbox.client.set_clock(now)
        found = client.messages(made.sid).fetch()
        return found.status, found.error_code

    assert fate(body="Hello") == ("failed", 63016)
    assert fate(content_sid=SID, content_variables='{"1":"Ana"}') == ("read", None)
    sandbox.client.say(TO, f"whatsapp:{SENDER}", "Hi")
    assert fate(body="Hello") == ("read", None)
    now += timedelta(hours=24)
    sandbox.client.set_clock(now)
    assert fate(body="Hello") == ("failed", 63016)
