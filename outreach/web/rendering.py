"""Pages for people: escaped, without scripts, without anything from elsewhere."""

from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

PAGES = Path(__file__).resolve().parent / "pages"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def _pages() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = lambda text: str(text or "").replace("_", " ").replace(".", ": ")
    environment.filters["segment"] = lambda text: quote(str(text), safe="")
    return environment


def page(template: str, status: int = 200, **values: object) -> Response:
    """Render a page. Everything in ``values`` is escaped."""
    return HTMLResponse(_pages().get_template(template).render(**values), status, HEADERS)


def stylesheet() -> Response:
    """Return the stylesheet of the pages for people who work here."""
    return _css("console.css")


def portal_stylesheet() -> Response:
    """Return the stylesheet of the borrowers' pages."""
    return _css("portal/portal.css")


def _css(name: str) -> Response:
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response((PAGES / name).read_bytes(), headers=headers, media_type="text/css")
