"""Dates in a reply, relative to the borrower's own day. Impossible, vague or contradictory dates give nothing."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from outreach.replies.numerals import HAN, days_as_digits, number

_FURTHEST = 300  # days: "5 March" said on 6 March means neither next year nor yesterday for sure

_EN_DAYS = {"mon": 0, "monday": 0, "tue": 1, "tues": 1, "tuesday": 1, "wed": 2, "weds": 2, "wednesday": 2, "thu": 3, "thur": 3,
            "thurs": 3, "thursday": 3, "fri": 4, "friday": 4, "sat": 5, "saturday": 5, "sun": 6, "sunday": 6,
            "frid": 4, "firday": 4, "fridy": 4, "munday": 0, "wensday": 2, "wednsday": 2, "thrusday": 3, "tuseday": 1, "saterday": 5}  # fmt: skip
_ES_DAYS = {
    "lunes": 0,
    "martes": 1,
    "miercoles": 2,
    "jueves": 3,
    "viernes": 4,
    "vierne": 4,
    "vierns": 4,
    "luns": 0,
    "sabado": 5,
    "saba": 5,
    "domingo": 6,
}
_ZH_DAYS = {
    "一": 0,
    "二": 1,
    "三": 2,
    "四": 3,
    "五": 4,
    "六": 5,
    "日": 6,
    "天": 6,
    "1": 0,
    "2": 1,
    "3": 2,
    "4": 3,
    "5": 4,
    "6": 5,
}
_EN_MONTHS = {name: place for place, names in enumerate(
    ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
     "september sept sep", "october oct", "november nov", "december dec"), 1) for name in names.split()}  # fmt: skip
_ES_MONTHS = {name: place for place, name in enumerate(
    ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"], 1)} | {"setiembre": 9}  # fmt: skip
_MONTHS = _EN_MONTHS | _ES_MONTHS
_SMALL = r"\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|fourteen|un|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|quince"
_ORDINALS = "fifteenth|twentieth|thirtieth|tenth|twelfth|sixth|seventh|eighth|ninth|fifth"
_ASIDE = re.compile(
    r"\b(?:instead of|rather than|en vez de|en lugar de) (?:today|now|tomorrow|hoy|ahora|manana)\b|\b(?:no )?(?:llego|llegamos|llega|alcanzo) a fin de mes\b|\b(?:fraccion\w*|divid\w*|split|spread|repart\w*)\b[^.?!]{0,20}? (?:en|in|over) (?:\w+) (?:meses|months|semanas|weeks)\b|\bhappy (?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
)
"""Days that are named without being meant."""

_WEEK = "|".join(sorted(_EN_DAYS, key=len, reverse=True))
_ES_MONTH = "|".join(_ES_MONTHS)
_DIA = "|".join(_ES_DAYS)
_MON = "|".join(sorted(_MONTHS, key=len, reverse=True))
_N = rf"\d{{1,2}}|[{HAN}]{{1,3}}"


@dataclass(frozen=True, slots=True)
class When:
    """What a date is relative to: the borrower's day, whether the past is meant, and who writes day before month."""

    today: date
    past: bool
    day_first: bool | None


Resolver = Callable[[re.Match[str], When], date | None]


def find_date(text: str, when: When) -> tuple[date | None, bool]:
    """Return the date ``text`` names, and whether it named any at all.

    ``text`` is cleaned, without accents. Two different dates, an impossible or a vague one give ``(None, True)``.
    """
    found: set[date | None] = set()
    weekdays: set[date | None] = set()
    left = days_as_digits(_ASIDE.sub(" ", text))
    for pattern, resolve in _LATIN_RULES if text.isascii() else _RULES:
        matches = list(pattern.finditer(left))
        if not matches or (resolve is _payday and (found or weekdays)):
            continue
        (weekdays if resolve in _WEEKDAYS else found).update(resolve(match, when) for match in matches)
        left = pattern.sub(" ~ ", left)
    found = _agreed(found, weekdays)
    if len(found) == 1:
        return next(iter(found)), True
    if len(found) > 1:
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


def _add(day: date, days: int) -> date | None:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def _offset(days: int) -> Resolver:
    return lambda _match, when: _add(when.today, days)


def _vague(_match: re.Match[str], _when: When) -> date | None:
    return None


def _payday(_match: re.Match[str], _when: When) -> date | None:
    """Payday alone is no date; beside a named day it adds nothing."""
    return None


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _weekday(day: int, when: When) -> date:
    """Return the next such weekday after today, or the last one before today."""
    ahead = (day - when.today.weekday()) % 7
    if when.past:
        return when.today - timedelta(days=(-ahead) % 7 or 7)
    return when.today + timedelta(days=ahead or 7)


def _week_day(day: int, weeks: int, when: When) -> date:
    """Return that weekday of the calendar week (Monday first) ``weeks`` from this one."""
    return when.today + timedelta(days=day - when.today.weekday() + 7 * weeks)


def _english_day(match: re.Match[str], when: When) -> date | None:
    day, lead = _EN_DAYS[match["day"]], match["lead"] or ""
    if lead.startswith("next"):
        return _week_day(day, 1, when)
    if lead.startswith("last"):
        return _weekday(day, When(when.today, past=True, day_first=None))
    if match["after"]:
        return None if match["after"].startswith("after") else _weekday(day, when) + timedelta(days=7)
    return _weekday(day, when)


def _weeks_from(match: re.Match[str], when: When) -> date | None:
    weeks = {"a": 1, "one": 1, "two": 2, "three": 3}.get(match["n"] or "a") or int(match["n"])
    said = match["day"]
    start = when.today + timedelta(days=said == "tomorrow") if said.startswith("to") else _weekday(_EN_DAYS[said], when)
    return _add(start, 7 * weeks)


def _last_of_month(match: re.Match[str], when: When) -> date | None:
    day = _EN_DAYS[match["day"]] if match["day"] else _ES_DAYS[match["dia"]]
    first = _months_on(when.today.replace(day=1), 1 if match["next"] or match["otro"] else 0)
    end = first.replace(day=monthrange(first.year, first.month)[1])
    return end - timedelta(days=(end.weekday() - day) % 7)


def _next_week_day(match: re.Match[str], when: When) -> date | None:
    return _week_day(_EN_DAYS[match["day"] or match["day2"]], 1, when)


def _spanish_day(match: re.Match[str], when: When) -> date | None:
    day = _ES_DAYS[match["day"]]
    if match["tail"] and "semana" in match["tail"]:
        return _week_day(day, 1, when)
    if match["tail"] and "pasado" in match["tail"]:
        return _weekday(day, When(when.today, past=True, day_first=None))
    return _weekday(day, when)


def _chinese_day(match: re.Match[str], when: When) -> date | None:
    day, lead = _ZH_DAYS[match["day"]], match["lead"] or ""
    if lead.startswith("上"):
        return _week_day(day, -1, when)
    if lead.startswith("下"):
        return _week_day(day, lead.count("下"), when)
    if lead:
        this = _week_day(day, 0, when)
        return this if this >= when.today or when.past else None
    return _weekday(day, when)


def _in_units(match: re.Match[str], when: When, *, sign: int = 1) -> date | None:
    count = 1 if match["n"] in ("a", "an") else number(match["n"])
    if count is None or count > 400:
        return None
    unit = match["unit"]
    if unit.startswith(("month", "mes", "个月", "月")):
        return _months_on(when.today, sign * count)
    days = 7 if unit.startswith(("week", "wk", "semana", "周", "个星期", "星期", "个礼拜", "礼拜")) else 1
    return _add(when.today, sign * count * days)


def _ago(match: re.Match[str], when: When) -> date | None:
    return _in_units(match, when, sign=-1)


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _month_end(match: re.Match[str], when: When) -> date | None:
    months = 1 if match["next"] else 0
    first = _months_on(when.today.replace(day=1), months)
    return first.replace(day=monthrange(first.year, first.month)[1])


def _day_of_month(match: re.Match[str], when: When) -> date | None:
    day = number(match["d"])
    if day is None or not 1 <= day <= 31:
        return None
    lead = (match.groupdict().get("lead") or "") + (match.groupdict().get("tail") or "")
    if any(word in lead for word in ("next", "下", "proximo", "que viene")):
        return _of_month(when.today, 1, day)
    if any(word in lead for word in ("this", "本", "这", "este")):
        return _of_month(when.today, 0, day)
    if "上" in lead or "last" in lead:
        return _of_month(when.today, -1, day)
    if when.past:
        return _of_month(when.today, 0 if day <= when.today.day else -1, day)
    return _of_month(when.today, 0 if day >= when.today.day else 1, day)


def _of_month(today: date, months: int, day: int) -> date | None:
    first = _months_on(today.replace(day=1), months)
    return _real(first.year, first.month, day)


def _month_and_day(match: re.Match[str], when: When) -> date | None:
    name = match["month"]
    month = _MONTHS[name] if name in _MONTHS else number(name)
    day = number(match["d"])
    if month is None or day is None:
        return None
    return _dated(match.groupdict().get("y"), month, day, when)


def _dated(year: str | None, month: int, day: int, when: When) -> date | None:
    if year:
        return _real(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this = _real(when.today.year, month, day)
    if this is None or (not when.past and this >= when.today) or (when.past and this <= when.today):
        return this
    other = _real(when.today.year + (-1 if when.past else 1), month, day)
    return other if other and abs((other - when.today).days) <= _FURTHEST else None


def _numeric(match: re.Match[str], when: When) -> date | None:
    first, second = int(match["a"]), int(match["b"])
    if first > 12 or (when.day_first and second <= 12):
        return _dated(match["y"], second, first, when)
    if second > 12 or when.day_first is False or first == second:
        return _dated(match["y"], first, second, when)
    return None


def _iso(match: re.Match[str], _when: When) -> date | None:
    return _real(int(match["y"]), int(match["m"]), int(match["d"]))


def _rules() -> Iterator[tuple[str, Resolver]]:
    """Yield patterns and what they mean, the most specific first; a matched stretch is not looked at again."""
    yield r"(?<!\d)(?P<y>20\d\d)[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?(?!\d)", _iso
    yield r"(?<![\d/.$])(?P<a>\d{1,2})[/](?P<b>\d{1,2})(?:[/](?P<y>20\d\d|\d\d))?(?![\d/])", _numeric
    yield r"(?<![\d/.$-])(?P<a>\d{1,2})[-.](?P<b>\d{1,2})[-.](?P<y>20\d\d|\d\d)(?![\d/])", _numeric
    # A few days, next week, payday: said, but not a date.
    yield (
        r"\b(?:in |within |for )?(?:a )?(?:few|couple|couple of|several|some|unos|unas|algunos|pocos|varios) (?:more )?(?:days|weeks|months|dias|semanas|meses)\b(?! ago)",
        _vague,
    )
    yield r"\b(?:few|couple|couple of|several) (?:days|weeks|months) ago\b", _vague
    yield (
        (
            rf"\bthe week after next\b|\bwithin (?:the|an) hour\b|\b(?:before|over|after) the weekend\b|\bsome ?time (?:in|around|before|after) (?:the )?(?:{_MON}|week|month)\b"
            rf"|\ba (?:primeros|mediados|principios|finales) de (?:mes|semana|ano|{_ES_MONTH})\b"
        ),
        _vague,
    )
    yield (
        r"\b(?:end|fin|finales|final|middle|start|beginning|mediados|principios) (?:of |de )?(?:next |la (?:proxima )?)(?:week|semana)\b",
        _vague,
    )
    yield (
        r"过(?:一)?两天|过?(?:几|数)天|(?:这|那|前|近)(?:几|两)天|过一?段时间|月初|中旬|上旬|下旬|年底|(?<!\d)(?:大概|可能|左右)",
        _vague,
    )
    # Ends of months.
    yield (
        rf"\b(?:the )?(?:end|last day) of (?P<month>{_MON})\b|\b(?:fin|finales|final) de (?P<mes>{_ES_MONTH})\b",
        _named_end,
    )
    yield (
        r"\b(?:the )?(?:end|last day) (?:of |o f )?(?:the |this )?(?P<next>next )?(?:month|mo)\b|\bmonth ?end\b|\beom\b",
        _month_end,
    )
    yield (
        r"\b(?:a |al |el |ultimo dia |para )?(?:fin|finales|final|ultimo) (?:de |del )(?:este )?(?P<next>proximo )?mes\b(?! que viene)",
        _month_end,
    )
    yield r"(?P<next>下(?:个)?)?(?:本|这(?:个)?)?月(?:底|末)", _month_end
    # Relative days.
    yield r"\bday after (?:tomorrow|tmrw)\b|\bpasado manana\b|(?<!大)后天|后日", _offset(2)
    yield r"大后天", _offset(3)
    yield r"\bday before yesterday\b|\banteayer\b|\bantier\b|\bantes de ayer\b|前天", _offset(-2)
    yield (
        rf"\b(?P<n>{_SMALL}) (?P<unit>days?|weeks?|wks?|months?) ago\b|\bhace (?P<n2>{_SMALL}) (?P<unit2>dias?|semanas?|mes(?:es)?)\b",
        _either_ago,
    )
    yield rf"(?P<n>{_N})(?P<unit>天|周|个?星期|个?礼拜|个月)(?:之|以)?前", _ago
    yield (
        rf"\b(?:in|within|in about|within the next|in the next|dentro de|en|en unos) (?:the |like |about |around |maybe |roughly |como |unos )?(?P<n>{_SMALL}) (?:more )?(?P<unit>days?|weeks?|wks?|months?|dias?|semanas?|mes(?:es)?)(?:'s|s)? ?(?:time|from now|from today)?\b",
        _in_units,
    )
    yield rf"\b(?P<n>{_SMALL}) (?P<unit>days?|weeks?|wks?|months?) (?:from now|from today|later)\b", _in_units
    yield rf"(?:再?过)?(?P<n>{_N})(?P<unit>天|周|个?星期|个?礼拜|个月)(?:之后|以后|后|内|之内|以内)", _in_units
    yield rf"再?过(?P<n>{_N})(?P<unit>天|周|个?星期|个?礼拜|个月)", _in_units
    # A week from a day, and the last such day of a month.
    yield (
        rf"\b(?:(?P<n>a|one|1|two|2|three|3) )?(?:weeks?|wks?) (?:from|after|past) (?:(?:this|next|coming) )?(?P<day>{_WEEK}|today|tomorrow)\b",
        _weeks_from,
    )
    yield (
        r"\b(?:a |one )?fortnight(?: from)? (?:today|now)\b|\b(?:in|within) (?:a|one) fortnight\b|\btwo weeks today\b|\bde hoy en (?:quince|15)\b",
        _offset(14),
    )
    yield r"\ba week today\b|\bde hoy en (?:ocho|8)\b|\btoday week\b", _offset(7)
    yield (
        (
            rf"\b(?:the )?last (?P<day>{_WEEK}) (?:of|in) (?:the |this )?(?P<next>next )?month\b"
            rf"|\b(?:el )?ultimo (?P<dia>{_DIA}) (?:de |del )(?:este )?(?P<otro>proximo )?mes\b"
        ),
        _last_of_month,
    )
    yield rf"\bnext week,? (?:on )?(?P<day>{_WEEK})\b|\b(?P<day2>{_WEEK}),? (?:of )?next week\b", _next_week_day
    yield r"\b(?:by )?(?:eod|cob|close of business|(?:the )?end of (?:the )?(?:business )?day)\b", _offset(0)
    # Weekdays.
    yield (
        rf"\b(?:the )?(?P<lead>next |this |this coming |coming |last |this past )?(?P<day>{_WEEK})\b(?P<after> after next| after this| week\b)?",
        _english_day,
    )
    yield (
        rf"\b(?P<lead>proximo |este )?(?P<day>{_DIA})(?P<tail> (?:que viene|proximo|pasado|de la (?:proxima|otra|siguiente) semana|de la semana que viene))?\b",
        _spanish_day,
    )
    yield (
        r"(?<!每)(?<!每个)(?P<lead>下下个?|下个?|上个?|本|这个?)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天1-6])(?![\d百千万])",
        _chinese_day,
    )
    # Month and day.
    yield (
        rf"\b(?P<month>{_MON})\.? (?:the )?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>20\d\d))?\b(?! ?(?:payments|dollars|usd|a week|a month))",
        _month_and_day,
    )
    yield (
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|ro|o)? (?:of |de |del )?(?P<month>{_MON})\b(?:,? (?:de )?(?P<y>20\d\d))?",
        _month_and_day,
    )
    yield rf"(?P<month>{_N})月(?P<d>{_N})(?:日|号)?", _month_and_day
    # Days of a month.
    yield (
        r"\b(?:the )?(?P<d>\d{1,2})(?:st|nd|rd|th)\b(?P<tail> (?:of )?(?:the )?(?:next|this|last) month)?(?! (?:payment|installment|one|option|time|reminder|text|message|call))",
        _day_of_month,
    )
    yield r"\b(?:on|by|until|before|around|til) the (?P<d>\d{1,2})\b(?P<tail> of next month)?", _day_of_month
    yield (
        r"\b(?:el|dia|del|al|el dia|para el|hasta el|este|antes del) (?P<d>\d{1,2}|primero|quince)\b(?! ?(?:de la|pagos|cuotas|por|%|opcion))(?P<tail> (?:del proximo mes|del mes que viene|de este mes|del otro mes))?",
        _day_of_month,
    )
    yield rf"(?P<lead>下个?月|本月|这个?月|上个?月)?(?:的)?(?P<d>{_N})(?:号|日)(?!楼|方案)", _day_of_month
    yield (
        rf"\b(?:the |on the |by the )(?P<d>{_ORDINALS})\b(?P<tail> of (?:the )?(?:next|this) month)?(?! (?:payment|installment|one|option|time|reminder|text|message|call))",
        _day_of_month,
    )
    # Today and its neighbours.
    yield (
        r"\b(?:tomorrow|tmrw|tmr|tmw|tomoro|2moro|2morrow|tomm?orr?ow|mnn|mna|(?<!la )(?<!esta )(?<!de )manana)(?: por la manana)?\b|明[天日早晚儿]",
        _offset(1),
    )
    yield (
        r"\b(?:today|tonight|tonite|2day|2nite|hoy|this (?:morning|afternoon|evening)|esta (?:tarde|noche|manana))\b|今[天日晚早儿]",
        _offset(0),
    )
    yield r"\b(?:yesterday|last night|ayer|anoche)\b|昨[天日晚]", _offset(-1)
    yield (
        r"\b(?:next|last) (?:week|weekend|month|year)\b|\bthis (?:weekend|year)\b|\b(?:la )?(?:proxima|otra|siguiente) semana\b|\b(?:el )?(?:proximo|otro|siguiente) mes\b",
        _vague,
    )
    yield r"\bthis (?:week|month)\b|\besta semana\b|\beste mes\b", _payday
    yield (
        r"\b(?:the )?(?:end|middle|start|beginning) of (?:the |this )?week\b|\b(?:next |this |my )?(?:payday|paycheck|pay ?period)\b|\bquincena\b|发工资|发薪",
        _payday,
    )
    yield r"(?:下|上|本|这)(?:个)?(?:周末|周|星期|礼拜|月)(?!末)", _vague


def _named_end(match: re.Match[str], when: When) -> date | None:
    month = _MONTHS[match["month"] or match["mes"]]
    year = when.today.year + (month < when.today.month)
    return date(year, month, monthrange(year, month)[1])


def _either_ago(match: re.Match[str], when: When) -> date | None:
    count = number(match["n"] or match["n2"]) if (match["n"] or match["n2"]) not in ("a", "an") else 1
    unit = match["unit"] or match["unit2"]
    if count is None or count > 400:
        return None
    if unit.startswith(("month", "mes")):
        return _months_on(when.today, -count)
    return _add(when.today, -count * (7 if unit.startswith(("week", "wk", "semana")) else 1))


_WEEKDAYS = frozenset({_english_day, _spanish_day, _chinese_day})
_RULES: tuple[tuple[re.Pattern[str], Resolver], ...] = tuple((re.compile(text), resolve) for text, resolve in _rules())
_GROUP = re.compile(r"\?P<\w+>")
_LATIN_RULES = tuple(
    (pattern, resolve)
    for pattern, resolve in _RULES
    if pattern.pattern.isascii() or re.search("[a-z]{2}", _GROUP.sub("", pattern.pattern))
)
"""The rules a text without Chinese characters could meet: those that are not written in them throughout."""

_HINT = re.compile(
    r"\d|teenth|tieth|first|second|third|fourth|sixth|seventh|eighth|ninth|eleventh|fortnight|hour|primeros|mediados|principios|wk|eod|cob|business|\b(?:el|al|dia) |tenth|twelfth|fifth|tonite|nite|mnn|mna|vierne|[一二三四五六七八九十两]|today|tonight|tom+or|tmr|tmw|morro?w?|moro|yesterday|morning|night|week|month|day|end|hoy|manana|ayer|anoche|lunes|martes|miercoles|"
    r"jueves|viernes|sabado|domingo|semana|mes|quincena|dia|[今明昨后前]|月|周|天|号|eom|\b(?:mon|tues?|weds?|thu|thurs?|fri|sat|sun)\b"
)


def may_name_date(text: str) -> bool:
    """Say quickly whether ``text`` could name a date at all, so that most replies cost no search."""
    return bool(_HINT.search(text))
