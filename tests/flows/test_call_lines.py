"""Calls in progress: a line holds so many, over every process, and no call is lost for want of one."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from channels.config import load_lines
from channels.errors import BadAddress, ConfigError
from channels.fake import FakeChannel
from outreach.bootstrap import make_lines, open_house
from outreach.flows.callbacks import take_callback
from outreach.flows.dispatch import dispatch
from outreach.flows.house import House
from outreach.flows.lines import LOOK_AGAIN
from outreach.flows.pacing import Line, Pace
from outreach.flows.receipts import apply_receipts
from outreach.flows.schedule import plan_due, queue_ready
from outreach.flows.sweeps import sweep
from outreach.pacer import RedisPacer
from outreach.settings import load_settings
from tests.support.book import START, Someone, put
from tests.support.calls import dial
from tests.support.house import MemoryQueue, a_house, clock_of, rows
from tests.support.touching import fake, run_all, told

LONGEST = timedelta(minutes=15)


def people(count: int) -> list[Someone]:
    return [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=None) for n in range(1, count + 1)]


def with_line(house: House, at_once: int, own: dict[str, int] | None = None) -> House:
    channels = ("voice", "ivr")
    lines = {each: Line("main", channels, at_once, LONGEST, (own or {}).get(each)) for each in channels}
    return replace(house, lines=lines)


def in_progress(database: str) -> int:
    return int(rows(database, "select count(*) from attempt where over_at is null and state = 'accepted'")[0][0])


async def ends(house: House, status: str, channel: str = "ivr", nth: int = 0) -> None:
    """Let the provider say that a call is over."""
    found = fake(house, channel).sent[nth]
    await take_callback(
        house, channel, fake(house, channel).callback(dedupe_key=f"{nth}-{status}", status=status, token=found.token)
    )
    queue = house.queue
    assert isinstance(queue, MemoryQueue)
    news, queue.news = queue.news, []
    for _, ids in news:
        await apply_receipts(house, ids)


async def later(house: House, by: timedelta = LOOK_AGAIN) -> None:
    clock_of(house).instant += by
    await run_all(house)


async def test_what_finds_no_line_free_waits_and_leaves_when_one_is(database: str) -> None:
    crowd = people(4)
    put(database, *crowd)
    async with a_house(database) as plain:
        house = with_line(plain, 2)
        for one in crowd:
            dial(database, START, one)
        await run_all(house)
        assert in_progress(database) == 2
        waiting = rows(
            database, "select state, reason, not_before, expires_at > %s from touch where state = 'planned'", START
        )
        assert waiting == [("planned", "pacing.line_busy", START + LOOK_AGAIN, True)] * 2
        await later(house)
        assert in_progress(database) == 2
        await ends(house, "completed")
        await ends(house, "completed")
        await later(house)
        assert (in_progress(database), len(fake(house, "ivr").sent)) == (2, 3)
        await ends(house, "busy", nth=1)
        await later(house)
        assert len(fake(house, "ivr").sent) == 4
    assert len({each for (each,) in rows(database, "select borrower_id from attempt")}) == 4, "nobody was called twice"


async def test_channels_share_a_line_and_have_limits_of_their_own(database: str) -> None:
    crowd = people(5)
    put(database, *crowd)
    async with a_house(database) as plain:
        house = with_line(plain, 3, {"ivr": 1})
        for one, channel in zip(crowd, ("ivr", "ivr", "voice", "voice", "voice"), strict=True):
            dial(database, START, one, channel)
        await run_all(house)
        assert (len(fake(house, "ivr").sent), len(fake(house, "voice").sent)) in {(1, 2), (0, 3)}


async def test_two_processes_never_give_the_same_place_away_twice(database: str) -> None:
    crowd = people(8)
    put(database, *crowd)
    async with a_house(database) as first, a_house(database) as second:
        houses = [with_line(first, 3), with_line(second, 3)]
        for one in crowd:
            dial(database, START, one)
        await plan_due(houses[0])
        await queue_ready(houses[0])
        queue = houses[0].queue
        assert isinstance(queue, MemoryQueue)
        ids = [each for _, some in queue.touches for each in some]
        await asyncio.gather(*(dispatch(houses[n % 2], "ivr", [each]) for n, each in enumerate(ids)))
        sent = len(fake(houses[0], "ivr").sent) + len(fake(houses[1], "ivr").sent)
    assert sent == 3


async def test_a_call_whose_end_nobody_tells_of_is_let_go_and_said_so(database: str) -> None:
    put(database, *(crowd := people(2)))
    async with a_house(database) as plain:
        house = with_line(plain, 1)
        for one in crowd:
            dial(database, START, one)
        await run_all(house)
        assert in_progress(database) == 1
        clock_of(house).instant = START + LONGEST - timedelta(seconds=1)
        assert (await sweep(house))["lines"] == 0
        clock_of(house).instant = START + LONGEST
        assert (await sweep(house))["lines"] == 1
        assert len(told(database, "call.no_end")) == 1
        assert rows(database, "select subject from alert where kind = 'calls.no_end'") == [("main",)]
        await run_all(house)
        assert len(fake(house, "ivr").sent) == 2
        await ends(house, "completed")
    assert in_progress(database) == 1, "late news of the first frees nothing of the second"


@pytest.mark.parametrize("status", ["completed", "busy", "no_answer", "failed", "cancelled"])
async def test_every_final_word_frees_the_line_even_before_any_other(database: str, status: str) -> None:
    put(database, one := Someone())
    async with a_house(database) as plain:
        house = with_line(plain, 1)
        dial(database, START, one)
        await run_all(house)
        await ends(house, status)
        assert in_progress(database) == 0
        await ends(house, "ringing")
        assert in_progress(database) == 0, "late news of an earlier state begins nothing anew"


async def test_a_refused_call_holds_no_line(database: str) -> None:
    put(database, *(crowd := people(2)))
    async with a_house(database, channels={"ivr": FakeChannel(BadAddress("no such number"))}) as plain:
        house = with_line(plain, 1)
        dial(database, START, crowd[0])
        await run_all(house)
        dial(database, START, crowd[1])
        await run_all(house)
        assert in_progress(database) == 1


async def test_a_line_has_one_rate_for_all_its_channels(valkey_url: str) -> None:
    paces = {name: Pace(100, 100, 10) for name in ("voice", "ivr")}
    pacer = RedisPacer(valkey_url, paces, {"voice": ("t", 1), "ivr": ("t", 1)})
    alone = RedisPacer(valkey_url, paces)
    assert pacer.per_second("voice") == 1
    taken = await asyncio.gather(pacer.take("voice", 10), pacer.take("ivr", 10))
    assert 0 < sum(taken) <= 4, "one a second, and two seconds of patience each"
    assert await alone.take("voice", 10) == 10
    for each in (pacer, alone):
        await each.close()


SHIPPED = {"OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "OUTREACH_TWILIO_AUTH_TOKEN": "0" * 32,
           "OUTREACH_SMS_SENDER": "+12025550143"}  # fmt: skip


async def test_a_house_that_is_closed_hangs_up_on_the_limiter(database: str, valkey_url: str) -> None:
    place = {"OUTREACH_DATABASE_URL": database, "OUTREACH_REDIS_URL": valkey_url}
    async with Redis.from_url(valkey_url) as watching:
        before = len(await watching.client_list())
        house = await open_house(load_settings({**SHIPPED, **place}), MemoryQueue(), channels={})
        assert await house.pacer.take("sms", 1) == 1
        assert len(await watching.client_list()) == before + 1
        await house.close()
        assert len(await watching.client_list()) == before


def test_the_shipped_file_puts_calls_on_one_line() -> None:
    lines = make_lines(load_settings({**SHIPPED, "OUTREACH_CALLS_AT_ONCE": "7"}))
    assert set(lines) == {"voice", "ivr"}
    assert {(line.name, line.at_once, line.longest, line.own) for line in lines.values()} == {
        ("twilio", 7, LONGEST, None)
    }


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("line: twilio", "line: twilo"), "is no line of this file; known: twilio"),
        (("adapter: twilio_sms", "adapter: twilio_sms\n    line: twilio"), "is for calls"),
        (("adapter: twilio_sms", "adapter: twilio_sms\n    at_once: 3"), "name it with line"),
        (("longest_minutes: 15", "longest_minutes: 0"), "longest_minutes"),
    ],
)
def test_a_wrong_line_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], wrong: str) -> None:
    text = (load_settings({}).config / "channels.yaml").read_text("utf-8")
    (tmp_path / "channels.yaml").write_text(text.replace(*change), "utf-8")
    with pytest.raises(ConfigError, match=wrong):
        load_lines(tmp_path / "channels.yaml", SHIPPED)
