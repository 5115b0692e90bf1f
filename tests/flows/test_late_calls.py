"""A call that waits at the provider beyond its permitted hours is taken back, once, and says nothing if it rings."""

from datetime import timedelta

from channels.errors import Unavailable
from channels.fake import FakeChannel
from outreach.flows.house import House
from outreach.flows.sweeps import sweep
from outreach.flows.switches import recall_late_calls
from tests.support.book import Someone, put
from tests.support.calls import Caller, place_call
from tests.support.house import a_house, clock_of, rows
from tests.support.touching import attempts, fake, told


async def waiting(database: str, house: House) -> str:
    """Place a call that nobody has answered when its hours end; returns its token."""
    put(database, ada := Someone())
    token = await place_call(database, house, ada, hours=2)
    ((leave_by,),) = rows(database, "select leave_by from attempt")
    assert leave_by == clock_of(house).instant + timedelta(hours=2)
    clock_of(house).instant = leave_by
    return token


async def test_a_call_that_still_waits_when_its_hours_end_is_taken_back_once(database: str) -> None:
    async with a_house(database) as house:
        await waiting(database, house)
        channel: FakeChannel = fake(house, "ivr")
        reference = attempts(database)[0]["provider_ref"]
        channel.cancellable.add(reference)
        await sweep(house)
        await sweep(house)
        assert channel.cancelled == [reference]
    assert told(database, "touch.recalled")[0]["reasons"] == ["call.window_closed"]


async def test_one_that_rings_already_is_asked_about_once_and_one_in_talk_never(database: str) -> None:
    async with a_house(database) as house:
        token = await waiting(database, house)
        clock_of(house).instant -= timedelta(minutes=1)
        await Caller(house, token).pick_up()
        clock_of(house).instant += timedelta(minutes=1)
        assert await recall_late_calls(house) == 0
        assert fake(house, "ivr").cancelled == []


async def test_a_provider_that_cannot_be_asked_is_asked_again(database: str) -> None:
    class Away(FakeChannel):
        async def cancel(self, provider_ref: str) -> bool:
            self.cancelled.append(provider_ref)
            raise Unavailable("away")

    away = Away()
    async with a_house(database, channels={"ivr": away}) as house:
        await waiting(database, house)
        assert [await recall_late_calls(house) for _ in range(2)] == [0, 0]
    assert len(away.cancelled) == 2


async def test_a_call_answered_long_after_its_hours_ends_without_a_word(database: str) -> None:
    async with a_house(database) as house:
        token = await waiting(database, house)
        clock_of(house).instant += timedelta(minutes=5)
        prompt = await Caller(house, token).pick_up()
        assert (prompt.say, prompt.gather) == ("", False)
    assert told(database, "call.turn")[0]["what"] == "window_closed"
