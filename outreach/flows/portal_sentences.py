"""What the timeline says of a visit to the portal, in plain English and without anything personal."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Data = Mapping[str, Any]


def _named(data: Data, _: object) -> str:
    days = ", ".join(data.get("days") or ()) or "every day"
    if (data.get("from"), data.get("to")) == ("00:00", "24:00"):
        return f"The borrower asked not to be reached on {days}."
    return f"The borrower asked not to be reached from {data.get('from')} to {data.get('to')} ({days})."


PORTAL_KINDS: Final[dict[str, Callable[[Data, Any], str]]] = {
    "portal.identified": lambda _data, _: "The borrower opened their page and was identified.",
    "portal.locked": lambda _data, _: "Wrong answers were given on the borrower's page; it is locked for a while.",
    "times.named": _named,
    "times.forgotten": lambda _data, _: "The borrower took back the times at which they were not to be reached.",
    "language.chosen": lambda data, _: f"The borrower chose the language {data.get('locale')}.",
}
