"""A case that stays silent or broken goes to the lender's next stage once, and never while it rests."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from channels.fake import FakeChannel
from outreach.flows.escalate import escalate
from outreach.flows.outgoing import read_events
from outreach.flows.watch import Watcher
from tests.support.book import START, Someone, put
from tests.support.house import a_house, clock_of, rows
from tests.support.touching import told

ADA = Someone(due_on=date(2026, 12, 1))  # 90 days past due at START
DAY = timedelta(days=1)


def tried(database: str, days_ago: int, times: int = 1, outcome: str = "delivered") -> None:
    for _ in range(times):
        rows(
            database,
            """insert into attempt (attempt_id, touch_id, decision_id, case_id, borrower_id, creditor_id,
                 contact_point_id, channel, purpose, token, state, outcome, rank, template, template_hash, locale,
                 policy_version, started_at, started_real_at)
               values (%s,%s,%s,%s,%s,'harbour',%s,'sms','reminder',%s,'accepted',%s,50,'missed_payment','h','en-US',
                 'v',%s,%s) returning 1""",
            uuid4(), uuid4(), uuid4(), ADA.case_id, ADA.borrower_id, ADA.phone_id, str(uuid4()), outcome,
            START - days_ago * DAY, START,
        )  # fmt: skip


def silent(database: str) -> None:
    tried(database, 40, 3)
    tried(database, 2, 3)


def broke(database: str, days_ago: int = 20) -> None:
    rows(
        database,
        """insert into promise (promise_id, case_id, borrower_id, state, amount_minor, currency, due_on, made_at,
             ended_at, source) values (%s,%s,%s,'broken',4000,'USD',%s,%s,%s,'sms') returning 1""",
        uuid4(), ADA.case_id, ADA.borrower_id, START.date(), START - 30 * DAY, START - days_ago * DAY,
    )  # fmt: skip


def reply(database: str) -> None:
    rows(
        database,
        """insert into reply (reply_id, inbox_id, borrower_id, case_id, channel, body, received_at, intent, confidence,
             must_stop, reading) values (%s,%s,%s,%s,'sms','x',%s,'chit_chat',1,false,'{}') returning 1""",
        uuid4(), uuid4(), ADA.borrower_id, ADA.case_id, START - DAY,
    )  # fmt: skip


def payment(database: str) -> None:
    rows(
        database,
        "insert into payment (source, external_id, case_id, amount_minor, currency, received_at) "
        "values ('bank', '1', %s, 100, 'USD', %s) returning 1",
        ADA.case_id, START - DAY,
    )  # fmt: skip


def hold(database: str) -> None:
    rows(
        database,
        "insert into hold (hold_id, borrower_id, kind, since_at, source) values (%s,%s,'hardship',%s,'x') returning 1",
        uuid4(), ADA.borrower_id, START - DAY,
    )  # fmt: skip


def promised_anew(database: str) -> None:
    rows(
        database,
        """insert into promise (promise_id, case_id, borrower_id, state, amount_minor, currency, due_on, made_at,
             source) values (%s,%s,%s,'open',4000,'USD',%s,%s,'sms') returning 1""",
        uuid4(), ADA.case_id, ADA.borrower_id, START.date(), START,
    )  # fmt: skip


def with_a_person(database: str) -> None:
    rows(
        database,
        "insert into task (task_id, case_id, kind, opened_at, due_at) values (%s,%s,'dispute',%s,%s) returning 1",
        uuid4(), ADA.case_id, START, START,
    )  # fmt: skip


def settled(database: str) -> None:
    rows(database, "update account set amount_due_minor = 0 returning 1")


def closed(database: str) -> None:
    rows(database, "update cases set state = 'closed' returning 1")


def spoke(database: str) -> None:
    tried(database, 1, outcome="conversation")


async def look(database: str, at: datetime = START) -> list[dict[str, Any]]:
    async with a_house(database, at) as house:
        await escalate(house)
    return told(database, "case.escalated")


async def test_a_silent_case_is_escalated_once_and_the_borrower_hears_nothing(database: str) -> None:
    put(database, ADA)
    silent(database)
    async with a_house(database) as house:
        watcher = Watcher()
        for days in (0, 1, 40):
            clock_of(house).instant = START + days * DAY
            await watcher.look(house)
        sms = house.channels["sms"]
        assert isinstance(sms, FakeChannel)
        assert sms.sent == []
        async with house.store.transaction() as tx:
            (event,) = (await read_events(tx, 0, 10)).events
    assert event.type == "case.escalated"
    assert event.data == {"rule": "silent", "because": "silent", "stage": "field", "days_past_due": 90, "contacts": 6}
    assert rows(database, "select count(*) from touch") == [(0,)]


async def test_a_case_that_broke_its_word_is_escalated(database: str) -> None:
    put(database, ADA)
    broke(database)
    assert [(each["because"], each["stage"]) for each in await look(database)] == [("broken", "legal")]


@pytest.mark.parametrize("rest", [reply, payment, hold, promised_anew, with_a_person, settled, closed, spoke])
async def test_a_case_that_is_not_silent_or_rests_is_left_alone(database: str, rest: Callable[[str], None]) -> None:
    put(database, ADA)
    silent(database)
    rest(database)
    assert await look(database) == []


@pytest.mark.parametrize("rest", [payment, hold, promised_anew, with_a_person, settled, closed])
async def test_a_broken_case_that_pays_or_rests_is_left_alone(database: str, rest: Callable[[str], None]) -> None:
    put(database, ADA)
    broke(database)
    rest(database)
    assert await look(database) == []


async def test_what_is_too_early_is_left_alone(database: str) -> None:
    put(database, ADA)
    tried(database, 20, 6)
    broke(database, days_ago=10)
    assert await look(database) == []
    assert [each["because"] for each in await look(database, START + 5 * DAY)] == ["broken"]
