"""Amounts said without a sign of money: "80 on friday", 周五五百, "600 y luego otros 600", "fifty a fortnight"."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from collections.abc import Iterator

from outreach.replies.numerals import HAN

_FIGURE = r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{2})?|\d+(?:\.\d{2})?"
_DAY = (
    r"(?:mon|tues?|weds?|wednes|thu|thurs?|fri|satur|sat|sun)(?:day)?s?|tomorr?ow|tmrw?|tmw|today|tonight|right now|"
    r"lunes|martes|miercoles|jueves|viernes|sabado|domingo|manana|pasado manana|hoy|ahorita|thanksgiving|turkey day|christmas"
)
_NOT_MONEY = (
    r"(?!\d|[.,]\d)(?!['’]?[a-z])(?!(?:st|nd|rd|th)\b)(?! ?(?:am\b|pm\b|a\.m|p\.m|%|x\b|de (?:la|cada)\b|/|:|-\d|days?\b|weeks?\b|months?\b|mo\b|years?\b|payments?\b|installments?\b|times\b|"
    r"parts\b|hours?\b|hrs?\b|mins?\b|minutes?\b|kids\b|people\b|percent\b|calls?\b|texts?\b|messages?\b|more\b|of (?:you|them|us)\b|or\b|to\b|smaller\b|equal\b|chunks\b|"
    r"dias?\b|semanas?\b|meses\b|mes\b|anos?\b|pagos?\b|cuotas?\b|partes\b|veces\b|horas?\b|minutos\b|quincenas?\b|hijos\b|o\b|por ciento|llamadas|mensajes))"
)
_START = r"(?<![\d.,/:#$*x-])(?<!\d )(?<!after )(?<!before )(?<!past )(?<!\bat )\b"
_BIG = rf"(?P<value>(?:{_FIGURE}))(?P<k>k)?{_NOT_MONEY}"
_MIN = 32
"""Beside a weekday a bare figure below this could be the day of the month or the hour."""

_BESIDE_DAY = (
    # "25.50 going over monday", "sixty sunday", "115 by 11-24": the figure first.
    re.compile(
        rf"{_START}{_BIG} (?:(?:is |are |comin'?g? |coming |going |goes |to |at |over |ya |you |u |in |out |on |by |this |next |for |ready |yours |el |este |para |proximo |cash )*)(?:{_DAY})\b"
    ),
    re.compile(
        rf"\b(?:{_DAY})[,.:]? (?:les |le |caen |te |van |los |you get |u get |ya get |por |i got |i have |with |for )*{_BIG}"
    ),
)
_SAID = (
    # Paying, said of a figure with no sign.
    re.compile(
        rf"\b(?:throw(?:ing)?|toss(?:ing)?|zelled|venmoed|wired|transferr?(?:ing|ed)?|deposited|mail(?:ing|ed)?|charge|take|knock(?:ing)?|swing|hand|get|gets|stored|"
        rf"make it|how about|how bout|what about|down for|good for|"
        rf"poner|ponerle|pongo|pongale|ponga|ponme|abonando|dando|tengo|mando|mande|mandarle|suelto|tocan|caen|caigo con|le van|van|prestar|puede ser|podria dar)"
        rf" (?:you |u |ya |yall |y'all |me |us |him |the |my |whole |all |another |in |at |about |like |only |just |them |your |les |le |te |los |las |unos |sus |el |hasta |solo |nomas |de )*{_BIG}(?= (?:at|on|off|to|every|to|toward|towards|into|a|as|for|by|in|and|is|from|por|cada|al|a la|el|este|de cada|listos|y|each|per|tomorrow|cash)\b|[.,!?]|$)"
    ),
    re.compile(
        rf"{_START}{_BIG} (?:is|are|'s) (?:yours|ready|all|the most|what|doable|on its way|on the way|fine|good|my max|possible|comin|coming|going)\b"
    ),
    re.compile(rf"{_START}{_BIG} (?:comin'?g?|coming|going over|headed) (?:at |to |ya|you|ur|your|u)"),
    re.compile(rf"\b(?:de|por) a {_BIG}"),
    re.compile(rf"{_START}{_BIG} (?:y luego|y despues|y los) otros? \d"),
    re.compile(rf"\b(?:otros?|another) {_BIG}"),
    re.compile(rf"{_START}{_BIG} (?:here|now) (?:and|there|then)\b"),
    re.compile(
        rf"(?:^|[,.!?] )(?:only |just |hasta |solo )?{_BIG} (?:a|per|every|each|cada|por|al|la|diarios?|mensual|semanal)\b"
    ),
    re.compile(
        rf"{_START}{_BIG} (?:every|each|cada|por|a|per|la) (?:(?:two|2|other|dos) )?(?:wks?|weeks?|fortnight|paychecks?|payday|time i get paid|sunday|monday|tuesday|wednesday|thursday|friday|saturday|semana|mes|quincena|catorcena|month|mo)\b"
    ),
    re.compile(
        rf"\b(?:cada|every|each) (?:mes|semana|quincena|catorcena|month|week|paycheck|payday|friday) (?:le |les |de |i |give |pay |doy |pago )*{_BIG}"
    ),
    re.compile(r"(?<![\d.,/])(?P<n>[2-9]|1\d|2[0-4]) ?[x×*] ?(?P<value>[2-9]\d|\d{3,})(?P<k>k)?(?![\d%])"),
    re.compile(r"(?<![\d.,/])(?P<value>[2-9]\d|\d{3,})(?P<k>k)? ?[x×*] ?(?:[2-9]|1\d|2[0-4])(?![\d%])"),
    re.compile(
        rf"{_START}{_BIG} (?:twice|(?:two|three|four|five|six|[2-9]) times|dos veces|(?:tres|cuatro|cinco|seis) veces)\b"
    ),
    re.compile(r"(?:^|[.,;:!?] )(?P<value>[1-9]\d{1,2}0|[1-9]\d\d|[4-9]\d)(?P<k>k)?(?=[.;!?](?!\d)|, |$)"),
    re.compile(
        r"\b(?:dos|tres|cuatro|cinco|seis|two|three|four|five|six) (?:de|of) (?P<value>[1-9]\d{1,3})(?P<k>k)?\b(?! ?(?:them|enero|marzo|de))"
    ),
    re.compile(
        r"(?<![\d.,/])(?P<value>[2-9]\d|\d{3,})(?P<k>k)? ?(?:x|times|por) (?:two|three|four|five|six|eight|ten|twelve|dos|tres|cuatro|seis)\b"
    ),
    re.compile(rf"\b(?:all|whole|full) {_BIG}(?= (?:on|by|the|to|at|in|of it|next|this)\b|[.,!?]|$)"),
)
_HAN_SUM = re.compile(
    rf"(?<![\d.{HAN}第-])(?<!\d,)(?!20[23]\d(?!\d))(?P<value>[一二两三四五六七八九](?!千万|万一)(?:[百千万]|十万)[{HAN}]{{0,7}}|\d{{1,3}}(?=[百千万])|\d{{3,6}}(?:\.\d\d)?)(?P<k>百|千|万)?"
    r"(?:(?=一个?(?:月|星期|礼拜|周|次)|分[成做为]?[\d二两三四五六七八九十]{1,2}[次期]|[\d二两三四五六七八九十]{1,2}期)|(?![\d.:：/年月号日天点个人次期岁遍条楼级分位封通种份步倍米斤公里一二三四五六七八九十]|多|几|来块|左右|[-~]\d|[a-z]))"
)
"""In a Chinese text 五百, 两千二 and a bare figure of three digits count money unless something else is named."""
_NUMBERED = re.compile(
    r"(?:尾号|尾数|末[四五]码|号码|账号|帐号|单号|电话|卡号|编号|案号|工号|门牌|邮编|热线|拨打?|打|[a-z])\s?$"
)
_OATH = re.compile(r"二百五(?![十块元])|百分|千万|万一|老百姓|一百个|一万个|千百|百八十")


_WEEKDAY = re.compile(r"(?<![每个])(?:周|星期|礼拜|(?<!礼)拜)[一二三四五六日天](?=[一二两三四五六七八九\d])")
_PAYING = re.compile(
    r"[还转付给交缴存汇][^吗?？]*|到账|[入进]帐|入账|进账|月底|[周拜][一二三四五六日]|星期|明天|今[天晚]|\d[号*x×]|每|发薪|预约"
)


def _blank(found: re.Match[str]) -> str:
    return "~" * len(found[0])


def loose_figures(text: str) -> Iterator[tuple[str, str | None, tuple[int, int]]]:
    """Yield figure, scale and place of each stretch of ``text`` (cleaned, spoken numbers as digits) that is money."""
    if not text.isascii():
        plain = _WEEKDAY.sub(_blank, _OATH.sub(_blank, text))
        for match in _HAN_SUM.finditer(plain):
            spelled = not match["value"].isdecimal() or match["k"]
            if not _NUMBERED.search(plain[: match.start()]) and (spelled or _PAYING.search(text)):
                yield match["value"], match["k"], match.span("value")
    for pattern in _SAID:
        for match in pattern.finditer(text):
            if match["k"] or len(match["value"]) > 1:
                yield match["value"], match["k"], match.span("value")
    for pattern in _BESIDE_DAY:
        for match in pattern.finditer(text):
            if len(match["value"]) > 2 or int(match["value"]) >= _MIN or match["k"]:
                yield match["value"], match["k"], match.span("value")
