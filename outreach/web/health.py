"""Whether this process lives, whether it can work, and how much work there is."""

import asyncio
from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outreach.clock import monotonic
from outreach.flows.house import House
from outreach.settings import Settings
from outreach.store.migrate import pending
from outreach.web.access import Access
from outreach.web.problems import plain_json

CHECK_SECONDS = 3.0
WORK = ("waiting", "queued", "started", "unknown", "inbox_new", "inbox_parked", "tasks", "enrollments")
"""The counts of the store's health query, in its order."""

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """Answer while the process lives."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Answer 200 when requests can be served. A queue that is away only costs time, so it does not make us unready."""
    settings: Settings = request.app.state.settings
    store, work = await _store(request.app.state.house)
    late = await _late_migrations(settings) if store == "ok" else []
    ready = store == "ok" and not late
    told = {"ready": ready, "store": store, "queue": await _queue(settings), "pending_migrations": late, "work": work}
    return plain_json(told, 200 if ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return counts in Prometheus' text format. Needs an API key: how much is sent is the lender's own business."""
    access: Access = request.app.state.access
    access.require_key(request)
    meters: Meters = request.app.state.meters
    store, work = await _store(request.app.state.house)
    meters.store_up.set(store == "ok")
    for kind, count in work.items():
        meters.work.labels(kind).set(count)
    return Response(generate_latest(meters.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _store(house: House) -> tuple[str, dict[str, int]]:
    try:
        async with asyncio.timeout(CHECK_SECONDS), house.store.transaction() as tx:
            return "ok", dict(zip(WORK, await tx.health(), strict=True))
    except Exception as error:
        if isinstance(error, TimeoutError) or house.is_store_away(error):
            return "away", {}
        raise


async def _late_migrations(settings: Settings) -> list[str]:
    return await asyncio.to_thread(pending, settings.database_url)


async def _queue(settings: Settings) -> str:
    if not settings.redis_url:
        return "none"
    client: Any = Redis.from_url(settings.redis_url, socket_timeout=CHECK_SECONDS, socket_connect_timeout=CHECK_SECONDS)
    try:
        await client.ping()
    except (RedisError, OSError):
        return "away"
    finally:
        await client.aclose()
    return "ok"


class Meters:
    """What is measured. Labels are route patterns and codes, never a value from a request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "outreach_web_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "outreach_web_request_seconds", "Seconds until the answer began", ("route",), registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )  # fmt: skip
        self.work = Gauge("outreach_work", "Work in the store by kind", ("kind",), registry=self.registry)
        self.store_up = Gauge("outreach_store_up", "1 when the store answers", registry=self.registry)


class Metered:
    """Counts every request by its route pattern."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = monotonic()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _route(scope)
                method = scope["method"] if route != "none" else "any"
                self._meters.requests.labels(method, route, str(message["status"])).inc()
                self._meters.seconds.labels(route).observe(monotonic() - began)
            await send(message)

        await self._app(scope, receive, sending)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "none")
