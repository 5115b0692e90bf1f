"""Portal: how long the page with the amount takes at the web process, and the form that sets a plan up."""

import http.client
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import psycopg

from outreach.benchmark.machine import percentile
from outreach.benchmark.people import People
from outreach.benchmark.stage import START, StuckError, stage
from outreach.benchmark.trigger import until_up
from outreach.clock import monotonic
from outreach.domain.portal import Portal, load_portal_rules

WARM_UP = 5
_SECRET = "outreach-bench-portal-secret-of-32-and-more"  # noqa: S105 - of a database that goes with the run
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@dataclass
class _Page:
    """What one page took: seconds of each visit, and its size."""

    seconds: list[float] = field(default_factory=list)
    size: int = 0

    def told(self) -> dict[str, float | int]:
        shares = {f"p{share}_ms": round(1000 * percentile(self.seconds, share / 100), 1) for share in (50, 99)}
        return {**shares, "per_second": round(len(self.seconds) / sum(self.seconds), 1), "bytes": self.size}


def measure(var: Path, *, visits: int, runs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Let ``runs`` times ``visits`` borrowers set a plan up, one after another; all are taken together."""
    pages = {"amount": _Page(), "plans": _Page(), "confirm": _Page()}
    many = visits * runs + WARM_UP
    with stage(var, OUTREACH_PORTAL_SECRET=_SECRET) as here:
        people = People(here.services.database_url)
        people.add(many, START - timedelta(days=30))
        people.settle_down()
        people.close()
        settings = here.settings()
        rules = load_portal_rules(settings.config / "portal.yaml")
        portal = Portal.of(rules, settings.public_url, settings.portal_secrets)
        with psycopg.connect(here.services.database_url) as line:
            cases = line.execute(
                "select c.case_id, a.external_id from cases c join account a using (account_id) order by c.case_id"
            ).fetchall()
        with here.stack("web") as processes:
            until_up(here, processes)
            for nth, (case_id, account) in enumerate(cases):
                _visit(portal, case_id, account, pages if nth >= WARM_UP else {name: _Page() for name in pages})
    found = {name: page.told() for name, page in pages.items()}
    say("portal: " + ", ".join(f"{name} {one['p50_ms']} / {one['p99_ms']} ms" for name, one in found.items()))
    return {"visits": visits * runs, "pages": found}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str


class _Browser:
    """Reads pages over one connection, keeps cookies, runs no scripts."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> _Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Mapping[str, str]) -> _Answer:
        return self._ask("POST", path, urlencode(fields))

    def close(self) -> None:
        self._line.close()

    def _ask(self, method: str, path: str, body: str | None) -> _Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = cookie.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return _Answer(answer.status, text)


def _visit(portal: Portal, case_id: UUID, account: str, pages: dict[str, _Page]) -> None:
    """Go the whole way once. Raises StuckError when a page is not the one that should come."""
    path = portal.link(case_id, START).removeprefix(portal.public_url)
    browser = _Browser(portal.public_url)
    last4 = "".join(each for each in account if each.isalnum())[-4:]
    _sent(browser, f"{path}/identify", browser.get(path), birth_year="1980", account_last4=last4)
    _timed(pages["amount"], lambda: browser.get(path))
    plans = _timed(pages["plans"], lambda: browser.get(f"{path}/plan"))
    _sent(browser, f"{path}/plan", plans, do="choose")
    check = browser.get(f"{path}/check")
    _timed(pages["confirm"], lambda: _sent(browser, f"{path}/check", check))
    browser.close()


def _timed(page: _Page, ask: Callable[[], _Answer]) -> _Answer:
    begun = monotonic()
    answer = ask()
    page.seconds.append(monotonic() - begun)
    page.size = max(page.size, len(answer.text.encode()))
    if answer.status >= 400:
        raise StuckError(f"a page of the portal answered {answer.status}")
    return answer


def _sent(browser: _Browser, action: str, page: _Answer, **fields: str) -> _Answer:
    """Send the first form of a page that leads to ``action``."""
    form = next((part for part in page.text.split("<form ")[1:] if f'action="{action}"' in part), "")
    answer = browser.post(action, dict(_HIDDEN.findall(form.partition("</form>")[0])) | fields)
    if answer.status != 303:
        raise StuckError(f"a form of the portal was answered with {answer.status}")
    return answer
