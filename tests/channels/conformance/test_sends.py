"""One table for all: however a provider behaves, an attempt is accepted, certainly not sent, refused or unknown."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from given import CALL, MAIL, TEXT, outbound
from lanes import ALWAYS, LANES, LOST, SECRETS, Lane, Row
from peers import Hang, Relay, closed_port

from channels import errors
from channels.contract import Accepted, Cancels, Capability, Interactive, LooksUp
from channels.registry import ADAPTERS

EVERY_ROW = [
    pytest.param(lane, row, id=f"{name}: {row_name}")
    for name, lane in LANES.items()
    for row_name, row in lane.rows.items()
]
every_lane = pytest.mark.parametrize("lane", LANES.values(), ids=LANES.keys())
over_http = pytest.mark.parametrize(
    "lane", [lane for lane in LANES.values() if lane.adapter != "smtp"], ids=[name for name in LANES if name != "smtp"]
)


def run(lane: Lane, work: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        async with lane.peer() as peer:
            await work(peer)

    asyncio.run(main())


async def failure(channel: Any, what: Any) -> errors.SendError:
    try:
        with pytest.raises(errors.SendError) as caught:
            await channel.send(what)
        return caught.value
    finally:
        await channel.close()


def told(error: errors.SendError, log: str) -> str:
    return "".join([repr(error), str(error), error.detail, repr(error.__cause__), repr(error.args), log])


def test_every_adapter_is_here_with_every_row_that_none_may_leave_out() -> None:
    assert {lane.adapter for lane in LANES.values()} == set(ADAPTERS)
    assert {name: missing for name, lane in LANES.items() if (missing := ALWAYS - set(lane.rows))} == {}


@pytest.mark.parametrize(("lane", "row"), EVERY_ROW)
def test_a_send_ends_as_the_table_says_and_is_made_once(lane: Lane, row: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work(peer: Any) -> None:
        lane.script(peer, row)
        channel = lane.make(peer, **row.options)
        if row.expected is None:
            accepted = await channel.send(lane.outbound())
            assert isinstance(accepted, Accepted)
            assert accepted.provider_ref
            await channel.close()
        else:
            error = await failure(channel, lane.outbound())
            assert type(error) is row.expected
            assert (error.provider_code, error.retry_after) == (row.code, row.retry_after)
            assert [secret for secret in SECRETS if secret in told(error, "")] == []
        assert [secret for secret in SECRETS if secret in caplog.text] == []
        assert lane.met(peer) <= 1
        if row.expected in {None, LOST} and not isinstance(peer, Relay):
            assert peer.connections == 1

    run(lane, work)


@every_lane
def test_a_refused_connection_is_not_sent(lane: Lane) -> None:
    error = asyncio.run(failure(lane.at(lane.nowhere()), lane.outbound()))
    assert type(error) is errors.Unavailable


@over_http
def test_a_name_that_does_not_resolve_is_not_sent(lane: Lane) -> None:
    error = asyncio.run(failure(lane.at("http://provider.invalid"), lane.outbound()))
    assert type(error) is errors.Unavailable


@over_http
def test_tls_that_fails_is_not_sent(lane: Lane) -> None:
    async def work(peer: Any) -> None:
        error = await failure(lane.at(peer.url.replace("http:", "https:")), lane.outbound())
        assert type(error) is errors.Unavailable
        assert peer.seen == []

    run(lane, work)


@over_http
def test_waiting_for_a_free_connection_ends_as_not_sent(lane: Lane) -> None:
    async def work(peer: Any) -> None:
        peer.default = Hang()
        channel = lane.make(peer, connections=1, connect_seconds=0.5, total_seconds=1.5)
        both = [channel.send(lane.outbound()) for _ in range(2)]
        ends = await asyncio.gather(*both, return_exceptions=True)
        await channel.close()
        assert {type(end) for end in ends} == {errors.OutcomeUnknown, errors.Unavailable}
        assert len(peer.seen) == 1

    run(lane, work)


@every_lane
def test_a_send_that_is_called_off_is_not_made_again(lane: Lane) -> None:
    async def work(peer: Any) -> None:
        lane.script(peer, lane.rows["hang"])
        channel = lane.make(peer)
        sending = asyncio.create_task(channel.send(lane.outbound()))
        async with asyncio.timeout(10):
            while lane.met(peer) < 1:  # noqa: ASYNC110 - the peer is a thread or a server of its own
                await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        lane.script(peer, Row({}, None) if isinstance(peer, Relay) else lane.rows["accepted"])
        await channel.send(lane.outbound())
        await channel.close()
        assert lane.met(peer) == 2

    run(lane, work)


@over_http
def test_connections_are_kept_and_closed(lane: Lane) -> None:
    async def work(peer: Any) -> None:
        lane.script(peer, lane.rows["accepted"])
        channel = lane.make(peer)
        for _ in range(3):
            await channel.send(lane.outbound())
        assert peer.connections == 1
        await channel.close()
        await channel.send(lane.outbound())
        await channel.close()
        assert peer.connections == 2

    run(lane, work)


@every_lane
def test_one_adapter_serves_two_event_loops(lane: Lane) -> None:
    channel = lane.at(lane.nowhere())

    async def fail() -> None:
        with pytest.raises(errors.Unavailable):
            await channel.send(lane.outbound())

    async def fail_and_close() -> None:
        await fail()
        await channel.close()

    asyncio.run(fail())
    asyncio.run(fail_and_close())


@every_lane
def test_content_of_another_medium_is_refused_without_a_request(lane: Lane) -> None:
    for content in (TEXT, MAIL, CALL):
        if type(content) is not type(lane.content):
            error = asyncio.run(failure(lane.at(lane.nowhere()), outbound(content, lane.address)))
            assert type(error) is errors.Unsupported


@every_lane
def test_extras_are_offered_as_the_capabilities_say(lane: Lane) -> None:
    channel = lane.at(lane.nowhere())
    assert (channel.name, channel.name in ADAPTERS) == (lane.adapter, True)
    for capability, extra in (
        (Capability.LOOKS_UP, LooksUp), (Capability.CANCELS, Cancels), (Capability.INTERACTIVE, Interactive),
    ):  # fmt: skip
        assert isinstance(channel, extra) == (capability in channel.capabilities)


@every_lane
def test_secrets_stand_in_no_repr(lane: Lane) -> None:
    where = f"http://127.0.0.1:{closed_port()}" if lane.adapter != "smtp" else "25"
    config = lane.config(where, {})
    channel = lane.at(where)
    shown = repr(config) + repr(channel) + str(channel) + "".join(repr(part) for part in vars(channel).values())
    assert [secret for secret in SECRETS if secret in shown] == []
