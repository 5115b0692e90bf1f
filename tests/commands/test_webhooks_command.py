"""`outreach webhooks` and its process: list, test, replay, a kill in the middle, the receiver of the docs."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from outreach.cli import app
from outreach.clock import SystemClock
from outreach.domain.outbound_types import FIELDS, Type
from outreach.domain.timeline import Entry
from outreach.domain.webhook import Endpoint, Webhooks, read_secret
from outreach.flows.webhooks import Desk, post_document
from outreach.stack import free_port
from outreach.store.pg import PgStore
from outreach.web.feed_docs import example_of
from outreach.workers.poster import HttpPoster
from tests.support.book import START, Someone, put
from tests.support.house import rows
from tests.support.receiver import OLD_SECRET, SECRET, Got, a_receiver, until
from tests.support.source import ROOT, docs

ADA = Someone()


def configured(tmp_path: Path, url: str) -> dict[str, str]:
    """Return the environment of a configuration folder with one endpoint, the rest as shipped."""
    for each in (ROOT / "config").iterdir():
        if each.name != "webhooks.yaml":
            (tmp_path / each.name).symlink_to(each)
    text = f"endpoints:\n  - name: ledger\n    url: {url}\n    secrets: [LEDGER_SECRET]\n    private: true\n"
    (tmp_path / "webhooks.yaml").write_text(text, "utf-8")
    return {"OUTREACH_CONFIG": str(tmp_path), "LEDGER_SECRET": SECRET}


async def outreach(env: dict[str, str], database: str, *args: str) -> Result:
    """Run the command line on a test's database, beside this test's own servers."""
    env = {**env, "OUTREACH_DATABASE_URL": database, "OUTREACH_MODE": "sandbox"}
    return await asyncio.to_thread(CliRunner().invoke, app, ["webhooks", *args], env=env)


async def tell(database: str, *numbers: int) -> None:
    store = PgStore(database, 2)
    await store.open()
    async with store.transaction() as tx:
        await tx.append([Entry(ADA.case_id, START, "promise.made", {"promise_id": str(each)}) for each in numbers])
    await store.close()


@contextmanager
def sending(env: dict[str, str], database: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the process of the Procfile."""
    environ = {**os.environ, **env, "OUTREACH_DATABASE_URL": database, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "outreach.workers.webhooks"], env=environ, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in {0, -signal.SIGKILL}


async def test_a_test_event_is_signed_and_moves_nothing(tmp_path: Path, database: str) -> None:
    async with a_receiver() as receiver:
        env = configured(tmp_path, receiver.url)
        answer = await outreach(env, database, "test", "ledger")
        assert (answer.exit_code, answer.output) == (0, "ledger: http_204\n")
        assert [each.event["type"] for each in receiver.taken] == ["webhook.test"]
        receiver.answer = lambda _: web.Response(status=500)
        assert (await outreach(env, database, "test", "ledger")).exit_code == 1
    assert (await outreach(env, database, "test", "ledger")).output == "ledger: no_connection\n"
    unknown = await outreach(env, database, "test", "books")
    assert (unknown.exit_code, "there are: ledger" in unknown.output) == (2, True)


async def test_the_list_says_how_far_an_endpoint_is(tmp_path: Path, database: str) -> None:
    put(database, ADA)
    async with a_receiver() as receiver:
        env = configured(tmp_path, receiver.url)
        await tell(database, 1, 2)
        (one,) = json.loads((await outreach(env, database, "list", "--json")).stdout)
        assert (one["name"], one["state"], one["behind"], one["types"]) == ("ledger", "new", 0, "all")
        assert (await outreach(env, database, "replay", "ledger", "--after", "1")).exit_code == 0
        (one,) = json.loads((await outreach(env, database, "list", "--json")).stdout)
        assert (one["state"], one["cursor"], one["behind"]) == ("active", 1, 1)
        rows(database, "update webhook_endpoint set state = 'disabled', note = 'http_410' returning 1")
        listed = await outreach(env, database, "list")
        assert (listed.exit_code, "http_410" in listed.stdout) == (1, True)
        assert (await outreach(env, database, "enable", "ledger")).exit_code == 0
        assert (await outreach(env, database, "list")).exit_code == 0


@pytest.mark.parametrize("after", ["tomorrow", "-1", "99"])
async def test_a_cursor_that_is_none_is_refused(tmp_path: Path, database: str, after: str) -> None:
    env = configured(tmp_path, "http://127.0.0.1:9/outreach")
    answer = await outreach(env, database, "replay", "ledger", "--after", after)
    assert answer.exit_code == 2
    assert "Traceback" not in answer.output


async def test_a_process_killed_in_the_middle_repeats_under_the_same_id(tmp_path: Path, database: str) -> None:
    put(database, ADA)
    never = asyncio.Event()

    async def stuck(got: Got) -> web.Response:
        if got.event["data"]["promise_id"] == "2":
            await never.wait()
        return web.Response(status=204)

    async with a_receiver() as receiver:
        env = configured(tmp_path, receiver.url)
        receiver.answer = stuck
        with sending(env, database) as first:
            await until(lambda: rows(database, "select 1 from webhook_endpoint"))
            await tell(database, 1, 2, 3)
            await until(lambda: len(receiver.got) == 2)
            first.kill()
        receiver.answer = lambda _: web.Response(status=204)
        receiver.taken.clear()
        # Its lease runs out by itself; nobody waits for that here.
        rows(database, "update webhook_endpoint set lease_until = %s returning 1", SystemClock().real())
        with sending(env, database):
            await until(lambda: len(receiver.taken) == 3)
            assert receiver.keys == [f"{ADA.case_id}-{seq}" for seq in (1, 2, 3)]
            assert (await outreach(env, database, "replay", "ledger", "--after", "0")).exit_code == 0
            await until(lambda: len(receiver.taken) == 6)
        assert receiver.keys[3:] == receiver.keys[:3]


SAMPLE = re.findall(r"```python\n(.+?)```", docs("webhooks.md"), re.DOTALL)


@asynccontextmanager
async def sample_receiver(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Run the receiver that the documentation shows."""
    (code,) = SAMPLE
    path, port = tmp_path / "receiver.py", free_port()
    path.write_text(code, "utf-8")
    environ = {**os.environ, "WEBHOOK_SECRETS": f"{SECRET} {OLD_SECRET}", "PORT": str(port),
               "STORE": str(tmp_path / "events.sqlite")}  # fmt: skip
    process = subprocess.Popen([sys.executable, str(path)], env=environ)  # noqa: ASYNC220 - a test waits for it anyway
    endpoint = Endpoint("sample", f"http://127.0.0.1:{port}/", (read_secret(OLD_SECRET),), private=True)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        writer.close()
        await writer.wait_closed()
        yield endpoint
    finally:
        process.terminate()
        process.wait(20)


async def test_the_receiver_of_the_documentation_verifies_keeps_and_drops_what_it_knows(tmp_path: Path) -> None:
    async with sample_receiver(tmp_path) as endpoint, HttpPoster() as poster:
        desk = Desk(PgStore("unused"), SystemClock(), poster, Webhooks(), uuid4())
        event = example_of(Type.ARRANGEMENT_CONFIRMED)

        async def post(one: Endpoint) -> int | None:
            return (await post_document(desk, one, event["id"], event)).status

        assert [await post(endpoint), await post(endpoint)] == [204, 204]
        stranger = Endpoint("x", endpoint.url, (b"x" * 32,), private=True)
        assert await post(stranger) == 401
    with sqlite3.connect(tmp_path / "events.sqlite") as store:
        kept = store.execute("select id, case_id, caseseq, body from event").fetchall()
    store.close()
    assert [(each[0], each[2]) for each in kept] == [(event["id"], 7)]
    assert json.loads(kept[0][3]) == event


def test_every_type_is_documented_field_by_field() -> None:
    page = docs("webhooks.md")
    sections = dict(re.findall(r"^### `([a-z_.]+)`\n(.+?)(?=^### |\Z)", page, re.MULTILINE | re.DOTALL))
    assert list(sections) == [kind.value for kind in Type]
    for kind in Type:
        listed = re.findall(r"^\| `(\w+)` \| ([a-z ]+) \| (.+) \|$", sections[kind.value], re.MULTILINE)
        assert listed == [(name, shown.kind, shown.means) for name, shown in FIELDS[kind].items()]


def test_the_example_of_the_documentation_is_the_event_that_is_sent() -> None:
    found: dict[str, Any] = json.loads(re.findall(r"```json\n(.+?)```", docs("webhooks.md"), re.DOTALL)[0])
    assert found == example_of(Type.ARRANGEMENT_CONFIRMED)
