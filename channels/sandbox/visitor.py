"""A person who follows the link of a text or mail: pages opened, forms filled in and posted, as a browser would."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from channels.sandbox.carrier import Carrier
from channels.sandbox.people import Profile
from channels.sandbox.wire import Answered

_MOST_PAGES: Final = 20
_WAY: Final = "/plan"
"""Where a link leads that is about paying in parts."""
_MOVED: Final = frozenset({302, 303, 307})


@dataclass(slots=True)
class PageForm:
    """One form of a page: where it goes, what is filled in already, what is asked, and the button that is pressed."""

    action: str
    filled: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    button: tuple[str, str] = ("", "")


class Page(HTMLParser):
    """The forms and links of a page, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self._form: PageForm | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link, a form, or what belongs to the form that is open."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = PageForm(given.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None and tag == "input":
            self._note(self._form, given)
        elif self._form is not None and tag == "button" and given.get("name") and not self._form.button[0]:
            self._form.button = (given["name"], given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """Close a form."""
        if tag == "form":
            self._form = None

    @staticmethod
    def _note(form: PageForm, given: Mapping[str, str]) -> None:
        if given.get("type") == "hidden":
            form.filled[given.get("name", "")] = given.get("value", "")
        elif given.get("name"):
            form.asked.append(given["name"])


def link_in(words: str, home: str) -> str | None:
    """Return the first link of a text that leads to the system at ``home`` (any address of it), or None."""
    parts = urlsplit(home)
    start = words.find(f"{parts.scheme}://{parts.netloc}/")
    return words[start:].split(maxsplit=1)[0].rstrip(").,;\"'>") if start >= 0 else None


def next_form(page: Page, knows: Mapping[str, str], chooses: int) -> tuple[PageForm, dict[str, str]] | None:
    """Return the form a person fills in and what they put there, or None when none is for them.

    Who they are when a page asks that and they know all of it; else the offer they choose; else the plan they confirm.
    """
    for form in page.forms:
        if form.asked and all(name in knows for name in form.asked):
            return form, form.filled | {name: knows[name] for name in form.asked}
    ready = [form for form in page.forms if not form.asked]
    offers = [form for form in ready if form.button[1] == "choose"]
    if offers:
        form = offers[min(chooses, len(offers)) - 1]
        return form, form.filled | dict([form.button])
    confirm = next((form for form in ready if "shown" in form.filled), None)
    return (confirm, dict(confirm.filled)) if confirm is not None else None


class Visit:
    """One visit to a page of the system: identified with what the profile knows, a plan chosen, read and confirmed."""

    def __init__(self, carrier: Carrier, person: str, profile: Profile) -> None:
        self._carrier = carrier
        self._person = person
        self._chooses = profile.chooses or 1
        known = (("birth_year", profile.birth_year), ("postcode", profile.postcode),
                 ("account_last4", profile.account_last4))  # fmt: skip
        self._knows = {name: str(value) for name, value in known if value is not None}
        self._cookies: dict[str, str] = {}

    def begin(self, url: str) -> None:
        """Follow a link; the carrier is busy until the visit is over."""
        self._carrier.deliveries.begin()
        self._carrier.deliveries.keep(self._run(url))

    async def _run(self, url: str) -> None:
        try:
            await self._walk(url)
        except (OSError, TimeoutError) as error:
            self._record("page_failed", error=type(error).__name__)
        finally:
            self._carrier.deliveries.end()

    async def _walk(self, url: str) -> None:
        answer, url = await self._open("GET", url)
        been: set[str] = set()
        for _ in range(_MOST_PAGES):
            if answer.status != 200:
                return
            page = Page(answer.body.decode("utf-8", "replace"))
            step = next_form(page, self._knows, self._chooses)
            if step is not None:
                answer, url = await self._open("POST", urljoin(url, step[0].action), urlencode(step[1]).encode())
                continue
            way = next((link for link in page.links if link.endswith(_WAY) and link not in been), None)
            if way is None:
                return
            been.add(way)
            answer, url = await self._open("GET", urljoin(url, way))

    async def _open(self, method: str, url: str, body: bytes = b"") -> tuple[Answered, str]:
        """Ask for a page and follow where it leads; return what came and its address."""
        for _ in range(_MOST_PAGES):
            headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
            if self._cookies:
                headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            answer = await self._carrier.deliveries.browse(method, url, headers, body)
            self._record("page_opened", method=method, status=answer.status)
            for cookie in answer.cookies:
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name.strip()] = value.strip()
            if answer.status not in _MOVED or not answer.location:
                return answer, url
            method, url, body = "GET", urljoin(url, answer.location), b""
        return answer, url

    def _record(self, kind: str, **facts: object) -> None:
        """Write down a step. The link is a secret of its owner's, so it stands in no log."""
        self._carrier.witness.record(kind, channel="page", to=self._person, **facts)
