"""Tasks in the console and over HTTP: who gets in, what is shown, and that of two closers one is told."""

import re

import httpx

from outreach.flows.house import House
from tests.support.book import Someone, put
from tests.support.house import rows
from tests.support.touching import plan_touch, run_all, say, told
from tests.support.web import BEARER, KEY, served


async def log_in(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.post("/login", data={"key": KEY, "name": name})).status_code == 303


async def a_task(database: str, house: House, words: str = "I dispute this <b>debt</b>") -> str:
    put(database, ada := Someone())
    plan_touch(database, ada)
    await run_all(house)
    await say(house, ada, words, key="reply")
    return str(rows(database, "select task_id from task")[0][0])


def proof_of(page: httpx.Response) -> str:
    found = re.search(r'name="proof" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


async def test_a_person_finds_takes_and_closes_a_task(database: str) -> None:
    async with served(database) as (client, house):
        key = await a_task(database, house)
        await log_in(client, "Zoë Q.")
        listed = await client.get("/tasks")
        assert f'href="/tasks/{key}"' in listed.text
        assert key not in (await client.get("/tasks?kind=hardship")).text
        assert key not in (await client.get("/tasks?due=overdue")).text
        page = await client.get(f"/tasks/{key}")
        assert page.status_code == 200
        assert "script" not in page.headers["content-security-policy"]
        assert "I dispute this &lt;b&gt;debt&lt;/b&gt;" in page.text
        assert "read as dispute" in page.text
        form = {"proof": proof_of(page)}
        assert (await client.post(f"/tasks/{key}/take", data=form)).status_code == 303
        assert key in (await client.get("/tasks?mine=1")).text
        sent = await client.post(
            f"/tasks/{key}/close", data=form | {"disposition": "dispute_upheld", "note": "ok " * 600}
        )
        assert sent.headers["location"] == f"/tasks/{key}?told=closed"
        after = await client.get(sent.headers["location"])
        assert "Zoë Q. closed it" in after.text
        assert 'action="/tasks/' not in after.text
        assert key not in (await client.get("/tasks")).text
        late = await client.post(f"/tasks/{key}/close", data=form | {"disposition": "dispute_answered"})
        assert late.status_code == 409
        assert "Zoë Q. closed this task" in late.text
    assert [each["by"] for each in told(database, "task.closed")] == ["Zoë Q."]


async def test_forms_of_others_and_unknown_tasks_change_nothing(database: str) -> None:
    async with served(database) as (client, house):
        key = await a_task(database, house)
        await log_in(client, "")
        proof = proof_of(await client.get("/tasks"))
        for move in ("take", "close"):
            forged = await client.post(f"/tasks/{key}/{move}", data={"proof": "00", "disposition": "dealt_with"})
            assert forged.status_code == 403
        wrong = await client.post(f"/tasks/{key}/close", data={"proof": proof, "disposition": "payment_found"})
        assert (wrong.status_code, "Nothing was changed" in wrong.text) == (409, True)
        unknown = "00000000-0000-7000-8000-000000000000"
        assert (await client.get(f"/tasks/{unknown}")).status_code == 404
        assert (await client.post(f"/tasks/{unknown}/take", data={"proof": proof})).status_code == 404
        assert rows(database, "select count(*) from task where closed_at is null") == [(1,)]
        await client.post(f"/tasks/{key}/close", data={"proof": proof, "disposition": "dealt_with"})
    assert [each["by"] for each in told(database, "task.closed")] == ["console"]


async def test_machines_list_and_close_tasks(database: str) -> None:
    async with served(database) as (client, house):
        key = await a_task(database, house)
        client.headers.update(BEARER)
        (one,) = (await client.get("/v1/tasks")).json()["tasks"]
        assert (one["task_id"], one["kind"], one["suggested"]) == (key, "dispute", "dispute_answered")
        assert "Ada" not in str(one)
        assert (await client.get("/v1/tasks?kind=hardship")).json() == {"tasks": []}
        close = f"/v1/tasks/{key}/close"
        for body, status in (
            ({"by": "crm"}, 422), ({"by": "crm", "disposition": "payment_found"}, 422), ([], 422),
            ({"by": "crm", "disposition": "dealt_with", "extra": 1}, 422),
        ):  # fmt: skip
            assert (await client.post(close, json=body)).status_code == status, body
        assert (await client.post(close, content=b"{")).status_code == 400
        for unknown in ("nothing", "00000000-0000-7000-8000-000000000000"):
            answer = await client.post(f"/v1/tasks/{unknown}/close", json={"by": "crm", "disposition": "dealt_with"})
            assert answer.status_code == 404
        done = await client.post(close, json={"by": "crm", "disposition": "dispute_upheld", "note": "corrected"})
        assert (done.status_code, done.json()["lifted"]) == (200, ["dispute"])
        again = await client.post(close, json={"by": "other", "disposition": "dispute_upheld"})
        assert (again.status_code, again.json()["closed"]["by"]) == (409, "crm")
        assert (await client.get("/v1/tasks")).json() == {"tasks": []}
        assert [each["disposition"] for each in (await client.get("/v1/tasks?state=all")).json()["tasks"]] == [
            "dispute_upheld"
        ]
        for query in ("limit=0", "state=none", "kind=%00"):
            assert (await client.get(f"/v1/tasks?{query}")).status_code == 400
