"""The checks on single values of a book. Every refusal is noted as a Defect; a line goes in only without any."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from babel.core import Locale, UnknownLocaleError, get_global
from babel.numbers import get_currency_precision

from outreach.domain.book import ConsentEntry, Defect, value_class
from outreach.domain.near import did_you_mean
from outreach.domain.places import canonical_zone, countries, subdivisions_of, zone_names
from outreach.domain.words import WHATSAPP_CONSENT, Channel, ConsentState, PointLabel

CONSENT_CHANNELS = (*(channel.value for channel in Channel), WHATSAPP_CONSENT, "any")
DEFAULT_CONSENT_KIND = "contact"
EARLIEST_DUE = date(1990, 1, 1)
LATEST_DUE_AHEAD = timedelta(days=40 * 366)
EARLIEST_BIRTH_YEAR = 1900

# A day begins on Earth fourteen hours before it does in UTC. Taking that instant makes an expiry never late.
_EARLIEST_DAWN = timedelta(hours=14)
_AMOUNT = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]*))?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,39}\Z", re.ASCII)
_SUBDIVISION = re.compile(r"[A-Z0-9]{1,3}\Z")
# C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text around.
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]")


_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LABELS = {label.value: label for label in PointLabel}
_CONSENT_STATES = tuple(state.value for state in ConsentState)


class Checks:
    """The values of one line, checked one by one. ``at`` is the instant of the import.

    ``printable`` says that the whole line was searched for control characters already.
    """

    __slots__ = ("at", "defects", "line", "printable")

    def __init__(self, line: int, at: datetime, *, printable: bool = False) -> None:
        self.line = line
        self.at = at
        self.printable = printable
        self.defects: list[Defect] = []

    def refuse(self, field: str, value: object, reason: str, allowed: str = "") -> None:
        """Note a defect. ``reason`` and ``allowed`` must not quote anything personal."""
        self.defects.append(Defect(self.line, field, value_class(value), reason, allowed))

    def text(self, field: str, value: object, longest: int, *, required: bool = False) -> str | None:
        """Return the text without blanks around it; None when it is empty or refused. ``longest`` is in characters."""
        if value is None or value == "":
            if required:
                self.refuse(field, value, "is missing", f"text of 1 to {longest} characters")
            return None
        if not isinstance(value, str):
            self.refuse(field, value, "is not text", f"text of 1 to {longest} characters")
            return None
        trimmed = value.strip()
        if len(trimmed) > longest:
            self.refuse(field, value, "is too long", f"at most {longest} characters")
            return None
        if not self.printable and _CONTROL.search(trimmed):
            reason = "holds a NUL byte" if "\0" in trimmed else "holds a control character"
            self.refuse(field, value, reason, "printable text")
            return None
        if not trimmed and required:
            self.refuse(field, value, "is blank", f"text of 1 to {longest} characters")
        return trimmed or None

    def whole_number(self, field: str, value: object, lowest: int, highest: int) -> int | None:
        """Return an integer, written as one or as text; None when absent or refused."""
        if value is None or value == "":
            return None
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
        if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
            number = int(value)
        if number is None or not lowest <= number <= highest:
            self.refuse(field, value, "is out of range or no whole number", f"{lowest} to {highest}")
            return None
        return number

    def truth(self, field: str, value: object) -> bool | None:
        """Return true or false, written as one or as a word; None when absent or refused."""
        if value is None or value == "":
            return None
        found = value if isinstance(value, bool) else _TRUTHS.get(str(value).strip().lower())
        if found is None:
            self.refuse(field, value, "is neither true nor false", ", ".join(_TRUTHS))
        return found

    def word(self, field: str, value: object, known: Collection[str], default: str | None = None) -> str | None:
        """Return one of a closed set of words; ``default`` when empty."""
        text = self.text(field, value, 40, required=default is None)
        if text is None:
            return default if value in (None, "") else None
        folded = text.lower()
        if folded not in known:
            allowed = list(known)
            self.refuse(field, value, f"is not a known word{_hint(text, frozenset(allowed))}", ", ".join(allowed))
            return None
        return folded

    def country(self, field: str, value: object) -> str | None:
        """Return ISO 3166-1 alpha-2."""
        text = self.text(field, value, 40, required=True)
        if text is None:
            return None
        if text.upper() not in countries():
            self.refuse(field, value, "is not a country code", "ISO 3166-1, two letters, such as US or GB")
            return None
        return text.upper()

    def subdivision(self, field: str, value: object, country: str | None) -> str | None:
        """Return ISO 3166-2 with its country (``US-NY``), written with or without it."""
        text = self.text(field, value, 40)
        if text is None or country is None:
            return None
        code = text.upper().removeprefix(f"{country}-")
        known = subdivisions_of(country)
        if known is not None and code not in known:
            self.refuse(field, value, f"is not a subdivision of {country}", ", ".join(sorted(known)))
            return None
        if not _SUBDIVISION.match(code):
            self.refuse(field, value, f"is not a subdivision code of {country}", f"ISO 3166-2, {country}-...")
            return None
        return f"{country}-{code}"

    def time_zone(self, field: str, value: object) -> str | None:
        """Return a canonical IANA zone that belongs to a place."""
        text = self.text(field, value, 64)
        if text is None:
            return None
        if text not in zone_names():
            hint = _hint(text, zone_names())
            self.refuse(field, value, f"is not a time zone{hint}", "IANA names, such as America/New_York")
            return None
        return canonical_zone(text)

    def locale(self, field: str, value: object) -> str | None:
        """Return language and region as ``en-US``."""
        text = self.text(field, value, 20, required=True)
        if text is None:
            return None
        found = _locale(text)
        if found is not None:
            return found
        self.refuse(field, value, "is not a locale", "language-REGION, such as es-MX")
        return None

    def currency(self, field: str, value: object) -> str | None:
        """Return an ISO 4217 code that is in use today."""
        text = self.text(field, value, 20, required=True)
        if text is None:
            return None
        if text not in _currencies():
            hint = _hint(text, _currencies())
            self.refuse(field, value, f"is not a currency in use{hint}", "ISO 4217, such as USD or INR")
            return None
        return text

    def amount(self, field: str, value: object, currency: str | None) -> int | None:
        """Return minor units of ``currency``, exact."""
        allowed = "digits with a point, such as 1234.50"
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, float):
            self.refuse(field, value, "is a floating-point number", 'text, such as "1234.50"')
            return None
        text = self.text(field, value, 40, required=True)
        if text is None:
            return None
        match = _AMOUNT.match(text)
        if match is None:
            self.refuse(field, value, "is not an amount", allowed)
            return None
        sign, whole, decimals = match[1], match[2], (match[3] or "").rstrip("0")
        if sign:
            self.refuse(field, value, "is negative", "zero or more")
            return None
        if currency is None:
            return None
        places = precision(currency)
        if len(decimals) > places:
            self.refuse(field, value, f"has more decimals than {currency} has", f"at most {places} decimals")
            return None
        return int(whole + decimals.ljust(places, "0"))

    def day(self, field: str, value: object, *, required: bool = True) -> date | None:
        """Return a date of the calendar, written YYYY-MM-DD."""
        text = self.text(field, value, 40, required=required)
        if text is None:
            return None
        found = _date(text)
        if found is not None:
            return found
        if not _DATE.match(text):
            self.refuse(field, value, "is not a date", "YYYY-MM-DD")
            return None
        self.refuse(field, value, "is a date that does not exist", "a day of the calendar")
        return None

    def due_on(self, field: str, value: object) -> date | None:
        """Return the due date, within what a loan can have."""
        day = self.day(field, value)
        if day is not None and not EARLIEST_DUE <= day <= (self.at + LATEST_DUE_AHEAD).date():
            self.refuse(field, value, "is not a plausible due date", f"{EARLIEST_DUE} to 40 years from now")
            return None
        return day

    def label(self, field: str, value: object, default: PointLabel) -> PointLabel:
        """Return where a contact point belongs."""
        if value is None or value == "":
            return default
        word = self.word(field, value, _LABELS)
        return _LABELS[word] if word else default

    def consent(
        self, field: str, *, channel: object, kind: object, state: object, given_on: object, expires_on: object
    ) -> ConsentEntry | None:
        """Return one ledger entry; None when a part of it was refused."""
        before = len(self.defects)
        way = self.word(f"{field}.channel", channel, CONSENT_CHANNELS)
        what = self.text(f"{field}.kind", kind, 40) or DEFAULT_CONSENT_KIND
        if not _KIND.match(what):
            self.refuse(f"{field}.kind", kind, "is not a kind of consent", "small letters and _, such as prior_express")
        which = self.word(f"{field}.state", state, _CONSENT_STATES)
        since = self.day(f"{field}.on", given_on)
        until = self.day(f"{field}.expires_on", expires_on, required=False)
        if since is not None and dawn(since) > self.at:
            self.refuse(f"{field}.on", given_on, "is in the future", "the day it was said, at the latest today")
        if since is not None and until is not None and until <= since:
            self.refuse(f"{field}.expires_on", expires_on, "is not after the day it was given", "a later day")
        if len(self.defects) > before or way is None or which is None or since is None:
            return None
        # Said on one day, the refusal counts as the last word.
        at = dawn(since) + timedelta(seconds=which == ConsentState.REVOKED.value)
        return ConsentEntry(what, way, ConsentState(which), at, dawn(until) if until else None)

    def known_keys(self, field: str, value: dict[str, Any], known: Iterable[str]) -> None:
        """Refuse keys of an object that nobody reads."""
        allowed = list(known)
        for position, (key, item) in enumerate(value.items(), 1):
            if key not in allowed:
                shown = column_name(key, position)
                where = f"{field}.{shown}" if field else shown
                self.refuse(where, item, f"is not a known key{_hint(key, frozenset(allowed))}", ", ".join(allowed))


def is_printable(text: str) -> bool:
    """Whether a line holds no control character and no mark that turns text around."""
    return _CONTROL.search(text) is None


def column_name(written: str, position: int) -> str:
    """Return a column or key as it may be shown: a file without a header has somebody's name in its place."""
    return written if _COLUMN.match(written) else f"column {position}"


@lru_cache(maxsize=1024)
def _hint(text: str, known: frozenset[str]) -> str:
    return did_you_mean(text, sorted(known))


@lru_cache(maxsize=4096)
def dawn(day: date) -> datetime:
    """Return the instant at which ``day`` begins at the first place on Earth (UTC+14)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - _EARLIEST_DAWN


@lru_cache(maxsize=256)
def precision(currency: str) -> int:
    """Return the decimal places of a currency (CLDR, ISO 4217)."""
    return get_currency_precision(currency)


@lru_cache(maxsize=4096)
def _date(text: str) -> date | None:
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _locale(text: str) -> str | None:
    try:
        parsed = Locale.parse(text.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    return f"{parsed.language}-{parsed.territory}" if parsed.territory else None


@cache
def _currencies() -> frozenset[str]:
    """Return the codes that are legal tender somewhere today (CLDR)."""
    uses = (use for uses in get_global("territory_currencies").values() for use in uses)
    return frozenset(code for code, _, ended, tender in uses if ended is None and tender)
