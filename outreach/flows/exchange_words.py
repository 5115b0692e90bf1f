"""One exchange in words: a headline, and what was asked and answered, field by field."""

from typing import Any

import orjson

from channels.exchange import Told

PARTS = ("request", "answer")


def headline(trip: Told) -> str:
    """Say in one line what was done and how long it took."""
    if "dialogue" in trip:
        said = ", ".join(
            f"{one['stage']} {one.get('code') or 'lost'}{' ' + one['enhanced'] if one.get('enhanced') else ''}"
            for one in trip["dialogue"]
        )
        return f"{trip['provider']} {trip['host']} from {trip['sender']}: {said} ({trip['ms']} ms)"
    if "method" not in trip:
        return _came_in(trip)
    end = trip["answer"]["status"] if "answer" in trip else f"no answer, {trip['lost']}"
    what = f"{trip['what'].replace('_', '-')}: " if "what" in trip else ""
    return f"{what}{trip['provider']} {trip['method']} {trip['host']}{trip['path']}: {end} ({trip['ms']} ms)"


def _came_in(trip: Told) -> str:
    if trip["over"] == "mail":
        return f"{trip['provider']}: a mail came back"
    asks = "asks what to say" if trip.get("what") == "turn" else "reports"
    return f"{trip['provider']} {asks} at {trip['path']}"


def fields_of_part(trip: Told, part: str) -> list[tuple[str, str]]:
    """Return what a request or an answer holds, as (name, value); empty when there is none."""
    told = trip.get(part, {})
    rest = {name: value for name, value in told.items() if name not in {"fields", "status"}}
    return [(name, _value(value)) for name, value in (told.get("fields", {}) | rest).items()]


def _value(value: Any) -> str:  # noqa: ANN401 - plain JSON values
    if isinstance(value, dict) and "is" in value:
        digest = f", {value['digest']}" if "digest" in value else ""
        return f"[{value['is']}, {value['length']} long{digest}]"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return value if isinstance(value, str) else orjson.dumps(value).decode()
