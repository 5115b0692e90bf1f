"""Kill switches by hand: they are seen, they hold, they are lifted, and a word that means nothing is refused."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app


def outreach(database: str, *args: str) -> Result:
    """Run the command line on a test's database."""
    return CliRunner().invoke(app, list(args), env={"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox"})


def doctor(database: str) -> dict[str, object]:
    """Return what doctor says."""
    return dict(json.loads(outreach(database, "doctor", "--json").stdout))


def test_a_pause_is_listed_until_it_is_lifted(database: str) -> None:
    assert outreach(database, "pause", "channel:sms", "--reason", "wrong link in a text").exit_code == 0
    answer = doctor(database)
    assert answer["healthy"] is False
    assert [(one["scope"], one["key"], one["reason"]) for one in answer["paused"]] == [  # type: ignore[attr-defined]
        ("channel", "sms", "wrong link in a text")
    ]
    assert outreach(database, "resume", "channel:sms").exit_code == 0
    assert doctor(database)["healthy"] is True


def test_everything_can_be_paused_at_once(database: str) -> None:
    assert outreach(database, "pause", "everything", "--reason", "drill").exit_code == 0
    assert [(one["scope"], one["key"]) for one in doctor(database)["paused"]] == [  # type: ignore[attr-defined]
        ("everything", "everything")
    ]


def test_resuming_a_channel_closes_the_alert_that_paused_it(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into alert (alert_id, kind, subject, detail, opened_at) values "
            "('018f0000-0000-7000-8000-000000000001', 'channel.misconfigured', 'sms', 'd', %s)",
            [datetime(2027, 3, 1, tzinfo=UTC)],
        )
    outreach(database, "pause", "channel:sms", "--reason", "misconfigured")
    assert "1 alert closed" in outreach(database, "resume", "channel:sms").stdout
    assert doctor(database)["alerts"] == []


def test_an_alert_is_closed_once(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into alert (alert_id, kind, subject, detail, opened_at) values "
            "('018f0000-0000-7000-8000-000000000001', 'clock.skew', 'database', 'd', %s)",
            [datetime(2027, 3, 1, tzinfo=UTC)],
        )
    assert outreach(database, "acknowledge", "database").exit_code == 0
    assert outreach(database, "acknowledge", "database").exit_code == 1


@pytest.mark.parametrize(
    "what", ["", "all", "channel:", "channel:fax", "plan:unknown", "jurisdiction:texas", "everything:now", "sms"]
)
def test_what_would_match_nothing_is_refused_with_what_would_be_valid(what: str, database: str) -> None:
    answer = outreach(database, "pause", what, "--reason", "x")
    assert answer.exit_code == 2
    assert "there are" in answer.stderr or "expected everything" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert doctor(database)["paused"] == []


def test_lifting_what_was_not_paused_says_so(database: str) -> None:
    answer = outreach(database, "resume", "channel:email")
    assert answer.exit_code == 1
    assert "was not paused" in answer.stderr
