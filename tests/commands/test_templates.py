"""Approving templates by hand: what production would not send is seen, approved by name, and taken back."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app
from tests.support.source import ROOT


def outreach(database: str, *args: str, **env: str) -> Result:
    """Run the command line on a test's database, in production."""
    given = {"OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "production", "COLUMNS": "300", **env}
    given |= {"OUTREACH_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "OUTREACH_TWILIO_AUTH_TOKEN": "stand-in"}
    return CliRunner().invoke(app, list(args), env=given)


def states(database: str, *args: str) -> dict[tuple[str, str, str], str]:
    """Return how templates stand."""
    found = json.loads(outreach(database, "templates", "list", "--json", *args).stdout)
    return {(one["template"], one["channel"], one["locale"]): one["state"] for one in found}


def test_everything_is_new_until_somebody_approves_it(database: str) -> None:
    assert set(states(database).values()) == {"new"}
    answer = outreach(
        database, "templates", "approve", "pre_due", "--channel", "sms", "--locale", "en-US",
        "--by", "Robin Example", "--note", "read aloud",
    )  # fmt: skip
    assert (answer.exit_code, answer.stdout) == (0, "1 approved\n")
    assert states(database, "pre_due", "--channel", "sms") == {
        ("pre_due", "sms", locale): "approved" if locale == "en-US" else "new"
        for locale in ("en-US", "en-GB", "es-US", "es-MX", "zh-CN")
    }
    told = outreach(database, "templates", "list", "pre_due").stdout
    assert "Robin Example" in told
    assert "read aloud" in told
    assert ("pre_due", "sms", "en-US") not in states(database, "--unapproved")


def test_doctor_says_what_production_would_not_send(database: str) -> None:
    answer = outreach(database, "doctor", "--json")
    assert answer.exit_code == 1
    assert {"template": "pre_due", "channel": "sms", "locale": "en-US", "state": "new"} in json.loads(answer.stdout)[
        "unapproved_templates"
    ]
    assert "outreach templates list --unapproved" in outreach(database, "doctor").stdout
    assert outreach(database, "templates", "approve", "--all", "--by", "Robin").exit_code == 0
    answer = outreach(database, "doctor", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["unapproved_templates"]) == (0, [])


def test_an_approval_is_taken_back(database: str) -> None:
    assert outreach(database, "templates", "approve", "--all", "--by", "Robin").exit_code == 0
    assert outreach(database, "templates", "approve", "--all", "--by", "Robin").stdout.startswith("0 of ")
    assert outreach(database, "templates", "revoke", "pre_due", "--by", "Sam").stdout == "20 revoked\n"
    assert states(database, "pre_due", "--channel", "ivr", "--locale", "es-MX") == {
        ("pre_due", "ivr", "es-MX"): "revoked"
    }
    again = outreach(database, "templates", "revoke", "pre_due", "--by", "Sam")
    assert (again.exit_code, "nothing of that was approved" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("approve", "--by", "Robin"), "name a template, or say --all"),
        (("approve", "pre_do", "--by", "Robin"), "there is no template 'pre_do'; there are "),
        (("approve", "pre_due", "--by", " "), "--by: say who it is"),
        (("approve", "pre_due", "--channel", "fax", "--by", "Robin"), "there is no channel 'fax'; there are sms"),
        (("show", "pre_due", "--locale", "xx"), "there is no locale 'xx'; there are en-GB"),
        (("show", "stop_confirmation", "--channel", "ivr"), "there is no stop_confirmation for ivr"),
    ],
)
def test_a_word_that_means_nothing_is_refused(database: str, args: tuple[str, ...], said: str) -> None:
    answer = outreach(database, "templates", *args)
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_show_prints_the_words_and_what_they_say(database: str) -> None:
    told = outreach(database, "templates", "show", "early_friendly", "--channel", "email", "--locale", "en-GB").stdout
    assert "not approved" in told
    assert "--- subject" in told
    assert "Your payment of £450.00" in told
    assert "email says: amount_due, collector_name, creditor_name" in told
    assert "<" not in outreach(database, "templates", "show", "pre_due", "--channel", "voice").stdout


def test_what_must_not_be_said_cannot_be_approved(database: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    path = tmp_path / "templates/en/pre_due.sms.j2"
    path.write_text(path.read_text("utf-8").replace("Your payment", "Before we sue: your payment"), "utf-8")
    env = {"OUTREACH_TEMPLATES": str(tmp_path / "templates")}
    answer = outreach(database, "templates", "approve", "--all", "--by", "Robin", **env)
    assert (answer.exit_code, "en/pre_due.sms.j2" in answer.stderr) == (2, True)
    told = outreach(database, "templates", "show", "pre_due", "--channel", "sms", "--locale", "en-US", **env).stdout
    assert "must not say “sue”: legal_threat" in told
