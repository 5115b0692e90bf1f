"""Unsubscribe over HTTP: a click is enough, a look is not."""

from uuid import uuid4

import psycopg
import pytest

from outreach.flows.house import House
from tests.support.book import START, Someone, put
from tests.support.house import rows, run_lanes
from tests.support.web import served

FORM = {"List-Unsubscribe": "One-Click"}


async def email_to(dsn: str, house: House, one: Someone) -> str:
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """insert into touch (touch_id, case_id, borrower_id, channel, template, purpose, state, due_at, not_before,
                 expires_at, created_at) values (%s,%s,%s,'email','missed_payment','reminder','planned',%s,%s,%s,%s)""",
            (uuid4(), one.case_id, one.borrower_id, START, START, START.replace(hour=23), START),
        )
    assert await run_lanes(house) == {"sent": 1}
    return str(rows(dsn, "select token from attempt")[0][0])


async def test_one_click_stops_emails_at_once_and_once(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, house):
        token = await email_to(database, house, ada)
        for _ in range(2):
            assert (await client.post(f"/v1/unsubscribe/{token}", data=FORM)).status_code == 200
        assert rows(database, "select channel, reason from suppression") == [("email", "one_click_unsubscribe")]


async def test_the_other_encoding_of_the_rfc_works_too(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, house):
        token = await email_to(database, house, ada)
        files = {"List-Unsubscribe": (None, "One-Click")}
        assert (await client.post(f"/v1/unsubscribe/{token}", files=files)).status_code == 200
        assert rows(database, "select channel from suppression") == [("email",)]


async def test_looking_at_the_page_does_not_unsubscribe(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, house):
        token = await email_to(database, house, ada)
        page = await client.get(f"/v1/unsubscribe/{token}")
        assert page.status_code == 200
        assert f'action="/v1/unsubscribe/{token}"' in page.text
        assert rows(database, "select count(*) from suppression") == [(0,)]


async def test_a_post_without_the_field_does_nothing(database: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, house):
        token = await email_to(database, house, ada)
        assert (await client.post(f"/v1/unsubscribe/{token}", data={"a": "b"})).status_code == 400
        assert rows(database, "select count(*) from suppression") == [(0,)]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_token_looks_like_any_other(database: str, method: str) -> None:
    put(database, ada := Someone())
    async with served(database) as (client, house):
        token = await email_to(database, house, ada)
        data = FORM if method == "POST" else None
        known = await client.request(method, f"/v1/unsubscribe/{token}", data=data)
        unknown = await client.request(method, "/v1/unsubscribe/nobody", data=data)
        assert unknown.status_code == known.status_code == 200
        assert unknown.text == known.text.replace(token, "nobody")


async def test_a_token_cannot_bring_markup_onto_the_page(database: str) -> None:
    async with served(database) as (client, _):
        page = await client.get('/v1/unsubscribe/"><script>alert(1)<script>')
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
