"""Hours a borrower names by text: kept with the task for a call, and kept to when they are not to be reached."""

from datetime import timedelta

from outreach.flows.task_view import load_task
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows
from tests.support.touching import fake, plan_touch, run_all, say, told


async def test_the_hour_of_a_call_stands_in_the_task_and_is_read_back(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "call me at 5", key="1")
        assert "a call at 5:00 pm your time" in str(fake(house).sent[-1].content)
        ((task, kind, hour),) = rows(database, "select task_id, kind, detail ->> 'call_at' from task")
        view = await load_task(house, task)
    assert (kind, hour) == ("callback_request", "17:00")
    assert view is not None
    assert "They asked to be called at 17:00 on their own clock." in view.summary


async def test_hours_that_are_named_are_confirmed_and_kept_to(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "don't call me at work hours 9-5", key="1")
        assert "between 9:00 am and 5:00 pm your time" in str(fake(house).sent[-1].content)
        clock_of(house).instant = START + timedelta(days=2)  # in the middle of those hours
        touch = plan_touch(database, one, at=clock_of(house).instant)
        await run_all(house)
        held = rows(database, "select state, reason from touch where touch_id = %s", touch)
    assert held == [("deferred", "personal_window.closed")]
    assert rows(database, "select effect, opens, closes from personal_window") == [("bar", "09:00", "17:00")]
    assert [entry["from"] for entry in told(database, "times.named")] == ["09:00"]
    assert rows(database, "select count(*) from hold") == [(0,)]
    assert rows(database, "select count(*) from task") == [(0,)]


async def test_hours_that_are_not_plain_are_read_by_a_person(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "only text me after 9", key="1")
    assert rows(database, "select count(*) from personal_window") == [(0,)]
    assert rows(database, "select kind from task") == [("review_reply",)]
    assert rows(database, "select kind from hold") == [("review",)]


async def test_days_that_are_named_are_kept_to_and_times_that_leave_none_are_read_by_a_person(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "only text me after 6pm on weekdays", key="1")
        assert "only contact you between 6:00 pm and midnight your time, on these days: Mon, Tue, Wed, Thu, Fri" in str(
            fake(house).sent[-1].content
        )
        barred = rows(database, "select opens, closes, days from personal_window order by opens, closes, days")
        assert barred == [
            ("00:00", "18:00", ["mon", "tue", "wed", "thu", "fri"]),
            ("00:00", "24:00", ["sat", "sun"]),
        ]
        await say(house, one, "only on weekends", key="2")
    assert rows(database, "select count(*) from personal_window") == [(2,)]
    assert rows(database, "select kind from task") == [("review_reply",)]
    assert rows(database, "select count(*) from suppression") == [(0,)]


async def test_times_beside_a_hardship_are_kept_to(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "I lost my job. Don't call me on Mondays", key="1")
    assert rows(database, "select days from personal_window") == [(["mon"],)]
    assert ("hardship",) in rows(database, "select kind from hold")
