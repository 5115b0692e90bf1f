"""Debian's chromium, driven: pages that may load nothing from elsewhere, and what axe-core says of them."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Route, async_playwright

from outreach.settings import ROOT

from .debian import program

_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_AXE_RUN = """async only => (await axe.run({
        resultTypes: ["violations"], rules: {"target-size": {enabled: true}}, ...(only ? {runOnly: only} : {})
    })).violations
    .filter(each => ["serious", "critical"].includes(each.impact))
    .map(each => `${each.id}: ${each.nodes.map(node => node.target.join(" ")).join(", ")}`)"""
_WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, each) => sum + (each.transferSize || each.encodedBodySize), 0)"""


def artefacts() -> Path:
    """Return where screenshots are kept: ARTEFACTS_DIR, or var/artefacts, which git leaves alone."""
    folder = Path(os.environ.get("ARTEFACTS_DIR") or ROOT / "var" / "artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Start chromium without a window. Skips the test, with the reason, where it is not installed."""
    path = program("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_ARGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Window:
    """One window. ``strange`` are addresses of other hosts it asked for, ``errors`` what its console said."""

    page: Page
    origin: str
    strange: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def go(self, path: str) -> int:
        """Open an address of the origin; returns the status."""
        answer = await self.page.goto(self.origin + path, wait_until="load")
        assert answer is not None
        return answer.status

    async def press(self, name: str, *, nth: int = 0) -> None:
        """Press the button or link of this name, and wait for the page it leads to."""
        target = self.page.get_by_role("button", name=name, exact=True)
        if not await target.count():
            target = self.page.get_by_role("link", name=re.compile(re.escape(name)))
        async with self.page.expect_navigation(wait_until="load"):
            await target.nth(nth).click()

    async def fill(self, **fields: str) -> None:
        """Fill fields by their ids."""
        for name, value in fields.items():
            await self.page.locator(f"#{name}").fill(value)

    async def picture(self, name: str) -> Path:
        """Keep a picture of the whole page."""
        path = artefacts() / f"{name}.png"
        await self.page.screenshot(path=path, full_page=True)
        return path

    async def violations(self) -> list[str]:
        """Return what axe-core finds serious or critical on the page, by rule and place, in light and in dark."""
        await self.page.evaluate(_axe())
        await self.page.emulate_media(color_scheme="light")
        light = await self.page.evaluate(_AXE_RUN, None)
        await self.page.emulate_media(color_scheme="dark")
        dark = await self.page.evaluate(_AXE_RUN, "color-contrast")
        await self.page.emulate_media(color_scheme="light")
        return [*light, *(f"dark {each}" for each in dark)]

    async def weight(self) -> int:
        """Return the bytes that the page and what it loads took over the wire, or would without a cache."""
        return int(await self.page.evaluate(_WEIGHT))

    async def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@asynccontextmanager
async def a_window(
    browser: Browser, origin: str, *, width: int = 390, height: int = 844, **more: Any
) -> AsyncIterator[Window]:
    """Open a window of its own, without cookies of others, that reaches ``origin`` and nothing else."""
    context: BrowserContext = await browser.new_context(viewport={"width": width, "height": height}, **more)
    window = Window(await context.new_page(), origin)

    async def let(route: Route) -> None:
        address = route.request.url
        if address.startswith(f"{origin}/"):
            await route.continue_()
        else:
            window.strange.append(address)
            await route.abort()

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            window.errors.append(message.text)

    await context.route("**/*", let)
    window.page.on("console", note)
    window.page.on("pageerror", lambda error: window.errors.append(str(error)))
    try:
        yield window
    finally:
        await context.close()


@cache
def _axe() -> str:
    """Return axe-core as its package ships it."""
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
