"""Contacts of other systems through the import into a real Postgres: counted once, jointly, never silently lost."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outreach.domain.book import Tally
from outreach.flows.book_file import BookFileError
from outreach.flows.import_book import Summary
from outreach.flows.import_contacts import import_contacts
from outreach.store.contacts import Contacts
from tests.support.book import START, Someone, add_account, put
from tests.support.house import a_house, rows, run_lanes
from tests.support.touching import plan_touch, told, touch

AT = START
COLUMNS = "contact_id,by,borrower_id,account_id,at,channel,outcome,direction,purpose,notice,value"
Importer = Callable[..., Summary]


def line(contact_id: str = "c1", **changes: str) -> dict[str, str]:
    base = {"contact_id": contact_id, "by": "agency", "account_id": "B1-A1", "at": "2027-02-28T10:00:00-05:00",
            "channel": "voice", "outcome": "no_answer"}  # fmt: skip
    return base | changes


@pytest.fixture
def bring_in(database: str, tmp_path: Path) -> Importer:
    def bring_in(contacts: Path | list[dict[str, str]], at: datetime = AT, **options: Any) -> Summary:
        path = contacts if isinstance(contacts, Path) else tmp_path / "contacts.csv"
        if not isinstance(contacts, Path):
            written = [",".join(row.get(name, "") for name in COLUMNS.split(",")) for row in contacts]
            path.write_text("\n".join([COLUMNS, *written, ""]), encoding="utf-8")

        async def run() -> Summary:
            async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
                return await import_contacts(path, Contacts(connection, at), at, **options)

        return asyncio.run(run())

    return bring_in


def test_a_contact_goes_in_with_everything_a_line_says(database: str, bring_in: Importer) -> None:
    put(database, ada := Someone())
    summary = bring_in([line(notice="placement_notice", channel="mail", outcome="sent", value=ada.phone or "")])
    assert summary.facts == {"contacts": Tally(new=1)}
    assert rows(
        database,
        "select made_by, external_id, account_ids, creditor_id, channel, direction, purpose, outcome, notice, value, "
        "at from recorded_contact",
    ) == [
        ("agency", "c1", [ada.account_id], "harbour", "mail", "out", "statutory_notice", "sent", "placement_notice",
         ada.phone, datetime(2027, 2, 28, 15, tzinfo=UTC)),
    ]  # fmt: skip
    (entry,) = told(database, "contact.recorded")
    assert (entry["channel"], entry["outcome"], entry["notice"]) == ("mail", "sent", "placement_notice")
    assert ada.phone not in json.dumps(entry)


def test_the_same_file_again_changes_nothing(database: str, bring_in: Importer) -> None:
    put(database, Someone())
    file = [line("c1"), line("c2", channel="visit")]
    bring_in(file)
    before = rows(database, "select * from recorded_contact order by 1")
    assert bring_in(file, AT + timedelta(days=1)).facts == {"contacts": Tally(unchanged=2)}
    assert rows(database, "select * from recorded_contact order by 1") == before
    assert len(told(database, "contact.recorded")) == 2


def test_an_outcome_moves_forward_and_never_back(database: str, bring_in: Importer) -> None:
    put(database, Someone())
    bring_in([line(outcome="no_answer")])
    assert bring_in([line(outcome="conversation")]).facts == {"contacts": Tally(updated=1)}
    assert bring_in([line(outcome="busy")]).facts == {"contacts": Tally(unchanged=1)}
    assert rows(database, "select outcome from recorded_contact") == [("conversation",)]


def test_a_contact_that_was_recorded_otherwise_is_refused_and_stays(
    database: str, bring_in: Importer, tmp_path: Path
) -> None:
    put(database, Someone())
    bring_in([line()])
    rejects = tmp_path / "rejects.jsonl"
    assert bring_in([line(channel="sms")], rejects=rejects).rejected == 1
    assert rows(database, "select channel from recorded_contact") == [("voice",)]
    assert json.loads(rejects.read_text())["field"] == "contact_id"


def test_of_one_contact_twice_in_a_file_what_came_of_it_furthest_counts(database: str, bring_in: Importer) -> None:
    put(database, Someone())
    summary = bring_in([line(outcome="no_answer"), line(outcome="conversation"), line("c2"), line("c2", channel="sms")])
    assert (summary.rejected, summary.facts["contacts"].new) == (3, 1)
    assert rows(database, "select external_id, outcome from recorded_contact") == [("c1", "conversation")]


def test_what_cannot_be_placed_is_named_and_the_rest_goes_in(database: str, bring_in: Importer, tmp_path: Path) -> None:
    put(database, Someone(), Someone(ref="B2", phone=None, email=None))
    rejects = tmp_path / "rejects.jsonl"
    summary = bring_in(
        [
            line("ok"),
            line("stranger", account_id="nobody"),
            line("unknown-person", borrower_id="B9", account_id=""),
            line("not-theirs", borrower_id="B2"),
            line("two-people", account_id="B1-A1;B2-A1"),
            line("nobody", account_id=""),
            line("naive", at="2027-02-28 10:00"),
            line("never", at="2027-02-30T10:00:00Z"),
            line("ahead", at="2027-03-09T10:00:00Z"),
            line("how", channel="fax"),
            line("what", outcome="maybe"),
            line("where", value="555 0143"),
        ],
        rejects=rejects,
    )
    assert (summary.lines, summary.rejected) == (12, 11)
    assert rows(database, "select external_id from recorded_contact") == [("ok",)]
    found = [json.loads(each) for each in rejects.read_text().splitlines()]
    assert {each["line"]: each["field"] for each in found} == {
        3: "account_id", 4: "borrower_id", 5: "account_id", 6: "account_id", 7: "borrower_id", 8: "at", 9: "at",
        10: "at", 11: "channel", 12: "outcome", 13: "value",
    }  # fmt: skip
    assert "555 0143" not in rejects.read_text()


def test_a_dry_run_counts_and_writes_nothing(database: str, bring_in: Importer) -> None:
    put(database, Someone())
    assert bring_in([line()], dry_run=True).facts == {"contacts": Tally(new=1)}
    assert rows(database, "select count(*) from recorded_contact") == [(0,)]
    assert told(database, "contact.recorded") == []


def test_json_lines_may_name_several_accounts_and_unknown_keys_are_refused(
    database: str, bring_in: Importer, tmp_path: Path
) -> None:
    put(database, ada := Someone())
    other = Someone()
    with psycopg.connect(database) as connection:
        add_account(connection, ada, "B1-A2", other.account_id, other.case_id, START)
    path = tmp_path / "contacts.jsonl"
    good = line() | {"account_id": ["B1-A1", "B1-A2"]}
    path.write_text(json.dumps(good) + "\n" + json.dumps(line("c2") | {"chanel": "sms"}) + "\n")
    summary = bring_in(path)
    assert (summary.facts["contacts"].new, summary.rejected) == (1, 1)
    assert len(told(database, "contact.recorded")) == 2, "it is on the timeline of each case it was about"
    ((accounts,),) = rows(database, "select account_ids from recorded_contact")
    assert set(accounts) == {ada.account_id, other.account_id}


def test_a_file_without_its_columns_is_refused_as_a_whole(database: str, bring_in: Importer, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("borrower_id,channel\nB1,sms\n")
    with pytest.raises(BookFileError, match="column contact_id is missing"):
        bring_in(path)


def test_somebody_else_at_a_number_takes_it_out_of_use_for_everyone_who_has_it(
    database: str, bring_in: Importer
) -> None:
    put(database, ada := Someone(), Someone(ref="B2", email=None), Someone(ref="B3", phone="+12125550109", email=None))
    bring_in([line(outcome="wrong_party", value=ada.phone or "")])
    states = rows(
        database,
        "select external_id, state from contact_point join borrower using (borrower_id) "
        "where kind = 'phone' order by 1",
    )
    assert states == [("B1", "wrong_party"), ("B2", "wrong_party"), ("B3", "active")]
    assert len(told(database, "contact_point.demoted")) == 2


def test_what_a_person_wrote_elsewhere_confirms_where_they_wrote_from(database: str, bring_in: Importer) -> None:
    put(database, ada := Someone())
    bring_in([line(channel="email", direction="in", outcome="conversation", value=ada.email or "")])
    assert rows(database, "select kind, confirmed from contact_point order by kind") == [
        ("email", True),
        ("phone", False),
    ]


async def test_what_another_agency_did_this_morning_uses_the_slot_of_the_day(database: str, bring_in: Importer) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada)
    await asyncio.to_thread(bring_in, [line(at="2027-03-01T09:00:00-05:00", channel="sms", outcome="sent")])
    async with a_house(database) as house:
        assert await run_lanes(house) == {"deferred": 1}
    assert touch(database, key)["reason"] in {"frequency_cap.reached", "cooldown.running"}
    ((history,),) = rows(database, "select facts->'history' from decision")
    assert [(each["channel"], each["outcome"]) for each in history] == [("sms", "sent")]
