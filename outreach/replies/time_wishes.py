"""Times at which somebody asks to be left in peace, on named days too. Only what is said exactly becomes a wish.

A refusal of contact that names its hours or days ("do not text me between 1 and 3 pm") is no refusal of all contact. It
is taken for one only where a whole part of the reply says that and nothing else; every other part is read by itself, so
that a stop beside it stays a stop.
"""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from dataclasses import dataclass, replace

from outreach.replies.day_times import AFTER, BEFORE, BETWEEN, Times, clock_of, stretch_of
from outreach.replies.reading import PAUSING, RANK, Intent, Reading

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_DAY = Times(start="00:00", end="24:00")

_DAY_EN = r"(?:mon|tues?|wednes|wed|thurs?|fri|satur|sat|sun)(?:day)?"
_DAY_ES = r"(?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)"
_AND = r"(?: ?& ?(?:and |or |y |o |ni )?| (?:and|or|nor|y|o|e|ni) |/)(?:on |los )?"
_TO = r" ?(?:-|to|through|thru|till|until) ?"
_DAY_CN = r"(?:星期|周|礼拜)[一二三四五六日天]{1,5}"
_DAYS = re.compile(
    r"\b(?:on |over |at |during )?(?:the |every |any |all )?(?:weekends|weekdays|week days|workdays|work days)\b"
    r"|\b(?:on |at )?(?:the |any |every )weekend\b|\bon weekend\b"
    rf"|\b(?:on )?(?:every|any|each) {_DAY_EN}\b"
    rf"|\b(?:on |from |during )?{_DAY_EN}s?{_TO}{_DAY_EN}s?\b|\b(?:on )?{_DAY_EN}s?(?:{_AND}{_DAY_EN}s?)+\b|\b(?:on )?{_DAY_EN}s(?<=days)\b|(?<=never )on {_DAY_EN}\b"
    r"|\b(?:en |durante )?(?:los |todos los )?fines de semana\b|\ben fin de semana\b|\b(?:de )?entre semana\b|\b(?:en )?(?:los )?dias (?:de semana|entre semana|laborables|habiles)\b"
    rf"|\bde {_DAY_ES} a {_DAY_ES}\b|\b(?:todos )?los {_DAY_ES}s?(?:{_AND}{_DAY_ES}s?)*\b"
    rf"|(?:每个?|逢)?(?:周末|双休日|平日|工作日|(?:星期|周|礼拜)六日|{_DAY_CN}(?:到|至|-|~)(?:星期|周|礼拜)?[一二三四五六日天]|{_DAY_CN}(?:(?:和|跟|与|或)?{_DAY_CN})*)"
)
_ASK = r"(?:please|pls|plz|kindly|thanks|thank you|thx|ty|ok|okay|hi|hello|hey|sorry|por favor|porfa|gracias|hola|disculpe|perdon)"
_LEAD = rf"(?:(?:{_ASK}|and|so|also|can you|could you|would you|i said|y|asi que|le pido que|les pido que) )*"
_TAIL = rf"(?: {_ASK})*(?P<reason> (?:because|cause|cuz|bc|since|as|im|i\W?m|i am|i work|i sleep|i have|that\W?s when|porque|ya que|pues|que|estoy|trabajo|tengo) .+)?"
_NOT_EN = rf"(?:do not|don\W?t|never|not|not to|avoid|refrain from|stop|quit|no|no more|i do not want|i don\W?t want|i(?:\W?d| would)? (?:prefer|rather) (?:that )?you (?:not|don\W?t|didn\W?t)|you (?:can\W?t|cannot|can not|should not|shouldn\W?t|may not))(?: {_ASK})?"
_VERB_EN = r"(?:text|txt|call|contact|message|msg|email|e-mail|ring|phone|bother|disturb|reach|send|mail)(?:s|ing|ed)?"
_REACH_EN = (
    rf"(?:(?:any|more|you) )*{_VERB_EN}(?: ?(?:or|and|/|,) ?{_VERB_EN})*"
    r"(?: (?:me|us|my phone|out|to me|from you|any|texts|messages|msgs|emails|calls|reminders|anything))*(?: (?:at|when i\W?m at|while i\W?m at|while at) (?:work|home|my job))?"
)
_NOT_ES = (
    r"(?:(?:no|nunca)(?: (?:quiero|quisiera|deseo) que)?(?: (?:me|nos))?|(?:dejen?|paren?|deja) de|no quiero|ya no me)"
)
_REACH_ES = (
    r"(?:llam|contact|text|textee|marc|marqu|molest|busqu|busc|mand|envi|escrib|comuniqu|comunic|hable|habl|recib)(?:e|en|es|an|ar|ir|a|as|n)?(?:me|nos|se)?"
    r"(?: (?:mas|ningun|los|mensajes? de texto|mensajes?|textos?|sms|correos?|llamadas?|conmigo|por telefono|al celular))*(?: (?:o|ni|y) (?:me )?(?:llam|contact|text|mand|envi|escrib)\w+(?: mensajes?)?)?"
)
_REACH_CN = (
    r"(?:再)?(?:给我|跟我|和我|对我|向我)?(?:再)?(?:打扰|打搅|联系|联络|骚扰|致电|来电|找|催|吵|call|打|发|传|来)(?:给)?(?:我|本人)?(?:打|发)?(?:电话|短信|简讯|信息|消息|讯息|邮件|微信)?"
    r"(?:(?:和|或|、)?(?:打电话|发短信|电话|短信))?(?:过来|来|给我|找我)?"
)
_NOT_CN = r"(?:请|麻烦)?(?:你们|您)?(?:都)?(?:不要|别|勿|不准|不许|不能|不可以|不想)(?:在)?"
_ONLY_EN, _ONLY_ES = r"(?:only|just)", r"(?:solo|solamente|unicamente|nada mas)"
_WHEN = r"(?:D(?: H)?|H(?: D)?)"
_WHEN_CN = r"(?:D的? ?H?|H)(?:的时候|的时间|时间|之间|期间)?"
_BUSY_CN = r"(?:上班时间|工作时间|上班的时候|午休|午休时间|睡觉时间)?"


@dataclass(frozen=True, slots=True)
class Wish:
    """Times that one part of a reply names, and the ``rest`` of the reply. ``bare``: times alone, no word of contact."""

    times: Times
    bare: bool
    rest: str


_SHAPES: tuple[tuple[str, bool, re.Pattern[str]], ...] = tuple(
    (sense, bare, re.compile(pattern))
    for sense, bare, pattern in (
        ("not", False, rf"{_LEAD}{_NOT_EN} {_REACH_EN} {_WHEN}{_TAIL}"),
        ("not", False, rf"{_LEAD}{_WHEN},? {_LEAD}{_NOT_EN} {_REACH_EN}{_TAIL}"),
        ("not", True, rf"{_LEAD}(?:not|never|no) {_WHEN}{_TAIL}"),
        ("only", False, rf"{_LEAD}(?:you (?:can|may) )?{_ONLY_EN} {_REACH_EN} {_WHEN}{_TAIL}"),
        ("only", False, rf"{_LEAD}(?:you (?:can|may) )?{_REACH_EN} (?:{_ONLY_EN} {_WHEN}|{_WHEN} only){_TAIL}"),
        ("only", False, rf"{_LEAD}i (?:can|may) only be (?:reached|contacted|texted|called) {_WHEN}{_TAIL}"),
        ("only", True, rf"{_LEAD}(?:{_ONLY_EN} {_WHEN}|{_WHEN} only){_TAIL}"),
        ("after", False, rf"{_LEAD}(?:text|contact|message|email) (?:me|us) {_WHEN}{_TAIL}"),
        ("after", True, rf"{_LEAD}{_WHEN}{_TAIL}"),
        ("not", False, rf"{_LEAD}{_NOT_ES} {_REACH_ES} {_WHEN}{_TAIL}"),
        ("not", False, rf"{_LEAD}{_WHEN},? {_LEAD}{_NOT_ES} {_REACH_ES}{_TAIL}"),
        ("not", True, rf"{_LEAD}(?:{_WHEN} no|nunca {_WHEN}){_TAIL}"),
        ("only", False, rf"{_LEAD}(?:{_ONLY_ES} (?:me )?(?:pueden? )?{_REACH_ES}|(?:pueden? )?{_REACH_ES} {_ONLY_ES}) {_WHEN}{_TAIL}"),
        ("only", True, rf"{_LEAD}(?:{_ONLY_ES} {_WHEN}|{_WHEN} {_ONLY_ES}){_TAIL}"),
        ("after", False, rf"{_LEAD}(?:escrib|contact|text)(?:e|en|an|a)(?:me|nos) {_WHEN}{_TAIL}"),
        ("not", False, rf"(?:请|在|麻烦|我)*{_BUSY_CN}{_WHEN_CN}{_BUSY_CN}(?:都)?(?:再)?[,，]?{_NOT_CN}{_REACH_CN}(?:了|啊|吧|谢谢)*"),
        ("not", False, rf"{_NOT_CN}{_BUSY_CN}{_WHEN_CN}{_BUSY_CN}{_REACH_CN}(?:了|啊|吧|谢谢)*"),
        ("not", True, rf"(?:请)?{_WHEN_CN}(?:不行|不可以|不方便|不要|别)(?:了|谢谢)*"),
        ("only", False, rf"(?:请|麻烦|你们)*(?:只|仅)(?:可以|能|许|准|要|有|在|于)*{_WHEN_CN}(?:再|才)?(?:可以|能|方便)?(?:{_REACH_CN})?(?:吧|谢谢)*"),
        ("only", False, rf"(?:请|麻烦)*(?:在|于)?{_WHEN_CN}才(?:可以|能|方便)?{_REACH_CN}(?:吧|谢谢)*"),
        ("after", False, rf"(?:请|麻烦|你们)*(?:在|于)?{_WHEN_CN}(?:再)?{_REACH_CN}(?:吧|谢谢)*"),
        ("after", True, rf"(?:请)?{_WHEN_CN}(?:吧|谢谢)*"),
    )
)  # fmt: skip
"""What a part of a reply may look like once its hours are written ``H`` and its days ``D``."""

_SENTENCES = re.compile(r"[!?;。！？；…\n]+|\.(?!\d)")
_COMMAS = re.compile(r"[，,](?!\d)")
_LIST = re.compile(rf"({_DAY_EN}s?|{_DAY_ES}s?)\s*,\s*(?=(?:and |or |y |o |ni |los )*(?:{_DAY_EN}|{_DAY_ES}))")
_CN_LIST = re.compile(r"((?:周|星期|礼拜)[一二三四五六日天])\s*[、,，]\s*(?=(?:周|星期|礼拜)[一二三四五六日天])")
_SO = re.compile(r"\s(?:so|therefore|asi que|por eso)\s(?=.*\d|.*day|.*week|.*seman|.*lunes|.*domingo)|所以")
_MORE = re.compile(
    r"\b(?:ever|again|anymore|any|all|never|period|nor|either|else|also|too|or|unless|except|other|nunca|jamas|tampoco|otra|ningun\w*|ni|tambien|salvo|excepto|todo|siempre|any ?time|always|every|today|tomorrow|this|next|until)\b"
    r"|也|都|永远|再|任何|除|以后|今天|明天|这|下周|还有"
)
"""What in the rest of a reply could widen, narrow or date the times: then they are not plain."""

_HABIT = {
    "weekend": ("sat", "sun"), "fines de semana": ("sat", "sun"), "fin de semana": ("sat", "sun"), "周末": ("sat", "sun"),
    "双休日": ("sat", "sun"), "weekday": WEEK[:5], "week day": WEEK[:5], "workday": WEEK[:5], "work day": WEEK[:5],
    "entre semana": WEEK[:5], "dias ": WEEK[:5], "平日": WEEK[:5], "工作日": WEEK[:5],
}  # fmt: skip
_ONE_DAY = re.compile(
    rf"{_DAY_ES}|\b(?:mon|tue|wed|thu|fri|sat|sun)|(?<=[期周拜一二三四五六日天至到~-])[一二三四五六日天]"
)
_NUMBER = {"lu": 0, "mo": 0, "ma": 1, "tu": 1, "mi": 2, "we": 2, "ju": 3, "th": 3, "vi": 4, "fr": 4, "sa": 5, "do": 6, "su": 6}  # fmt: skip
_NUMBER |= {sign: place for place, sign in enumerate("一二三四五六日")} | {"天": 6}
_UP_TO = re.compile(r"[-~到至]|\b(?:to|through|thru|till|until|a)\b")


def time_wish(text: str) -> Wish | None:
    """Return the one wish for times that a reply spells out, or None. ``text`` is plain: folded, without accents."""
    if not _SPEAKS_OF_TIME.search(text):
        return None
    wishes, rest = [], []
    for sentence in _SENTENCES.split(_SO.sub(", ", _smooth(text))):
        for part, found in _read_sentence(sentence):
            wishes += [found] if found else []
            rest.append(found.rest if found else part)
    left = ". ".join(filter(None, rest))
    if len(wishes) != 1 or _MORE.search(left) or _all_week(wishes[0].times):
        return None
    return replace(wishes[0], rest=left) if not left or not wishes[0].bare else None


def _read_sentence(sentence: str) -> list[tuple[str, Wish | None]]:
    """Read a sentence as one wish, or else each of its parts by itself."""
    whole = sentence.strip(_EDGES)
    if (found := _read_part(whole)) is not None:
        return [(whole, found)]
    parts = [part.strip(_EDGES) for part in _COMMAS.split(whole)]
    return [(part, _read_part(part)) for part in parts if part]


_EDGES = " -:'\""
_SPEAKS_OF_TIME = re.compile(
    r"\d|noon|midday|mediodia|day|weekend|week|seman|lunes|martes|miercoles|jueves|viernes|sabado|domingo|dias|周|星期|礼拜|平日|工作日|双休|[点點]"
)


def _smooth(text: str) -> str:
    """Bring what is written in several ways to one: dashes, ``p.m.``, lists of days."""
    text = re.sub(r"[\u2010-\u2015\u2212～]", "-", text).replace("\u2019", "'")
    text = re.sub(r"(\d)\s?([ap])\s?\.\s?m\b\.?", r"\1 \2m", text)
    text = _CN_LIST.sub(r"\1和", _LIST.sub(r"\1 & ", text))
    return re.sub(r"(?<=[\u3400-\u9fff\d]) +(?=[\u3400-\u9fff\d])", "", re.sub(r"[ \t]+", " ", text))


def _read_part(part: str) -> Wish | None:
    hours = _hours(part)
    skeleton = _written(part, hours.place, "H") if hours else part
    named = _DAYS.search(skeleton)
    skeleton = _written(skeleton, named.span(), "D") if named else skeleton
    if not hours and (not named or _HOURS_OF_WORK.search(part)):
        return None
    days = _days(named[0]) if named else ()
    for sense, bare, shape in _SHAPES:
        if found := shape.fullmatch(skeleton):
            times = _times(sense, hours, days)
            return Wish(times, bare, (found.groupdict().get("reason") or "").strip()) if times else None
    return None


_HOURS_OF_WORK = re.compile(r"上班|工作时间|午休|睡觉|\b(?:at|while) (?:work|my job|i\W?m at)|\bwork hours")
"""Times that only the borrower knows."""

_KINDS = {"between": BETWEEN, "before": BEFORE, "after": AFTER}
_OR = re.compile(r" (?:or|and|nor|o|y|ni) (?:not )?|或|和|以及|、")


@dataclass(frozen=True, slots=True)
class _Hours:
    """Hours in a part of a reply: between two, before one, after one, or outside two; where, and what was found."""

    kind: str
    place: tuple[int, int]
    told: tuple[re.Match[str], ...]


def _hours(part: str) -> _Hours | None:
    found = {kind: one for kind in _KINDS if (one := _first(_KINDS[kind], part))}
    if "before" in found and "after" in found:
        first, last = sorted((found["before"], found["after"]), key=lambda one: one.start())
        if _OR.fullmatch(part[first.end() : last.start()]):
            return _Hours("outside", (first.start(), last.end()), (found["before"], found["after"]))
    return next((_Hours(kind, one.span(), (one,)) for kind, one in found.items()), None)


def _first(patterns: tuple[re.Pattern[str], ...], part: str) -> re.Match[str] | None:
    return next((found for pattern in patterns if (found := pattern.search(part))), None)


def _written(part: str, place: tuple[int, int], sign: str) -> str:
    """Write a sign where words stood: apart from its neighbours, but not from Chinese ones."""
    text = f"{part[: place[0]].rstrip()} {sign} {part[place[1] :].lstrip()}".strip()
    text = re.sub(r" (?=,)", "", text)
    return re.sub(r"(?<=[\u3400-\u9fffHD]) (?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff]) (?=[HD])", "", text)


def _times(sense: str, hours: _Hours | None, days: tuple[str, ...]) -> Times | None:
    if hours is None:
        return replace(WHOLE_DAY, days=days, only=sense == "only") if sense != "after" else None
    if hours.kind == "outside":
        start, end = clock_of(hours.told[0], "b", 8), clock_of(hours.told[1], "a", 12)
        fits = sense == "not" and not days and start and end and start < end
        return Times(start=start, end=end, only=True) if fits else None
    stretch = _stretch(sense, hours)
    if stretch is None or (sense == "after" and (hours.kind != "after" or not days)):
        return None
    if sense == "after":  # "after 6 on weekdays": nothing is said of other days
        return Times(start="00:00", end=stretch.start, days=days)
    overnight = stretch.end != "00:00" and str(stretch.start) > str(stretch.end)
    return replace(stretch, days=days, only=sense == "only") if not overnight or (sense == "not" and not days) else None


def _stretch(sense: str, hours: _Hours) -> Times | None:
    (found,) = hours.told
    if hours.kind == "between":
        return stretch_of(found) or _overnight(found)
    if hours.kind == "before":
        end = clock_of(found, "b", 8)
        return Times(start="00:00", end=end) if end and end != "00:00" else None
    start = clock_of(found, "a", 12 if sense == "not" else 8)
    either = sense != "not" and start is not None and "08:00" <= start < "12:00" and not _half_told(found, "a")
    return Times(start=start, end="00:00") if start and start != "00:00" and not either else None


def _overnight(found: re.Match[str]) -> Times | None:
    """Return hours that run past midnight: only where both say which half of the day they are of."""
    start, end = clock_of(found, "a", 0), clock_of(found, "b", 0)
    told = _half_told(found, "a") and _half_told(found, "b")
    return Times(start=start, end=end) if told and start and end and start > end else None


def _half_told(found: re.Match[str], name: str) -> bool:
    told = found.groupdict()
    return bool(told.get(f"{name}half") or told.get(f"{name}part"))


def _days(named: str) -> tuple[str, ...]:
    """Return the weekdays that words name, in the order of the week."""
    for word, days in _HABIT.items():
        if word in named:
            return days
    found = [_NUMBER[one[0][:2] if one[0].isascii() else one[0]] for one in _ONE_DAY.finditer(named)]
    chosen = set(found)
    if len(found) == 2 and _UP_TO.search(named):
        first, last = found
        chosen = {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return tuple(day for place, day in enumerate(WEEK) if place in chosen)


def _all_week(times: Times) -> bool:
    return times.end == "24:00" and len(times.days) in (0, 7)


def timed(whole: Reading, wish: Wish, beside: Reading | None) -> Reading:
    """Return the reading of a reply that spells out a wish for times. ``beside``: its other parts, read by themselves.

    A stop beside it stays what it is. Otherwise what ``whole`` took for a stop was the wish.
    """
    if beside is not None and beside.must_stop:
        return whole if whole.must_stop else beside
    others = [intent for intent in beside.intents if intent not in _SAYS_NOTHING] if beside else []
    first, *also = sorted({Intent.INCONVENIENT_TIME, *others}, key=RANK.__getitem__)
    base = beside if beside and others else Reading(first, SURE)
    return replace(
        base,
        intent=first,
        also=tuple(also),
        confidence=base.confidence if first is base.intent else SURE,
        must_pause=any(intent in PAUSING for intent in (first, *also)),
        times=wish.times,
        language=whole.language,
        explanation="; ".join(["inconvenient_time: names its times", *([base.explanation] if others else [])]),
    )


SURE = 0.97
_SAYS_NOTHING = frozenset({Intent.INCONVENIENT_TIME, Intent.UNCLEAR, Intent.CHIT_CHAT})
