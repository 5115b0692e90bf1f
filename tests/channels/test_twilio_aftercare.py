"""Texts that are over, at Twilio: priced, redacted where configured, one request each, and never hammered."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from given import twilio_config
from peers import Provider, Say, call, message, refused

from channels.contract import Aftermath, LooksAfter
from channels.ivr.twilio import TwilioIvr
from channels.router import make_router
from channels.routing import Route, Rules
from channels.sms.twilio import TwilioSms

REF = "SM" + "a" * 32
PRICED = Say(200, message(status="delivered", num_segments="2", price="-0.01580", price_unit="USD"))
UNPRICED = Say(200, message(status="sent", price=None))
REDACTED = Say(200, message(status="delivered", body="", price="-0.00790"))


def looked_after(
    *answers: Say, refs: Sequence[str] = (REF,), adapter: Any = TwilioSms, **options: Any
) -> tuple[list[Aftermath], Provider]:
    async def main() -> tuple[list[Aftermath], Provider]:
        async with Provider() as provider:
            provider.default = answers[-1]
            provider.script.extend(answers[:-1])
            channel = adapter(twilio_config("lane", provider.url, **options))
            try:
                return list(await channel.look_after(refs)), provider
            finally:
                await channel.close()

    return asyncio.run(main())


def test_what_a_text_cost_is_read_from_its_record_and_nothing_is_changed() -> None:
    said, provider = looked_after(PRICED)
    assert said == [Aftermath(REF, complete=True, segments=2, price_micros=15_800, currency="USD")]
    (seen,) = provider.seen
    assert (seen.method, seen.path.rpartition("/")[2]) == ("GET", f"{REF}.json")


def test_a_price_that_is_not_there_yet_is_to_be_asked_for_again() -> None:
    said, _ = looked_after(UNPRICED)
    assert [(one.complete, one.price_micros, one.currency) for one in said] == [(False, None, None)]


def test_redaction_empties_the_body_and_reads_the_price_in_the_same_request() -> None:
    said, provider = looked_after(REDACTED, redact=True)
    assert said == [Aftermath(REF, True, 1, 7_900, "USD", words_off=True)]
    (seen,) = provider.seen
    assert (seen.method, seen.form) == ("POST", {"Body": [""]})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Say(400, refused(20009)), Aftermath(REF, complete=False, words_off=False)),
        (Say(404, refused(20404)), Aftermath(REF, complete=True, words_off=True)),
        (PRICED, Aftermath(REF, False, 2, 15_800, "USD", words_off=False)),  # taken, and the words are still there
    ],
)
def test_words_are_off_only_when_the_provider_shows_it(answer: Say, expected: Aftermath) -> None:
    assert looked_after(answer, redact=True)[0] == [expected]


def test_redaction_alone_does_not_wait_for_a_price() -> None:
    answer = Say(200, message(status="delivered", body="", price=None))
    assert looked_after(answer, redact=True, prices=False)[0][0].complete


@pytest.mark.parametrize("answer", [Say(429, refused(20429)), Say(401, refused(20003)), Say(503, "<html>")])
def test_trouble_ends_the_round_and_leaves_the_rest_for_the_next(answer: Say) -> None:
    said, provider = looked_after(answer, refs=[f"SM{n:032x}" for n in range(60)])
    assert said == []
    assert len(provider.seen) <= 8, "those under way at once, and no more"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (call(status="completed", price="-0.02800"), (True, 28_000, "USD")),
        (call(status="completed", price=None), (False, None, None)),
        (call(status="in-progress"), (False, None, None)),
        (call(status="no-answer"), (True, None, None)),
    ],
)
def test_what_a_call_cost_is_read_until_twilio_says_it_or_there_is_nothing_to_bill(
    record: dict[str, Any], expected: tuple[bool, int | None, str | None]
) -> None:
    (said,), provider = looked_after(Say(200, record), adapter=TwilioIvr)
    assert (said.complete, said.price_micros, said.currency) == expected
    assert said.words_off is None
    assert [seen.method for seen in provider.seen] == ["GET"]
    assert not TwilioIvr(twilio_config("ivr", "http://127.0.0.1:9", prices=False)).cares


@pytest.mark.parametrize(("options", "cares"), [({"prices": False}, False), ({}, True), ({"redact": True}, True)])
def test_a_sender_that_wants_neither_does_not_care(options: dict[str, Any], cares: bool) -> None:
    channel = TwilioSms(twilio_config("sms", "http://127.0.0.1:9", **options))
    assert isinstance(channel, LooksAfter)
    assert channel.cares is cares


def test_several_senders_are_each_asked_about_their_own() -> None:
    async def main() -> None:
        async with Provider() as one, Provider() as two:
            one.default, two.default = PRICED, REDACTED
            made = {
                "one": TwilioSms(twilio_config("sms/one", one.url)),
                "two": TwilioSms(twilio_config("sms/two", two.url, redact=True)),
                "off": TwilioSms(twilio_config("sms/off", "http://127.0.0.1:9", prices=False)),
            }
            router = make_router("sms", made, [Route(name) for name in made], Rules())
            assert isinstance(router, LooksAfter)
            assert (router.cares, router.takes_words_off) == (True, True)
            said = await router.look_after([f"one:{REF}", f"two:{REF}", f"off:{REF}", "gone:x"])
            await router.close()
            assert {each.provider_ref: (each.complete, each.words_off) for each in said} == {
                f"one:{REF}": (True, None), f"two:{REF}": (True, True), f"off:{REF}": (True, None),
                "gone:x": (True, None),
            }  # fmt: skip
            assert (len(one.seen), len(two.seen)) == (1, 1)

    asyncio.run(main())
