"""Numbers of installments and option numbers in a reply."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

from outreach.replies.numerals import HAN, number
from outreach.replies.reading import OpenOffer

_N = r"\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|eighteen|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce"
_KIND = r"(?:equal |monthly |weekly |biweekly |smaller |small |easy |separate |iguales |partial )?"
_COUNTS = (
    re.compile(
        rf"\b(?P<n>{_N}) {_KIND}(?:payments?|installments?|instalments?|pymts|pmts|parts|chunks|pieces|pagos|cuotas|plazos|abonos|parcialidades|mensualidades|partes|exhibiciones|letras)\b"
    ),
    re.compile(
        rf"\b(?:split|divide|break|broken|spread|dividir|dividirlo|dividen|divide|dividan|dividido|fraccionar|fraccionarlo|fraccionan)\b[a-z ]{{0,20}}? (?:in|into|over|by|en|a)(?: to)? (?P<n>{_N})\b(?! ?(?:weeks|days))"
    ),
    re.compile(rf"\b(?:over|a|en|for|durante) (?P<n>{_N}) (?:months|meses|quincenas)\b(?! ago)"),
    re.compile(rf"\bpay(?: it| this)? in (?P<n>{_N})\b(?! ?(?:days?|weeks?|months?|hours?|dias?|mins?|minutes|or|to))"),
    re.compile(r"^(?P<n>twice)\b(?! (?:a|per|each|every|monthly|weekly|this))"),
    re.compile(rf"\b(?P<n>{_N})[ -](?:months?|mo|meses|weeks?) (?:one|plan|option|offer|deal)\b"),
    re.compile(rf"\b(?:do|make it|want|like|need) (?P<n>{_N}) (?:months|meses)\b(?! ago)"),
    re.compile(
        rf"\b(?:week|weekly|wk|month|monthly|fortnight|biweekly|semana|mes|quincena) (?:for|over|por|durante) (?:the next )?(?P<n>{_N}) (?:weeks|months|fortnights|semanas|meses|quincenas)\b"
    ),
    re.compile(rf"\ben (?P<n>{_N}) veces\b"),
    re.compile(r"(?<![\d.,])(?P<n>\d{1,2}) ?[x×*] ?(?:[$£€¥]|us\$)? ?\d"),
    re.compile(rf"\bin (?P<n>{_N}|[{HAN}]) ?次"),
    re.compile(rf"分(?:成|做|为)?(?P<n>\d{{1,2}}|[{HAN}]{{1,3}})(?:个)?(?:期|次|月|笔|批|份|部分)"),
    re.compile(rf"(?P<n>\d{{1,2}}|[{HAN}]{{1,3}})(?:期|个月还|次还)"),
)
_OPTION = re.compile(
    r"\b(?:option|choice|plan|number|offer|pick|choose|select|opcion|numero|oferta|alternativa|propuesta|elijo|escojo|prefiero|take|with|want|do|la|el) "
    r"(?:number |option |the |opcion |numero |# ?)?(?P<n>\d|one|two|three|four|five|six|uno|una|dos|tres|cuatro|cinco|a|b|c)\b(?! ?(?:payments?|installments?|a week|weeks|days|de la))"
    r"|# ?(?P<n2>\d)\b"
    r"|\b(?P<n3>first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th)(?: (?:one|option|plan|choice|offer))?\b"
    r"|\b(?:la|el) (?P<n4>primera|segunda|tercera|cuarta|quinta|primero|segundo|tercero|primer)\b"
    r"|(?:选择?|要|方案|选项|第|套餐|就|按|用)(?:第|方案|选项)?(?P<n5>[1-9]|[一二三四五六]|[abc]\b)(?:个|种|项|方案)?(?!期|次|百|千|万|块|个?月|天|周|号)"
    r"|^\s*(?P<n6>[1-9]|[一二三四五六])\s*(?:号|个|方案|吧|可以|行|就行|好了)"
    r"|(?P<middle>\b(?:the )?middle (?:one|option)\b|\bla de en ?medio\b|\bla del medio\b|中间(?:那)?[个种项])"
    r"|(?P<last>\b(?:the )?last (?:one|option)\b|\bla ultima\b|最后一?[个种项])"
)
_LETTERS = {"a": 1, "b": 2, "c": 3}


def find_count(text: str) -> int | None:
    """Return the number of installments asked for (2 to 60); None when there is none or several differ."""
    found = {number(match["n"]) for pattern in _COUNTS for match in pattern.finditer(text)}
    if len(found) != 1:
        return None
    count = found.pop()
    return count if count and 2 <= count <= 60 else None


def bare_number(words: str) -> int | None:
    """Read an answer that is nothing but one number or option letter."""
    if words in _LETTERS:
        return _LETTERS[words]
    return number(words.removeprefix("#").strip())


def find_choice(text: str, core: str, offers: tuple[OpenOffer, ...]) -> int | None:
    """Return the option number named; it must be on the table. None when none, unknown or several are named."""
    options = {offer.option for offer in offers}
    single = bare_number(core)
    if single is not None:
        return single if single in options else None
    found = {_named(match, options) for match in _OPTION.finditer(text)}
    if not found:
        return _by_count(text, offers)
    chosen = found.pop() if len(found) == 1 else None
    return chosen if chosen in options else _by_count(text, offers)


def _named(match: re.Match[str], options: set[int]) -> int | None:
    if match["last"]:
        return max(options, default=None)
    if match["middle"]:
        return sorted(options)[len(options) // 2] if len(options) % 2 else None
    word = next(value for name, value in match.groupdict().items() if value and name not in {"last", "middle"})
    return bare_number(word)


_ORDINAL = re.compile(r"(?:the )?[1-9](?:st|nd|rd|th)(?: (?:one|option|plan|offer))?")


def is_ordinal(core: str) -> bool:
    """Say whether an answer is nothing but "2nd" or "the 2nd one": an option where one was asked for, not a day."""
    return _ORDINAL.fullmatch(core) is not None


def _by_count(text: str, offers: tuple[OpenOffer, ...]) -> int | None:
    """Take "the 3 payments" for the one offer that has three."""
    count = find_count(text)
    fitting = [offer.option for offer in offers if offer.count == count] if count else []
    return fitting[0] if len(fitting) == 1 else None
