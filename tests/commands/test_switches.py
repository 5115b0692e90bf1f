"""Kill switches by hand: they are seen, they hold, they are lifted, and a word that means nothing is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app
from outreach.clock import SystemClock
from tests.support.book import Someone, put
from tests.support.house import rows
from tests.support.touching import plan_touch, told, touch

NOW = SystemClock().now()


def outreach(database: str, *args: str) -> Result:
    """Run the command line on a test's database."""
    return CliRunner().invoke(app, list(args), env={"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox"})


def doctor(database: str) -> dict[str, Any]:
    """Return what doctor says."""
    return dict(json.loads(outreach(database, "doctor", "--json").stdout))


def listed(database: str, *args: str) -> dict[str, Any]:
    """Return what the list of switches says."""
    return dict(json.loads(outreach(database, "switches", "--json", *args).stdout))


def held(database: str, key: UUID, *switches: str) -> None:
    """Let switches hold a touch back, as a dispatcher does."""
    rows(
        database, "update touch set state = 'paused', paused_by = %s where touch_id = %s returning 1", [*switches], key
    )


def a_campaign(database: str, name: str = "spring", state: str = "running") -> UUID:
    key = uuid4()
    rows(
        database,
        "insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at) "
        "values (%s, %s, 'early_stage', '{}', %s, %s, %s) returning 1",
        key, name, state, NOW, NOW,
    )  # fmt: skip
    return key


@pytest.mark.parametrize("words", [["channel", "sms"], ["channel:sms"]])
def test_a_pause_is_listed_with_who_and_why_until_it_is_lifted(database: str, words: list[str]) -> None:
    assert outreach(database, "pause", *words, "--reason", "wrong link in a text", "--by", "Ola").exit_code == 0
    answer = doctor(database)
    assert answer["healthy"] is False
    (one,) = answer["paused"]
    assert (one["scope"], one["key"], one["reason"], one["by"]) == ("channel", "sms", "wrong link in a text", "Ola")
    assert listed(database)["paused"] == [one]
    assert "channel sms" in outreach(database, "doctor").stdout
    assert outreach(database, "resume", *words, "--catch-up", "drop", "--by", "Ida").exit_code == 0
    assert doctor(database)["healthy"] is True
    log = listed(database, "--log", "5")["log"]
    assert [(each["action"], each["by"], each["catch_up"]) for each in log] == [
        ("resumed", "Ida", "drop"),
        ("paused", "Ola", None),
    ]


def test_the_record_of_switches_cannot_be_changed(database: str) -> None:
    outreach(database, "pause", "everything", "--reason", "drill")
    for change in ("update switch_log set by = 'nobody' returning 1", "delete from switch_log returning 1"):
        with pytest.raises(psycopg.errors.RaiseException):
            rows(database, change)


def test_everything_can_be_paused_at_once(database: str) -> None:
    assert outreach(database, "pause", "everything", "--reason", "drill").exit_code == 0
    assert [(one["scope"], one["key"]) for one in doctor(database)["paused"]] == [("everything", "everything")]


def test_a_pause_without_a_reason_is_refused(database: str) -> None:
    assert outreach(database, "pause", "everything").exit_code == 2
    assert outreach(database, "pause", "everything", "--reason", "  ").exit_code == 2
    assert doctor(database)["paused"] == []


def test_a_campaign_is_paused_by_its_name(database: str) -> None:
    a_campaign(database, state="cancelled")
    key = a_campaign(database)
    assert outreach(database, "pause", "campaign", "spring", "--reason", "wrong audience").exit_code == 0
    (one,) = doctor(database)["paused"]
    assert (one["key"], one["name"]) == (str(key), "campaign spring")
    answer = outreach(database, "pause", "campaign", "autumn", "--reason", "x")
    assert answer.exit_code == 2
    assert "there are spring" in answer.stderr


def test_a_pause_may_end_by_itself(database: str) -> None:
    end = (NOW + timedelta(hours=1)).isoformat()
    assert outreach(database, "pause", "channel", "sms", "--reason", "maintenance", "--until", end).exit_code == 0
    assert doctor(database)["paused"][0]["until"] is not None
    over = outreach(database, "pause", "channel", "email", "--reason", "x", "--until", "2020-01-01T00:00:00Z")
    assert (over.exit_code, len(doctor(database)["paused"])) == (2, 1)


def test_pausing_again_never_makes_a_pause_shorter(database: str) -> None:
    outreach(database, "pause", "channel", "sms", "--reason", "legal", "--by", "Ola")
    end = (NOW + timedelta(hours=1)).isoformat()
    outreach(database, "pause", "channel", "sms", "--reason", "maintenance", "--until", end)
    assert doctor(database)["paused"][0]["until"] is None


def test_a_preview_counts_what_would_stop_and_stops_nothing(database: str) -> None:
    put(database, ada := Someone(), ben := Someone(ref="B2", phone="+12125550102", email="b@example.com",
                                                   jurisdictions=["US-TX"]))  # fmt: skip
    campaign = a_campaign(database)
    plan_touch(database, ada, at=NOW, plan="early_stage")
    plan_touch(database, ada, channel="email", at=NOW + timedelta(hours=20), plan="pre_due")
    plan_touch(database, ben, at=NOW + timedelta(hours=30))
    queued = plan_touch(database, ben, at=NOW)
    rows(
        database,
        "update touch set state = 'queued', campaign_id = %s where touch_id = %s returning 1",
        campaign,
        queued,
    )
    answer = json.loads(outreach(database, "pause", "everything", "--preview", "--json").stdout)
    assert (answer["queued"], answer["due_24h"], answer["calls"]) == (1, 2, 0)
    assert answer["by"]["channel"]["sms"] == {"queued": 1, "due_24h": 1, "calls": 0}
    assert answer["by"]["plan"]["pre_due"] == {"queued": 0, "due_24h": 1, "calls": 0}
    assert answer["by"]["campaign"][str(campaign)] == {"queued": 1, "due_24h": 0, "calls": 0}
    assert answer["by"]["jurisdiction"]["US-TX"]["queued"] == 1
    narrow = json.loads(outreach(database, "pause", "jurisdiction", "US-NY", "--preview", "--json").stdout)
    assert (narrow["queued"], narrow["due_24h"]) == (0, 2)
    wide = json.loads(outreach(database, "pause", "jurisdiction", "US", "--preview", "--json").stdout)
    assert (wide["queued"], wide["due_24h"]) == (1, 2)
    assert "due within 24 h" in outreach(database, "pause", "plan", "pre_due", "--preview").stdout
    assert doctor(database)["paused"] == []
    assert touch(database, queued)["state"] == "queued"


def test_what_was_held_back_needs_a_choice(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, at=NOW)
    outreach(database, "pause", "channel", "sms", "--reason", "x")
    held(database, key, "channel:sms")
    assert doctor(database)["paused"][0]["held_back"] == 1
    answer = outreach(database, "resume", "channel", "sms")
    assert answer.exit_code == 2
    assert "1 touches are held back" in answer.stderr
    assert len(doctor(database)["paused"]) == 1


@pytest.mark.parametrize(("choice", "state"), [("drop", "cancelled"), ("re-decide", "planned")])
def test_what_was_held_back_goes_on_as_chosen(database: str, choice: str, state: str) -> None:
    put(database, ada := Someone())
    decided = plan_touch(database, ada, at=NOW)
    never_looked_at = plan_touch(database, ada, at=NOW)
    later = plan_touch(database, ada, at=NOW + timedelta(days=1))
    another = plan_touch(database, ada, channel="email", at=NOW)
    outreach(database, "pause", "channel", "sms", "--reason", "x")
    held(database, decided, "channel:sms")
    answer = json.loads(outreach(database, "resume", "channel", "sms", "--catch-up", choice, "--json").stdout)
    assert touch(database, decided)["state"] == state
    assert touch(database, never_looked_at)["state"] == state
    assert (touch(database, later)["state"], touch(database, another)["state"]) == ("planned", "planned")
    if choice == "drop":
        assert answer["dropped"] == 2
        assert touch(database, decided)["reason"] == touch(database, never_looked_at)["reason"] == "paused.dropped"
        assert {each["touch_id"] for each in told(database, "touch.cancelled")} == {str(decided), str(never_looked_at)}
    else:
        assert (answer["re_decided"], told(database, "touch.cancelled")) == (1, [])


def test_what_another_switch_holds_stays_held(database: str) -> None:
    put(database, ada := Someone())
    key = plan_touch(database, ada, at=NOW, plan="early_stage")
    for words in (["channel", "sms"], ["plan", "early_stage"]):
        outreach(database, "pause", *words, "--reason", "x")
    held(database, key, "channel:sms", "plan:early_stage")
    outreach(database, "resume", "channel", "sms", "--catch-up", "drop")
    assert touch(database, key)["state"] == "paused"
    outreach(database, "resume", "plan", "early_stage", "--catch-up", "re-decide")
    assert touch(database, key)["state"] == "cancelled", "one of the two said: drop"


def test_resuming_a_channel_closes_the_alert_that_paused_it(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into alert (alert_id, kind, subject, detail, opened_at) values "
            "('018f0000-0000-7000-8000-000000000001', 'channel.misconfigured', 'sms', 'd', %s)",
            [datetime(2027, 3, 1, tzinfo=UTC)],
        )
    outreach(database, "pause", "channel:sms", "--reason", "misconfigured")
    assert outreach(database, "resume", "channel:sms").exit_code == 0
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
    "what",
    ["", "all", "channel", "channel:", "channel:fax", "plan:unknown", "jurisdiction:texas", "everything:now", "sms",
     "campaign:none"],
)  # fmt: skip
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
