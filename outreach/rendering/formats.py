"""Amounts, dates, numbers and telephone numbers as the people of one locale write and say them (CLDR, by Babel)."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from babel import Locale
from babel.dates import format_date, get_day_names
from babel.numbers import format_currency, format_decimal, get_currency_name, get_currency_symbol

from outreach.domain.money import Money
from outreach.rendering.segments import is_gsm

_parsed = lru_cache(maxsize=64)(Locale.parse)
"""Babel looks for files on disk each time it is given a locale's name; given the parsed locale it does not."""

_NBSP = "\u00a0"
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f]")
_MISSING_SPACE = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class _MoneyStyle:
    """How one currency is written in one locale, learned from Babel once so that the hot path only does arithmetic."""

    prefix: str
    suffix: str
    group: str
    point: str
    exponent: int
    scale: int


@lru_cache(maxsize=1024)
def _money_style(currency: str, locale: str, plain: bool) -> _MoneyStyle | None:
    """Learn the style, or None where digits are not grouped in threes (en-IN) and Babel must do it each time."""
    shown = _babel_money(Money(1_234_567 * 10 ** Money(0, currency).exponent, currency), locale, plain)
    match = re.fullmatch(r"(\D*)1(?P<group>\D?)234(?P=group)567(?:(\D)(0+))?(\D*)", shown)
    if match is None:
        return None
    prefix, group, point, zeros, suffix = match.groups()
    exponent = len(zeros or "")
    return _MoneyStyle(prefix, suffix, group, point or "", exponent, 10**exponent)


@lru_cache(maxsize=4096)
def _babel_money(amount: Money, locale: str, plain: bool) -> str:
    symbol = get_currency_symbol(amount.currency, locale=_parsed(locale))
    shown = format_currency(amount.decimal, amount.currency, locale=_parsed(locale))
    if plain and not is_gsm(symbol):
        shown = shown.replace(symbol, amount.currency)
    # CLDR asks for a space between a letter and a digit (alphaNextToNumber); Babel leaves it out: "KWD5.000".
    shown = _MISSING_SPACE.sub(_NBSP, shown)
    return _SPACES.sub(" ", shown) if plain else shown


def money(amount: Money, locale: str, *, plain: bool = False) -> str:
    """Write ``amount`` for ``locale`` (a Babel name, ``es_MX``).

    ``plain`` keeps it inside GSM-7: ordinary spaces, and the ISO code where the symbol (₹) would more than double the
    segments of a text.
    """
    style = _money_style(amount.currency, locale, plain)
    minor = amount.minor
    if style is None or minor < 0:
        return _babel_money(amount, locale, plain)
    if not style.exponent:
        return f"{style.prefix}{minor:,}{style.suffix}".replace(",", style.group)
    whole, rest = divmod(minor, style.scale)
    digits = f"{whole:,}" if style.group == "," else f"{whole:,}".replace(",", style.group)
    return f"{style.prefix}{digits}{style.point}{rest:0{style.exponent}d}{style.suffix}"


@lru_cache(maxsize=4096)
def day(value: date, locale: str, style: str = "medium") -> str:
    """Write a date; ``style`` is a CLDR length: short, medium, long or full."""
    return _SPACES.sub(" ", format_date(value, style, locale=_parsed(locale)))


_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=1024)
def weekdays(days: tuple[str, ...], locale: str) -> str:
    """Write days of the week (``mon``..``sun``) one after the other: in full, or short where they are many."""
    parsed = _parsed(locale)
    names = get_day_names("wide" if len(days) < 3 else "abbreviated", locale=parsed)
    return ("、" if parsed.language == "zh" else ", ").join(names[_WEEK.index(day)] for day in days)


@lru_cache(maxsize=4096)
def number(value: int, locale: str) -> str:
    """Write a whole number with the locale's grouping."""
    return format_decimal(value, locale=_parsed(locale))


@lru_cache(maxsize=1024)
def phone(e164: str, region: str) -> str:
    """Write a telephone number as people of ``region`` would dial it. What is not a number is left as it is."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    home = phonenumbers.country_code_for_region(region) == parsed.country_code
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)


@lru_cache(maxsize=1024)
def spoken_phone(e164: str, region: str) -> str:
    """Write a telephone number digit by digit with a pause between groups: ``2 0 2, 5 5 5, 0 1 4 3``."""
    groups = re.findall(r"\d+", phone(e164, region))
    return ", ".join(" ".join(group) for group in groups)


@lru_cache(maxsize=4096)
def spoken_money(amount: Money, locale: str, names: tuple[tuple[str, str], ...] = ()) -> str:
    """Say an amount in words a voice reads well: ``125.50 dollars``; no ``.00``.

    ``names`` are (``USD.one``, name) pairs to say instead of CLDR's long names (``US dollars``).
    """
    whole = amount.minor % 10**amount.exponent == 0
    value = Decimal(amount.minor // 10**amount.exponent) if whole else amount.decimal
    pattern = "#,##0" if whole else "#,##0." + "0" * amount.exponent
    digits = format_decimal(value, pattern, locale=_parsed(locale)).replace(",", "")
    plural = _parsed(locale).plural_form(value)
    short: Mapping[str, str] = dict(names)
    name = short.get(f"{amount.currency}.{plural}") or short.get(f"{amount.currency}.other")
    name = name or get_currency_name(amount.currency, value, locale=_parsed(locale))
    return f"{digits}{'' if locale.startswith('zh') else ' '}{name}"


def spoken_seconds(text: str, units_per_minute: int, unit: str) -> int:
    """Estimate how long ``text`` takes to say, rounded up; ``unit`` is ``word`` or ``character``."""
    bare = re.sub(r"<[^>]*>", " ", text)
    count = len(bare.split()) if unit == "word" else sum(1 for c in bare if c.isalnum())
    return math.ceil(count * 60 / units_per_minute)
