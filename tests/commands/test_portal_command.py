"""`outreach portal link` and what doctor says of the portal."""

import json

import pytest
from typer.testing import CliRunner, Result

from outreach.cli import app
from outreach.clock import SystemClock
from outreach.domain.portal import Portal, PortalRules
from tests.support.book import Someone, put
from tests.support.portal import SECRET


def outreach(database: str, *args: str, **env: str) -> Result:
    """Run the command line on a test's database."""
    environ = {
        "OUTREACH_DATABASE_URL": database,
        "OUTREACH_MODE": "sandbox",
        "OUTREACH_PUBLIC_URL": "http://127.0.0.1:8080",
        "OUTREACH_PORTAL_SECRET": SECRET,
    } | env
    return CliRunner().invoke(app, list(args), env=environ)


def test_the_link_of_a_case_is_printed_by_any_of_its_names(database: str) -> None:
    put(database, ada := Someone())
    portal = Portal.of(PortalRules(), "http://127.0.0.1:8080", [SECRET])
    for ref in (str(ada.case_id), "B1-A1", "B1"):
        answer = outreach(database, "portal", "link", ref)
        assert answer.exit_code == 0
        assert answer.stdout.startswith("http://127.0.0.1:8080/p/")
        token = answer.stdout.strip().rpartition("/")[2]
        assert portal.open(token, SystemClock().now()) == ada.case_id
    told = json.loads(outreach(database, "portal", "link", "B1", "--json").stdout)
    assert set(told) == {"case_id", "link", "ends_at"}


def test_there_is_no_link_without_a_case_or_a_secret(database: str) -> None:
    assert outreach(database, "portal", "link", "nobody").exit_code == 1
    answer = outreach(database, "portal", "link", "B1", OUTREACH_PORTAL_SECRET="")
    assert answer.exit_code == 2
    assert "OUTREACH_PORTAL_SECRET" in answer.stderr


@pytest.mark.parametrize(
    ("env", "told", "healthy"),
    [
        ({"OUTREACH_PORTAL_SECRET": ""}, {"configured": False, "problem": None}, True),
        ({}, {"configured": True, "problem": None}, True),
        ({"OUTREACH_PUBLIC_URL": "https://pay.example.com"}, {"configured": True, "problem": None}, True),
        ({"OUTREACH_PUBLIC_URL": "http://pay.example.com"}, None, False),
    ],
)
def test_doctor_says_whether_the_portal_works(
    database: str, env: dict[str, str], told: dict[str, object] | None, healthy: bool
) -> None:
    answer = json.loads(outreach(database, "doctor", "--json", **env).stdout)
    assert answer["healthy"] is healthy
    if told is None:
        assert "https" in answer["portal"]["problem"]
    else:
        assert answer["portal"] == told
