"""Days with a name of their own: feasts with a fixed date, American Thanksgiving, and the days beside them."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from datetime import date, timedelta

from outreach.replies.date_words import When, dated

_FIXED = {
    "christmas": (12, 25), "xmas": (12, 25), "navidad": (12, 25), "圣诞": (12, 25), "nochebuena": (12, 24), "平安夜": (12, 24),
    "nochevieja": (12, 31), "new year": (1, 1), "new years": (1, 1), "new year's": (1, 1), "ano nuevo": (1, 1), "元旦": (1, 1),
    "reyes": (1, 6), "halloween": (10, 31), "valentine": (2, 14), "valentines": (2, 14), "valentine's": (2, 14),
    "july fourth": (7, 4), "双十一": (11, 11), "双11": (11, 11), "双十二": (12, 12), "双12": (12, 12), "跨年": (12, 31),
    "last day of the year": (12, 31), "dia del ano": (12, 31), "年最后一天": (12, 31),
}  # fmt: skip
_NAMES = r"christmas|xmas|new year(?:'?s)?|halloween|valentine(?:'?s)?|thanksgiving|turkey"
FEAST = re.compile(
    rf"\b(?:(?P<beside>(?:the )?day (?:after|before)) |(?P<by>on|by|before|til|till|until) )?(?P<name>{_NAMES})(?P<part> (?:day|eve|night))?(?! (?:bonus|money|gift|present|shopping|check|card|party|club|dinner|fund|leave|season|pay)\w*)\b"
    r"|\b(?:ultimo )(?P<name2>dia del ano)\b|\b(?:the )?(?P<name3>last day of the year)\b"
    r"|\b(?:en|para|de|a|hasta|el dia de|dia de|antes de) (?:la )?(?P<name4>navidad|nochebuena|nochevieja|ano nuevo|reyes)\b"
    r"|(?P<name5>圣诞|平安夜|元旦|双十一|双11|双十二|双12|跨年|年(?:底|终)?前?(?:的)?最后一天)(?P<late>节?(?:过后|以后|之后|后|前后))?"
)
"""What names a feast. "Christmas" alone, with no day and no "by", is a season."""


def feast(match: re.Match[str], when: When) -> date | None:
    """Resolve "thanksgiving day", "by xmas", "the day after christmas", 元旦; None where it is no single day."""
    name = next(value for key, value in match.groupdict().items() if value and key.startswith("name"))
    part, beside = (match["part"] or "").strip(), match["beside"] or ""
    if match["late"] or not (part or beside or match["by"] or not match["name"]):
        return None
    day = _thanksgiving(when) if name in ("thanksgiving", "turkey") else _fixed(name, part, when)
    if day is None:
        return None
    if part == "eve":
        day -= timedelta(days=1)
    return day + timedelta(days=("after" in beside) - ("before" in beside))


def _fixed(name: str, part: str, when: When) -> date | None:
    if name.startswith("new year") and not part:  # the eve or the day: nobody can tell
        return None
    key = "年最后一天" if name.startswith("年") else name
    month, day = _FIXED[key]
    if part == "eve" and name.startswith("new year"):
        last = dated(None, 12, 31, when)
        return last + timedelta(days=1) if last else None
    return dated(None, month, day, when)


def _thanksgiving(when: When) -> date | None:
    """Return the fourth Thursday of November where the month is written first; elsewhere it is another day or none."""
    if when.day_first is not False:
        return None

    def of(year: int) -> date:
        first = date(year, 11, 1)
        return first + timedelta(days=(3 - first.weekday()) % 7 + 21)

    this = of(when.today.year)
    if when.past:
        return this if this <= when.today else of(when.today.year - 1)
    return this if this >= when.today else of(when.today.year + 1)
