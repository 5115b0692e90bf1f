"""Books through the whole import into a real Postgres: idempotent, set-based, nothing lost, nobody's refusal undone."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outreach.domain.book import Tally
from outreach.domain.timeline import link_hash
from outreach.flows.book_file import BookFileError
from outreach.flows.import_book import Progress, Summary, import_book
from outreach.store.book import Books

AT = datetime(2027, 2, 28, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)
EXAMPLES = Path(__file__).parents[2] / "examples"
COLUMNS = (
    "borrower_id,given_name,locale,country,subdivision,postcode,account_id,product,creditor,currency,balance,amount_due,"
    "due_on,phone_1,phone_1_label,email_1,consents,charged_off,time_barred,accelerated,creditor_kind"
)
SOUND = {
    "given_name": "Ada",
    "locale": "en-US",
    "country": "US",
    "subdivision": "NY",
    "postcode": "10007",
    "product": "personal_loan",
    "creditor": "harbour",
    "currency": "USD",
    "balance": "1200.00",
    "amount_due": "100.00",
    "due_on": "2027-03-01",
    "phone_1": "+12125550143",
    "phone_1_label": "mobile",
    "email_1": "ada@example.com",
    "consents": "sms:given:2026-01-03",
}
Importer = Callable[..., Summary]


def line(number: int, account: int | None = None, **changes: str) -> dict[str, str]:
    return SOUND | {"borrower_id": f"B-{number}", "account_id": f"A-{account or number}"} | changes


@pytest.fixture
def bring_in(database: str, tmp_path: Path) -> Importer:
    def bring_in(book: Path | list[dict[str, str]], at: datetime = AT, **options: Any) -> Summary:
        path = book if isinstance(book, Path) else tmp_path / "book.csv"
        if not isinstance(book, Path):
            names = COLUMNS.split(",")
            rows = [",".join(row.get(name, "") for name in names) for row in book]
            path.write_text("\n".join([COLUMNS, *rows, ""]), encoding="utf-8")

        async def run() -> Summary:
            async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
                return await import_book(path, Books(connection, at), at, **options)

        return asyncio.run(run())

    return bring_in


@pytest.fixture
def ask(database: str) -> Callable[..., list[Any]]:
    def ask(statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(database, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    return ask


def tables(ask: Callable[..., list[Any]]) -> list[list[Any]]:
    return [
        ask("select * from borrower order by 1"),
        ask("select * from account order by 1"),
        ask("select * from cases order by 1"),
        ask("select * from contact_point order by 1"),
        ask("select * from consent order by 1"),
    ]


def test_a_book_goes_in_with_everything_a_line_says(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    summary = bring_in([line(1, phone_1="+12135550143")])
    assert summary.facts["borrowers"] == Tally(new=1)
    assert ask("select given_name, subdivision, jurisdictions, zones, created_at from borrower") == [
        ("Ada", "US-NY", ["US-NY", "US-NY-NYC"], ["America/New_York"], AT)
    ]
    assert ask("select balance_minor, amount_due_minor, currency from account") == [(120_000, 10_000, "USD")]
    assert ask("select kind, value, label, regions, zones, state from contact_point order by kind desc") == [
        ("phone", "+12135550143", "mobile", ["US-CA"], ["America/Los_Angeles"], "active"),
        ("email", "ada@example.com", "home", [], [], "active"),
    ]
    assert ask("select kind, channel, state, source from consent") == [("contact", "sms", "given", "book")]


def test_a_new_account_opens_a_case_whose_timeline_begins(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1), line(1, 2)])
    cases = ask("select case_id, state, opened_at, timeline_seq, timeline_hash from cases")
    assert len(cases) == 2
    for case_id, state, opened_at, seq, digest in cases:
        assert (state, opened_at, seq) == ("open", AT, 1)
        ((kind, data, stored),) = ask("select kind, data::text, hash from timeline where case_id = %s", case_id)
        assert kind == "case.opened"
        assert stored == digest == link_hash("", case_id, 1, AT, kind, data.encode())
        assert json.loads(data)["amount_due_minor"] == 10_000


def test_the_same_book_again_changes_nothing(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    book = [line(1), line(1, 2), line(3)]
    bring_in(book)
    before = tables(ask)
    summary = bring_in(book, LATER)
    assert tables(ask) == before
    assert summary.facts["accounts"] == Tally(unchanged=3)
    assert summary.facts["points"] == Tally(unchanged=4)
    assert all(tally.new == tally.updated == 0 for tally in summary.facts.values())


def test_what_changed_is_updated_in_place(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1), line(2)])
    summary = bring_in([line(1, balance="900.00", postcode="10001"), line(2)], LATER)
    assert summary.facts["borrowers"] == Tally(updated=1, unchanged=1)
    assert summary.facts["accounts"] == Tally(updated=1, unchanged=1)
    assert ask("select balance_minor, updated_at from account order by external_id") == [(90_000, LATER), (120_000, AT)]
    assert ask("select count(*) from cases") == [(2,)]


def test_a_closed_case_is_not_opened_again(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1)])
    ask("update cases set state = 'closed', closed_at = %s", AT)
    bring_in([line(1, balance="1.00")], LATER)
    assert ask("select state from cases") == [("closed",)]


def test_what_was_learned_about_a_number_is_not_overwritten(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1)])
    ask("update contact_point set state = 'wrong_party', state_reason = 'said', confirmed = true where kind = 'phone'")
    summary = bring_in([line(1, phone_1_label="work")], LATER)
    assert summary.facts["points"] == Tally(updated=1, unchanged=1)
    assert ask("select label, state, state_reason, confirmed from contact_point where kind = 'phone'") == [
        ("work", "wrong_party", "said", True)
    ]


def test_a_revoked_consent_bars_its_channel(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1, consents="sms:given:2026-01-03;sms:revoked:2026-05-01")])
    live = "select channel, reason from suppression where lifted_at is null"
    assert ask(live) == [("sms", "consent.revoked_in_book")]
    bring_in([line(1, consents="sms:given:2026-01-03;sms:revoked:2026-05-01")], LATER)
    assert ask("select count(*) from suppression") == [(1,)]
    bring_in([line(1, consents="sms:given:2026-08-01")], LATER)
    assert ask(live) == []


def test_a_book_never_lifts_what_the_borrower_said(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1)])
    ask(
        "insert into suppression (suppression_id, borrower_id, channel, reason, since_at)"
        " select gen_random_uuid(), borrower_id, 'sms', 'reply.stop', %s from borrower",
        AT,
    )
    bring_in([line(1, consents="sms:given:2027-02-28")], LATER)
    assert ask("select reason, lifted_at from suppression") == [("reply.stop", None)]


def test_an_operators_lift_is_not_undone_by_the_same_book(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    book = [line(1, consents="sms:revoked:2026-05-01")]
    bring_in(book)
    ask("update suppression set lifted_at = %s", AT)
    bring_in(book, LATER)
    assert ask("select count(*) from suppression where lifted_at is null") == [(0,)]


def test_lines_that_contradict_each_other_stay_out(
    bring_in: Importer, ask: Callable[..., list[Any]], tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.jsonl"
    book = [line(1), line(2), line(2, 3, postcode="90012"), line(4), line(5, 4), line(6), line(6)]
    summary = bring_in(book, rejects=rejects)
    assert ask("select external_id from account order by 1") == [("A-1",), ("A-6",)]
    assert summary.rejected == 5
    found = [json.loads(text) for text in rejects.read_text().splitlines()]
    assert [(reject["line"], reject["field"], reject["allowed"]) for reject in found] == [
        (3, "postcode", "compare line 4"),
        (4, "postcode", "compare line 3"),
        (5, "account_id", "compare line 6"),
        (6, "account_id", "compare line 5"),
        (8, "account_id", "compare line 7"),
    ]


def test_an_account_of_somebody_else_is_not_taken_over(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1)])
    summary = bring_in([line(2, 1)], LATER)
    assert summary.reasons == {"account_id: belongs to another borrower already": 1}
    assert ask("select external_id from borrower") == [("B-1",)]


def test_an_erased_borrower_does_not_come_back(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1)])
    ask("update borrower set erased_at = %s, given_name = null", AT)
    summary = bring_in([line(1)], LATER)
    assert summary.rejected == 1
    assert ask("select given_name from borrower") == [(None,)]


def test_a_dry_run_counts_and_writes_nothing(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    book = [line(1), line(1, 2), line(3, locale="x")]
    dry = bring_in(book, dry_run=True)
    assert ask("select count(*) from borrower") == [(0,)]
    assert ask("select count(*) from timeline") == [(0,)]
    assert replace(bring_in(book), dry_run=True) == dry
    assert dry.facts == {
        "borrowers": Tally(new=1), "accounts": Tally(new=2), "points": Tally(new=2), "consents": Tally(new=1)
    }  # fmt: skip


def test_batches_change_nothing_but_the_memory(
    bring_in: Importer, ask: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.flows.import_book.BATCH", 2)
    seen: list[Progress] = []
    # The accounts of one borrower lie in different batches of lines.
    book = [line(number % 3 + 1, number) for number in range(1, 10)]
    summary = bring_in(book, progress=seen.append)
    assert summary.facts["borrowers"] == Tally(new=3)
    assert summary.facts["accounts"] == Tally(new=9)
    assert summary.facts["points"] == Tally(new=6)
    assert ask("select count(*) from cases") == [(9,)]
    assert [step for step in seen if step.phase == "writing"] == [Progress("writing", 1, 2), Progress("writing", 2, 2)]


def test_a_shared_number_belongs_to_each_borrower(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    bring_in([line(1), line(2, email_1="bea@example.com")])
    assert ask("select count(*), count(distinct borrower_id) from contact_point where kind = 'phone'") == [(2, 2)]


def test_json_lines_say_the_same_as_rows(bring_in: Importer, ask: Callable[..., list[Any]], tmp_path: Path) -> None:
    bring_in([line(1), line(1, 2)])
    borrower = {key: SOUND[key] for key in ("given_name", "locale", "country", "subdivision", "postcode")}
    account = {key: SOUND[key] for key in ("product", "creditor", "currency", "balance", "amount_due", "due_on")}
    path = tmp_path / "book.jsonl"
    path.write_text(
        json.dumps(
            {
                "borrower_id": "B-1",
                **borrower,
                "accounts": [account | {"account_id": "A-1"}, account | {"account_id": "A-2"}],
                "phones": [{"number": SOUND["phone_1"], "label": "mobile"}],
                "emails": [{"address": SOUND["email_1"]}],
                "consents": [{"channel": "sms", "state": "given", "on": "2026-01-03"}],
            }
        )
    )
    summary = bring_in(path, LATER)
    assert (summary.rejected, summary.facts["accounts"]) == (0, Tally(unchanged=2))
    assert summary.facts["points"] == Tally(unchanged=2)
    assert summary.facts["consents"] == Tally(unchanged=1)


def test_a_file_that_is_no_book_leaves_the_store_and_the_connection_clean(database: str, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("a;b\n1;2\n")
    good.write_text("\n".join([COLUMNS, ",".join(line(1).get(name, "") for name in COLUMNS.split(","))]))

    async def run() -> Summary:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            with pytest.raises(BookFileError):
                await import_book(bad, Books(connection, AT), AT)
            return await import_book(good, Books(connection, AT), AT)

    assert asyncio.run(run()).facts["accounts"] == Tally(new=1)


def test_two_imports_of_one_book_at_once_make_one_of_everything(database: str, tmp_path: Path) -> None:
    path = EXAMPLES / "portfolio.csv"

    async def one() -> Summary:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            return await import_book(path, Books(connection, AT), AT)

    async def both() -> None:
        await asyncio.gather(one(), one())

    asyncio.run(both())
    with psycopg.connect(database) as connection:
        (counts,) = connection.execute("select (select count(*) from account), (select count(*) from cases)").fetchall()
    assert counts[0] == counts[1] > 2_000


def test_the_example_book_goes_in_whole(bring_in: Importer, ask: Callable[..., list[Any]]) -> None:
    summary = bring_in(EXAMPLES / "portfolio.csv")
    assert summary.rejected == 0
    assert summary.facts["borrowers"].new >= 2_000
    assert {row[0] for row in ask("select distinct country from borrower")} == {"US", "CN", "GB", "IN", "MX"}
    assert {row[0] for row in ask("select distinct locale from borrower")} == {
        "en-US", "en-GB", "es-US", "es-MX", "zh-CN"
    }  # fmt: skip
    assert {"America/Phoenix", "Pacific/Honolulu", "America/Indiana/Indianapolis", "America/Adak"} <= {
        row[0] for row in ask("select distinct unnest(zones) from borrower")
    }
    # A number from a zone that the address does not have; a number that two borrowers share; a borrower without one.
    ((apart,),) = ask(
        "select count(*) from contact_point p join borrower b using (borrower_id)"
        " where p.zones <> '{}' and not p.zones && b.zones"
    )
    ((shared,),) = ask("select count(*) from (select from contact_point group by value having count(*) > 1) as twice")
    ((alone,),) = ask("select count(*) from borrower left join contact_point using (borrower_id) where value is null")
    assert min(apart // 10, shared, alone) > 2
    assert ask("select count(*) from contact_point where kind = 'phone' and zones = '{}'") == [(0,)]


def test_the_bad_example_shows_every_fault_and_nobodys_data(bring_in: Importer, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    summary = bring_in(EXAMPLES / "bad_portfolio.csv", rejects=rejects)
    text = rejects.read_text()
    assert summary.facts["accounts"] == Tally(new=3)
    assert summary.lines - summary.rejected == 3
    assert len({json.loads(found)["reason"] for found in text.splitlines()}) >= 30
    for personal in ("Ada", "Barlow", "Jos", "555", "Juniper", "ada@", "sister"):
        assert personal not in text.replace("+12025550143", "")


def test_the_example_book_is_what_its_script_makes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib.util  # noqa: PLC0415 - only here

    spec = importlib.util.spec_from_file_location("make_portfolio", EXAMPLES / "make_portfolio.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    (tmp_path / "examples").mkdir()
    monkeypatch.setattr(script, "HERE", tmp_path / "examples")
    areas = tmp_path / "outreach" / "domain" / "data" / "area_codes.yaml"
    areas.parent.mkdir(parents=True)
    areas.write_bytes((EXAMPLES.parent / "outreach/domain/data/area_codes.yaml").read_bytes())
    script.main()
    for name in ("portfolio.csv", "bad_portfolio.csv"):
        assert (tmp_path / "examples" / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_the_state_of_a_debt_goes_in_and_what_a_newer_book_leaves_out_stays(
    bring_in: Importer, ask: Callable[..., list[Any]]
) -> None:
    states = "select charged_off, time_barred, accelerated, creditor_kind from account"
    bring_in([line(1)])
    assert ask(states) == [(None, None, None, "")], "not known is not false"
    bring_in([line(1, charged_off="yes", time_barred="false", accelerated="1", creditor_kind="bank")], LATER)
    assert ask(states) == [(True, False, True, "bank")]
    assert bring_in([line(1)], LATER).facts["accounts"] == Tally(unchanged=1)
    assert ask(states) == [(True, False, True, "bank")]
    assert bring_in([line(1, charged_off="no")], LATER).facts["accounts"] == Tally(updated=1)
    assert bring_in([line(2, charged_off="perhaps")], LATER).rejected == 1
