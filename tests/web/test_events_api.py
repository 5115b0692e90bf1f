"""The events API over HTTP against a real Postgres."""

import json
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.book import Someone, put
from tests.support.house import rows
from tests.support.web import BEARER, served

ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"


def missed(key: str = "e1", subject: str = "account/B1-A1", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": key, "source": "core", "type": "payment.missed", "subject": subject,
        "data": {"amount_due_minor": 5_000, "due_on": "2027-02-28", **data},
    }  # fmt: skip


def paid(key: str = "p1", amount: int = 12_000) -> dict[str, Any]:
    return missed(key) | {
        "type": "payment.received",
        "data": {"payment_id": key, "amount_minor": amount, "currency": "USD"},
    }


async def post(client: httpx.AsyncClient, content: Any, media: str = ONE, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await client.post("/v1/events", content=body, headers=BEARER | {"Content-Type": media} | headers)


async def test_an_event_changes_the_case_and_starts_its_plan(database: str) -> None:
    put(database, Someone())
    async with served(database) as (client, _):
        answer = await post(client, missed())
        assert (answer.status_code, answer.json()) == (200, {"index": 0, "id": "e1", "result": "applied"})
        assert rows(database, "select amount_due_minor from account") == [(5_000,)]
        assert rows(database, "select plan from enrollment") == [("missed_payment",)]


async def test_a_replayed_event_is_known_and_changes_nothing(database: str) -> None:
    put(database, Someone())
    async with served(database) as (client, _):
        await post(client, paid(amount=1_000))
        again = await post(client, paid(amount=1_000))
        assert (again.status_code, again.json()["result"]) == (200, "known")
        assert rows(database, "select amount_due_minor from account") == [(11_000,)]
        assert rows(database, "select count(*) from payment") == [(1,)]


async def test_of_a_batch_the_good_ones_are_taken_and_the_bad_ones_named(database: str) -> None:
    put(database, Someone())
    bad = missed("e2", amount_due_minor=-5)
    batch = [missed("e1"), bad, missed("e3", "account/NOBODY"), "nonsense", missed("e1")]
    async with served(database) as (client, _):
        answer = await post(client, batch, MANY)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        results = answer.json()["results"]
        assert [(one["index"], one["id"], one["result"]) for one in results] == [
            (0, "e1", "applied"), (1, "e2", "invalid"), (2, "e3", "unknown_subject"), (3, None, "invalid"),
            (4, "e1", "known"),
        ]  # fmt: skip
        assert results[1]["problems"][0]["field"] == "data.amount_due_minor"
        assert rows(database, "select event_id from event_in") == [("e1",)]


async def test_a_batch_without_a_fault_is_200(database: str) -> None:
    put(database, Someone())
    async with served(database) as (client, _):
        answer = await post(client, [missed(f"e{n}") for n in range(1_100)], MANY)
        assert answer.status_code == 200
        assert {one["result"] for one in answer.json()["results"]} == {"applied"}
        assert len(answer.json()["results"]) == 1_100


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"source": None}, "source"),
        ({"type": "payment.lost"}, "type"),
        ({"subject": "somebody"}, "subject"),
        ({"time": "yesterday"}, "time"),
        ({"data": {"amount_due_minor": 1, "due_on": "2027-02-30"}}, "data.due_on"),
        ({"data": {"amount_due_minor": 1, "due_on": "2027-02-28", "colour": "red"}}, "data.colour"),
    ],
)
async def test_a_bad_event_is_a_problem_document_that_names_the_field(
    database: str, change: dict[str, Any], field: str
) -> None:
    put(database, Someone())
    async with served(database) as (client, _):
        answer = await post(client, missed() | change)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert field in [one["field"] for one in answer.json()["errors"]]
        assert rows(database, "select count(*) from event_in") == [(0,)]


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b'{"specversion": ', ONE, 400),
        (b"\xff\xfe", ONE, 400),
        (b"[]", ONE, 400),
        (b"{}", MANY, 400),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b" " * (8 * 1024 * 1024 + 1), ONE, 413),
        (json.dumps([0] * 10_001).encode(), MANY, 413),
    ],
    ids=["cut off", "not utf-8", "many as one", "one as many", "wrong type", "no type", "too large", "too many"],
)
async def test_what_is_not_an_event_is_refused_before_it_is_read_further(
    database: str, content: bytes, media: str, status: int
) -> None:
    async with served(database) as (client, _):
        answer = await post(client, content, media)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_an_endless_body_is_cut_off_without_a_length(database: str) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65_536

    async with served(database) as (client, _):
        answer = await client.post("/v1/events", content=endless(), headers=BEARER | {"Content-Type": ONE})
        assert answer.status_code == 413
        assert sent < 1_000


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic key-one-0123456789", "Bearer ", "Bearer clé"])
async def test_without_a_key_nothing_is_read(database: str, authorization: str) -> None:
    async with served(database) as (client, _):
        headers = {"Authorization": authorization.encode(), "Content-Type": ONE.encode()}
        answer = await client.post("/v1/events", content=b"{", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_deployment_without_keys_lets_nobody_in(database: str) -> None:
    async with served(database, OUTREACH_API_KEYS="") as (client, _):
        assert (await post(client, missed())).status_code == 401


async def test_a_payment_that_clears_the_amount_stops_what_has_not_started(database: str) -> None:
    put(database, Someone())
    async with served(database) as (client, _):
        await post(client, missed())
        await post(client, paid(amount=5_000))
        assert rows(database, "select state, stop_reason from enrollment") == [("stopped", "paid")]


async def test_a_store_that_is_away_is_503_and_says_when_to_come_back(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any) -> None:
        raise psycopg.OperationalError("server closed the connection")

    monkeypatch.setattr("outreach.web.events.take_events", gone)
    monkeypatch.setattr("outreach.web.events.GIVE_UP_SECONDS", 0.0)
    async with served(database) as (client, _):
        answer = await post(client, missed())
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "server closed" not in answer.text
