"""Telephone numbers as a lender writes them: E.164, line type, and the places and time zones a number hints at.

A number is taken when it is *possible* (a length its country has), not only when it is *valid* (in an allotted series):
allotments change faster than any list of them, and numbers reserved for fiction are in no series. What the number hints
at adds candidates; it never takes one away, because people keep their number when they move.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers as pn
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.timezone import time_zones_for_geographical_number
from phonenumbers.tzdata import TIMEZONE_DATA

from outreach.domain.located_yaml import parse_located
from outreach.domain.places import canonical_zone, one_clock_each
from outreach.domain.words import PointType

MAX_WRITTEN = 32
"""Longest text that is looked at as a number (characters)."""

_NORTH_AMERICA = 1
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}\Z")
_PUNCTUATION = frozenset("+0123456789 ()-./\u00a0\u2010\u2011\u2013")

_TYPES = {
    PhoneNumberType.MOBILE: PointType.MOBILE,
    PhoneNumberType.FIXED_LINE: PointType.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: PointType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP: PointType.VOIP,
    PhoneNumberType.TOLL_FREE: PointType.TOLL_FREE,
}
_PREMIUM = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})

_REASONS = {
    pn.ValidationResult.INVALID_COUNTRY_CODE: "has a country code that does not exist",
    pn.ValidationResult.TOO_SHORT: "is too short for its country",
    pn.ValidationResult.TOO_LONG: "is too long for its country",
    pn.ValidationResult.INVALID_LENGTH: "has a length that its country does not use",
    pn.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks the area code",
}


@dataclass(frozen=True, slots=True)
class Phone:
    """One readable number. ``regions`` are ISO 3166 codes, ``zones`` canonical IANA names; empty: no hint."""

    e164: str
    type: PointType
    regions: tuple[str, ...]
    zones: tuple[str, ...]


class UnreadableNumber(ValueError):  # noqa: N818 - reads as what it is where it is caught
    """The text is no number that can be dialled. Its text completes "the number ..." and never quotes the number."""


def read_phone(text: str, country: str | None, *, mobile: bool = False) -> Phone:
    """Read a number in E.164 (``+12025550143``) or as written inside ``country``. Raises UnreadableNumber.

    ``mobile`` says that somebody called it a mobile; it counts only when the numbering plan has no answer.
    """
    number = _parsed(text, country)
    result = pn.is_possible_number_with_reason(number)
    if result != pn.ValidationResult.IS_POSSIBLE:
        raise UnreadableNumber(_REASONS.get(result, "is not possible"))
    found = pn.number_type(number)
    if found in _PREMIUM:
        raise UnreadableNumber("is of a premium or shared-cost series, which no borrower answers")
    line = _TYPES.get(found, PointType.UNKNOWN)
    if line is PointType.UNKNOWN and mobile:
        line = PointType.MOBILE
    regions, zones = _hints(number, found)
    return Phone(pn.format_number(number, pn.PhoneNumberFormat.E164), line, regions, zones)


def _parsed(text: str, country: str | None) -> PhoneNumber:
    if len(text) > MAX_WRITTEN:
        raise UnreadableNumber(f"is longer than {MAX_WRITTEN} characters")
    if _NORTH_AMERICAN.match(text):
        # What the parser makes of this form, without its work: most numbers of most books look like this.
        return PhoneNumber(country_code=_NORTH_AMERICA, national_number=int(text[2:]))
    if not _PUNCTUATION.issuperset(text):
        raise UnreadableNumber("holds something else than digits, spaces and + ( ) - . /")
    try:
        return pn.parse(text, country)
    except pn.NumberParseException as error:
        if error.error_type == pn.NumberParseException.INVALID_COUNTRY_CODE:
            raise UnreadableNumber("has a country code that does not exist") from None
        raise UnreadableNumber("cannot be read as a number") from None


def _hints(number: PhoneNumber, found: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return regions and zones; nothing for numbers that belong to no place (toll-free, personal, VoIP)."""
    if number.country_code == _NORTH_AMERICA:
        area = str(number.national_number)[:3]
        if area in _area_codes():
            return _area_codes()[area], _area_zones(area)
    if found not in {PhoneNumberType.UNKNOWN, *_PLACED}:
        return (), ()
    region = pn.region_code_for_number(number) or pn.region_code_for_country_code(number.country_code or 0)
    if region in {pn.UNKNOWN_REGION, pn.REGION_CODE_FOR_NON_GEO_ENTITY}:
        return (), ()
    # An unallotted North American number carries no place; elsewhere the country is known from the code alone.
    if number.country_code == _NORTH_AMERICA and found == PhoneNumberType.UNKNOWN:
        return (), ()
    return (region,), _zones_of(time_zones_for_geographical_number(number))


_PLACED = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@cache
def _area_codes() -> dict[str, tuple[str, ...]]:
    text = files("outreach.domain").joinpath("data", "area_codes.yaml").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for subdivision, codes in parse_located(text, "area_codes.yaml").data.items():
        for code in codes:
            found.setdefault(code, []).append(subdivision)
    return {code: tuple(places) for code, places in found.items()}


@cache
def _area_zones(area: str) -> tuple[str, ...]:
    """Return every zone that any exchange of a North American area code lies in: numbers move within their area."""
    prefix = f"{_NORTH_AMERICA}{area}"
    return _zones_of(
        tuple(zone for start, zones in TIMEZONE_DATA.items() if start.startswith(prefix) for zone in zones)
    )


@lru_cache(maxsize=2048)
def _zones_of(names: tuple[str, ...]) -> tuple[str, ...]:
    known = (canonical_zone(name) for name in names)
    return one_clock_each(tuple(dict.fromkeys(zone for zone in known if zone is not None)))
