"""The portal over HTTP: a house that has one, and a visitor who reads pages and sends the forms that stand on them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from uuid import UUID

import httpx
import psycopg

from outreach.flows.house import House
from outreach.settings import Settings, load_settings
from outreach.web.app import create_app

from .book import START, Someone
from .house import a_house

SECRET = "a-secret-of-the-portal-for-tests-only"


@asynccontextmanager
async def portal_served(dsn: str, **env: str) -> AsyncIterator[tuple[House, httpx.ASGITransport]]:
    """Serve the application with a portal on a test's database."""
    async with a_house(dsn, START, OUTREACH_PORTAL_SECRET=SECRET, **env) as house:
        yield house, httpx.ASGITransport(app=create_app(portal_settings(dsn, **env), house))


def portal_settings(dsn: str, **env: str) -> Settings:
    """Return the settings of a process that has a portal."""
    fixed = {"OUTREACH_DATABASE_URL": dsn, "OUTREACH_MODE": "sandbox", "OUTREACH_PORTAL_SECRET": SECRET}
    return load_settings({**fixed, **env})


class _Forms(HTMLParser):
    """Collects the forms of a page with what they would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.controls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "form":
            self.forms.append((values["action"], {}))
        if tag == "label":
            self.labels.append(values["for"])
        if tag in {"input", "select", "textarea"} and values.get("type") != "hidden":
            self.controls.append(values["id"])
        if tag == "input" and values.get("type") == "hidden" and self.forms:
            self.forms[-1][1][values["name"]] = values.get("value", "")


def read_page(text: str) -> _Forms:
    """Return what stands on a page for a machine."""
    found = _Forms()
    found.feed(text)
    return found


class Visitor:
    """A browser without scripts, on one link."""

    def __init__(self, transport: httpx.ASGITransport, house: House, case_id: UUID, token: str = "") -> None:
        assert house.portal is not None
        link = house.portal.link(case_id, house.clock.now())
        self.token = token or link.rpartition("/")[2]
        self.base = f"/p/{self.token}"
        self.client = httpx.AsyncClient(transport=transport, base_url="http://outreach.test")
        self.page = httpx.Response(200)

    async def open(self, way: str = "", **query: str) -> httpx.Response:
        """Open a page."""
        self.page = await self.client.get(f"{self.base}/{way}" if way else self.base, params=query)
        return self.page

    async def send(self, form: int = 0, *, follow: bool = True, **fields: str | list[str]) -> httpx.Response:
        """Send the ``form``-th form of the page that is open, sign-out not counted, and follow where it leads."""
        forms = [one for one in read_page(self.page.text).forms if not one[0].endswith("/leave")]
        action, hidden = forms[form]
        self.page = await self.client.post(action, data=hidden | fields, follow_redirects=follow)
        return self.page

    async def enter(self, one: Someone, **answers: str) -> httpx.Response:
        """Open the link and answer the identity question."""
        await self.open()
        right = {"birth_year": str(one.birth_year), "account_last4": f"{one.ref}-A1".replace("-", "")[-4:]}
        asked = {name: right.get(name, "") for name in re.findall(r'<input id="(\w+)" name', self.page.text)}
        return await self.send(**(asked | answers))

    async def close(self) -> None:
        """Close the browser."""
        await self.client.aclose()


@asynccontextmanager
async def a_visitor(
    transport: httpx.ASGITransport, house: House, case_id: UUID, token: str = ""
) -> AsyncIterator[Visitor]:
    """Open a browser of its own on the link of a case."""
    visitor = Visitor(transport, house, case_id, token)
    try:
        yield visitor
    finally:
        await visitor.close()


def give_postcode(dsn: str, one: Someone, postcode: str) -> None:
    """Put a postcode on file."""
    with psycopg.connect(dsn) as connection:
        connection.execute("update borrower set postcode = %s where borrower_id = %s", (postcode, one.borrower_id))
