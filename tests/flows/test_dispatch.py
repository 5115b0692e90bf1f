"""From a due touch to a settled attempt: decided at one gate, at most once, and every refusal on record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from channels.contract import Accepted, Capability, Outbound
from channels.errors import (
    BadAddress,
    ContentRefused,
    Misconfigured,
    OptedOut,
    OutcomeUnknown,
    SendError,
    Throttled,
    Unavailable,
    Unsupported,
)
from channels.fake import FakeChannel
from outreach.clock import FixedClock
from outreach.flows.dispatch import dispatch
from outreach.flows.schedule import queue_ready
from outreach.flows.switches import release
from outreach.policy.codec import facts_from_json
from outreach.policy.gate import decide
from outreach.policy.load import from_json
from tests.support.book import Someone, add_account, put
from tests.support.house import START, MemoryQueue, a_house, clock_of, rows, run_lanes
from tests.support.touching import attempts, fake, plan_touch, step_to, told, touch

UTC_TEN = START  # Monday 1 March 2027, 10:00 in New York


async def test_a_due_touch_leaves_once_and_is_settled(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}
        (outbound,) = fake(house).sent
    assert outbound.address == ada.phone
    assert touch(database, key)["state"] == "sent"
    (attempt,) = attempts(database)
    assert (attempt["state"], attempt["outcome"], attempt["rank"]) == ("accepted", "accepted", 10)
    assert (attempt["provider_ref"], attempt["token"]) == (f"fake-{attempt['attempt_id']}", outbound.token)
    (decision,) = rows(database, "select verdict, reasons, policy_version from decision")
    assert decision == ("send", [], attempt["policy_version"])
    (sent,) = told(database, "touch.sent")
    assert (sent["touch_id"], sent["attempt_id"], sent["channel"]) == (str(key), attempt["attempt_id"], "sms")


async def test_the_same_ids_twice_send_once(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        await queue_ready(house)
        assert await dispatch(house, "sms", [key, key]) == {"sent": 1}
        assert await dispatch(house, "sms", [key]) == {}
        assert len(fake(house).sent) == 1


async def test_a_touch_is_not_sent_on_a_channel_it_has_left(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, channel="email")
    async with a_house(database) as house:
        await queue_ready(house)
        assert await dispatch(house, "sms", [key]) == {}
        assert fake(house).sent == []


async def test_outside_hours_a_touch_waits_for_the_exact_next_opening_and_says_why(database: str) -> None:
    put(database, ada := Someone())
    late = datetime(2027, 3, 2, 2, 30, tzinfo=UTC)  # Monday 21:30 in New York
    key = plan_touch(database, ada, at=late)
    async with a_house(database, at=late) as house:
        assert await run_lanes(house) == {"deferred": 1}
        opens = datetime(2027, 3, 2, 13, 5, tzinfo=UTC)  # 08:05 in New York
        assert datetime.fromisoformat(touch(database, key)["not_before"]) == opens
        ((verdict, until, reasons),) = rows(database, "select verdict, until_at, reasons from decision")
        assert (verdict, until) == ("defer", opens)
        assert {reason["code"].split(".")[0] for reason in reasons} == {"quiet_hours"}
        assert told(database, "touch.deferred")[0]["reasons"] == [reason["code"] for reason in reasons]
        assert await step_to(house, opens - timedelta(microseconds=1)) == {}
        assert await step_to(house, opens) == {"sent": 1}


async def test_every_reason_is_kept_not_only_the_first(database: str) -> None:
    put(database, ada := Someone(zones=[], jurisdictions=[], consents=(), phone="+12125550177", amount_due_minor=0))
    with psycopg.connect(database) as connection:
        connection.execute("update contact_point set zones = '{}', regions = '{}'")
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
    ((reasons,),) = rows(database, "select reasons from decision")
    codes = {reason["code"] for reason in reasons}
    assert len(codes) >= 3, codes
    assert all(reason["rule_id"] for reason in reasons)


@pytest.mark.parametrize(
    ("someone", "code"),
    [
        ({"zones": []}, "place.unknown_zone"),
        ({"zones": ["Mars/Olympus"]}, "place.unknown_zone"),
        ({"jurisdictions": []}, "place.unknown_jurisdiction"),
    ],
)
async def test_an_unknown_place_or_clock_is_refused_never_guessed(
    database: str, someone: dict[str, Any], code: str
) -> None:
    put(database, ada := Someone(email=None, **someone))
    with psycopg.connect(database) as connection:
        # The number must not help out where the address says nothing.
        connection.execute("update contact_point set zones = %s, regions = '{}'", (someone.get("zones", []),))
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house).sent == []
    assert touch(database, key)["reason"] == code


async def test_a_creditor_nobody_configured_is_refused(database: str) -> None:
    put(database, ada := Someone(creditor="nobody"))
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house).sent == []
    assert touch(database, key)["reason"] == "creditor.unknown"
    assert told(database, "touch.blocked")[0]["reasons"] == ["creditor.unknown"]


async def test_a_text_that_cannot_be_printed_whole_is_refused_and_recorded(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, template="broken_promise")  # needs a promise that the context does not hold
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house).sent == []
    assert touch(database, key)["reason"].startswith("render.")
    assert told(database, "touch.blocked")[0]["reasons"][0].startswith("render.")
    assert attempts(database) == []


async def test_a_block_of_one_channel_only_falls_back_to_the_next(database: str) -> None:
    put(database, ada := Someone(consents=("email",)))
    key = plan_touch(database, ada, fallback=("email",))
    async with a_house(database) as house:
        assert await run_lanes(house) == {"fell_back": 1, "sent": 1}
        assert (len(fake(house, "sms").sent), len(fake(house, "email").sent)) == (0, 1)
    stored = touch(database, key)
    assert (stored["state"], stored["channel"], stored["fallback"]) == ("sent", "email", [])
    assert told(database, "touch.fell_back")[0]["next"] == "email"
    assert rows(database, "select channel, verdict from decision order by verdict") == [
        ("sms", "block"),
        ("email", "send"),
    ]


async def test_a_block_of_the_whole_case_does_not_try_another_channel(database: str) -> None:
    put(database, ada := Someone(amount_due_minor=0))
    key = plan_touch(database, ada, fallback=("email",))
    async with a_house(database) as house:
        assert await run_lanes(house) == {"blocked": 1}
        assert fake(house, "email").sent == []
    assert touch(database, key)["state"] == "blocked"


async def test_a_dead_address_is_marked_and_the_next_channel_tried(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, fallback=("email",))
    sms = FakeChannel(BadAddress("no such number", provider_code="21211"))
    async with a_house(database, channels={"sms": sms}) as house:
        assert await run_lanes(house) == {"rejected": 1, "sent": 1}
        assert len(fake(house, "email").sent) == 1
    assert rows(
        database, "select state, state_reason from contact_point where contact_point_id = %s", ada.phone_id
    ) == [("invalid", "provider.bad_address")]
    assert touch(database, key)["state"] == "sent"
    assert {each["channel"]: (each["state"], each["provider_code"]) for each in attempts(database)} == {
        "sms": ("rejected", "21211"),
        "email": ("accepted", None),
    }


async def test_an_opt_out_known_only_to_the_provider_becomes_ours(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    sms = FakeChannel(OptedOut("stopped", provider_code="21610"))
    async with a_house(database, channels={"sms": sms}) as house:
        assert await run_lanes(house) == {"rejected": 1}
        plan_touch(database, ada, at=START + timedelta(days=2))
        assert await step_to(house, START + timedelta(days=2)) == {"blocked": 1}
        assert len(sms.sent) == 1
    assert rows(database, "select channel, reason from suppression") == [("sms", "opt_out.at_provider")]


@pytest.mark.parametrize(
    "error", [ContentRefused("spam", provider_code="30007"), Unsupported("there", provider_code="21408")]
)
async def test_a_final_refusal_without_another_channel_ends_the_touch(database: str, error: SendError) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database, channels={"sms": FakeChannel(error)}) as house:
        assert await run_lanes(house) == {"rejected": 1}
        assert await step_to(house, START + timedelta(days=2)) == {}
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("failed", f"provider.{error.code}")


async def test_a_late_touch_is_dropped_not_sent(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, at=START - timedelta(hours=2), expires_at=START)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"expired": 1}
        assert fake(house).sent == []
    assert touch(database, key)["state"] == "expired"
    assert told(database, "touch.expired")[0]["reasons"] == ["expiry.passed"]


async def test_a_touch_that_would_open_only_after_its_expiry_is_refused_now(database: str) -> None:
    put(database, ada := Someone())
    late = datetime(2027, 3, 2, 2, 30, tzinfo=UTC)
    key = plan_touch(database, ada, at=late, expires_at=late + timedelta(hours=2))
    async with a_house(database, at=late) as house:
        assert await run_lanes(house) == {"blocked": 1}
    ((reasons,),) = rows(database, "select reasons from decision")
    assert "expiry.before_permitted" in {reason["code"] for reason in reasons}
    assert touch(database, key)["state"] == "blocked"


async def test_what_certainly_never_left_frees_its_slot_and_is_decided_again(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    sms = FakeChannel(Unavailable("refused"))
    async with a_house(database, channels={"sms": sms}) as house:
        assert await run_lanes(house) == {"released": 1}
        assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("deferred", "provider.unavailable")
        back = datetime.fromisoformat(touch(database, key)["not_before"])
        assert await step_to(house, back) == {"sent": 1}  # the daily cap is one: the released attempt holds no slot
    first, second = attempts(database)
    assert (first["state"], second["state"]) == ("released", "accepted")
    assert first["token"] != second["token"]
    assert [row[0] for row in rows(database, "select verdict from decision")] == ["send", "send"]


async def test_a_provider_that_says_later_is_asked_then(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database, channels={"sms": FakeChannel(Throttled("busy", retry_after=37.0))}) as house:
        assert await run_lanes(house) == {"released": 1}
        assert datetime.fromisoformat(touch(database, key)["not_before"]) == START + timedelta(seconds=37)
        assert await step_to(house, START + timedelta(seconds=36)) == {}
        assert await step_to(house, START + timedelta(seconds=37)) == {"sent": 1}


async def test_a_provider_that_stays_away_is_asked_ever_more_rarely_until_the_step_expires(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, expires_at=START + timedelta(hours=4))
    sms = FakeChannel(script=lambda _: Unavailable("refused"))
    async with a_house(database, channels={"sms": sms}) as house:
        waits = []
        await run_lanes(house)
        while touch(database, key)["state"] == "deferred":
            back = datetime.fromisoformat(touch(database, key)["not_before"])
            waits.append(back - clock_of(house).instant)
            await step_to(house, back)
    assert waits == sorted(waits)
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("expired", "expiry.passed")
    assert len(sms.sent) == len(waits) == 7
    assert {tuple(entry["reasons"]) for entry in told(database, "touch.released")} == {("provider.unavailable",)}


async def test_wrong_credentials_pause_the_channel_alert_once_and_lose_nothing(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=f"b{n}@example.com") for n in range(3)]
    put(database, *people)
    keys = [plan_touch(database, one) for one in people]
    sms = FakeChannel(script=lambda _: Misconfigured("bad credentials", provider_code="20003"))
    async with a_house(database, channels={"sms": sms}) as house:
        assert await run_lanes(house) == {"released": 3}
        assert rows(database, "select scope, key from switch") == [("channel", "sms")]
        assert rows(database, "select kind, subject from alert") == [("channel.misconfigured", "sms")]
        assert await step_to(house, START + timedelta(minutes=30)) == {"paused": 3}
        assert len(sms.sent) == 3
        sms._script = lambda outbound: Accepted(f"fake-{outbound.attempt_id}")
        async with house.store.transaction() as tx:
            await tx.clear_switch("channel", "sms", START, by="operator", catch_up="re-decide")
        await release(house)
        assert await step_to(house, START + timedelta(hours=2)) == {"sent": 3}
    assert {touch(database, key)["state"] for key in keys} == {"sent"}


@pytest.mark.parametrize(
    "error", [OutcomeUnknown("read timed out"), RuntimeError("a bug in an adapter"), ConnectionResetError()]
)
async def test_what_may_have_left_keeps_its_slot_and_is_never_sent_again(database: str, error: Exception) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)

    class Breaks(FakeChannel):
        async def send(self, outbound: Outbound) -> Accepted:
            self.sent.append(outbound)
            raise error

    sms = Breaks()
    async with a_house(database, channels={"sms": sms}) as house:
        assert await run_lanes(house) == {"unknown": 1}
        second = plan_touch(database, ada)
        assert await run_lanes(house) == {"deferred": 1}, "the unknown attempt holds today's only slot"
        assert touch(database, second)["reason"] in {"cooldown.running", "frequency_cap.reached"}
        await step_to(house, datetime.fromisoformat(touch(database, second)["not_before"]))
        await step_to(house, START + timedelta(days=4))
        assert len(sms.sent) == 2, "only the second touch, never the first again"
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("unknown", "provider.outcome_unknown")


async def test_one_broken_send_does_not_touch_the_others_of_its_batch(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=f"b{n}@example.com") for n in range(6)]
    put(database, *people)
    for one in people:
        plan_touch(database, one)

    def script(outbound: Outbound) -> Accepted | SendError:
        return {
            "+12125550100": Throttled("later", retry_after=60.0),
            "+12125550101": BadAddress("gone"),
            "+12125550102": OutcomeUnknown("?"),
        }.get(outbound.address, Accepted(outbound.attempt_id))

    async with a_house(database, channels={"sms": FakeChannel(script=script)}) as house:
        assert await run_lanes(house) == {"sent": 3, "released": 1, "rejected": 1, "unknown": 1}


async def test_two_touches_of_one_borrower_in_a_batch_share_the_cap(database: str) -> None:
    put(database, ada := Someone())
    other_case, other_account = Someone().case_id, Someone().account_id
    with psycopg.connect(database) as connection:
        add_account(connection, ada, "B1-A2", other_account, other_case, START)
    plan_touch(database, ada, priority=10)
    first = plan_touch(database, ada, case_id=other_case, priority=80)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1, "deferred": 1}
        assert len(fake(house).sent) == 1
    assert touch(database, first)["state"] == "sent", "the more important one has the slot"


async def test_two_borrowers_at_one_number_in_a_batch_share_the_cap(database: str) -> None:
    put(database, ada := Someone(), ben := Someone(ref="B2", given_name="Ben", email="ben@example.com"))
    keys = [plan_touch(database, one) for one in (ada, ben)]
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1, "deferred": 1}
        assert len(fake(house).sent) == 1
    assert sorted(touch(database, key)["state"] for key in keys) == ["deferred", "sent"]


async def test_two_borrowers_at_one_number_share_the_cap_from_batch_to_batch(database: str) -> None:
    put(database, ada := Someone(), ben := Someone(ref="B2", given_name="Ben", email="ben@example.com"))
    plan_touch(database, ada)
    async with a_house(database) as house:
        assert await run_lanes(house) == {"sent": 1}
        plan_touch(database, ben)
        assert await run_lanes(house) == {"deferred": 1}


async def test_a_reply_is_answered_where_it_came_from_and_nowhere_else(database: str) -> None:
    put(database, ada := Someone())
    with psycopg.connect(database) as connection:
        connection.execute(
            """insert into contact_point (contact_point_id, borrower_id, kind, value, type, regions, zones, created_at,
                 updated_at, priority)
               select gen_random_uuid(), borrower_id, kind, '+12125550199', type, regions, zones, created_at,
                 updated_at, -1
               from contact_point where kind = 'phone'"""
        )
    plan_touch(database, ada, purpose="reply", template="help_reply", context={"point_id": str(ada.phone_id)})
    async with a_house(database) as house:
        await run_lanes(house)
        assert [outbound.address for outbound in fake(house).sent] == [ada.phone]


async def test_what_a_payment_changed_a_second_ago_is_seen(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database) as house:
        await queue_ready(house)
        with psycopg.connect(database) as connection:
            connection.execute("update account set amount_due_minor = 0")
        assert await dispatch(house, "sms", [key]) == {"blocked": 1}


async def test_the_provider_is_given_the_rest_of_the_window_and_no_more(database: str) -> None:
    put(database, ada := Someone())
    evening = datetime(2027, 3, 2, 1, 40, tzinfo=UTC)  # 20:40 in New York; the house closes at 20:50
    plan_touch(database, ada, at=evening)
    async with a_house(database, at=evening) as house:
        assert await run_lanes(house) == {"sent": 1}
        assert fake(house).sent[0].validity <= timedelta(minutes=10)


class SystemLike(FixedClock):
    """A clock that claims to be the machine's, at an instant the database does not share."""

    stepped = False


async def test_clocks_that_disagree_send_nothing_and_alert(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    async with a_house(database, clock=SystemLike(START)) as house:
        await queue_ready(house)
        assert await dispatch(house, "sms", [key]) == {"clock.skew": 1}
        assert fake(house).sent == []
    assert (touch(database, key)["state"], touch(database, key)["reason"]) == ("planned", "clock.skew")
    assert rows(database, "select kind from alert") == [("clock.skew",)]


async def test_every_decision_can_be_replayed_from_what_was_stored(database: str) -> None:
    people = [
        Someone(),
        Someone(ref="B2", phone="+12125550102", email="b2@example.com", consents=()),
        Someone(
            ref="B3", phone="+12125550103", email="b3@example.com", zones=["America/New_York", "America/Los_Angeles"]
        ),
        Someone(ref="B4", phone="+12125550104", email="b4@example.com", amount_due_minor=0),
    ]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
    async with a_house(database) as house:
        await run_lanes(house)
    stored = rows(
        database,
        """select verdict, until_at, at, reasons, facts::text, body from decision
           join policy_version on version = policy_version order by at, decision_id""",
    )
    assert len(stored) == 4
    for verdict, until, at, reasons, facts, body in stored:
        again = decide(facts_from_json(facts.encode()), from_json(body.encode()), at)
        assert (again.verdict, again.until) == (verdict, until)
        assert [reason.code for reason in again.reasons] == [reason["code"] for reason in reasons]


async def test_a_lane_that_is_full_gives_back_what_it_could_not_take(database: str) -> None:
    people = [Someone(ref=f"B{n}", phone=f"+1212555010{n}", email=f"b{n}@example.com") for n in range(5)]
    put(database, *people)
    keys = [plan_touch(database, one) for one in people]

    class TakesTwo:
        async def take(self, channel: str, wanted: int) -> int:
            return min(2, wanted)

        def concurrency(self, channel: str) -> int:
            return 5

        def per_second(self, channel: str) -> float:
            return 2.0

    async with a_house(database, pacer=TakesTwo()) as house:
        await queue_ready(house)
        queue = house.queue
        assert isinstance(queue, MemoryQueue)
        assert await dispatch(house, "sms", keys) == {"sent": 2}
        states = sorted(touch(database, key)["state"] for key in keys)
        assert states == ["planned"] * 3 + ["sent"] * 2
        queue.touches.clear()
        await step_to(house, START + timedelta(seconds=1))
    assert len(attempts(database)) >= 4


class CarriesTemplates(FakeChannel):
    """A provider that sends only templates it approved."""

    capabilities = frozenset({Capability.TEMPLATES})


class CarriesWords(FakeChannel):
    """A provider that sends words."""

    capabilities = frozenset()


async def test_a_provider_of_templates_is_given_the_values_and_others_are_not(database: str) -> None:
    put(database, ada := Someone())
    put(database, ben := Someone(ref="B2", given_name="Ben", phone="+12125550102", email="ben@example.com"))
    plan_touch(database, ada)
    plan_touch(database, ben, channel="email")
    async with a_house(database, channels={"sms": CarriesTemplates(), "email": CarriesWords()}) as house:
        assert (await run_lanes(house))["sent"] == 2
        (text,), (mail,) = fake(house, "sms").sent, fake(house, "email").sent
    assert mail.template is None
    assert text.template is not None
    assert text.template.parameters["creditor.name"] in text.content.body
    assert (text.person, mail.person) == (str(ada.borrower_id), str(ben.borrower_id))


async def test_what_a_worker_with_a_faster_clock_sent_counts(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database, clock=FixedClock(START + timedelta(seconds=20))) as ahead:
        assert await run_lanes(ahead) == {"sent": 1}
    plan_touch(database, ada)
    async with a_house(database, clock=FixedClock(START)) as behind:
        assert await run_lanes(behind) == {"deferred": 1}
        assert fake(behind).sent == []


async def test_a_refusal_heard_by_a_process_with_a_faster_clock_is_in_force(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    with psycopg.connect(database) as connection:
        connection.execute(
            """insert into suppression (suppression_id, borrower_id, channel, reason, since_at)
               values (gen_random_uuid(), %s, 'any', 'opt_out', %s)""",
            (ada.borrower_id, START + timedelta(seconds=20)),
        )
    async with a_house(database, clock=FixedClock(START)) as house:
        assert await run_lanes(house) == {"blocked": 1}
    assert touch(database, key)["state"] == "blocked"


async def test_a_year_whose_public_holidays_are_not_known_is_refused_and_alarms(database: str) -> None:
    put(database, ada := Someone())
    then = datetime(2036, 3, 3, 15, tzinfo=UTC)
    key = plan_touch(database, ada, at=then, expires_at=then + timedelta(hours=6))
    async with a_house(database, clock=FixedClock(then)) as house:
        assert await run_lanes(house) == {"blocked": 1}
    assert touch(database, key)["state"] == "blocked"
    assert ("calendar.missing", "house.public_holidays.us") in rows(database, "select kind, subject from alert")
