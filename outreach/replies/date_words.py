"""Words for days and months, and what each way of naming a day resolves to on the borrower's own day."""

# ruff: noqa: E501 - a table of words cut over many lines cannot be read

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from outreach.replies.numerals import number

_NEAR = 60  # days: "scheduled for 16 December", said in November, is not last year's
_FURTHEST = 300  # days: "5 March" said on 6 March means neither next year nor yesterday for sure

EN_DAYS = {"mon": 0, "monday": 0, "tue": 1, "tues": 1, "tuesday": 1, "wed": 2, "weds": 2, "wednesday": 2, "thu": 3, "thur": 3,
            "thurs": 3, "thursday": 3, "fri": 4, "friday": 4, "sat": 5, "saturday": 5, "sun": 6, "sunday": 6,
            "frid": 4, "firday": 4, "fridy": 4, "munday": 0, "wensday": 2, "wednsday": 2, "thrusday": 3, "tuseday": 1, "saterday": 5}  # fmt: skip
ES_DAYS = {
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
ZH_DAYS = {
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
EN_MONTHS = {name: place for place, names in enumerate(
    ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
     "september sept sep", "october oct", "november nov", "december dec"), 1) for name in names.split()}  # fmt: skip
ES_MONTHS = {name: place for place, name in enumerate(
    ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"], 1)} | {"setiembre": 9}  # fmt: skip
MONTHS = EN_MONTHS | ES_MONTHS


@dataclass(frozen=True, slots=True)
class When:
    """What a date is relative to: the borrower's day, whether the past is meant, and who writes day before month."""

    today: date
    past: bool
    day_first: bool | None


Resolver = Callable[[re.Match[str], When], date | None]


def add(day: date, days: int) -> date | None:
    """Return the day ``days`` later, None when no calendar holds it."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def offset(days: int) -> Resolver:
    """Resolve to the day so many days from today."""
    return lambda _match, when: add(when.today, days)


def vague(_match: re.Match[str], _when: When) -> date | None:
    """Resolve to nothing: a time was named, but no day."""
    return None


def payday(_match: re.Match[str], _when: When) -> date | None:
    """Payday alone is no date; beside a named day it adds nothing."""
    return None


def real(year: int, month: int, day: int) -> date | None:
    """Return that date, None when there is no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def weekday(day: int, when: When) -> date:
    """Return the next such weekday after today, or the last one before today."""
    ahead = (day - when.today.weekday()) % 7
    if when.past:
        return when.today - timedelta(days=(-ahead) % 7 or 7)
    return when.today + timedelta(days=ahead or 7)


def week_day(day: int, weeks: int, when: When) -> date:
    """Return that weekday of the calendar week (Monday first) ``weeks`` from this one."""
    return when.today + timedelta(days=day - when.today.weekday() + 7 * weeks)


def english_day(match: re.Match[str], when: When) -> date | None:
    """Resolve "next friday", "last monday", "tuesday week"."""
    day, lead = EN_DAYS[match["day"]], match["lead"] or ""
    if lead.startswith("next"):
        return week_day(day, 1, when)
    if lead.startswith("last"):
        return weekday(day, When(when.today, past=True, day_first=None))
    if match["after"]:
        return None if match["after"].startswith("after") else weekday(day, when) + timedelta(days=7)
    return weekday(day, when)


def weeks_from(match: re.Match[str], when: When) -> date | None:
    """Resolve "a week from friday"."""
    weeks = {"a": 1, "one": 1, "two": 2, "three": 3}.get(match["n"] or "a") or int(match["n"])
    said = match["day"]
    start = when.today + timedelta(days=said == "tomorrow") if said.startswith("to") else weekday(EN_DAYS[said], when)
    return add(start, 7 * weeks)


def last_of_month(match: re.Match[str], when: When) -> date | None:
    """Resolve "the last friday of the month"."""
    day = EN_DAYS[match["day"]] if match["day"] else ES_DAYS[match["dia"]]
    first = months_on(when.today.replace(day=1), 1 if match["next"] or match["otro"] else 0)
    end = first.replace(day=monthrange(first.year, first.month)[1])
    return end - timedelta(days=(end.weekday() - day) % 7)


def next_week_day(match: re.Match[str], when: When) -> date | None:
    """Resolve "tuesday of next week"."""
    return week_day(EN_DAYS[match["day"] or match["day2"]], 1, when)


def spanish_day(match: re.Match[str], when: When) -> date | None:
    """Resolve "el viernes que viene", "el lunes pasado"."""
    day = ES_DAYS[match["day"]]
    if match["tail"] and "semana" in match["tail"]:
        return week_day(day, 1, when)
    if match["tail"] and "pasado" in match["tail"]:
        return weekday(day, When(when.today, past=True, day_first=None))
    return weekday(day, when)


def chinese_day(match: re.Match[str], when: When) -> date | None:
    """Resolve 下周三, 本周五 and a bare 周五."""
    day, lead = ZH_DAYS[match["day"]], match["lead"] or ""
    if lead.startswith("上"):
        return week_day(day, -1, when)
    if lead.startswith("下"):
        return week_day(day, lead.count("下"), when)
    if lead:
        this = week_day(day, 0, when)
        return this if this >= when.today or when.past else None
    return weekday(day, when)


def in_units(match: re.Match[str], when: When, *, sign: int = 1) -> date | None:
    """Resolve "in two weeks" and 三天后."""
    count = 1 if match["n"] in ("a", "an") else number(match["n"])
    if count is None or count > 400:
        return None
    unit = match["unit"]
    if unit.startswith(("month", "mes", "个月", "月")):
        return months_on(when.today, sign * count)
    days = 7 if unit.startswith(("week", "wk", "semana", "周", "个星期", "星期", "个礼拜", "礼拜")) else 1
    return add(when.today, sign * count * days)


def ago(match: re.Match[str], when: When) -> date | None:
    """Resolve 三天前."""
    return in_units(match, when, sign=-1)


def months_on(day: date, months: int) -> date:
    """Return the same day some months on, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_end(match: re.Match[str], when: When) -> date | None:
    """Resolve the last day of this month or of the next."""
    months = 1 if match["next"] else 0
    first = months_on(when.today.replace(day=1), months)
    return first.replace(day=monthrange(first.year, first.month)[1])


def day_of_month(match: re.Match[str], when: When) -> date | None:
    """Resolve "the 15th", "el 15", 下月15号."""
    day = number(match["d"])
    if day is None or not 1 <= day <= 31:
        return None
    lead = (match.groupdict().get("lead") or "") + (match.groupdict().get("tail") or "")
    if any(word in lead for word in ("next", "下", "proximo", "que viene")):
        return of_month(when.today, 1, day)
    if any(word in lead for word in ("this", "本", "这", "este")):
        return of_month(when.today, 0, day)
    if "上" in lead or "last" in lead:
        return of_month(when.today, -1, day)
    if when.past:
        return of_month(when.today, 0 if day <= when.today.day else -1, day)
    return of_month(when.today, 0 if day >= when.today.day else 1, day)


def of_month(today: date, months: int, day: int) -> date | None:
    """Return that day of the month so many months on, None when it has no such day."""
    first = months_on(today.replace(day=1), months)
    return real(first.year, first.month, day)


def month_and_day(match: re.Match[str], when: When) -> date | None:
    """Resolve "march 5", "5 de marzo", 3月5号."""
    name = match["month"]
    month = MONTHS[name] if name in MONTHS else number(name)
    day = number(match["d"])
    if month is None or day is None:
        return None
    return dated(match.groupdict().get("y"), month, day, when)


def dated(year: str | None, month: int, day: int, when: When) -> date | None:
    """Return the day in the year that fits the tense, None when it is too far away to be meant for sure."""
    if year:
        return real(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this = real(when.today.year, month, day)
    if this is None or (not when.past and this >= when.today) or (when.past and this <= when.today):
        return this
    other = real(when.today.year + (-1 if when.past else 1), month, day)
    if other and abs((other - when.today).days) <= _FURTHEST:
        return other
    return this if when.past and (this - when.today).days <= _NEAR else None


def numeric(match: re.Match[str], when: When) -> date | None:
    """Resolve 3/4 when it is clear which of the two is the month."""
    first, second = int(match["a"]), int(match["b"])
    if first > 12 or (when.day_first and second <= 12):
        return dated(match["y"], second, first, when)
    if second > 12 or when.day_first is False or first == second:
        return dated(match["y"], first, second, when)
    return None


def iso(match: re.Match[str], _when: When) -> date | None:
    """Resolve 2026-03-13."""
    return real(int(match["y"]), int(match["m"]), int(match["d"]))


def named_end(match: re.Match[str], when: When) -> date | None:
    """Resolve "the end of march"."""
    month = MONTHS[match["month"] or match["mes"]]
    year = when.today.year + (month < when.today.month)
    return date(year, month, monthrange(year, month)[1])


def either_ago(match: re.Match[str], when: When) -> date | None:
    """Resolve "two weeks ago", "hace tres dias"."""
    count = number(match["n"] or match["n2"]) if (match["n"] or match["n2"]) not in ("a", "an") else 1
    unit = match["unit"] or match["unit2"]
    if count is None or count > 400:
        return None
    if unit.startswith(("month", "mes")):
        return months_on(when.today, -count)
    return add(when.today, -count * (7 if unit.startswith(("week", "wk", "semana")) else 1))


def weekday_and_day(match: re.Match[str], when: When) -> date | None:
    """Resolve "friday 27" when the 27th is a Friday; else the figure is something else and Friday is meant."""
    said = match["day"]
    week = EN_DAYS[said] if said in EN_DAYS else ES_DAYS[said]
    exact = [of_month(when.today, months, int(match["d"])) for months in ((0, -1) if when.past else (0, 1))]
    fitting = [day for day in exact if day and day.weekday() == week and (day < when.today) == when.past]
    if fitting:
        return fitting[0]
    lead = match[0].removeprefix("the ")
    return week_day(week, 1, when) if lead.startswith("next ") else weekday(week, when)


def first_of_month(match: re.Match[str], when: When) -> date | None:
    """Resolve 下个月第一天."""
    return months_on(when.today.replace(day=1), 1 if match["lead"].startswith("下") else 0)


def today_if_alone(_match: re.Match[str], when: When) -> date | None:
    """Resolve "an hour ago": today, unless a day is named too."""
    return when.today
