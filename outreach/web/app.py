"""The web process: events in and out, callbacks, call answers, unsubscribe, health, borrowers' pages, the console."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from outreach.bootstrap import serve_house
from outreach.domain.webhook import Webhooks
from outreach.domain.webhook_config import load_webhooks
from outreach.flows.house import House
from outreach.logging import configure_logging
from outreach.replies.reader import warm
from outreach.settings import Settings, load_settings
from outreach.web import callbacks, calls, console, events, feed, health, portal, task_pages, tasks, unsubscribe
from outreach.web.access import Access
from outreach.web.feed_docs import document_webhooks
from outreach.web.problems import LastResort, ProblemError, fields, on_http_error, on_problem, problem
from outreach.workers.app import make_broker, spare_the_collector
from outreach.workers.lanes import DramatiqQueue

ROUTERS = (  # asked in this order, so what is called most comes first
    callbacks.router,
    calls.router,
    events.router,
    feed.router,
    unsubscribe.router,
    health.router,
    portal.router,
    console.router,
    task_pages.router,
    tasks.router,
)


def create_app(settings: Settings, house: House | None = None) -> FastAPI:
    """Build the application. It opens a house of its own when it starts, unless it is given one that is open."""
    app = FastAPI(
        title="Outreach", version="1", lifespan=_lifespan, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json"
    )
    app.state.settings = settings
    app.state.house = house
    app.state.access = Access.of(settings)
    app.state.webhooks = _what_is_told(settings)
    app.state.groups = {}
    app.state.meters = health.Meters()
    for router in ROUTERS:
        app.include_router(router)
    document_webhooks(app)
    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(portal.Elsewhere, portal.on_elsewhere)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, _on_bad_parameter)
    app.add_middleware(LastResort)
    app.add_middleware(health.Metered, meters=app.state.meters)
    return app


def _what_is_told(settings: Settings) -> Webhooks:
    """Return what the feed says; the secrets of endpoints are for the process that posts to them."""
    return load_webhooks(settings.config / "webhooks.yaml", None)


async def _on_bad_parameter(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    bad = [(".".join(str(part) for part in each["loc"][1:]), str(each["msg"])) for each in error.errors()]
    return problem(422, "a parameter cannot be used", errors=fields(bad))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    if app.state.house is not None:
        yield
        return
    settings: Settings = app.state.settings
    house = await serve_house(settings, DramatiqQueue(make_broker(settings.redis_url), settings.batch))
    app.state.house = house
    await asyncio.to_thread(warm)
    spare_the_collector()
    try:
        yield
    finally:
        await house.close()


def create() -> FastAPI:
    """Build the application from the environment: ``uvicorn --factory outreach.web.app:create``."""
    settings = load_settings()
    configure_logging(settings.log_level)
    return create_app(settings)
