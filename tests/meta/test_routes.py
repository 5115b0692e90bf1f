"""Who may call what: every route is public on purpose, or turns a stranger away before it does anything."""

import pytest
from fastapi.routing import APIRoute
from httpx import Response

from outreach.settings import load_settings
from outreach.web.app import create_app
from tests.support.web import served

PUBLIC = {
    "GET /console.css": "a stylesheet",
    "GET /healthz": "says that the process lives, nothing else",
    "GET /readyz": "counts of work, for load balancers",
    "GET /login": "the form",
    "POST /login": "checks an API key",
    "GET /v1/unsubscribe/{token}": "the same page for every token",
    "POST /v1/unsubscribe/{token}": "the token is the proof; the answer is the same for every token",
    "GET /v1/openapi.json": "the description of the API",
    "HEAD /v1/openapi.json": "as GET",
    "GET /portal.css": "a stylesheet",
}
KEY = {"POST /v1/events", "GET /v1/events", "GET /v1/cases/{case_id}/timeline", "GET /metrics", "GET /v1/tasks",
       "POST /v1/tasks/{task_id}/close"}  # fmt: skip
SIGNED = {
    "POST /v1/callbacks/{channel}": "/v1/callbacks/sms",
    "GET /v1/callbacks/{channel}": "/v1/callbacks/sms",
    "POST /v1/callbacks/{channel}/{rest:path}": "/v1/callbacks/sms/a/b",
    "GET /v1/callbacks/{channel}/{rest:path}": "/v1/callbacks/sms/a/b",
    "POST /v1/inbound/email": "/v1/inbound/email",
    "POST /v1/calls/{token}": "/v1/calls/" + "x" * 32,
    "POST /v1/calls/{token}/turn": "/v1/calls/" + "x" * 32 + "/turn?n=1",
}
LINKED = {
    f"{method} /p/{{token}}{rest}"
    for method, rest in (
        ("GET", ""), ("GET", "/{way}"), ("GET", "/schedule.ics"), ("POST", "/{way}"), ("POST", "/identify"),
        ("POST", "/leave"), ("POST", "/plan"), ("POST", "/check"), ("POST", "/promise"), ("POST", "/contact"),
        *((method, f"/{way}") for method in ("GET", "POST") for way in ("end", "time", "time/check")),
        *(("GET", f"/{way}") for way in ("plan", "check", "promise", "contact")),
    )
}  # fmt: skip
"""Pages of borrowers: a signed link, then an identity check (tests/web/test_portal_door.py)."""
UNKNOWN_ID = "018f0000-0000-7000-8000-000000000000"


def routes() -> dict[str, str]:
    """Return ``METHOD path`` -> path of every route of the application."""
    app = create_app(load_settings({"OUTREACH_MODE": "sandbox"}))
    found: dict[str, str] = {}
    for route in _all(app):
        for method in getattr(route, "methods", None) or ():
            found[f"{method} {route.path}"] = route.path
    return found


def _all(app: object) -> list[APIRoute]:
    """Return routes, those of included routers too, however the framework keeps them."""
    listed: list[APIRoute] = []
    for route in getattr(app, "routes", ()):
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        listed += _all(inner) if inner is not None and not hasattr(route, "methods") else [route]
    return listed


ROUTES = routes()
CONSOLE = sorted(set(ROUTES) - set(PUBLIC) - KEY - set(SIGNED) - LINKED)


def test_the_lists_here_name_routes_that_exist() -> None:
    assert (set(PUBLIC) | KEY | set(SIGNED) | LINKED) - set(ROUTES) == set()
    assert len(ROUTES) > 12
    assert CONSOLE


@pytest.mark.parametrize("route", sorted(KEY))
async def test_machines_need_a_key(route: str, database: str) -> None:
    answer = await ask(database, route, ROUTES[route])
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("route", sorted(SIGNED))
async def test_providers_need_a_signature(route: str, database: str) -> None:
    """A call nobody placed is not found: its token is looked up first, because it says whose signature to expect."""
    assert (await ask(database, route, SIGNED[route])).status_code in ({404} if "calls" in route else {403})


@pytest.mark.parametrize("route", sorted(LINKED))
async def test_borrowers_need_a_link_of_ours(route: str, database: str) -> None:
    answer = await ask(database, route, ROUTES[route].replace("{token}", "x" * 44).replace("{way}", "promise"))
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("route", CONSOLE)
async def test_everything_else_needs_a_session(route: str, database: str) -> None:
    path = ROUTES[route]
    for name in ("case_id", "campaign_id", "task_id", "id"):
        path = path.replace("{" + name + "}", UNKNOWN_ID)
    answer = await ask(database, route, path.replace("{move}", "pause").replace("{what}", "pause"))
    assert (answer.status_code, answer.headers.get("location")) == (303, "/login")


async def ask(database: str, route: str, path: str) -> Response:
    """Call a route as a stranger."""
    async with served(database) as (client, _):
        return await client.request(route.partition(" ")[0], path, content=b"{}")
