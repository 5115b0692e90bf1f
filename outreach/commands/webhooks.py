"""`outreach webhooks`: where each endpoint stands, a test event, replay from a cursor, and back to work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.table import Table

from outreach.bootstrap import make_clock
from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import reachable, run
from outreach.domain.outbound_types import TEST_TYPE
from outreach.domain.webhook import Answer, Endpoint, Webhooks
from outreach.domain.webhook_config import load_webhooks
from outreach.flows.webhooks import Desk, post_document
from outreach.settings import Settings
from outreach.store.pg import PgStore
from outreach.workers.poster import HttpPoster

app = typer.Typer(no_args_is_help=True, help="What the lender's systems hear: endpoints of config/webhooks.yaml.")

Name = Annotated[str, typer.Argument(help="An endpoint of config/webhooks.yaml.")]

_COLUMNS = ("name", "cursor", "state", "failures", "failing_since", "next_at", "delivered_at", "note", "waiting",
            "given_up")  # fmt: skip


@app.command("list")
def list_endpoints(as_json: Json = False) -> None:
    """List the endpoints and how far each is; exits 1 when one is disabled, failing, or gave an event up."""
    settings = settings_or_fail()
    found = run(_standings(settings))
    if as_json:
        print_json(found)
    else:
        _print(found)
    raise typer.Exit(1 if any(each["state"] == "disabled" or each["note"] or each["given_up"] for each in found) else 0)


@app.command()
def test(name: Name) -> None:
    """Post one signed `webhook.test` to an endpoint and say what came back; exits 1 unless it was taken."""
    settings = settings_or_fail()
    answer = run(_test(settings, name))
    console.print(f"{name}: {answer.note}", style="green" if answer.taken else "red", highlight=False)
    raise typer.Exit(0 if answer.taken else 1)


@app.command()
def replay(
    name: Name,
    after: Annotated[str, typer.Option("--after", help="The cursor behind which everything is sent again.")],
) -> None:
    """Send again, under the same ids, everything that happened after a cursor. The endpoint must drop what it knows."""
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        fail("--after: expected a cursor, such as 1204, or 0 for everything")
    settings = settings_or_fail()
    _endpoint(_told(settings), name)
    state = run(_replay(settings, name, int(after)))
    console.print(f"{name} goes on behind {after}", highlight=False)
    if state == "disabled":
        console.print(f"It is disabled: outreach webhooks enable {name}", style="yellow", highlight=False)


@app.command()
def enable(name: Name) -> None:
    """Let a disabled endpoint go on where it stood: nothing that happened meanwhile is lost."""
    settings = settings_or_fail()
    _endpoint(_told(settings), name)
    position = run(_enable(settings, name))
    console.print(f"{name} goes on behind {position}", highlight=False)


def _told(settings: Settings, environ: dict[str, str] | None = None) -> Webhooks:
    async def load() -> Webhooks:
        return load_webhooks(settings.config / "webhooks.yaml", environ)

    return run(load())


def _endpoint(webhooks: Webhooks, name: str) -> Endpoint:
    for each in webhooks.endpoints:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in webhooks.endpoints) or "none"
    return fail(f"no endpoint {name!r} in config/webhooks.yaml (there are: {known})")


async def _standings(settings: Settings) -> list[dict[str, Any]]:
    webhooks = load_webhooks(settings.config / "webhooks.yaml", None)
    with reachable(settings) as ready:
        async with _opened(ready) as store, store.transaction() as tx:
            end = await tx.settled()
            rows = {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in await tx.endpoints()}
    return [_standing(each, rows.get(each.name), end) for each in webhooks.endpoints]


def _standing(endpoint: Endpoint, row: dict[str, Any] | None, end: int) -> dict[str, Any]:
    fresh: dict[str, Any] = dict.fromkeys(_COLUMNS) | {
        "cursor": end,
        "state": "new",
        "failures": 0,
        "waiting": 0,
        "given_up": 0,
    }
    known: dict[str, Any] = row or fresh
    types = sorted(endpoint.types) if endpoint.types else "all"
    return known | {"name": endpoint.name, "url": endpoint.url, "types": types, "behind": end - known["cursor"]}


async def _test(settings: Settings, name: str) -> Answer:
    webhooks = load_webhooks(settings.config / "webhooks.yaml", settings.environ)
    endpoint = _endpoint(webhooks, name)
    clock = make_clock(settings)
    async with HttpPoster() as poster:
        desk = Desk(PgStore(settings.database_url), clock, poster, webhooks, uuid4())
        key = f"test-{uuid4()}"
        at = clock.now().isoformat().replace("+00:00", "Z")
        document: dict[str, object] = {
            "specversion": "1.0", "id": key, "source": webhooks.source, "type": TEST_TYPE, "time": at, "data": {},
        }  # fmt: skip
        return await post_document(desk, endpoint, key, document)


async def _replay(settings: Settings, name: str, after: int) -> str:
    with reachable(settings) as ready:
        async with _opened(ready) as store, store.transaction() as tx:
            end = await tx.settled()
            if after > end:
                fail(f"--after: {after} lies ahead of everything that happened (the last cursor is {end})")
            await tx.add_endpoint(name, after)
            return await tx.replay_endpoint(name, after) or ""


async def _enable(settings: Settings, name: str) -> int:
    with reachable(settings) as ready:
        async with _opened(ready) as store, store.transaction() as tx:
            position = await tx.enable_endpoint(name)
            await tx.close_alerts(f"webhook:{name}", make_clock(settings).now())
    return fail(f"{name} was never sent anything; it begins by itself") if position is None else position


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[PgStore]:
    store = PgStore(settings.database_url, 2)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _print(found: list[dict[str, Any]]) -> None:
    if not found:
        console.print("config/webhooks.yaml names no endpoint; there is still the feed, GET /v1/events")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("Endpoint", "State", "Cursor", "Behind", "Waiting", "Given up", "Last taken", "Note"):
        table.add_column(title)
    for each in found:
        last = f"{each['delivered_at']:%Y-%m-%d %H:%M:%SZ}" if each["delivered_at"] else "never"
        cells = (each["name"], each["state"], each["cursor"], each["behind"], each["waiting"], each["given_up"], last,
                 each["note"] or "")  # fmt: skip
        table.add_row(*map(str, cells))
    console.print(table)
