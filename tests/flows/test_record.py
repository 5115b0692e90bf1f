"""The case record: a timeline in which an edit shows, and a ledger of all that was sent and not sent, naming nobody."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from channels.errors import Throttled
from channels.fake import FakeChannel
from outreach.domain.timeline import Entry
from outreach.flows.ledger import ledger_lines
from outreach.flows.story import is_intact, load_story
from tests.support.book import Someone, put
from tests.support.house import START, a_house, rows, run_lanes
from tests.support.touching import plan_touch, receive, run_intake, step_to


async def lively(database: str, house: object, ada: Someone) -> None:
    """Let a case see a release, a send, a receipt, a reply and a refusal."""
    plan_touch(database, ada)
    await run_lanes(house)  # type: ignore[arg-type]
    await step_to(house, START + timedelta(hours=1))  # type: ignore[arg-type]
    token = rows(database, "select token from attempt where state = 'accepted'")[0][0]
    await receive(house, "sms", dedupe_key="d", status="delivered", token=token)  # type: ignore[arg-type]
    await receive(house, "sms", dedupe_key="r", text="STOP", address=ada.phone)  # type: ignore[arg-type]
    await run_intake(house)  # type: ignore[arg-type]
    await run_lanes(house)  # type: ignore[arg-type]
    plan_touch(database, ada, at=START + timedelta(days=2))
    await step_to(house, START + timedelta(days=2))  # type: ignore[arg-type]


EDITS = {
    "words": "update timeline set data = '{\"amount_minor\":1}' where seq = 2",
    "kind": "update timeline set kind = 'touch.blocked' where seq = 2",
    "instant": "update timeline set at = at + interval '1 microsecond' where seq = 2",
    "removed": "delete from timeline where seq = 2",
    "removed_last": "delete from timeline where (case_id, seq) in (select case_id, max(seq) from timeline group by 1)",
    "swapped": "update timeline set seq = case seq when 2 then 300 else seq end where seq = 2",
    "rehashed": "update timeline set hash = repeat('0', 64) where seq = 2",
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edited_timeline_shows(database: str, edit: str) -> None:
    put(database, ada := Someone())
    async with a_house(database, channels={"sms": FakeChannel(Throttled("later", retry_after=5.0))}) as house:
        await lively(database, house, ada)
        story = await load_story(house, "B1")
        assert story is not None
        assert story.intact
        with psycopg.connect(database) as line:
            line.execute("alter table timeline disable trigger timeline_append_only")
            line.execute(EDITS[edit])  # type: ignore[call-overload]
        story = await load_story(house, "B1")
        assert story is not None
        assert not story.intact


@pytest.mark.parametrize("edit", ["words", "removed"])
def test_the_timeline_cannot_be_edited_in_passing(database: str, edit: str) -> None:
    put(database, ada := Someone())
    with psycopg.connect(database) as line:
        line.execute(
            "insert into timeline select %s, n, %s, 'event', '{}', '', '' from generate_series(1, 3) n",
            (ada.case_id, START),
        )
    with psycopg.connect(database) as line, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        line.execute(EDITS[edit])  # type: ignore[call-overload]


async def test_entries_written_at_once_from_many_sides_make_one_chain(database: str) -> None:
    put(database, ada := Someone())

    async def write(number: int) -> None:
        async with house.store.transaction() as tx:
            await tx.append([Entry(ada.case_id, START, "event", {"n": number, "k": each}) for each in range(3)])

    async with a_house(database) as house:
        await asyncio.gather(*(write(number) for number in range(20)))
        async with house.store.transaction() as tx:
            case = (await tx.cases([ada.case_id]))[ada.case_id]
            written = await tx.story(ada.case_id)
        assert [row[0] for row in written] == list(range(1, 61))
        assert is_intact(ada.case_id, written, (case.timeline_seq, case.timeline_hash))


async def test_the_ledger_has_a_line_for_each_attempt_and_each_refusal_and_names_nobody(database: str) -> None:
    ada = Someone(given_name="Adalbertina", family_name="Examplesson", email="adalbertina@example.com")
    put(database, ada)
    async with a_house(database, channels={"sms": FakeChannel(Throttled("later", retry_after=5.0))}) as house:
        await lively(database, house, ada)
        text = b"".join([line async for line in ledger_lines(house)]).decode()
        part = [json.loads(line) async for line in ledger_lines(house, since=START + timedelta(days=1))]
    lines = [json.loads(line) for line in text.splitlines()]
    attempts = {row[0] for row in rows(database, "select attempt_id::text from attempt")}
    assert {line["attempt_id"] for line in lines if line["kind"] == "attempt"} == attempts
    refusals = rows(database, "select decision_id::text from decision where verdict <> 'send'")
    assert sorted(line["decision_id"] for line in lines if line["kind"] == "refusal") == sorted(
        row[0] for row in refusals
    )
    assert all(line["reasons"] for line in lines if line["kind"] == "refusal")
    assert {line["state"] for line in lines if line["kind"] == "attempt"} == {"released", "accepted"}
    assert [line["decided_at"] for line in lines] == sorted(line["decided_at"] for line in lines)
    assert len(part) < len(lines)
    for secret in ("Adalbertina", "Examplesson", ada.phone or "", "5550101", "adalbertina@example.com", "1980"):
        assert secret.lower() not in text.lower(), secret


async def test_nothing_personal_is_on_the_timeline(database: str) -> None:
    ada = Someone(given_name="Adalbertina", family_name="Examplesson", email="adalbertina@example.com")
    put(database, ada)
    async with a_house(database) as house:
        await lively(database, house, ada)
    written = str(rows(database, "select kind, data::text from timeline"))
    for secret in ("Adalbertina", "Examplesson", "5550101", "adalbertina@"):
        assert secret not in written
    assert re.search(r"content_sha256", written)


async def test_one_statement_of_everything_about_a_refused_touch_is_found_from_its_case(database: str) -> None:
    put(database, ada := Someone(consents=()))
    late = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
    plan_touch(database, ada, at=late)
    async with a_house(database, at=late) as house:
        await run_lanes(house)
        async with house.store.transaction() as tx:
            ((_, at, verdict, until, version, channel, reasons),) = await tx.decisions_of_case(ada.case_id)
    assert (at, verdict, until, channel) == (late, "block", None, "sms")
    assert version == house.policy.version
    assert {reason["code"] for reason in reasons} >= {"consent.missing"}
