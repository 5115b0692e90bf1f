"""Dates in a reply, relative to the borrower's own day. Impossible, vague or contradictory dates give nothing."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from datetime import date

from outreach.replies.date_rules import rules
from outreach.replies.date_words import Resolver, When, chinese_day, english_day, payday, spanish_day, today_if_alone
from outreach.replies.numerals import days_as_digits

_ASIDE = re.compile(
    r"\b(?:instead of|rather than|en vez de|en lugar de) (?:today|now|tomorrow|hoy|ahora|manana)\b|\b(?:no )?(?:llego|llegamos|llega|alcanzo) a fin de mes\b|\b(?:fraccion\w*|divid\w*|split|spread|repart\w*)\b[^.?!]{0,20}? (?:en|in|over) (?:\w+) (?:meses|months|semanas|weeks)\b|\bhappy (?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(?:not|cant|can't|cannot|couldn't|couldnt|wont|won't) (?:do |pay )?(?:today|tomorrow|tmr|tmrw|this week|(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|fri|mon)\b(?! (?:morning|night))|\bwait(?:ing)? (?:till|til|until) (?:\w+day|tomorrow|next week)\b|\bsat (?:down|here|there|with|on|in|at|through|around)\b|\bthe sun\b|\bnot a day (?:later|more|after)\b|\bni un dia (?:mas|despues)\b"
    r"|\bfrom (?:today|(?:mon|tues|wednes|thurs|fri|satur|sun)day|the \d{1,2}(?:st|nd|rd|th)?)(?= (?:to|until|til) )"
    r"|\bi thought (?:it|this|that|the|my)\b[^.,?!]*|\bpense que\b[^.,?!]*|以为[^,，。.?？! ]*"
    r"|\b(?:desde hoy|starting today|as of today)\b|(?:从|就从)今[天日]起?(?:开始)?(?:算|数)|今[天日]起?算?起(?!算?,?\s?[一1])(?:算)?|今[天日](?:实在)?(?:给不|还不|付不|转不|凑不|交不|没|不行|不了|不够|扣的话)"
)
"""Days that are named without being meant."""
_BORDER = re.compile(r"(?<=[\u3400-\u9fff])(?=[a-z])|(?:(?<=[a-z])|(?<=[a-z] \d)|(?<=[a-z] \d\d))(?=[\u3400-\u9fff])")
_BUSY = re.compile(
    r"\b(?:today|tonight|hoy)\b.*\b(?:but|so|pero|pay|send|ill|i'll|will|pago)\b|今[天日].*(?:但|还|付|转|给|补)"
)
"""Today told as a story beside the paying: "phone died on me today but I pay on the 27th"."""
_PARTS = re.compile(
    r"\b(?:half|rest|remain\w*|other|others|another|and then|or|mitad|resto|lo demas|o|otros?|otra|balance|then)\b|剩|另|余|一半|或|还是|再|and \d"
)
"""What parts a payment in two, or leaves the choice open: then neither day is the one."""


def find_date(text: str, when: When) -> tuple[date | None, bool]:
    """Return the date ``text`` names, and whether it named any at all.

    ``text`` is cleaned, without accents. Two different dates, an impossible or a vague one give ``(None, True)``.
    """
    found: set[date | None] = set()
    weekdays: set[date | None] = set()
    left = days_as_digits(_ASIDE.sub(" ", text))
    left = left if left.isascii() else _BORDER.sub(" ", left)
    for pattern, resolve in _LATIN_RULES if text.isascii() else _RULES:
        matches = list(pattern.finditer(left))
        if not matches or (resolve in _ALONE and (found or weekdays)):
            continue
        (weekdays if resolve in _WEEKDAYS else found).update(resolve(match, when) for match in matches)
        left = pattern.sub(" ~ ", left)
    found = _agreed(found, weekdays)
    if len(found) == 1:
        return next(iter(found)), True
    if len(found) > 1:
        if len(found) == 2 and not when.past and _BUSY.search(text) and not _PARTS.search(text):
            found -= {when.today}  # "phone died on me today but I pay on the 27th"
        return _settle(found, when), True
    return None, False


def _agreed(dates: set[date | None], weekdays: set[date | None]) -> set[date | None]:
    """Let "Friday the 27th" mean the 27th when that is a Friday; keep both, a contradiction, when it is not."""
    exact = next(iter(dates)) if len(dates) == 1 else None
    said = next(iter(weekdays)) if len(weekdays) == 1 else None
    if exact and said and exact.weekday() == said.weekday():
        return {exact}
    return dates | weekdays


def _settle(found: set[date | None], when: When) -> date | None:
    """Of several dates keep the only one that fits the tense: "paid on the 3rd, rest on the 20th"."""
    fitting = {day for day in found if day and ((day < when.today) if when.past else (day >= when.today))}
    return next(iter(fitting)) if len(fitting) == 1 and None not in found else None


_ALONE = frozenset({payday, today_if_alone})
_WEEKDAYS = frozenset({english_day, spanish_day, chinese_day})
_RULES: tuple[tuple[re.Pattern[str], Resolver], ...] = tuple((re.compile(text), resolve) for text, resolve in rules())
_GROUP = re.compile(r"\?P<\w+>")
_LATIN_RULES = tuple(
    (pattern, resolve)
    for pattern, resolve in _RULES
    if pattern.pattern.isascii() or re.search("[a-z]{2}", _GROUP.sub("", pattern.pattern))
)
"""The rules a text without Chinese characters could meet: those that are not written in them throughout."""

_HINT = re.compile(
    r"\d|christmas|xmas|thanksgiving|turkey|halloween|valentine|new year|navidad|nochebuena|nochevieja|reyes|ano nuevo|圣诞|平安夜|元旦|双|跨年|刚|下班|放工|rat(?:o|ito)\b|a?h?orita|hrs|拜|january|february|march|april|june|july|august|september|october|november|december|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|teenth|tieth|first|second|third|fourth|sixth|seventh|eighth|ninth|eleventh|fortnight|hour|primeros|mediados|principios|wk|eod|cob|business|\b(?:el|al|dia) |tenth|twelfth|fifth|tonite|nite|mnn|mna|vierne|[一二三四五六七八九十两]|today|tonight|tom+or|tmr|tmw|morro?w?|moro|yesterday|morning|night|week|month|day|end|hoy|manana|ayer|anoche|lunes|martes|miercoles|"
    r"jueves|viernes|sabado|domingo|semana|mes|quincena|dia|[今明昨后前]|月|周|天|号|eom|\b(?:mon|tues?|weds?|thu|thurs?|fri|sat|sun)\b"
)


def may_name_date(text: str) -> bool:
    """Say quickly whether ``text`` could name a date at all, so that most replies cost no search."""
    return bool(_HINT.search(text))
