"""`outreach hygiene`, and what doctor says of a lane the system paused: shares, the way back, nothing personal."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner, Result

from outreach.cli import app
from outreach.clock import SystemClock
from tests.support.book import Someone, put
from tests.support.house import a_house, rows, run_lanes
from tests.support.touching import plan_touch

NOW = SystemClock().now()


def outreach(database: str, *args: str) -> Result:
    env = {"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox", "COLUMNS": "200"}
    return CliRunner().invoke(app, list(args), env=env)


def some_history(database: str) -> list[Someone]:
    """Let three texts leave, a day ago, by two senders: one delivered, one not, one without news."""
    people = [
        Someone(ref=f"B{n}", phone=f"+1212555{n:04}", email=f"b{n}@example.com", country=country)
        for n, country in ((1, "US"), (2, "US"), (3, "CA"))
    ]
    put(database, *people)
    for one in people:
        plan_touch(database, one)
    assert asyncio.run(_send(database)) == {"sent": 3}
    for one, outcome, rank, sender, overdue in (
        (people[0], "delivered", 50, "one", None),
        (people[1], "failed", 40, "two", None),
        (people[2], "accepted", 10, "two", NOW),
    ):
        rows(
            database,
            "update attempt set outcome = %s, rank = %s, provider_ref = %s, settled_at = %s, overdue_at = %s "
            "where borrower_id = %s returning 1",
            outcome, rank, f"{sender}:SM{rank}", NOW - timedelta(days=1), overdue, one.borrower_id,
        )  # fmt: skip
    rows(
        database,
        "update contact_point set state = 'silent', state_reason = 'silent.undelivered' "
        "where contact_point_id = %s returning 1",
        people[1].phone_id,
    )
    return people


async def _send(database: str) -> dict[str, int]:
    async with a_house(database) as house:
        return await run_lanes(house)


def hygiene(database: str, *more: str) -> dict[str, Any]:
    return dict(json.loads(outreach(database, "hygiene", "--json", *more).stdout))


def test_shares_by_channel_country_and_sender(database: str) -> None:
    some_history(database)
    found = hygiene(database)
    (sms,) = found["channels"]
    assert (sms["ended"], sms["delivered"], sms["not_delivered"], sms["no_news"]) == (3, 1, 1, 1)
    assert (sms["share_delivered"], sms["share_not_delivered"]) == (0.3333, 0.3333)
    assert [(one["country"], one["ended"]) for one in found["countries"]] == [("CA", 1), ("US", 2)]
    assert [(one["sender"], one["share_not_delivered"]) for one in found["senders"]] == [("two", 0.5), ("one", 0.0)]
    silent = [one for one in found["contact_points"] if one["state"] == "silent"]
    assert [(one["reason"], one["contact_points"]) for one in silent] == [("silent.undelivered", 1)]


def test_what_ended_before_the_days_asked_for_is_left_out(database: str) -> None:
    some_history(database)
    rows(database, "update attempt set settled_at = %s returning 1", NOW - timedelta(days=3))
    assert (hygiene(database, "--days", "2"))["channels"] == []
    assert len((hygiene(database, "--days", "4"))["channels"]) == 1


def test_nothing_personal_is_in_the_report(database: str) -> None:
    people = some_history(database)
    for answer in (outreach(database, "hygiene"), outreach(database, "hygiene", "--json")):
        assert answer.exit_code == 0
        for one in people:
            for personal in (one.phone, one.email, one.given_name, one.family_name, str(one.borrower_id), one.ref):
                assert str(personal) not in answer.stdout


def test_doctor_says_how_a_lane_that_the_system_paused_goes_on(database: str) -> None:
    some_history(database)
    rows(
        database,
        "insert into switch (scope, key, since_at, reason, until_at) values ('channel', 'sms', %s, 'error surge', %s) "
        "returning 1",
        NOW, NOW + timedelta(hours=1),
    )  # fmt: skip
    rows(
        database,
        "insert into alert (alert_id, kind, subject, detail, opened_at) "
        "values (%s, 'channel.error_surge', 'sms', 'd', %s) returning 1",
        uuid4(), NOW,
    )  # fmt: skip
    answer = outreach(database, "doctor")
    assert answer.exit_code == 1
    assert "by system: error surge" in answer.stdout
    assert "to go on: outreach resume channel sms --catch-up re-decide" in answer.stdout
    assert "no news came of 1 attempts on sms" in answer.stdout
