"""`outreach import` takes a book, and with --contacts what other systems did."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.cli import app
from tests.support.book import Someone, put
from tests.support.house import rows

HEADER = "contact_id,by,account_id,at,channel,outcome"
GOOD = "c1,agency,B1-A1,2025-02-28T10:00:00-05:00,voice,conversation"


@pytest.fixture
def runs(database: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("OUTREACH_DATABASE_URL", database)
    monkeypatch.setenv("OUTREACH_REDIS_URL", "redis://127.0.0.1:1/0")
    return CliRunner()


def test_contacts_go_in_once_and_the_summary_counts_them(database: str, runs: CliRunner, tmp_path: Path) -> None:
    put(database, Someone())
    file = tmp_path / "contacts.csv"
    file.write_text(f"{HEADER}\n{GOOD}\n")
    for counted in ({"new": 1, "updated": 0, "unchanged": 0}, {"new": 0, "updated": 0, "unchanged": 1}):
        result = runs.invoke(app, ["import", "--contacts", str(file), "--json"])
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["facts"] == {"contacts": counted}
    assert rows(database, "select made_by, external_id, outcome from recorded_contact") == [
        ("agency", "c1", "conversation")
    ]


def test_a_line_that_is_refused_is_explained_without_its_values(database: str, runs: CliRunner, tmp_path: Path) -> None:
    put(database, Someone())
    file = tmp_path / "contacts.csv"
    file.write_text(f"{HEADER}\n{GOOD}\nc2,agency,SECRET-9,2025-02-28T10:00:00-05:00,voice,busy\n")
    result = runs.invoke(app, ["import", "--contacts", str(file)])
    assert result.exit_code == 1
    assert "account_id: is not known" in result.output
    assert "SECRET" not in result.output + file.with_name("contacts.csv.rejects.jsonl").read_text()


def test_a_book_is_no_file_of_contacts(database: str, runs: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "book.csv"
    file.write_text("borrower_id,locale\nB1,en-US\n")
    result = runs.invoke(app, ["import", "--contacts", str(file)])
    assert result.exit_code == 2
    assert "allowed columns: contact_id" in result.output
