"""What every adapter can do, as a table made from the code."""

from collections.abc import Iterator

from channels.contract import Capability
from channels.registry import ADAPTERS

COLUMNS = {
    Capability.RECEIPTS: "receipts",
    Capability.REPLIES: "replies",
    Capability.LOOKS_UP: "looks up",
    Capability.CANCELS: "cancels",
    Capability.INTERACTIVE: "interactive",
    Capability.LOOKS_AFTER: "price and redaction afterwards",
    Capability.TEMPLATES: "approved templates only",
    Capability.WHATSAPP: "WhatsApp",
}
"""Every capability, and its heading. A capability without one fails a test."""


def rows() -> Iterator[tuple[str, str, dict[str, bool]]]:
    """Yield each adapter's name, medium and what it can do by heading."""
    for name, adapter in ADAPTERS.items():
        able = adapter.kind.capabilities
        yield name, str(adapter.kind.medium), {heading: each in able for each, heading in COLUMNS.items()}


def markdown() -> str:
    """Return the table as it stands in docs/channels/README.md."""
    headings = ["adapter", "medium", *COLUMNS.values()]
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    for name, medium, able in rows():
        cells = [f"`{name}`", medium, *("yes" if can else "–" for can in able.values())]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
