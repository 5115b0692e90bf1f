"""Several senders behind one channel, on real sockets: who is tried, who never is, and where news and look-ups go."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from given import (
    CHINA_PERSON,
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
    AUTH_TOKEN,
    PERSON,
    PUBLIC_URL,
    Hang,
    Provider,
    ResetAfter,
    Say,
    listing,
    message,
    patience,
    refused,
    signature,
)

from channels import errors
from channels.contract import Acknowledges, Callback, Cancels, Capability, LooksUp, LookupKey, Medium, SenderConfig
from channels.errors import BadSignature, ConfigError
from channels.registry import make_channel
from channels.router import Router, make_router
from channels.routing import Route, Rules

GOOD = Say(200, {"code": 0, "id": "gw-1"})
QUICK = Rules(open_after=3, troubles=2, hold_seconds=60, drift_seconds=10)
KEY = LookupKey("0190-att-1", "tok_EN-123", PERSON, TEXT.body, NOW.timestamp())


class Bench:
    """A router over a Twilio and a gateway peer, with a clock that the test moves."""

    def __init__(self, one: Provider, two: Provider, routes: list[Route] | None, *said: object) -> None:
        self.one, self.two, self.now = one, two, 1_000.0
        senders = {
            "one": self.made(replace(twilio_config("sms/one", one.url, **patience(*said)), adapter="twilio_sms")),
            "two": self.made(replace(gateway_config("sms/two", two.url), adapter="http_gateway")),
        }
        chosen = routes or [Route("one", 1000), Route("two", 0)]
        self.router: Any = make_router("sms", senders, chosen, QUICK, lambda: self.now)

    @staticmethod
    def made(config: Any) -> Any:
        return make_channel(config, lambda: NOW)

    async def send(self, **fields: Any) -> Any:
        try:
            return await self.router.send(outbound(TEXT, **fields))
        except errors.SendError as error:
            return error

    def met(self) -> tuple[int, int]:
        return len(self.one.seen), len(self.two.seen)


def run(work: Callable[[Bench], Awaitable[None]], routes: list[Route] | None = None, *said: object) -> None:
    async def main() -> None:
        async with Provider() as one, Provider() as two:
            two.default = GOOD
            bench = Bench(one, two, routes, *said)
            try:
                await work(bench)
            finally:
                await bench.router.close()

    asyncio.run(main())


def test_an_acceptance_names_its_sender() -> None:
    async def work(bench: Bench) -> None:
        accepted = await bench.send()
        assert accepted.provider_ref == f"one:{message()['sid']}"
        assert bench.met() == (1, 0)
        assert bench.one.seen[0].one("StatusCallback").startswith(f"{PUBLIC_URL}/v1/callbacks/sms/one?t=")

    run(work)


@pytest.mark.parametrize("trouble", [ResetAfter(), Hang(), Say(500, "oops"), Say(200, "<html>")])
def test_what_may_have_left_is_never_given_to_another_sender(trouble: Any) -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = trouble
        assert type(await bench.send()) is errors.OutcomeUnknown
        assert bench.met() == (1, 0)

    run(work, None, trouble)


@pytest.mark.parametrize("code", [21610, 21211, 30007, 29999])
def test_a_refusal_for_good_is_not_asked_for_elsewhere(code: int) -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = Say(400, refused(code))
        assert isinstance(await bench.send(), errors.Rejected)
        assert bench.met() == (1, 0)

    run(work)


@pytest.mark.parametrize(
    "answer", [Say(429, refused(20429)), Say(401, refused(20003)), Say(400, refused(21408)), Say(400, refused(21611))]
)
def test_what_certainly_never_left_goes_by_the_next_sender(answer: Say) -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = answer
        accepted = await bench.send()
        assert accepted.provider_ref == "two:gw-1"
        assert bench.met() == (1, 1)

    run(work)


def test_a_sender_that_cannot_be_reached_is_left_alone_and_then_tried_by_one() -> None:
    async def work(bench: Bench) -> None:
        await bench.one.__aexit__()
        for _ in range(6):
            assert (await bench.send()).provider_ref == "two:gw-1"
        assert bench.router.health()["one"].is_open
        await bench.router._senders["one"].close()
        async with Provider() as back:
            bench.router._senders["one"] = bench.made(replace(twilio_config("sms/one", back.url), adapter="twilio_sms"))
            await bench.send()
            assert back.seen == []
            bench.now += QUICK.open_seconds
            await asyncio.gather(*(bench.send(person=f"p{n}") for n in range(8)))
            assert len(back.seen) == 1
            assert not bench.router.health()["one"].is_open
            await bench.router._senders["one"].close()

    run(work)


def test_when_nobody_can_be_used_it_says_when_to_come_back() -> None:
    async def work(bench: Bench) -> None:
        await bench.one.__aexit__()
        await bench.two.__aexit__()
        for _ in range(3):
            assert type(await bench.send()) is errors.Unavailable
        resting = await bench.send()
        assert (type(resting), resting.retry_after) == (errors.Unavailable, QUICK.open_seconds)

    run(work)


def test_one_senders_wrong_key_does_not_pause_the_others_lane() -> None:
    routes = [Route("one"), Route("two", prefixes=("+86",))]

    async def work(bench: Bench) -> None:
        bench.two.default = Say(401, {"x": 1})
        china = await bench.send(address=CHINA_PERSON)
        assert type(china) is errors.Unavailable
        assert (await bench.send()).provider_ref.startswith("one:")

    run(work, routes)


def test_when_every_key_is_wrong_a_person_is_told() -> None:
    async def work(bench: Bench) -> None:
        bench.one.default, bench.two.default = Say(401, refused(20003)), Say(401, {"x": 1})
        assert type(await bench.send()) is errors.Misconfigured
        assert bench.met() == (1, 1)

    run(work)


def test_a_destination_that_nobody_serves_is_refused_without_a_request() -> None:
    async def work(bench: Bench) -> None:
        assert type(await bench.send(address="+447700900123")) is errors.Unsupported
        assert bench.met() == (0, 0)

    run(work, [Route("one", prefixes=("+1",)), Route("two", prefixes=("+86",))])


def test_a_closing_window_is_held_against_nobody() -> None:
    async def work(bench: Bench) -> None:
        for _ in range(10):
            assert type(await bench.send(validity=timedelta(seconds=4))) is errors.Unavailable
        assert bench.met() == (0, 0)
        assert bench.router.health()["one"].share == 1.0

    run(work)


def test_time_lost_at_one_sender_is_taken_off_the_window_of_the_next() -> None:
    async def work(bench: Bench) -> None:
        class Slow:
            async def send(self, _: Any) -> Any:
                bench.now += 90
                raise errors.Unavailable("no connection")

            async def close(self) -> None: ...

        bench.router._senders["one"] = Slow()
        await bench.send(validity=timedelta(seconds=100))
        assert b'"ttl":10,' in bench.two.seen[0].body

    run(work)


def test_slowness_shifts_weight_and_a_hold_keeps_it_away() -> None:
    async def work(bench: Bench) -> None:
        send = bench.router._senders["one"].send

        async def slow(what: Any) -> Any:
            accepted = await send(what)
            bench.now += 6.0
            return accepted

        bench.router._senders["one"].send = slow
        for _ in range(2):
            await bench.send()
        assert bench.router.health()["one"].share == 0.5
        bench.now += 59
        assert bench.router.health()["one"].share == 0.5
        bench.now += 100
        assert bench.router.health()["one"].share == 1.0

    run(work)


def test_a_person_keeps_their_sender_and_number_whatever_the_address() -> None:
    numbers = ("+12025550101", "+12025550102", "+12025550103")
    routes = [Route("one", numbers=numbers), Route("two")]

    async def work(bench: Bench) -> None:
        for person in ("p1", "p2", "p3", "p4", "p5", "p6"):
            refs = {
                (await bench.send(person=person, address=address)).provider_ref.split(":")[0]
                for address in (PERSON, "+13125550143")
            }
            assert len(refs) == 1
        seen = {(each.one("To"), each.one("From")) for each in bench.one.seen}
        assert {number for _, number in seen} <= set(numbers)
        assert bench.met()[0] > 0 < bench.met()[1]

    run(work, routes)


def test_a_cancelled_trial_does_not_block_the_next() -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = Say(500, "oops")
        for _ in range(3):
            await bench.send()
        bench.now += QUICK.open_seconds
        bench.one.default = Hang()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await bench.router.send(outbound(TEXT))
        health = bench.router.health()["one"]
        assert (health.is_open, health.trying) == (True, False)
        assert health.open_for == 2 * QUICK.open_seconds

    run(work)


# --- Look-up and news -------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_looked_up_at_the_sender_that_had_it() -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = ResetAfter()
        await bench.send()
        mine = message(sid="SMmine", body=TEXT.body)
        bench.one.default = Say(200, listing("messages", mine))
        found = await bench.router.look_up(KEY)
        assert found.provider_ref == "one:SMmine"
        assert bench.met() == (2, 0)

    run(work)


def test_after_a_restart_absence_needs_the_word_of_every_sender() -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = Say(200, listing("messages"))
        with pytest.raises(errors.OutcomeUnknown, match="cannot be asked"):
            await bench.router.look_up(KEY)  # the gateway of this test has no look-up
        bench.one.default = Say(200, listing("messages", message(sid="SMmine", body=TEXT.body)))
        assert (await bench.router.look_up(KEY)).provider_ref == "one:SMmine"

    run(work)
    run(work, [Route("two"), Route("one")])


def test_a_sender_of_another_country_is_not_asked() -> None:
    async def work(bench: Bench) -> None:
        bench.one.default = Say(200, listing("messages"))
        assert await bench.router.look_up(KEY) is None

    run(work, [Route("one"), Route("two", prefixes=("+86",))])


def twilio_news(path: str) -> Callback:
    body = f"AccountSid={ACCOUNT}&MessageSid=SM1&MessageStatus=delivered".encode()
    signed = signature(f"{PUBLIC_URL}{path}?t=tok", body)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signed}
    return Callback(path, "t=tok", headers, body)


@pytest.mark.parametrize("path", ["/v1/callbacks/sms/one", "/v1/callbacks/sms"])
def test_news_comes_back_by_the_senders_path_or_the_channels_old_one(path: str) -> None:
    async def work(bench: Bench) -> None:
        bench.router.verify(twilio_news(path))
        (receipt,) = bench.router.parse(twilio_news(path))
        assert (receipt.provider_ref, receipt.dedupe_key, receipt.token) == ("one:SM1", "one:SM1:delivered", "tok")

    run(work)


def test_one_senders_proof_is_not_anothers() -> None:
    async def work(bench: Bench) -> None:
        for path in ("/v1/callbacks/sms/two", "/v1/callbacks/sms/three", "/v1/callbacks/email/one", "/x"):
            good = twilio_news("/v1/callbacks/sms/one")
            with pytest.raises(BadSignature):
                bench.router.verify(replace(good, path=path))

    run(work)


def test_a_path_secret_stands_behind_the_senders_name() -> None:
    cn = make_channel(replace(aliyun_config("sms/cn", "http://127.0.0.1:9"), adapter="aliyun_sms"), lambda: NOW)
    router = make_router("sms", {"cn": cn}, [Route("cn")], QUICK)
    push = Callback("/v1/callbacks/sms/cn/s3cret-push-0123456789", "", {}, b"[]")
    router.verify(push)
    assert isinstance(router, Acknowledges)
    assert router.acknowledge(push) is not None
    with pytest.raises(BadSignature):
        router.verify(replace(push, path="/v1/callbacks/sms/cn"))


# --- How it is made ---------------------------------------------------------------------------------------------------


def test_it_has_the_extras_of_its_senders() -> None:
    def made(*configs: Any) -> Router:
        senders = {config.name: make_channel(config, lambda: NOW) for config in configs}
        return make_router("sms", senders, [Route(name) for name in senders], QUICK)

    gateway = replace(gateway_config("gw", "http://127.0.0.1:9"), adapter="http_gateway")
    china = replace(aliyun_config("cn", "http://127.0.0.1:9"), adapter="aliyun_sms")
    plain, asked = made(gateway), made(gateway, china)
    assert not isinstance(plain, LooksUp)
    assert isinstance(asked, LooksUp)
    assert not isinstance(asked, Cancels)
    assert {Capability.LOOKS_UP, Capability.TEMPLATES} <= asked.capabilities


@pytest.mark.parametrize(
    "senders",
    [
        {"a": "sms", "b": "email"},
        {"a": "voice", "b": "voice"},
    ],
)
def test_senders_are_of_one_medium_and_calls_have_one_provider(senders: dict[str, str]) -> None:
    made = {
        "sms": replace(twilio_config("a", "http://127.0.0.1:9"), adapter="twilio_sms"),
        "voice": replace(twilio_config("a", "http://127.0.0.1:9"), adapter="twilio_voice"),
        "email": replace(smtp_config(25), adapter="smtp"),
    }
    with pytest.raises(ConfigError, match="all must be of one medium"):
        make_router(
            "x",
            {name: make_channel(made[kind], lambda: NOW) for name, kind in senders.items()},
            [Route(name) for name in senders],
            QUICK,
        )


def test_the_registry_makes_it_from_a_block_with_senders() -> None:
    one = replace(gateway_config("sms/one", "http://127.0.0.1:9"), adapter="http_gateway")
    block = replace(one, name="sms", adapter="", options={}, senders=(SenderConfig(one, {"weight": 2}),))
    router = make_channel(block, lambda: NOW)
    assert isinstance(router, Router)
    assert router.medium == "sms"
    with pytest.raises(ConfigError, match="wait: unknown key"):
        make_channel(replace(block, senders=(SenderConfig(one, {"wait": 2}),)), lambda: NOW)
    with pytest.raises(ConfigError, match=r"sms\.options\.hold: unknown key"):
        make_channel(replace(block, routing={"hold": 2}), lambda: NOW)


def test_no_log_names_a_person_or_a_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work(bench: Bench) -> None:
        bench.one.default = Say(401, refused(20003))
        await bench.send()
        bench.two.default = Say(500, "oops")
        for _ in range(4):
            await bench.send()

    run(work)
    assert "sender misconfigured: one" in caplog.text
    for secret in (PERSON, PERSON[1:], "Ana", "tok_EN-123", "s3cret", f"{AUTH_TOKEN} "):
        assert secret not in caplog.text


def test_many_event_loops_leave_no_trial_open() -> None:
    class Broken:
        medium = Medium.SMS
        capabilities = frozenset[Capability]()

        async def send(self, _: Any) -> Any:
            await asyncio.sleep(0)
            raise errors.Unavailable("no connection")

    ticks = itertools.count()
    router = make_router("sms", {"one": Broken()}, [Route("one")], QUICK, lambda: next(ticks) / 10)  # type: ignore[dict-item]

    async def many() -> None:
        await asyncio.gather(*(router.send(outbound(TEXT)) for _ in range(200)), return_exceptions=True)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(asyncio.run, many()) for _ in range(4)]:
            done.result()
    health = router.health()["one"]
    assert (health.is_open, health.trying) == (True, False)
