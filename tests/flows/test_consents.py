"""What a borrower allowed or refused, anywhere and by any words, and how far it reaches."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from outreach.domain.events import Event, read_event
from outreach.domain.refusal_config import ChannelReach, RefusalRules, TopicReach
from outreach.flows.events import take_events
from outreach.flows.house import House
from tests.support.book import START, Someone, put
from tests.support.house import a_house, clock_of, rows, run_lanes
from tests.support.touching import fake, plan_touch, receive, run_intake, say, step_to, told, touch

DAY = timedelta(days=1)
SPOKEN_OF = {"wording": "please leave me alone", "evidence": "call 77, 02:10", "obtained_by": "agent 12"}


def event(kind: str, data: dict[str, Any], key: str, subject: str = "borrower/B1", at: datetime = START) -> Event:
    raw = {"specversion": "1.0", "id": key, "source": "core", "type": kind, "subject": subject, "data": data,
           "time": at.isoformat()}  # fmt: skip
    read = read_event(raw, at)
    assert isinstance(read, Event), read
    return read


async def take(house: House, kind: str, data: dict[str, Any], key: str, subject: str = "borrower/B1") -> None:
    await take_events(house, [event(kind, data, key, subject, house.clock.now())])


def second_account(database: str, one: Someone, creditor: str = "rowan") -> Someone:
    """Give somebody an account with another creditor; returns what identifies it."""
    other = replace(Someone(), creditor=creditor, borrower_id=one.borrower_id)
    with psycopg.connect(database) as connection:
        connection.execute(
            """insert into account (account_id, external_id, borrower_id, creditor_id, product, currency, balance_minor,
                 amount_due_minor, due_on, updated_at) values (%s,'B1-A2',%s,%s,'credit_card','USD',100,100,%s,%s)""",
            (other.account_id, one.borrower_id, creditor, one.due_on, START),
        )
        connection.execute(
            """insert into cases (case_id, account_id, borrower_id, creditor_id, state, opened_at)
               values (%s,%s,%s,%s,'open',%s)""",
            (other.case_id, other.account_id, one.borrower_id, creditor, START),
        )
    return other


def add_phone(database: str, one: Someone, value: str) -> Any:
    """Give somebody one more number; returns its id."""
    ((key,),) = rows(
        database,
        """insert into contact_point (contact_point_id, borrower_id, kind, value, type, regions, zones, priority,
             created_at, updated_at)
           values (gen_random_uuid(), %s, 'phone', %s, 'mobile', %s, %s, 1, %s, %s) returning contact_point_id""",
        one.borrower_id, value, one.jurisdictions, one.zones, START, START,
    )  # fmt: skip
    return key


async def verdict(database: str, house: House, one: Someone, after: timedelta, **what: Any) -> str:
    """Return what becomes of a reminder ``after`` the start."""
    key = plan_touch(database, one, at=START + after, **what)
    await step_to(house, START + after)
    return str(touch(database, key)["state"])


@pytest.mark.parametrize("route", ["agent_note", "call", "complaint", "email", "web", "letter", "chat", "branch"])
async def test_what_is_said_to_somebody_reaches_every_channel(database: str, route: str) -> None:
    put(database, ada := Someone())
    waiting = [plan_touch(database, ada, channel=each) for each in ("sms", "email", "voice")]
    async with a_house(database) as house:
        await take(house, "consent.revoked", {"route": route, **SPOKEN_OF}, "r1")
        assert {touch(database, key)["state"] for key in waiting} == {"cancelled"}
        for day, channel in enumerate(("sms", "email", "voice", "ivr"), 2):
            assert await verdict(database, house, ada, day * DAY, channel=channel) == "blocked"
        assert fake(house).sent == []
    (entry,) = rows(
        database,
        "select channel, state, at, source, route, wording, evidence, creditor_id from consent where state = 'revoked'",
    )
    assert entry == ("any", "revoked", START, "agent 12", route, SPOKEN_OF["wording"], SPOKEN_OF["evidence"], None)
    assert rows(database, "select channel, reason, route from suppression") == [("any", "opt_out.told", route)]


async def test_a_refusal_narrowed_to_one_programme_leaves_the_others(database: str) -> None:
    put(database, ada := Someone())
    other = second_account(database, ada)
    data = {"route": "agent_note", "scope": "topic", **SPOKEN_OF}
    async with a_house(database) as house:
        await take(house, "consent.revoked", data, "r1", "account/B1-A1")
        assert await verdict(database, house, ada, 2 * DAY) == "blocked"
        assert await verdict(database, house, ada, 4 * DAY, case_id=other.case_id) == "sent"
    assert rows(database, "select channel, creditor_id from suppression") == [("any", "harbour")]


async def test_a_clarifying_answer_narrows_what_was_refused_and_no_more(database: str) -> None:
    put(database, ada := Someone())
    other = second_account(database, ada)
    async with a_house(database) as house:
        await take(house, "consent.revoked", {"route": "call", **SPOKEN_OF}, "r1")
        assert await verdict(database, house, ada, DAY, case_id=other.case_id) == "blocked", "until then: all"
        meant = {"scope": "topic", "topic": "harbour", "clarifies": True, "route": "call",
                 "wording": "only the card", "evidence": "call 78"}  # fmt: skip
        await take(house, "consent.revoked", meant, "r2")
        assert await verdict(database, house, ada, 3 * DAY) == "blocked"
        assert await verdict(database, house, ada, 5 * DAY, case_id=other.case_id) == "sent"


def test_an_answer_that_narrows_must_be_on_record() -> None:
    raw = {"specversion": "1.0", "id": "e", "source": "s", "type": "consent.revoked", "subject": "borrower/B1"}
    found = read_event({**raw, "data": {"scope": "topic", "topic": "harbour", "clarifies": True}}, START)
    assert isinstance(found, list)
    assert "wording" in found[0].detail


async def test_a_refusal_dated_ahead_is_in_force_now(database: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        ahead = event("consent.revoked", {"route": "web", **SPOKEN_OF}, "r1", at=START + timedelta(hours=6))
        await take_events(house, [ahead])
        plan_touch(database, ada)
        assert await run_lanes(house) == {"blocked": 1}


async def test_start_restores_one_number_for_one_programme_and_nothing_else(database: str) -> None:
    put(database, ada := Someone())
    other = second_account(database, ada)
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "STOP", key="1")
        second = add_phone(database, ada, "+12125550166")
        clock_of(house).instant += timedelta(hours=1)
        await say(house, ada, "START", key="2")
        assert await verdict(database, house, ada, 2 * DAY) == "sent"
        assert await verdict(database, house, ada, 4 * DAY, context={"point_id": str(second)}) == "blocked"
        assert await verdict(database, house, ada, 6 * DAY, case_id=other.case_id) == "blocked"
        assert await verdict(database, house, ada, 8 * DAY, channel="email") == "blocked"
        assert await verdict(database, house, ada, 8 * DAY, channel="voice") == "blocked"
        late = add_phone(database, ada, "+12125550177")
        assert await verdict(database, house, ada, 10 * DAY, context={"point_id": str(late)}) == "blocked"
    (entry,) = rows(
        database, "select channel, contact_point_id, creditor_id, route from consent where reopens and state = 'given'"
    )
    assert entry == ("sms", ada.phone_id, "harbour", "sms")


async def test_a_stop_after_a_start_is_a_stop_again(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        for key, words in enumerate(("STOP", "START", "STOP")):
            clock_of(house).instant += timedelta(hours=1)
            await say(house, ada, words, key=str(key))
        assert await verdict(database, house, ada, 3 * DAY) == "blocked"


async def test_start_does_not_bring_a_wrong_number_back(database: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "Wrong number, I don't know this person", key="1")
        clock_of(house).instant += timedelta(hours=1)
        await say(house, ada, "START", key="2")
        assert await verdict(database, house, ada, 3 * DAY) == "blocked"
    assert rows(database, "select state from contact_point where kind = 'phone'") == [("wrong_party",)]
    assert rows(database, "select count(*) from consent where reopens") == [(0,)]


@pytest.mark.parametrize("words", ["YES", "ok", "thanks", "HELP", "I will pay on Friday", "1"])
async def test_no_other_answer_opens_what_was_refused(database: str, words: str) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "STOP", key="1")
        clock_of(house).instant += timedelta(hours=1)
        await say(house, ada, words, key="2")
        assert await verdict(database, house, ada, 3 * DAY) == "blocked"
    assert rows(database, "select count(*) from consent where reopens") == [(0,)]


async def test_a_new_consent_with_proof_opens_its_channel_and_an_older_one_does_not(database: str) -> None:
    put(database, ada := Someone())
    proof = {"channel": "sms", "route": "web", "wording": "I agree to texts", "evidence": "form 9"}
    plan_touch(database, ada)
    async with a_house(database) as house:
        await run_lanes(house)
        await say(house, ada, "STOP", key="1")
        older = event("consent.given", proof, "g0", at=START - DAY)
        await take_events(house, [older])
        assert await verdict(database, house, ada, 2 * DAY) == "blocked"
        await take(house, "consent.given", proof, "g1")
        assert await verdict(database, house, ada, 4 * DAY) == "sent"
        assert await verdict(database, house, ada, 6 * DAY, channel="email") == "blocked"


@pytest.mark.parametrize(
    ("rules", "channels", "creditor"),
    [
        (RefusalRules(), {"sms", "email", "voice", "ivr"}, None),
        (RefusalRules(unnamed_channel=ChannelReach.CHANNEL), {"sms"}, None),
        (RefusalRules(topics=TopicReach.TOPIC), {"sms", "email", "voice", "ivr"}, "harbour"),
    ],
)
@pytest.mark.parametrize("seen_by_provider_only", [False, True])
async def test_how_far_a_stop_reaches_is_configured_and_all_by_default(
    database: str, rules: RefusalRules, channels: set[str], creditor: str | None, seen_by_provider_only: bool
) -> None:
    put(database, ada := Someone())
    plan_touch(database, ada)
    async with a_house(database) as house:
        strict = replace(house, refusals=rules)
        await run_lanes(strict)
        words = {"provider_keyword": "STOP"} if seen_by_provider_only else {"text": "STOP"}
        await receive(strict, "sms", dedupe_key="1", address=ada.phone, medium="sms", **words)
        await run_intake(strict)
    found = rows(database, "select channel, creditor_id from suppression")
    assert {row[0] for row in found} == channels
    assert {row[1] for row in found} == {creditor}


@pytest.mark.parametrize("words", ["stop calling me", "STOP ALL"])
async def test_a_stop_that_names_its_channels_means_them_whatever_is_configured(database: str, words: str) -> None:
    put(database, ada := Someone())
    async with a_house(database) as house:
        narrow = replace(house, refusals=RefusalRules(unnamed_channel=ChannelReach.CHANNEL))
        await receive(narrow, "sms", dedupe_key="1", text=words, address=ada.phone, medium="sms")
    found = {row[0] for row in rows(database, "select channel from suppression")}
    assert found == ({"voice", "ivr"} if "call" in words else {"sms", "email", "voice", "ivr"})


def test_the_ledger_only_grows_but_words_can_be_erased(database: str) -> None:
    put(database, ada := Someone())
    change = "update consent set {} where borrower_id = %s returning 1"
    rows(database, change.format("wording = null, evidence = null"), ada.borrower_id)
    for forbidden in (
        "state = 'revoked'",
        "at = at + interval '1 day'",
        "wording = 'yes'",
        "expires_at = null, kind = 'x'",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            rows(database, change.format(forbidden), ada.borrower_id)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        rows(database, "delete from consent returning 1")


async def test_a_consent_for_one_number_and_one_programme_serves_no_other(database: str) -> None:
    put(database, ada := Someone(consents=()))
    second = add_phone(database, ada, "+12125550166")
    async with a_house(database) as house:
        data = {"channel": "sms", "value": "+12125550166", "topic": "harbour", "route": "web", "wording": "w",
                "evidence": "e", "expires_at": (START + 30 * DAY).isoformat()}  # fmt: skip
        await take(house, "consent.given", data, "g1")
        await take(house, "consent.given", data | {"value": "+12125550199"}, "g2")
    assert rows(database, "select contact_point_id, creditor_id, expires_at from consent where reopens") == [
        (second, "harbour", START + 30 * DAY)
    ]
    assert [entry.get("result") for entry in told(database, "event")] == [None, "unknown_point"]
