"""The HTML part of a mail, made from its plain part: one wording, and no place where a field could become markup."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

_OPEN = '<p style="margin:0 0 16px 0;">'
_LINK = '<a href="{0}" style="font-weight:bold;text-decoration:underline;">{0}</a>'


class Layout:
    """The frame around every mail: templates/layout.html.j2, compiled once. Styles are inline, colours the reader's."""

    def __init__(self, text: str) -> None:
        environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined, auto_reload=False)
        environment.globals.clear()
        self.text = text
        self._template: Template = environment.from_string(text)
        self._root: Any = self._template.root_render_func

    def render(self, lang: str, subject: str, preview: str, text: str, links: Iterable[str | None]) -> str:
        """Return an HTML document that says what ``text`` says. Only ``links``, the house's own, become links."""
        values = {"lang": lang, "subject": subject, "preview": preview, "content": paragraphs(text, links)}
        return "".join(self._root(self._template.new_context(values)))


def load_layout(path: Path) -> Layout:
    """Read and compile the frame. Raises OSError or TemplateSyntaxError."""
    return Layout(path.read_text(encoding="utf-8"))


def paragraphs(text: str, links: Iterable[str | None]) -> Markup:
    """Turn plain paragraphs into escaped ``<p>`` elements."""
    inner = str(escape(text))
    safe = sorted({str(escape(link)) for link in links if link}, key=len, reverse=True)
    if safe:
        # One pass, the longest first: a link that begins like another is never made a link inside that one.
        inner = re.sub("|".join(map(re.escape, safe)), lambda found: _LINK.format(found[0]), inner)
    inner = (
        inner.replace("\n\n", f"</p>\n{_OPEN}").replace("\n", "<br>\n").replace(f"</p><br>\n{_OPEN}", f"</p>\n{_OPEN}")
    )
    return Markup(f"{_OPEN}{inner}</p>")  # noqa: S704 - everything inside was escaped above
