"""Amounts, dates and numbers as calls say them: marked (SSML say-as), so that a voice reads figures rightly."""

import re
from datetime import date
from functools import lru_cache

from markupsafe import escape

from outreach.domain.money import Money
from outreach.rendering import formats

_FIGURES = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


def _say_as(kind: str, words: str, form: str = "") -> str:
    shaped = f' format="{form}"' if form else ""
    return f'<say-as interpret-as="{kind}"{shaped}>{words}</say-as>'


@lru_cache(maxsize=4096)
def money(amount: Money, locale: str, names: tuple[tuple[str, str], ...] = ()) -> str:
    """Say an amount: its figures as a number, then the currency's name as people say it."""
    said = str(escape(formats.spoken_money(amount, locale, names)))
    return _FIGURES.sub(lambda found: _say_as("cardinal", found[0]), said, count=1)


@lru_cache(maxsize=4096)
def day(value: date, locale: str) -> str:
    """Say a date: figures in the order of the language, marked with that order."""
    language = locale.partition("_")[0]
    if language == "zh":
        return _say_as("date", f"{value.year}/{value.month}/{value.day}", "ymd")
    if language == "en" and not locale.endswith("_GB"):
        return _say_as("date", f"{value.month}/{value.day}/{value.year}", "mdy")
    return _say_as("date", f"{value.day}/{value.month}/{value.year}", "dmy")


@lru_cache(maxsize=1024)
def phone(e164: str, region: str) -> str:
    """Say a telephone number digit by digit, with a pause between its groups."""
    groups = formats.spoken_phone(e164, region).split(", ")
    return ", ".join(_say_as("digits", group.replace(" ", "")) for group in groups)


def digits(text: str) -> str:
    """Say a text character by character."""
    return _say_as("characters", str(escape(text)))
