"""JSON Lines in and out: the format of ``outreach replies parse``. A bad line becomes an error line, no more."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import orjson
from babel.numbers import is_currency

from outreach.replies.reader import read
from outreach.replies.reading import NO_CONTEXT, READING_CHANNELS, Awaiting, Intent, OpenOffer, ReplyContext

_KEYS = frozenset({"id", "text", "lang", "channel", "ref_date", "time_zone", "default_currency", "context"})
_ZONES = frozenset(available_timezones())


class LineError(ValueError):
    """One input line that cannot be read. ``field`` names the part, the text says what would be valid."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


def parse_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Read replies, one JSON object a line, and yield one JSON object a line in the same order.

    Blank lines are passed over. A line that cannot be read yields ``{"id", "line", "error": {"field", "text"}}``.
    """
    for place, line in enumerate(lines, 1):
        if line.strip():
            yield orjson.dumps(_parse_line(line, place)) + b"\n"


def _parse_line(line: bytes, place: int) -> dict[str, object]:
    given: Any = None
    try:
        given = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
        return parse_object(given)
    except orjson.JSONDecodeError as error:
        return _failed(None, place, "", f"is not JSON in UTF-8 (near character {error.pos})")
    except LineError as error:
        known = given.get("id") if isinstance(given, dict) else None
        return _failed(known if isinstance(known, str | int) else None, place, error.field, str(error))


def _failed(reply_id: object, place: int, field: str, text: str) -> dict[str, object]:
    return {"id": reply_id, "line": place, "error": {"field": field, "text": text}}


def parse_object(given: object) -> dict[str, object]:
    """Read one reply object and return its reading as plain data. Raises LineError naming the field."""
    if not isinstance(given, dict):
        raise LineError("", "must be a JSON object with at least id and text")
    for key in given.keys() - _KEYS:
        raise LineError(str(key)[:40], f"unknown field; allowed are {', '.join(sorted(_KEYS))}")
    reply_id = given.get("id")
    if isinstance(reply_id, bool) or not isinstance(reply_id, str | int):
        raise LineError("id", "must be text or a whole number")
    text = given.get("text")
    if not isinstance(text, str):
        raise LineError("text", "must be text")
    reading = read(
        text,
        lang=_optional_text(given, "lang"),
        channel=_channel(given),
        ref_date=_ref_date(given),
        time_zone=_zone(given),
        default_currency=_currency(given.get("default_currency"), "default_currency"),
        context=parse_context(given.get("context")),
    )
    return reading.to_json(reply_id)


def _optional_text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None or isinstance(value, str):
        return value
    raise LineError(name, "must be text or null")


def _channel(given: Mapping[str, Any]) -> str:
    value = given.get("channel")
    if value is None:
        return "sms"
    if value in READING_CHANNELS:
        return str(value)
    raise LineError("channel", f"must be one of {', '.join(READING_CHANNELS)}")


def _ref_date(given: Mapping[str, Any]) -> date | None:
    value = _optional_text(given, "ref_date")
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise LineError("ref_date", "must be a date such as 2026-03-11") from None


def _zone(given: Mapping[str, Any]) -> str | None:
    value = _optional_text(given, "time_zone")
    if value is None or value in _ZONES:
        return value
    raise LineError("time_zone", "must be an IANA time zone such as America/Chicago")


def _currency(value: object, field: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and _known_currency(value):
        return value
    raise LineError(field, "must be an ISO 4217 code in capitals such as USD")


@lru_cache(maxsize=512)
def _known_currency(code: str) -> bool:
    return bool(is_currency(code))


def parse_context(given: object) -> ReplyContext:
    """Read the ``context`` object. Raises LineError naming the field."""
    if given is None:
        return NO_CONTEXT
    if not isinstance(given, dict):
        raise LineError("context", "must be an object or null")
    for key in given.keys() - {"awaiting", "offers", "keys"}:
        raise LineError(f"context.{str(key)[:40]}", "unknown field; allowed are awaiting, keys, offers")
    awaiting = given.get("awaiting")
    if awaiting is not None and awaiting not in set(Awaiting):
        raise LineError("context.awaiting", f"must be null or one of {', '.join(Awaiting)}")
    return ReplyContext(
        awaiting=Awaiting(awaiting) if awaiting else None,
        offers=_offers(given.get("offers")),
        keys=_promised_keys(given.get("keys")),
    )


def _offers(given: object) -> tuple[OpenOffer, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise LineError("context.offers", "must be a list")
    return tuple(_offer(item, f"context.offers[{place}]") for place, item in enumerate(given))


def _offer(given: object, where: str) -> OpenOffer:
    if not isinstance(given, dict):
        raise LineError(where, "must be an object")
    numbers: list[int] = []
    for name in ("option", "count", "amount_minor"):
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise LineError(f"{where}.{name}", "must be a whole number, 0 or more")
        numbers.append(value)
    currency = _currency(given.get("currency"), f"{where}.currency")
    if currency is None:
        raise LineError(f"{where}.currency", "must be an ISO 4217 code in capitals such as USD")
    return OpenOffer(numbers[0], numbers[1], numbers[2], currency)


def _promised_keys(given: object) -> dict[str, Intent]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise LineError("context.keys", "must be an object from token to intent")
    keys: dict[str, Intent] = {}
    for token, intent in given.items():
        if intent not in set(Intent):
            raise LineError(f"context.keys.{str(token)[:20]}", f"must be one of {', '.join(Intent)}")
        keys[str(token)] = Intent(intent)
    return keys
