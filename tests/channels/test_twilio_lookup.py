"""Finding what became of an attempt whose answer was lost, and taking back a call."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from given import TEXT, outbound, twilio_config
from peers import PERSON, Hang, Provider, ResetAfter, Say, call, listing, message, patience, refused

from channels import errors
from channels.codes import codes_of
from channels.contract import Cancels, Found, Interactive, LooksUp, LookupKey, ReceiptStatus
from channels.ivr.twilio import TwilioIvr
from channels.sms.twilio import TwilioSms
from channels.voice.twilio import TwilioVoice

STARTED = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
WORDS = "Hello Ana. ref 8F3K"
KEY = LookupKey("0190-att-1", "tok", PERSON, WORDS, STARTED.timestamp())


def after(seconds: float) -> str:
    return format_datetime(STARTED + timedelta(seconds=seconds))


def looked_up(adapter: Any, answer: Any, key: LookupKey = KEY) -> tuple[Found | None, Provider]:
    async def main() -> tuple[Found | None, Provider]:
        async with Provider() as provider:
            provider.default = answer
            channel = adapter(twilio_config("lane", provider.url, **patience(answer)))
            try:
                return await channel.look_up(key), provider
            finally:
                await channel.close()

    return asyncio.run(main())


def texts(*records: dict[str, Any]) -> Say:
    return Say(200, listing("messages", *records))


def test_the_text_with_the_same_words_created_since_is_the_attempt() -> None:
    found, provider = looked_up(
        TwilioSms,
        texts(
            message(sid="SMother", body="Hello Ana. ref 9999", date_created=after(1)),
            message(
                sid="SMmine",
                body=WORDS,
                date_created=after(2),
                status="delivered",
                date_sent=None,
                num_segments="2",
                price="-0.0158",
                price_unit="usd",
            ),
        ),
    )
    assert found == Found("SMmine", ReceiptStatus.DELIVERED, segments=2, price_micros=15_800, currency="USD")
    (seen,) = provider.seen
    assert (seen.method, seen.query["To"]) == ("GET", [PERSON])
    assert not any("Date" in name for name in seen.query)


@pytest.mark.parametrize(
    "record",
    [
        message(body=WORDS + " ", date_created=after(1)),
        message(body=WORDS, date_created=after(-3600)),
        message(body=WORDS, date_created=None),
        message(body=WORDS, date_created=after(1), direction="inbound"),
        message(body=None, date_created=after(1)),
    ],
)
def test_a_text_that_may_be_another_is_not_taken_for_it(record: dict[str, Any]) -> None:
    assert looked_up(TwilioSms, texts(record))[0] is None


def test_of_two_the_first_created_is_the_attempt_and_its_failure_code_comes_along() -> None:
    found, _ = looked_up(
        TwilioSms,
        texts(
            message(sid="SMlater", body=WORDS, date_created=after(90)),
            message(sid="SMfirst", body=WORDS, date_created=after(1), status="undelivered", error_code=30005),
        ),
    )
    assert found == Found(
        "SMfirst",
        ReceiptStatus.UNDELIVERED,
        "30005",
        error_class="bad_address",
        decided_by=codes_of("twilio").decided_by,
        segments=1,
    )


@pytest.mark.parametrize("adapter", [TwilioSms, TwilioVoice, TwilioIvr])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Say(429, refused(20429)), errors.Throttled), (Say(401, refused(20003)), errors.Misconfigured),
        (Say(500, "oops"), errors.OutcomeUnknown), (Hang(), errors.OutcomeUnknown),
        (ResetAfter(), errors.OutcomeUnknown),
        (Say(200, "<html>"), errors.OutcomeUnknown), (Say(200, {"page": 0}), errors.OutcomeUnknown),
    ],
)  # fmt: skip
def test_a_look_up_that_cannot_be_made_is_not_an_absence(adapter: Any, answer: Any, expected: Any) -> None:
    with pytest.raises(expected) as caught:
        looked_up(adapter, answer)
    assert PERSON not in str(caught.value)


@pytest.mark.parametrize("adapter", [TwilioVoice, TwilioIvr])
def test_the_first_call_since_the_attempt_began_is_the_attempt(adapter: Any) -> None:
    records = [
        call(sid="CAlater", date_created=after(600)),
        call(sid="CAmine", date_created=after(3), status="no-answer"),
        call(sid="CAbefore", date_created=after(-600)),
        call(sid="CAin", date_created=after(1), direction="inbound"),
    ]
    found, _ = looked_up(adapter, Say(200, listing("calls", *records)))
    assert found == Found("CAmine", ReceiptStatus.NO_ANSWER, None)
    assert looked_up(adapter, Say(200, listing("calls")))[0] is None


@pytest.mark.parametrize("adapter", [TwilioVoice, TwilioIvr])
@pytest.mark.parametrize(
    ("answer", "confirmed"),
    [
        (Say(200, call(status="canceled")), True),
        (Say(200, call(status="in-progress")), False),
        (Say(400, refused(21220)), False),
        (Say(404, refused(20404)), False),
    ],
)
def test_a_call_is_taken_back_only_when_the_provider_says_so(adapter: Any, answer: Any, confirmed: bool) -> None:
    async def main() -> None:
        async with Provider() as provider:
            provider.default = answer
            channel = adapter(twilio_config("lane", provider.url))
            assert await channel.cancel("CAmine") is confirmed
            await channel.close()
            (seen,) = provider.seen
            assert seen.path.endswith("/Calls/CAmine.json")
            assert seen.one("Status") == "canceled"

    asyncio.run(main())


def test_an_answer_lost_after_the_provider_took_it_is_found_and_never_sent_again() -> None:
    async def main() -> None:
        async with Provider() as provider:
            channel = TwilioSms(twilio_config("sms", provider.url))
            provider.script.append(ResetAfter())
            with pytest.raises(errors.OutcomeUnknown):
                await channel.send(outbound(TEXT))
            provider.default = texts(message(sid="SMmine", body=TEXT.body, date_created=after(1)))
            found = await channel.look_up(LookupKey("0190-att-1", "tok", PERSON, TEXT.body, STARTED.timestamp()))
            await channel.close()
            assert found is not None
            assert found.provider_ref == "SMmine"
            assert [seen.method for seen in provider.seen] == ["POST", "GET"]

    asyncio.run(main())


def test_extras_are_offered_as_the_capabilities_say() -> None:
    config = twilio_config("lane", "http://127.0.0.1:9")
    for channel in (TwilioSms(config), TwilioVoice(config), TwilioIvr(config)):
        named = {str(capability) for capability in channel.capabilities}
        assert isinstance(channel, LooksUp) == ("looks_up" in named)
        assert isinstance(channel, Cancels) == ("cancels" in named)
        assert isinstance(channel, Interactive) == ("interactive" in named)
