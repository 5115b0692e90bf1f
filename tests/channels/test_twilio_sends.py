"""What Twilio's adapters put on the wire, and what its codes become. How they fail is in conformance/."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from given import CALL, TEXT, outbound, twilio_config
from peers import (
    ACCOUNT,
    PERSON,
    PUBLIC_URL,
    SENDER,
    Provider,
    Say,
    call,
    closed_port,
    message,
    refused,
)

from channels import errors
from channels.contract import Content, Outbound, Text
from channels.ivr.twilio import TwilioIvr
from channels.sms.twilio import TwilioSms
from channels.voice.twilio import TwilioVoice

Made = Callable[..., Any]


@dataclass(frozen=True)
class Lane:
    """One adapter under test, with a content it carries and what its provider answers."""

    adapter: Made
    content: Content
    resource: Made
    path: str


LANES = {
    "sms": Lane(TwilioSms, TEXT, message, "Messages"),
    "voice": Lane(TwilioVoice, CALL, call, "Calls"),
    "ivr": Lane(TwilioIvr, CALL, call, "Calls"),
}
every_adapter = pytest.mark.parametrize("lane", LANES.values(), ids=LANES.keys())


def run(work: Callable[[Provider], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Provider() as provider:
            await work(provider)

    asyncio.run(main())


async def failure(adapter: Made, base_url: str, what: Outbound, **options: object) -> errors.SendError:
    channel = adapter(twilio_config("lane", base_url, **options))
    try:
        with pytest.raises(errors.SendError) as caught:
            await channel.send(what)
        return caught.value
    finally:
        await channel.close()


@every_adapter
def test_an_accepted_send_is_one_signed_in_post_with_our_callback(lane: Lane) -> None:
    async def work(provider: Provider) -> None:
        provider.default = Say(201, lane.resource())
        channel = lane.adapter(twilio_config("lane", provider.url))
        accepted = await channel.send(outbound(lane.content))
        await channel.close()
        assert accepted.provider_ref == lane.resource()["sid"]
        assert accepted.status == "queued"
        (seen,) = provider.seen
        assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/{lane.path}.json")
        assert (seen.one("To"), seen.one("From")) == (PERSON, SENDER)
        assert seen.one("StatusCallback") == f"{PUBLIC_URL}/v1/callbacks/lane?t=tok_EN-123#rp=all"
        assert seen.headers["authorization"].startswith("Basic ")
        assert seen.headers["content-type"] == "application/x-www-form-urlencoded"

    run(work)


CODES: list[Any] = [
    (21610, 400, errors.OptedOut), (21211, 400, errors.BadAddress), (21614, 400, errors.BadAddress),
    (21214, 400, errors.BadAddress), (21217, 400, errors.BadAddress), (30006, 400, errors.BadAddress),
    (30007, 400, errors.ContentRefused), (21617, 400, errors.ContentRefused), (21408, 400, errors.Unsupported),
    (21612, 400, errors.Unsupported), (20003, 401, errors.Misconfigured), (21606, 400, errors.Misconfigured),
    (30034, 400, errors.Misconfigured), (20404, 404, errors.Misconfigured), (21611, 400, errors.Throttled),
    (22005, 400, errors.Throttled), (63038, 400, errors.Throttled), (30410, 400, errors.OutcomeUnknown),
    (29999, 400, errors.Rejected), (29999, 403, errors.Misconfigured),
]  # fmt: skip


@every_adapter
@pytest.mark.parametrize(("code", "status", "expected"), CODES)
def test_each_refusal_is_classed_by_its_code(
    lane: Lane, code: int, status: int, expected: type[errors.SendError]
) -> None:
    async def work(provider: Provider) -> None:
        provider.default = Say(status, refused(code))
        error = await failure(lane.adapter, provider.url, outbound(lane.content))
        assert type(error) is expected
        assert error.provider_code == str(code)

    run(work)


@every_adapter
@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 30 ", 30.0), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("٣", None)],
)
def test_a_throttled_send_keeps_retry_after(lane: Lane, header: str | None, seconds: float | None) -> None:
    async def work(provider: Provider) -> None:
        provider.default = Say(429, refused(20429), {"Retry-After": header} if header and header.isascii() else {})
        error = await failure(lane.adapter, provider.url, outbound(lane.content))
        assert type(error) is errors.Throttled
        assert (error.retry_after, error.provider_code) == (seconds, "20429")
        assert len(provider.seen) == 1

    run(work)


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:15 GMT", 45.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:01 GMT", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "yesterday", None),
        ("soon", "Wed, 21 Oct 2026 07:28:01 GMT", None),
    ],
)
def test_a_date_to_retry_after_is_read_against_the_answers_own_date(
    said: str, date: str, seconds: float | None
) -> None:
    async def work(provider: Provider) -> None:
        provider.default = Say(429, refused(20429), {"Retry-After": said, "Date": date})
        error = await failure(TwilioSms, provider.url, outbound(TEXT))
        assert error.retry_after == seconds

    run(work)


@pytest.mark.parametrize(("left", "asked"), [(7200.9, "7200"), (360_000, "36000"), (5, "5")])
def test_a_text_is_valid_for_the_rest_of_the_window_only(left: float, asked: str) -> None:
    async def work(provider: Provider) -> None:
        channel = TwilioSms(twilio_config("sms", provider.url))
        await channel.send(outbound(TEXT, validity=timedelta(seconds=left)))
        await channel.close()
        assert provider.seen[0].one("ValidityPeriod") == asked

    run(work)


@pytest.mark.parametrize(
    ("adapter", "content", "left"),
    [(TwilioSms, TEXT, 4.9), (TwilioSms, TEXT, -3), (TwilioVoice, CALL, 19), (TwilioIvr, CALL, 0)],
)
def test_a_closing_window_is_not_sent(adapter: Made, content: Content, left: float) -> None:
    error = asyncio.run(
        failure(adapter, f"http://127.0.0.1:{closed_port()}", outbound(content, validity=timedelta(seconds=left)))
    )
    assert type(error) is errors.Unavailable
    assert "window closing" in error.detail


@pytest.mark.parametrize("body", ["", "  \n", "x" * 1601, "half \ud83d"])
def test_a_text_twilio_would_refuse_is_refused_here(body: str) -> None:
    error = asyncio.run(failure(TwilioSms, f"http://127.0.0.1:{closed_port()}", outbound(Text(body))))
    assert type(error) is errors.ContentRefused


def test_a_text_carries_its_words_exactly_and_its_cost_comes_back() -> None:
    words = "¡Hola Ana! 您好 100% + a&b=c; %20 \r\n— ref 8F3K 🙂"

    async def work(provider: Provider) -> None:
        provider.default = Say(201, message(num_segments="3", price="-0.00750"))
        channel = TwilioSms(twilio_config("sms", provider.url))
        accepted = await channel.send(outbound(Text(words)))
        await channel.close()
        assert provider.seen[0].one("Body") == words
        assert (accepted.segments, accepted.price_micros) == (3, 7500)

    run(work)


def test_a_messaging_service_takes_the_senders_place() -> None:
    service = "MG" + "b" * 32

    async def work(provider: Provider) -> None:
        provider.default = Say(201, message(num_segments="0", status="accepted"))
        channel = TwilioSms(twilio_config("sms", provider.url, sender=None, messaging_service_sid=service))
        accepted = await channel.send(outbound(TEXT))
        await channel.send(outbound(TEXT, sender="+12025550177"))
        await channel.close()
        assert provider.seen[0].one("MessagingServiceSid") == service
        assert "From" not in provider.seen[0].form
        assert provider.seen[1].one("From") == "+12025550177"
        assert (accepted.status, accepted.segments) == ("accepted", None)

    run(work)


def test_a_text_that_failed_at_once_is_a_refusal() -> None:
    async def work(provider: Provider) -> None:
        provider.default = Say(201, message(status="failed", error_code=30007))
        error = await failure(TwilioSms, provider.url, outbound(TEXT))
        assert (type(error), error.provider_code) == (errors.ContentRefused, "30007")

    run(work)


def test_a_call_asks_for_its_words_rings_briefly_and_reports_every_step() -> None:
    async def work(provider: Provider) -> None:
        provider.default = Say(201, call())
        channel = TwilioVoice(twilio_config("voice", provider.url))
        await channel.send(outbound(CALL))
        await channel.close()
        (seen,) = provider.seen
        assert seen.one("Url") == f"{PUBLIC_URL}/v1/calls/tok_EN-123"
        assert seen.form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
        assert (seen.one("Timeout"), seen.one("MachineDetection")) == ("20", "Enable")

    run(work)
