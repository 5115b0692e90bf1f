"""Numbers of installments and option numbers in a reply."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

from outreach.replies.numerals import HAN, number

_N = r"\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|eighteen|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce"
_KIND = r"(?:equal |monthly |weekly |biweekly |smaller |small |easy |separate |iguales |partial )?"
_X = r"two|three|four|five|six|seven|eight|nine|ten|twelve|[2-9]|1\d|2[0-4]"
_COUNTS = (
    re.compile(
        rf"\b\d{{2,5}}(?:\.\d\d)? ?(?:dollars |bucks |pesos )?(?:[x×*]|times|por) ?(?P<n>{_X})\b(?! ?(?:a|per|each|every|days|weeks|month|mes|semana)\b)"
    ),
    re.compile(rf"(?:(?<=\d\d)|(?<=[百千万块])) ?[x×*] ?(?P<n>{_X})(?=次|期|个月|$| |[.,?!吧]| *[咋行])"),
    re.compile(rf"\b(?:dollars|bucks|pesos|\d{{2,}}|fifty|twenty|thirty|forty|hundred) (?P<n>{_N}) (?:times|veces)\b"),
    re.compile(rf"\b(?P<n>{_N}) (?:veces|times) (?:\$?\d{{2,}}|veinte|cincuenta|cien|fifty|twenty)\b"),
    re.compile(
        r"\b(?:two|three|dos|tres|2|3)(?= (?:de|of) \$?\d{2,4}(?:\.\d\d)?\b(?! (?:de|enero|marzo)))".replace(
            "(?:two", "(?P<n>two", 1
        )
    ),
    re.compile(
        rf"\b(?P<n>{_N}) (?:equal |smaller |small |monthly )(?:ones|bits|lots|bites|goes|amounts|sums|emis)\b|\b(?P<m>{_N}) (?:emis?|instalments|msi|part (?:deal|plan))\b"
    ),
    re.compile(r"\b(?:in|into) (?P<n>thirds|halves|quarters|fourths)\b|^(?P<m>thirds|halves|quarters|fourths)\b"),
    re.compile(
        rf"\b(?:divid\w*|parti\w*|separ\w*|reparti\w*|parte\w*)\b[a-z ]{{0,12}}? (?:en|entre) (?P<n>{_N})\b(?! ?(?:dias|semanas))"
    ),
    re.compile(
        rf"\b(?:mensual(?:es)?|(?:por|al|cada) mes|a month|monthly|per month),? (?:for |en |por |durante )?(?P<n>{_N}) (?:meses|months)\b"
    ),
    re.compile(
        rf"\b\d{{2,}} (?:por|for) (?P<n>{_N}) (?:meses|months|semanas|weeks|quincenas)\b|\b(?P<m>{_N}) weeks at \d"
    ),
    re.compile(
        r"\b(?P<n>half) (?:now|today|up front|this \w+|on \w+|friday|monday)\b.{0,20}?\b(?:half|later|the rest)\b|\b(?P<m>mitad) (?:ahora|ahorita|hoy|este|esta|el|y)\b.{0,22}?\b(?:mitad|despues|luego)\b"
    ),
    re.compile(r"(?P<n>一半).{0,10}?一半"),
    re.compile(
        r"\b(?P<n>year and a half)\b.{0,12}?(?:monthly|payments|deal|\bgot\b)|\b(?P<m>half a year|a year)(?= (?:of )?(?:monthly|monthlies|payments|of payments)|['’]?s worth of (?:small |monthly )?payments)"
    ),
    re.compile(r"(?P<n>\d{1,2}|[二两三四五六七八九十]{1,2})(?:次|回)(?:结|付|还|给|清|交|缴)(?:清|完|掉)?"),
    re.compile(r"(?:拆|掰|切|摊)(?:开)?(?:成|做|为)?(?P<n>\d{1,2}|[二两三四五六七八九十]{1,2})(?:个月|次|回|份|期|笔)"),
    re.compile(
        r"(?:每|一个?)月[^,，。]{0,8}[,， ]?\s?(?P<n>\d{1,2}|[二两三四五六七八九十]{1,2})个月|(?<!过)(?<!第)(?P<m>\d{1,2}|[二两三四五六七八九十]{1,2})个月(?:拆|分|摊|搞定|还清|还完|[,， ]?每月|[,， ]?一月)"
    ),
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
    re.compile(r"(?<![\d.,])(?P<n>\d{1,2}) ?[x×*] ?(?:(?:[$£€¥]|us\$) ?\d|\d{2,})"),
    re.compile(rf"\bin (?P<n>{_N}|[{HAN}]) ?次"),
    re.compile(rf"分(?:成|做|为)?(?P<n>\d{{1,2}}|[{HAN}]{{1,3}})(?:个)?(?:期|次|月|笔|批|份|部分)"),
    re.compile(rf"(?P<n>\d{{1,2}}|[{HAN}]{{1,3}})(?:期|个月还|次还)"),
)
_LETTERS = {"a": 1, "b": 2, "c": 3}


def find_count(text: str) -> int | None:
    """Return the number of installments asked for (2 to 60); None when there is none or several differ."""
    found = {_count(match) for pattern in _COUNTS for match in pattern.finditer(text)}
    if len(found) != 1:
        return None
    count = found.pop()
    return count if count and 2 <= count <= 60 else None


_SHARES = {"thirds": 3, "halves": 2, "quarters": 4, "fourths": 4, "half": 2, "mitad": 2, "一半": 2, "year and a half": 18,
           "half a year": 6, "a year": 12}  # fmt: skip


def _count(match: re.Match[str]) -> int | None:
    word = match["n"] or match.groupdict().get("m") or ""
    return _SHARES.get(word) or number(word)


def bare_number(words: str) -> int | None:
    """Read an answer that is nothing but one number or option letter."""
    if words in _LETTERS:
        return _LETTERS[words]
    return number(words.removeprefix("#").strip())


_ORDINAL = re.compile(r"(?:the )?[1-9](?:st|nd|rd|th)(?: (?:one|option|plan|offer))?")


def is_ordinal(core: str) -> bool:
    """Say whether an answer is nothing but "2nd" or "the 2nd one": an option where one was asked for, not a day."""
    return _ORDINAL.fullmatch(core) is not None
