"""A lane that goes wrong is paused by the system, said, and started anew; news that never came is said once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from channels.contract import Found, ReceiptStatus
from channels.errors import BadAddress, ContentRefused, OptedOut, Rejected, SendError, Unavailable
from channels.fake import Accepted, FakeChannel
from outreach.domain.protection import Band, Protection, Threshold
from outreach.flows.house import House
from outreach.flows.outage import reconsider
from outreach.flows.protect import Protector, protect
from outreach.flows.sweeps import sweep
from outreach.flows.switches import CatchUp, pause, resume, tend_switches
from tests.support.book import Someone, put
from tests.support.house import START, a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, fake, plan_touch, receive, run_intake, step_to, told, touch

HOUR = timedelta(hours=1)
QUICK = Protection(
    bands={"sms": Band(timedelta(minutes=10), timedelta(hours=24))},
    late=Threshold(2 * HOUR, 4, 0.5),
    missing=Threshold(24 * HOUR, 4, 0.2),
    surge=Threshold(timedelta(minutes=30), 4, 0.5),
    down_at_least=3,
    hygiene=Threshold(24 * HOUR, 4, 0.5),
)


def people(count: int, start: int = 1) -> list[Someone]:
    return [
        Someone(ref=f"B{n}", phone=f"+1212555{n:04}", email=f"b{n}@example.com") for n in range(start, start + count)
    ]


def quick(house: House) -> House:
    return replace(house, protection=QUICK)


def plan_all(database: str, crowd: Sequence[Someone], **more: object) -> list[UUID]:
    put(database, *crowd)
    return [plan_touch(database, one, **more) for one in crowd]  # type: ignore[arg-type]


def switches(database: str) -> list[tuple[str, str, str]]:
    return rows(database, "select scope, key, set_by from switch order by 1, 2")


def alerts(database: str) -> list[tuple[str, str]]:
    return rows(database, "select kind, subject from alert where closed_at is null order by 1, 2")


def in_campaign(database: str, keys: Sequence[UUID], name: str = "spring") -> UUID:
    key = uuid4()
    rows(
        database,
        "insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at) "
        "values (%s, %s, 'early_stage', '{}', 'running', %s, %s) returning 1",
        key, name, START, START,
    )  # fmt: skip
    rows(database, "update touch set campaign_id = %s where touch_id = any(%s) returning 1", key, list(keys))
    return key


async def test_a_surge_of_errors_pauses_the_lane_and_says_how_to_go_on(database: str) -> None:
    plan_all(database, people(5))
    sms = FakeChannel(script=lambda _: _raise(ContentRefused("filtered", provider_code="30007")))
    async with a_house(database, channels={"sms": sms}) as opened:
        house = quick(opened)
        await run_lanes(house)
        assert await protect(house) == 1
        assert switches(database) == [("channel", "sms", "system")]
        ((reason, until),) = rows(database, "select reason, until_at from switch")
        assert reason.startswith("error surge: 5 of 5 attempts within 30m")
        assert until == START + HOUR
        ((kind, subject, detail),) = rows(database, "select kind, subject, detail from alert")
        assert (kind, subject) == ("channel.error_surge", "sms")
        assert detail.endswith("outreach resume channel sms --catch-up re-decide")
        later = plan_all(database, people(1, 50))
        await run_lanes(house)
        assert touch(database, later[0])["paused_by"] == ["channel:sms"]
        assert await protect(house) == 0, "paused once is enough"


def _raise(error: SendError) -> Accepted:
    return error  # type: ignore[return-value] - the fake raises what it is told


async def test_after_an_operator_resumes_the_window_starts_anew(database: str) -> None:
    plan_all(database, people(5))
    sms = FakeChannel(*[Rejected("no")] * 5)
    async with a_house(database, channels={"sms": sms}) as opened:
        house = quick(opened)
        await run_lanes(house)
        await protect(house)
        clock_of(house).instant += timedelta(minutes=1)
        await resume(house, ("channel", "sms"), CatchUp.RE_DECIDE, "Ola")
        assert alerts(database) == []
        assert await protect(house) == 0
        sms._outcomes += [Rejected("no")] * 4
        plan_all(database, people(4, 50), at=clock_of(house).instant)
        clock_of(house).instant += timedelta(minutes=1)
        await run_lanes(house)
        assert await protect(house) == 1, "new errors are a new surge"
        ((until,),) = rows(database, "select until_at from switch")
        assert until == clock_of(house).instant + 2 * HOUR, "the second within a day rests twice as long"


async def test_a_pause_that_ends_by_itself_starts_the_window_anew_too(database: str) -> None:
    plan_all(database, people(5))
    async with a_house(database, channels={"sms": FakeChannel(*[Rejected("no")] * 5)}) as opened:
        house = replace(opened, protection=replace(QUICK, pause_for=timedelta(minutes=10)))
        await run_lanes(house)
        await protect(house)
        clock_of(house).instant += timedelta(minutes=10)
        await tend_switches(house)
        assert await protect(house) == 0
        assert switches(database) == []
        assert alerts(database) == [("channel.error_surge", "sms")], "somebody has to look at it all the same"


async def test_one_campaign_that_goes_wrong_is_paused_alone(database: str) -> None:
    bad = plan_all(database, people(5), template="missed_payment")
    plan_all(database, people(6, 50))
    key = in_campaign(database, bad)
    wrong = {f"+1212555{n:04}" for n in range(1, 6)}
    sms = FakeChannel(
        script=lambda out: _raise(ContentRefused("no")) if out.address in wrong else Accepted(f"SM{out.attempt_id}")
    )
    async with a_house(database, channels={"sms": sms}) as opened:
        house = quick(opened)
        await run_lanes(house)
        assert await protect(house) == 1
        assert switches(database) == [("campaign", str(key), "system")]
        ((detail,),) = rows(database, "select detail from alert where kind = 'campaign.error_surge'")
        assert detail.endswith("outreach resume campaign spring --catch-up re-decide")
        await resume(house, ("campaign", str(key)), CatchUp.DROP, "Ola")
        assert await protect(house) == 0
        assert alerts(database) == []


async def test_refusals_on_the_borrowers_side_alert_and_pause_nothing(database: str) -> None:
    plan_all(database, people(6))
    sms = FakeChannel(*[BadAddress("none")] * 3, *[OptedOut("stopped")] * 3)
    async with a_house(database, channels={"sms": sms}) as opened:
        house = quick(opened)
        await run_lanes(house)
        assert await protect(house) == 0
        assert switches(database) == []
        assert alerts(database) == [("hygiene.refusals", "sms")]
        async with house.store.transaction() as tx:
            await tx.close_alerts("sms", clock_of(house).instant)
        clock_of(house).instant += timedelta(minutes=1)
        await protect(house)
        assert alerts(database) == [], "what was acknowledged is not said again"


async def test_a_call_that_a_pause_took_back_is_no_error(database: str) -> None:
    plan_all(database, people(4))
    async with a_house(database) as opened:
        house = quick(opened)
        await run_lanes(house)
        rows(database, "update attempt set outcome = 'not_connected', rank = 30 returning 1")
        rows(database, "insert into switch_recall select attempt_id, started_at, true from attempt returning 1")
        assert await protect(house) == 0


async def test_a_switch_of_a_person_is_left_as_it_is(database: str) -> None:
    plan_all(database, people(5))
    async with a_house(database, channels={"sms": FakeChannel(*[Rejected("no")] * 5)}) as opened:
        house = quick(opened)
        await run_lanes(house)
        await pause(house, ("channel", "sms"), "a look at it", "Ola")
        assert await protect(house) == 0
        assert switches(database) == [("channel", "sms", "Ola")]


async def test_two_processes_pause_once(database: str) -> None:
    plan_all(database, people(5))
    async with a_house(database, channels={"sms": FakeChannel(*[Rejected("no")] * 5)}) as one, a_house(database) as two:
        await run_lanes(quick(one))
        await asyncio.gather(protect(quick(one)), protect(quick(two)))
    assert rows(database, "select count(*) from switch_log") == [(1,)]
    assert len(alerts(database)) == 1


async def test_a_provider_that_stays_down_is_left_alone_for_a_while(database: str) -> None:
    plan_all(database, people(3))
    sms = FakeChannel(script=lambda _: _raise(Unavailable("away")))
    async with a_house(database, channels={"sms": sms}) as opened:
        house = quick(opened)
        await run_lanes(house)
        assert await protect(house) == 0, "an outage of a moment is none"
        for minutes in (2, 6, 14):
            await step_to(house, START + timedelta(minutes=minutes))
        assert await protect(house) == 1
        assert switches(database) == [("channel", "sms", "system")]
        assert alerts(database) == [("channel.down", "sms")]


async def test_news_that_never_came_is_said_once_and_nothing_is_sent_again(database: str) -> None:
    plan_all(database, people(5))
    async with a_house(database) as opened:
        house = quick(opened)
        await run_lanes(house)
        token = attempts(database)[0]["token"]
        await receive(house, "sms", dedupe_key="k", status="delivered", token=token)
        await run_intake(house)
        clock_of(house).instant = START + timedelta(hours=23, minutes=59)
        assert await protect(house) == 0
        clock_of(house).instant = START + timedelta(hours=24)
        assert await protect(house) == 4
        assert await protect(house) == 0
        assert [entry["after"] for entry in told(database, "receipt.overdue")] == ["1d"] * 4
        found = rows(
            database, "select state, outcome, overdue_at is not null from attempt order by overdue_at nulls first"
        )
        assert found == [("accepted", "delivered", False)] + [("accepted", "accepted", True)] * 4
        assert ("receipts.missing", "sms") in alerts(database)
        ((detail,),) = rows(database, "select detail from alert where kind = 'receipts.missing'")
        assert detail.startswith("4 of 5 attempts on sms had no final news after 1d")
        await step_to(house, START + timedelta(hours=30))
        assert len(fake(house).sent) == 5


async def test_news_that_is_late_is_an_alert_before_anybody_gives_up(database: str) -> None:
    plan_all(database, people(4))
    async with a_house(database) as opened:
        house = quick(opened)
        await run_lanes(house)
        clock_of(house).instant += timedelta(minutes=9)
        await protect(house)
        assert alerts(database) == []
        clock_of(house).instant += timedelta(minutes=2)
        await protect(house)
        assert alerts(database) == [("receipts.late", "sms")]
        async with house.store.transaction() as tx:
            await tx.close_alerts("sms", clock_of(house).instant)
        clock_of(house).instant += timedelta(minutes=1)
        await protect(house)
        assert alerts(database) == [], "acknowledged, and nothing more is late since"


async def test_what_had_no_news_is_asked_about_and_late_news_still_counts(database: str) -> None:
    plan_all(database, people(1))
    sms = FakeChannel()
    async with a_house(database, channels={"sms": sms}) as opened:
        house = quick(opened)
        await run_lanes(house)
        clock_of(house).instant += timedelta(hours=25)
        await protect(house)
        sms.found[attempts(database)[0]["attempt_id"]] = Found("SM1", ReceiptStatus.DELIVERED)
        assert (await sweep(house))["looked_up"] == 1
        await run_intake(house)
        assert attempts(database)[0]["outcome"] == "delivered"
        assert (await sweep(house))["looked_up"] == 0


async def test_the_watch_goes_on_page_by_page_where_it_was(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.flows.protect.PAGE", 2)
    monkeypatch.setattr("outreach.flows.protect.PAGES", 2)
    plan_all(database, people(7))
    async with a_house(database) as opened:
        house = quick(opened)
        await run_lanes(house)
        clock_of(house).instant += timedelta(hours=25)
        assert [await protect(house) for _ in range(3)] == [4, 3, 0]


async def test_an_attempt_older_than_the_watch_is_left_in_peace(database: str) -> None:
    plan_all(database, people(1))
    async with a_house(database) as opened:
        house = quick(opened)
        await run_lanes(house)
        clock_of(house).instant += timedelta(days=30)
        assert await protect(house) == 0
        assert told(database, "receipt.overdue") == []


async def test_a_protector_looks_every_few_seconds_however_often_it_is_asked(database: str) -> None:
    plan_all(database, people(5))
    async with a_house(database, channels={"sms": FakeChannel(*[Rejected("no")] * 5)}) as opened:
        house, protector = quick(opened), Protector()
        assert await protector.look(house) == 0
        await run_lanes(house)
        assert await protector.look(house) == 0
        clock_of(house).instant += timedelta(seconds=10)
        assert await protector.look(house) == 1


async def outage(house: House) -> None:
    """Pause texts as the system does."""
    async with house.store.transaction() as tx:
        now = house.clock.now()
        await tx.set_switch("channel", "sms", "error surge", now, until=now + HOUR)


async def test_in_an_outage_a_touch_goes_on_to_the_next_channel_of_its_plan(database: str) -> None:
    (key,) = plan_all(database, people(1), fallback=("email",))
    async with a_house(database) as house:
        await outage(house)
        assert await run_lanes(house) == {"fell_back": 1, "sent": 1}
        assert touch(database, key)["channel"] == "email"
        (entry,) = told(database, "touch.fell_back")
        assert (entry["reasons"], entry["next"]) == (["paused.switch", "channel.out_of_order"], "email")


async def test_in_an_outage_a_touch_without_another_channel_waits_and_leaves_when_it_is_over(database: str) -> None:
    (key,) = plan_all(database, people(1))
    async with a_house(database) as house:
        await outage(house)
        assert await run_lanes(house) == {"paused": 1}
        (entry,) = told(database, "touch.paused")
        assert entry["reasons"] == ["paused.switch", "channel.out_of_order"]
        clock_of(house).instant += HOUR
        await tend_switches(house)
        assert await run_lanes(house) == {"sent": 1}
        assert touch(database, key)["channel"] == "sms"


async def test_in_an_outage_the_gate_is_asked_about_the_next_channel(database: str) -> None:
    ada = replace(people(1)[0], consents=("sms",))
    put(database, ada)
    rows(
        database,
        "insert into suppression (suppression_id, borrower_id, channel, reason, since_at) "
        "values (%s, %s, 'email', 'opt_out.told', %s) returning 1",
        uuid4(), ada.borrower_id, START - HOUR,
    )  # fmt: skip
    key = plan_touch(database, ada, fallback=("email",))
    async with a_house(database) as house:
        await outage(house)
        assert await run_lanes(house) == {"paused": 1}
        assert touch(database, key)["channel"] == "sms"
        assert fake(house, "email").sent == []
        await reconsider(house)
        assert await run_lanes(house) == {}, "what can never go there is not asked about again"


async def test_a_pause_of_a_person_sends_nothing_another_way(database: str) -> None:
    plan_all(database, people(1), fallback=("email",))
    async with a_house(database) as house:
        await pause(house, ("channel", "sms"), "wrong words", "Ola")
        assert await run_lanes(house) == {"paused": 1}
        await reconsider(house)
        assert await run_lanes(house) == {}
        assert fake(house, "email").sent == []


async def test_what_was_halted_in_the_middle_of_a_batch_goes_round_as_well(database: str) -> None:
    (key,) = plan_all(database, people(1), fallback=("email",))
    async with a_house(database) as house:
        await outage(house)
        rows(
            database,
            "update touch set state = 'paused', paused_by = '{channel:sms}', reconsider_at = %s returning 1", START,
        )  # fmt: skip
        assert await reconsider(house) == 1
        assert await run_lanes(house) == {"fell_back": 1, "sent": 1}
        assert touch(database, key)["channel"] == "email"


async def test_a_touch_of_a_paused_campaign_is_not_reconsidered(database: str) -> None:
    keys = plan_all(database, people(1), fallback=("email",))
    in_campaign(database, keys)
    async with a_house(database) as house:
        await outage(house)
        rows(database, "update campaign set state = 'paused' returning 1")
        rows(
            database,
            "update touch set state = 'paused', paused_by = '{channel:sms}', reconsider_at = %s returning 1", START,
        )  # fmt: skip
        assert await reconsider(house) == 0


async def test_a_provider_that_turned_a_touch_away_often_enough_gives_it_to_the_next_channel(database: str) -> None:
    (key,) = plan_all(database, people(1), fallback=("email",))
    sms = FakeChannel(script=lambda _: _raise(Unavailable("away")))
    async with a_house(database, channels={"sms": sms}) as house:
        await run_lanes(house)
        for minutes in (2, 6, 14, 30, 62):
            await step_to(house, START + timedelta(minutes=minutes))
        assert touch(database, key)["state"] == "sent"
        assert touch(database, key)["channel"] == "email"
        assert len(sms.sent) == 6
        (entry,) = told(database, "touch.fell_back")
        assert entry["reasons"] == ["provider.gave_up"]
