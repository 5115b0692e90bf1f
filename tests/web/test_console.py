"""The operators' console: who gets in, what it shows, and that it shows it safely."""

import re
from typing import Any

import httpx
import psycopg
import pytest
from starlette.routing import Route

from channels.contract import Accepted, Outbound
from channels.exchange import begin_mail
from channels.fake import FakeChannel
from outreach.domain.events import Event, read_event
from outreach.flows.events import take_events
from outreach.flows.house import House
from outreach.flows.sentences import Tongue, reason_words, sentence
from outreach.flows.story import load_story
from outreach.web.app import ROUTERS
from tests.support.book import START, Someone, put
from tests.support.house import clock_of, rows, run_lanes
from tests.support.touching import plan_touch
from tests.support.web import BEARER, KEY, served

PUBLIC = {"/healthz", "/readyz", "/login", "/console.css", "/portal.css", "/v1/unsubscribe/{token}"}
"""Routes that ask for no key and no signature, on purpose."""
VERIFIED = {
    "/v1/callbacks/{channel}", "/v1/callbacks/{channel}/{rest:path}", "/v1/inbound/email", "/v1/calls/{token}",
    "/v1/calls/{token}/turn",
}  # fmt: skip


async def log_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", data={"key": KEY})
    assert answer.status_code == 303
    assert {"httponly", "samesite=strict"} <= set(answer.headers["set-cookie"].lower().split("; "))


async def something_happens(house: House) -> None:
    raw = {
        "specversion": "1.0", "id": "e1", "source": "core", "type": "payment.missed", "subject": "account/B1-A1",
        "data": {"amount_due_minor": 12_000, "due_on": "2027-02-28"},
    }  # fmt: skip
    event = read_event(raw, START)
    assert isinstance(event, Event)
    await take_events(house, [event])
    await run_lanes(house)


def campaign(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """insert into campaign (campaign_id, name, plan, spec, state, created_at, updated_at)
               values (gen_random_uuid(), 'daily', 'pre_due', '{}', 'running', %s, %s)""",
            (START, START),
        )


async def test_nobody_sees_anything_without_logging_in(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, _):
        for path in ("/", "/cases", f"/cases/{ada.case_id}"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
            assert "Ada" not in answer.text
        wrong = await client.post("/login", data={"key": "guess"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)


@pytest.mark.parametrize("cookie", ["", "1.x.00", "99999999999.x." + "0" * 64, "é.é", "...."])
async def test_a_made_up_session_is_none(database: str, cookie: str) -> None:
    async with served(database) as (client, _):
        answer = await client.get("/", headers={"Cookie": f"outreach_console={cookie}".encode("latin-1")})
        assert answer.status_code == 303


async def test_a_session_ends(database: str) -> None:
    async with served(database) as (client, house):
        await log_in(client)
        assert (await client.get("/")).status_code == 200
        clock_of(house).instant = START.replace(day=2)
        assert (await client.get("/")).status_code == 303


async def test_the_overview_shows_what_left_and_what_was_held_back(database: str) -> None:
    put(database, Someone(), Someone(ref="B2", zones=[], phone=None, email="b@example.com"))
    async with served(database) as (client, house):
        await something_happens(house)
        campaign(database)
        await log_in(client)
        page = await client.get("/")
        assert page.status_code == 200
        assert "What left, by outcome" in page.text
        assert "daily" in page.text
        assert "script-src" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert not re.search(r"(?:src|href)=.https?://", page.text)


class Wired(FakeChannel):
    """A fake that has something to record."""

    async def send(self, outbound: Outbound) -> Accepted:
        trip = begin_mail("relay.test:25", "payments@mail.example.com", 321, signed=False)
        trip.heard("MAIL", 250, "2.1.0")
        return await super().send(outbound)


async def test_a_case_is_found_by_reference_and_told_as_a_story(database: str) -> None:
    put(database, ada := Someone(given_name="<b>Ada</b>"))
    async with served(database, {"sms": Wired()}) as (client, house):
        await something_happens(house)
        plan_touch(database, ada)
        await run_lanes(house)
        await log_in(client)
        found = await client.get("/cases", params={"ref": "B1-A1"}, follow_redirects=True)
        assert found.status_code == 200
        assert "was not paid on 28 Feb 2027" in found.text
        assert "Mon 1 Mar 2027, 10:00" in found.text
        assert "&lt;b&gt;Ada&lt;/b&gt;" in found.text
        assert "<b>Ada" not in found.text
        ((attempt,),) = rows(database, "select attempt_id::text from attempt")
        exchange = found.text.partition(f'<details class="exchange" id="attempt-{attempt}">')[2]
        assert "smtp relay.test:25 from payments@mail.example.com: MAIL 250 2.1.0" in exchange
        assert str(ada.phone) not in exchange
        assert (await client.get("/cases", params={"ref": "nobody"})).status_code == 404
        assert "<dt>Due now</dt><dd>$120.00</dd>" in found.text
        rows(database, "update account set amount_due_minor = 0, balance_minor = 0 returning 1")
        paid = await client.get("/cases", params={"ref": "B1-A1"}, follow_redirects=True)
        assert "<dt>Due now</dt><dd>nothing</dd>" in paid.text
        assert paid.text.count("$0.00") == 1
        assert "Days past due" not in paid.text


async def test_a_campaign_is_paused_by_a_form_of_ours_only(database: str) -> None:
    campaign(database)
    async with served(database) as (client, _):
        await log_in(client)
        page = (await client.get("/")).text
        action = re.search(r'action="(/campaigns/[^"]+/pause)"', page)
        proof = re.search(r'name="proof" value="([0-9a-f]+)"', page)
        assert action
        assert proof
        for data in ({}, {"proof": "0" * 64}):
            assert (await client.post(action[1], data=data)).status_code == 403
        assert rows(database, "select state from campaign") == [("running",)]
        assert (await client.post(action[1], data={"proof": proof[1]})).status_code == 303
        assert rows(database, "select state from campaign") == [("paused",)]
        twice = await client.post(action[1], data={"proof": proof[1]}, follow_redirects=True)
        assert "not in a state that allows this" in twice.text


async def test_metrics_need_a_key_and_hold_no_value_of_a_request(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, _):
        assert (await client.get("/metrics")).status_code == 401
        await client.get(f"/v1/unsubscribe/{ada.given_name}")
        told = await client.get("/metrics", headers=BEARER)
        assert 'outreach_work{kind="waiting"} 0.0' in told.text
        assert 'route="/v1/unsubscribe/{token}"' in told.text
        assert "Ada" not in told.text


def test_every_route_asks_for_a_key_a_session_or_a_signature_or_is_public_on_purpose() -> None:
    paths = {route.path for router in ROUTERS for route in router.routes if isinstance(route, Route)}
    paths = {path for path in paths if not path.startswith("/p/{token}")}  # a link of ours: tests/meta/test_routes.py
    asking = {
        "/v1/events",
        "/v1/cases/{case_id}/timeline",
        "/metrics",
        "/",
        "/logout",
        "/cases",
        "/cases/{case_id}",
        "/campaigns/{campaign_id}/{move}",
        "/tasks",
        "/tasks/{task_id}",
        "/tasks/{task_id}/take",
        "/tasks/{task_id}/close",
        "/v1/tasks",
        "/v1/tasks/{task_id}/close",
    }
    assert paths == PUBLIC | VERIFIED | asking


async def test_a_timeline_that_was_tampered_with_is_not_intact(database: str) -> None:
    put(database, Someone())
    async with served(database) as (_, house):
        await something_happens(house)
        story = await load_story(house, "B1")
        assert story is not None
        assert story.intact
        with psycopg.connect(database) as connection:
            connection.execute("alter table timeline disable trigger all")
            connection.execute('update timeline set data = \'{"event": "payment.received"}\' where seq = 1')
        again = await load_story(house, "B1")
        assert again is not None
        assert not again.intact


async def test_there_is_no_story_of_a_case_that_is_not_there(database: str) -> None:
    async with served(database) as (_, house):
        assert await load_story(house, "nobody") is None


TONGUE = Tongue("America/New_York", "USD")


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("touch.sent", {"channel": "sms", "template": "missed_payment"}, 'The text "missed payment" left.'),
        ("touch.deferred", {"channel": "email", "until": "2027-03-01T13:00:00+00:00", "reasons": ["pacing.wait"]},
         "The email was put off until Mon 1 Mar 2027, 08:00: the lane was full for a moment."),
        ("event", {"event": "payment.received", "amount_minor": 2_550}, "$25.50 was paid."),
        ("suppression.set", {"channels": ["sms", "email"], "reasons": ["opt_out.said"]},
         "No more texts, emails: the borrower said stop."),
        ("call.turn", {"what": "menu.dispute"}, "On the phone, the borrower chose: dispute."),
        ("something.new", {"reasons": ["stopped.hold.dispute"]}, "Something new: the borrower disputes it."),
        ("touch.blocked", {"channel": "ivr", "reasons": ["novel.code"]}, "The keypad call was not sent: novel: code."),
    ],
)  # fmt: skip
def test_a_timeline_entry_reads_as_a_sentence(kind: str, data: dict[str, Any], expected: str) -> None:
    assert sentence(kind, data, TONGUE) == expected


def test_every_reason_reads_as_words() -> None:
    assert reason_words("stopped.paid") == "it was paid"
    assert reason_words("novel.missing_field") == "novel: missing field"
