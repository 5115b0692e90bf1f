"""`outreach tasks`: list, show, close."""

import json
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb
from typer.testing import CliRunner, Result

from outreach.cli import app
from tests.support.book import START, Someone, put


def outreach(database: str, *args: str) -> Result:
    """Run the command line on a test's database."""
    environ = {"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox", "COLUMNS": "200"}
    return CliRunner().invoke(app, ["tasks", *args], env=environ)


def test_a_task_is_listed_shown_and_closed_once(database: str) -> None:
    put(database, ada := Someone())
    key = uuid4()
    with psycopg.connect(database) as connection:
        connection.execute(
            """insert into task (task_id, case_id, kind, opened_at, due_at, detail)
               values (%s, %s, 'dispute', %s, %s, %s)""",
            (key, ada.case_id, START, START.replace(year=2000), Jsonb({"surface": "sms", "evidence": ""})),
        )
    listed = outreach(database, "list")
    assert (listed.exit_code, "overdue" in listed.stdout, str(key) in listed.stdout) == (1, True, True)
    assert "dispute_answered" in outreach(database, "show", str(key)).stdout
    closed = outreach(database, "close", str(key), "--as", "dispute_answered", "--by", "sam", "--json")
    assert json.loads(closed.stdout)["by"] == "sam"
    again = outreach(database, "close", str(key), "--as", "dispute_answered", "--by", "kim")
    assert (again.exit_code, "sam closed this task" in again.stderr) == (1, True)


def test_what_is_no_id_is_refused_before_anything_is_opened() -> None:
    assert CliRunner().invoke(app, ["tasks", "show", "nonsense"]).exit_code == 2
