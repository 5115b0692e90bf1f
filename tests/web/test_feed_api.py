"""The feed over HTTP: pages and cursors, waiting, refusals that name the parameter, the timeline with its chain."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from outreach.domain.outbound_types import ALWAYS, FIELDS, Type
from outreach.domain.timeline import Entry
from outreach.flows.house import House
from outreach.flows.story import is_intact
from outreach.web.feed_docs import example_of
from tests.support.book import START, Someone, put
from tests.support.house import rows
from tests.support.web import BEARER, served

ADA = Someone()


async def tell(house: House, *numbers: int, kind: str = "promise.made") -> None:
    async with house.store.transaction() as tx:
        await tx.append(
            [Entry(ADA.case_id, START + timedelta(minutes=n), kind, {"promise_id": str(n)}) for n in numbers]
        )


async def get(client: httpx.AsyncClient, path: str = "/v1/events", **query: Any) -> httpx.Response:
    return await client.get(path, params=query, headers=BEARER)


def promised(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["data"]["promise_id"] for each in answer.json()["events"]]


async def test_pages_follow_each_other_without_a_gap(database: str) -> None:
    put(database, ADA)
    async with served(database) as (client, house):
        await tell(house, *range(5))
        seen, after = list[str](), "0"
        while True:
            answer = await get(client, after=after, limit=2)
            seen, after = seen + promised(answer), answer.json()["next"]
            if not answer.json()["more"]:
                break
        assert seen == ["0", "1", "2", "3", "4"]
        assert promised(await get(client, after=after)) == []
        last = (await get(client)).json()["events"][-1]
        assert last["cursor"] == after, "each event says where to go on behind it"


async def test_only_the_types_asked_for_come(database: str) -> None:
    put(database, ADA)
    async with served(database) as (client, house):
        await tell(house, 1)
        await tell(house, 2, kind="promise.kept")
        await tell(house, 3, kind="enrollment.started")
        answer = await get(client, types="promise.kept, promise.broken")
        assert promised(answer) == ["2"]
        assert (await get(client)).json()["next"] == answer.json()["next"]


async def test_waiting_ends_with_the_first_event(database: str) -> None:
    put(database, ADA)
    async with served(database) as (client, house):
        asked = asyncio.create_task(get(client, wait=30))
        await asyncio.sleep(0)
        await tell(house, 1)
        async with asyncio.timeout(20):
            assert promised(await asked) == ["1"]


async def test_waiting_for_nothing_ends_empty(database: str) -> None:
    async with served(database) as (client, _):
        answer = await get(client, wait=1)
        assert answer.json() == {"events": [], "next": "0", "more": False}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "yesterday"}, "after"),
        ({"after": "-1"}, "after"),
        ({"after": "9" * 40}, "after"),
        ({"after": "17"}, "after"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "١"}, "limit"),
        ({"wait": "31"}, "wait"),
        ({"types": "promise.made,promise.forgotten"}, "types"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(database: str, query: dict[str, str], field: str) -> None:
    async with served(database) as (client, _):
        answer = await get(client, **query)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["/v1/events?limit=x", f"/v1/cases/{uuid4()}/timeline"])
async def test_a_stranger_learns_nothing(database: str, path: str) -> None:
    async with served(database) as (client, _):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_timeline_comes_whole_with_the_chain_that_proves_it(database: str) -> None:
    put(database, ADA)
    async with served(database) as (client, house):
        await tell(house, 1, 2)
        await tell(house, 3, kind="enrollment.started")
        path = f"/v1/cases/{ADA.case_id}/timeline"
        whole = (await get(client, path)).json()
        assert (whole["account_id"], whole["last_seq"], whole["more"]) == ("B1-A1", 3, False)
        assert [each["kind"] for each in whole["entries"]][-1] == "enrollment.started"
        first = (await get(client, path, limit=2)).json()
        rest = (await get(client, path, after=first["next"])).json()
        assert first["entries"] + rest["entries"] == whole["entries"]
        assert (first["more"], rest["more"]) == (True, False)
        stored = rows(
            database, "select seq, at, kind, data::text, prev_hash, hash from timeline where case_id = %s order by seq",
            ADA.case_id,
        )  # fmt: skip
        assert is_intact(ADA.case_id, stored, (whole["last_seq"], whole["last_hash"]))
        assert [each["hash"] for each in whole["entries"]] == [each[5] for each in stored]


@pytest.mark.parametrize("case", ["0", "nobody", str(uuid4())])
async def test_a_case_that_is_not_there_is_404(database: str, case: str) -> None:
    async with served(database) as (client, _):
        answer = await get(client, f"/v1/cases/{case}/timeline")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)


async def test_the_description_of_the_api_names_every_type_and_field(database: str) -> None:
    async with served(database) as (client, _):
        api = (await client.get("/v1/openapi.json")).json()
        assert set(api["webhooks"]) == {kind.value for kind in Type}
        for kind in Type:
            body = api["webhooks"][kind.value]["post"]["requestBody"]["content"]["application/cloudevents+json"]
            data = body["schema"]["properties"]["data"]["properties"]
            assert set(data) == set(ALWAYS) | set(FIELDS[kind])
            assert body["example"] == orjson.loads(orjson.dumps(example_of(kind)))
        feed = api["paths"]["/v1/events"]["get"]
        assert feed["security"]
        assert {each["name"] for each in feed["parameters"]} == {"after", "limit", "types", "wait"}
        assert feed["responses"]["200"]["content"]["application/json"]["example"]["next"]
