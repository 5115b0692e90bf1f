"""`outreach audit` and `outreach case`: exit codes, words for people, JSON for machines."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app
from tests.support.book import START, Someone, put
from tests.support.house import a_house
from tests.support.touching import plan_touch, step_to

LATE = datetime(2027, 3, 2, 2, 30, tzinfo=UTC)  # Monday 21:30 in New York


def outreach(database: str, *args: str) -> Result:
    """Run the command line on a test's database."""
    env = {"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox", "COLUMNS": "200"}
    return CliRunner().invoke(app, list(args), env=env)


@pytest.fixture
def lived(database: str) -> str:
    """A database in which one text left, and one had to wait for the morning."""
    put(database, ada := Someone())
    plan_touch(database, ada)
    plan_touch(database, ada, at=LATE)

    async def live() -> None:
        async with a_house(database) as house:
            await step_to(house, START)
            await step_to(house, LATE)

    asyncio.run(live())
    return database


def test_a_clean_ledger_ends_with_zero_and_says_how_much_was_looked_at(lived: str) -> None:
    answer = outreach(lived, "audit", "--all")
    assert answer.exit_code == 0, answer.output
    assert re.search(r"decisions decided again +2 +1 defer, 1 send", answer.stdout)
    assert re.search(r"sends counted again +1 +against \d+ rules of version \w{16}", answer.stdout)
    assert re.search(r"differences +0", answer.stdout)
    assert re.search(r"violations +0", answer.stdout)


def test_anything_wrong_ends_with_one_and_is_listed_by_kind_and_rule(lived: str) -> None:
    with psycopg.connect(lived, autocommit=True) as connection:
        connection.execute("update attempt set started_at = started_at + interval '13 hours'")
    answer = outreach(lived, "audit")
    assert answer.exit_code == 1
    assert "1 x left_late: an attempt was started after the permitted stretch had ended" in answer.stdout
    assert "1 x house.hours was not kept" in answer.stdout
    assert "hours: Mon 2027-03-01 23:00 in America/New_York" in answer.stdout


def test_machines_get_the_same_as_json(lived: str) -> None:
    found = json.loads(outreach(lived, "audit", "--json").stdout)
    assert (found["clean"], found["decided"], found["recounted"]) == (True, {"send": 1}, 1)
    assert found["differences"] == found["violations"] == []


def test_the_bounds_are_instants_with_an_offset(lived: str) -> None:
    later = (START + timedelta(days=1)).isoformat()
    assert json.loads(outreach(lived, "audit", "--from", later, "--json").stdout)["decided"] == {}
    answer = outreach(lived, "audit", "--from", "2027-03-01")
    assert answer.exit_code == 2
    assert "offset" in answer.stderr


def test_a_story_names_rules_and_never_a_bare_code(lived: str) -> None:
    text = outreach(lived, "case", "show", "B1").stdout
    assert "Contact hours are over: it is Mon 21:30 in America/New_York, permitted is 08:05 to 20:50." in text
    assert "Until Tue 2 Mar 2027, 08:05." in text
    assert "Rule house.hours (house policy): A margin inside" in text
    assert not re.search(r"because \w+\.\w+", text)
    assert "quiet_hours.after_close" not in text


def test_an_explanation_is_headed_by_when_each_channel_may_be_used(lived: str) -> None:
    text = outreach(lived, "case", "explain", "B1", "--at", "2027-03-01T21:30:00-05:00").stdout
    assert "Asked for Mon 1 Mar 2027, 21:30: a reminder by the creditor itself." in text
    assert re.search(r"text +mobile.* not yet +Tue 2 Mar 2027, 08:05", text)
    assert (
        "The limit of 1 contact a day to this borrower is used up (it was the text of Mon 1 Mar 2027, 10:00)." in text
    )
    assert re.search(r"\d+ other rules have nothing against it \(--all names them\)", text)
    assert not re.search(r"(quiet_hours|frequency_cap|cooldown)\.", text)


def test_all_names_every_rule_with_what_it_asks(lived: str) -> None:
    text = outreach(lived, "case", "explain", "B1", "--channel", "sms", "--all").stdout
    assert "core.zone: The borrower's time zone must be known." in text
    assert "house.shared_point: Several borrowers at one number" in text


def test_an_explanation_as_json_has_sentences_and_facts(lived: str) -> None:
    found = json.loads(outreach(lived, "case", "explain", "B1", "--at", LATE.isoformat(), "--json").stdout)
    first = found["answers"][0]
    assert (first["channel"], first["decision"]["verdict"]) == ("sms", "defer")
    assert {"rule_id", "code", "sentence", "summary", "citation", "until_local"} <= first["reasons"][0].keys()


def test_an_unknown_case_is_said_to_be_unknown(database: str) -> None:
    answer = outreach(database, "case", "explain", "nobody")
    assert (answer.exit_code, "nobody" in answer.stderr) == (1, True)
