"""The pages at /handsets: every handset, one handset, and the forms of a person who holds one. No script is needed."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from channels.sandbox.carrier import Carrier
from channels.sandbox.desk import SCRIPTED, Desk
from channels.sandbox.guard import Guard
from channels.sandbox.handsets import Handset, Item
from channels.sandbox.http import Request, Response

HOME: Final = "/handsets"
_FILES: Final = Path(__file__).resolve().parent / "html"
_LISTED: Final = 100
_SHOWN: Final = 150
_URL: Final = re.compile(r"https?://[^\s<>\"']+")
_HTML: Final = b"text/html; charset=utf-8"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'{styles}; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_STATIC: Final = {
    "/handsets.css": ("handsets.css", b"text/css; charset=utf-8"),
    "/handsets.js": ("handsets.js", b"text/javascript; charset=utf-8"),
}
Form = Mapping[str, str]


class HandsetPages:
    """Answers everything under /handsets. What was sent is only ever text here; HTML mail lives in a closed frame."""

    def __init__(self, carrier: Carrier, desk: Desk, guard: Guard) -> None:
        self._carrier = carrier
        self._desk = desk
        self._guard = guard
        self._acts: dict[str, Callable[[Handset, Form], None]] = {
            "text": lambda one, form: desk.write(one, form.get("to", ""), _words(form)),
            "mail": lambda one, form: desk.mail(
                one, one.items.get(form.get("answers", "")), form.get("subject", ""), _words(form)
            ),
            "junk": lambda one, form: desk.complain(one, form.get("item", "")),
            "unsubscribe": lambda one, form: desk.unsubscribe(one, form.get("item", "")),
            "confirm": lambda one, form: desk.confirm(
                one, form.get("item", ""), form.get("status", ""), form.get("code", "")
            ),
            "ring": lambda one, form: desk.ring(one, form.get("item", ""), form.get("what", "")),
            "press": lambda one, form: desk.press(one, form.get("item", ""), form.get("key") or form.get("keys", "")),
            "speak": lambda one, form: desk.speak(one, form.get("item", ""), _words(form)),
            "hang-up": lambda one, form: desk.hang_up(one, form.get("item", "")),
            "call": lambda one, form: desk.call(one, form.get("to", "")),
            "switch": lambda one, form: desk.switch(one, form.get("to", "")),
            "hold": lambda one, form: desk.take(one, on=form.get("on") == "yes"),
        }

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        static = _STATIC.get(request.path)
        if static is not None:
            return Response(200, _read(static[0]), static[1], (("X-Content-Type-Options", "nosniff"),))
        if request.method == "POST":
            return self._post(request)
        if request.method != "GET":
            return self._page("problem.html", 405, said="Only looking and the forms of this page are possible here.")
        if request.path.rstrip("/") == HOME:
            return self._list()
        handset = self._handset(request.path.removeprefix(HOME + "/"))
        return self._missing() if handset is None else self._show(handset)

    def _post(self, request: Request) -> Response:
        form = request.form()
        if not self._guard.proven(form):
            return self._page("problem.html", 403, said="This form is from before the carrier was started. Look again.")
        if request.path == HOME:
            return self._search(form.get("find", ""))
        if request.path == f"{HOME}/open":
            return self._open(form)
        number, _, act = request.path.removeprefix(HOME + "/").partition("/")
        handset, do = self._handset(number), self._acts.get(act)
        if handset is None or do is None:
            return self._missing()
        try:
            do(handset, form)
        except ValueError as error:
            return self._show(handset, status=400, problem=str(error), kept=_words(form))
        return _see(handset, form.get("item", ""))

    def _list(self, find: str = "", status: int = 200, problem: str = "") -> Response:
        handsets = self._carrier.handsets
        found = list(islice(handsets.find(find), _LISTED + 1))
        return self._page(
            "handsets.html", status, handsets=found[:_LISTED], more=len(found) > _LISTED, total=len(handsets),
            find=find, problem=problem,
        )  # fmt: skip

    def _search(self, find: str) -> Response:
        """Show what fits, and go straight to the only one that does."""
        found = list(islice(self._carrier.handsets.find(find), 2)) if find.strip() else []
        return _see(found[0]) if len(found) == 1 else self._list(find.strip()[:200])

    def _open(self, form: Form) -> Response:
        try:
            return _see(self._desk.open(form.get("address", "")))
        except ValueError as error:
            return self._list(status=400, problem=str(error))

    def _show(self, handset: Handset, status: int = 200, problem: str = "", kept: str = "") -> Response:
        items = handset.newest(_SHOWN)
        answerable = [item for item in reversed(items) if item.letter is not None and item.letter.reply_to]
        styles = " 'unsafe-inline'" if any(item.html for item in items) else ""
        return self._page(
            "handset.html", status, styles, handset=handset, items=items, older=len(handset.items) - len(items),
            problem=problem, kept=kept, answerable=answerable, desk=self._desk,
        )  # fmt: skip

    def _missing(self) -> Response:
        return self._page("problem.html", 404, said="There is no such handset any more.")

    def _page(self, name: str, status: int, styles: str = "", **values: object) -> Response:
        """Render a page. Mail brings styles of its own, so only a page that holds a mail lets styles stand inline."""
        body = _pages().get_template(name).render(
            **values, proof=self._guard.proof, now=_when(self._carrier.clock.epoch()), scripted=SCRIPTED,
            people=self._carrier.people, stepped=self._carrier.clock.stepped,
        )  # fmt: skip
        policy = ("Content-Security-Policy", _POLICY.format(styles=styles))
        return Response(status, body.encode(), _HTML, (policy, *_HEADERS))

    def _handset(self, number: str) -> Handset | None:
        return self._carrier.handsets.numbered(int(number)) if number.isascii() and number.isdigit() else None


def _see(handset: Handset, key: str = "") -> Response:
    """Go to a handset: to the item that was acted on, else to the end."""
    place = key if key in handset.items and handset.items[key].kind != "mail" else "last"
    return Response(303, b"", _HTML, (("Location", f"{HOME}/{handset.number}#{place}"), *_HEADERS))


def _words(form: Form) -> str:
    return form.get("words", "").replace("\r\n", "\n").strip()


@cache
def _read(name: str) -> bytes:
    return (_FILES / name).read_bytes()


@cache
def _pages() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FILES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"linked": _linked, "when": _when, "said_of": _said_of, "taken_by": _taken_by}
    return environment


def _linked(text: str) -> Markup:
    """Escape a text and make its web addresses links, as handsets do."""
    parts, at = [], 0
    for found in _URL.finditer(text):
        url = found.group().rstrip(".,;:!?)]}。，；：！？）】")
        parts += [escape(text[at : found.start()])]
        parts += [Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(url)]
        at = found.start() + len(url)
    return Markup("").join([*parts, escape(text[at:])])


def _when(epoch: float) -> str:
    instant = datetime.fromtimestamp(epoch, UTC)
    return f"{instant.day} {instant:%b %Y, %H:%M}"


_SAID: Final = {
    "accepted": "taken by the carrier", "queued": "taken by the carrier", "scheduled": "scheduled",
    "sent": "sent, not yet delivered", "delivered": "delivered", "undelivered": "not delivered", "failed": "failed",
    "canceled": "canceled", "ringing": "ringing", "in-progress": "going on", "completed": "ended",
    "busy": "engaged", "no-answer": "not answered", "bounced": "bounced",
}  # fmt: skip


def _said_of(item: Item) -> str:
    """Say how far an item came, with the error there was."""
    said = _SAID.get(item.state, item.state)
    return (
        f"{said} (error {item.code})" if item.code is not None and said else f"error {item.code}" if item.code else said
    )


def _taken_by(item: Item) -> str:
    """Say what the other side did with what the owner sent."""
    if not item.taken:
        return "on its way"
    if item.taken == "lost":
        return "nobody took it"
    return "taken" if item.taken.startswith("2") else f"turned away (HTTP {item.taken})"
