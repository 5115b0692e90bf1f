"""Hours a reply names: when to call, and when not to be reached. What is not plain is not taken."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from dataclasses import dataclass

_HALF = r"(?:\s?(?P<{n}half>[ap])\.?\s?m\b\.?|\s(?P<{n}part>de la manana|de la tarde|de la noche|in the morning|in the afternoon|in the evening))?"
_TIME = (
    r"(?:las? |the )?(?:(?P<{n}noon>noon|midday|mediodia|medio dia)|(?P<{n}h>\d{{1,2}})(?:[:.h](?P<{n}m>[0-5]\d))?"
    + _HALF
    + r")(?![\d:/.,]*\d|\s?[%$])"
)
_CN = r"(?P<{n}part>上午|早上|下午|晚上|傍晚)?(?:(?P<{n}noon>中午(?!\d))|(?:中午)?(?P<{n}h>\d{{1,2}}|十[一二]|[一二两三四五六七八九十])(?:[点點:](?P<{n}m>[0-5]\d|半)?分?))"
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九十")} | {"两": 2, "十一": 11, "十二": 12}


def _of(shape: str, name: str) -> str:
    return shape.format(n=name)


_CALL = (
    re.compile(rf"\b(?:at|around|about|a eso de|a|sobre) {_of(_TIME, 'a')}"),
    re.compile(_of(_CN, "a")),
)
BETWEEN = (
    re.compile(
        rf"\b(?:between|btwn|from|entre|desde|de)? ?{_of(_TIME, 'a')} ?(?:-|to|and|until|till|y|a|hasta) ?{_of(_TIME, 'b')}"
    ),
    re.compile(rf"{_of(_CN, 'a')}(?:到|至|-|和|~){_of(_CN, 'b')}"),
)
BEFORE = (
    re.compile(rf"\b(?:before|antes del?) ?{_of(_TIME, 'b')}"),
    re.compile(rf"{_of(_CN, 'b')}(?:以前|之前|前)"),
)
AFTER = (
    re.compile(rf"\b(?:after|past|despues del?|a partir de) ?{_of(_TIME, 'a')}"),
    re.compile(rf"{_of(_CN, 'a')}(?:以后|之后|后)"),
)
_NOT = re.compile(r"\b(?:not|dont|don.t|never|no|nunca|stop|cant|can.t)\b|不|别|勿")
_UNPLAIN = re.compile(
    r"\b(?:only|solo|solamente|unless|except|salvo|excepto|mon|tue|wed|thu|fri|sat|sun)\b|day\b|days\b|weekend|lunes|martes|miercoles|jueves|viernes|sabado|domingo|fin de semana|周|星期|礼拜|只|除"
)


@dataclass(frozen=True, slots=True)
class Times:
    """Hours on the borrower's own clock, ``HH:MM``: to be called ``at``, or not to be reached from ``start`` to ``end``.

    ``days`` (``mon``..``sun``) are the days this is about, none for all. ``only`` turns it round: to be reached then, and
    at no other time.
    """

    at: str | None = None
    start: str | None = None
    end: str | None = None
    days: tuple[str, ...] = ()
    only: bool = False

    def to_json(self) -> dict[str, object]:
        """Return what ``outreach replies parse`` prints."""
        return {"at": self.at, "start": self.start, "end": self.end, "days": list(self.days), "only": self.only}


def call_hour(text: str) -> Times | None:
    """Return the one hour at which a reply asks to be called. ``text`` is plain; 1 to 7 without more is the afternoon."""
    hours = {clock_of(found, "a", 8) for pattern in _CALL for found in pattern.finditer(text)} - {None}
    return Times(at=hours.pop()) if len(hours) == 1 else None


def barred_hours(text: str) -> Times | None:
    """Return the one stretch of every day in which a reply asks not to be reached. ``text`` is plain."""
    if not _NOT.search(text) or _UNPLAIN.search(text):
        return None
    found = {times for times in (_between(text), _before(text), _after(text)) if times}
    return found.pop() if len(found) == 1 else None


def _between(text: str) -> Times | None:
    return next((times for found in _each(BETWEEN, text) if (times := stretch_of(found))), None)


def stretch_of(found: re.Match[str]) -> Times | None:
    """Return the hours between ``a`` and ``b``. A half of the day told for one of them holds for both if that fits."""
    told = found.groupdict()
    starts = [clock_of(found, "a", 7, _half(told, "b") if not _half(told, "a") else ""), clock_of(found, "a", 7)]
    ends = [clock_of(found, "b", 7), clock_of(found, "b", 7, _half(told, "a") if not _half(told, "b") else "")]
    fitting = (Times(start=start, end=end) for start in starts for end in ends if start and end and start < end)
    return next(fitting, None)


def _half(told: dict[str, str | None], name: str) -> str:
    return (told.get(f"{name}half") or "") + (told.get(f"{name}part") or "")


def _before(text: str) -> Times | None:
    end = next((clock_of(found, "b", 8) for found in _each(BEFORE, text)), None)
    return Times(start="00:00", end=end) if end and end != "00:00" else None


def _after(text: str) -> Times | None:
    start = next((clock_of(found, "a", 12) for found in _each(AFTER, text)), None)
    return Times(start=start, end="00:00") if start and start != "00:00" else None


def _each(patterns: tuple[re.Pattern[str], ...], text: str) -> list[re.Match[str]]:
    return [found for pattern in patterns for found in pattern.finditer(text)]


def clock_of(found: re.Match[str], name: str, morning: int, half: str = "") -> str | None:
    """Read one hour; one that does not say which ``half`` of the day is of the afternoon below ``morning``."""
    told = found.groupdict()
    if told[f"{name}noon"]:
        return "12:00"
    hour = _DIGITS.get(told[f"{name}h"]) or int(told[f"{name}h"] if told[f"{name}h"].isdecimal() else 0)
    minute = told[f"{name}m"] or "00"
    half = _half(told, name) or half
    late = half == "p" or any(word in half for word in ("tarde", "noche", "afternoon", "evening", "下午", "晚", "傍"))
    if half and hour <= 12:
        hour = hour % 12 + (12 if late else 0)
    elif not half and 1 <= hour < morning:
        hour += 12
    return f"{hour:02d}:{'30' if minute == '半' else minute}" if hour < 24 else None
