"""Number words of the three languages, as numbers."""

import re
from collections.abc import Mapping

_ENGLISH = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_SPANISH = ["un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"]

WORDS: Mapping[str, int] = {
    **{word: place for place, word in enumerate(_ENGLISH, 1)},
    **{word: place for place, word in enumerate(_SPANISH, 1)},
    "uno": 1, "una": 1, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "primera": 1, "primero": 1,
    "primer": 1, "segunda": 2, "segundo": 2, "tercera": 3, "tercero": 3, "tercer": 3, "cuarta": 4, "cuarto": 4,
    "quinta": 5, "quinto": 5, "quince": 15, "veinte": 20, "treinta": 30, "fifteen": 15, "twenty": 20, "thirty": 30,
    "eighteen": 18, "cien": 100, "twice": 2, "couple": 2, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5,
    "fifteenth": 15, "twentieth": 20, "thirtieth": 30, "tenth": 10, "twelfth": 12, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "fifty": 50, "forty": 40, "sixty": 60, "hundred": 100, "cincuenta": 50, "cuarenta": 40,
}  # fmt: skip

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
HAN = "零〇一二三四五六七八九十百千万两俩"
_HAN_ONLY = re.compile(f"[{HAN}]+\\Z")


_ROUGHLY = re.compile(
    "^[一二两三四五六七八][二两三四五六七八九]$|[一二两三四五六七八九][一二两三四五六七八九][十百千万]"
)
"""两三 and 四五百: about so many, which is no number."""


def number(word: str) -> int | None:
    """Return the value of digits, a number word or Chinese numerals; None when it is none of them."""
    if word.isdecimal():
        return int(word) if len(word) < 10 else None
    if word in WORDS:
        return WORDS[word]
    return han_number(word) if _HAN_ONLY.match(word) else None


def han_number(text: str) -> int | None:
    """Read ``三百五`` as 350, ``两千`` as 2000, ``一万二`` as 12000. None when the signs make no number."""
    if _ROUGHLY.search(text):
        return None
    if not any(sign in _UNITS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, section, digit, unit = 0, 0, 0, 1
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
            unit = 1 if sign in "零〇" else unit
            continue
        unit = _UNITS[sign]
        if unit == _UNITS["万"]:
            total, section = total + (section + digit) * unit, 0
        else:
            section += (digit or 1) * unit
        digit = 0
    return total + section + digit * (unit // 10 if digit and unit >= 100 else 1)


_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80,
    "noventa": 90, "cien": 100, "ciento": 100, "doscientos": 200, "trescientos": 300, "cuatrocientos": 400,
    "quinientos": 500, "seiscientos": 600, "setecientos": 700, "ochocientos": 800, "novecientos": 900,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "quince": 15, "veinticinco": 25, "veintiun": 21, "doscientas": 200,
    "trescientas": 300, "quinientas": 500,
}  # fmt: skip
_TIMES = {"hundred": 100, "thousand": 1000, "grand": 1000, "mil": 1000}
_UNITS_SPOKEN = {word: value for word, value in WORDS.items() if value <= 12 and word.isalpha() and word not in (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "twelfth",
    "twice", "couple", "primera", "primero", "primer", "segunda", "segundo", "tercera", "tercero", "tercer", "cuarta",
    "cuarto", "quinta", "quinto", "once")} | {"a": 1}  # fmt: skip
_SPOKEN_WORD = "|".join(sorted({*_TENS, *_TIMES, *_UNITS_SPOKEN}, key=len, reverse=True))
_SPOKEN = re.compile(rf"\b(?:{_SPOKEN_WORD})(?:[ -](?:(?:and|y) )?(?!(?:a|un|una)\b)(?:{_SPOKEN_WORD}))*\b")


def spoken_as_digits(text: str) -> str:
    """Write "a hundred and fifty" as 150 and "mil quinientos" as 1500; leave small numbers and the rest as they are."""
    return _SPOKEN.sub(_as_digits, text)


_ONES = "one|two|three|four|five|six|seven|eight|nine"
_TENTHS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_PRICE = re.compile(rf"(?P<hundreds>{_ONES})[ -](?P<tens>ten|eleven|fifteen|{_TENTHS})(?:[ -](?P<ones>{_ONES}))?")
_PRICE_AND_CENTS = re.compile(
    rf"(?P<tens>{_TENTHS})(?:[ -](?P<ones>{_ONES}))?[ -](?P<cents>fifty|twenty five|seventy five)"
)


def _value(words: str | None) -> int:
    return sum(_TENS.get(word) or _UNITS_SPOKEN[word] for word in re.split("[ -]", words)) if words else 0


def _as_digits(found: re.Match[str]) -> str:
    said = found[0]
    price, cents = _PRICE.fullmatch(said), _PRICE_AND_CENTS.fullmatch(said)
    if price:  # "one fifty" is 150
        return str(100 * _value(price["hundreds"]) + _value(price["tens"]) + _value(price["ones"]))
    if cents:  # "thirty two fifty" is 32.50
        return f"{_value(cents['tens']) + _value(cents['ones'])}.{_value(cents['cents'])}"
    total, part, large = 0, 0, False
    words = re.split(r"[ -]", said)
    lead = "a " if words[0] == "a" and len(words) > 1 and words[1] not in _TIMES else ""
    for word in words[1:] if lead else words:
        if word in _TIMES:
            large = True
            part = max(part, 1) * _TIMES[word]
            if _TIMES[word] == 1000:
                total, part = total + part, 0
        elif word in _TENS:
            large = large or _TENS[word] != 12 or len(words) > 1
            part += _TENS[word]
        elif word not in ("and", "y"):
            part += _UNITS_SPOKEN[word]
    return f"{lead}{total + part}" if large else said


_ORDINALS = {
    word: place
    for place, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
         "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
         "twentieth"], 1)
} | {"thirtieth": 30}  # fmt: skip
_DAY_WORDS = {
    "primero": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17,
    "dieciocho": 18, "diecinueve": 19, "veinte": 20, "veintiuno": 21, "veintidos": 22, "veintitres": 23,
    "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26, "veintisiete": 27, "veintiocho": 28, "veintinueve": 29,
    "treinta y uno": 31, "treinta": 30,
}  # fmt: skip
_ENGLISH_MONTH = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
)
_SPANISH_MONTH = "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
_NTH = "|".join(_ORDINALS)
_LATER = "|".join(word for word, place in _ORDINALS.items() if place > 3)
_SPOKEN_DAY = re.compile(
    rf"\b(?P<tens>twenty|thirty)[ -](?P<unit>{_NTH})\b|\b(?P<nth>{_LATER})\b"
    rf"|\b(?P<of>first|second|third)(?= of (?:{_ENGLISH_MONTH}|next month|the month|this month)\b)"
    rf"|(?<=\bthe )(?P<few>first|second|third)(?= (?:of )?(?:{_ENGLISH_MONTH}|next month|the month|this month)\b)"
    rf"|(?<=\b(?:on|by) the )(?P<on>first|second|third)\b(?! (?:day|thing|payment|of the week|week))"
    rf"|(?P<month>\b(?:{_ENGLISH_MONTH}) (?:the )?)(?P<m>first|second|third)\b"
)
_DIA_SAID = "|".join(sorted(_DAY_WORDS, key=len, reverse=True))
_SPOKEN_DIA = re.compile(
    rf"\b(?P<a>{_DIA_SAID})(?= de (?:{_SPANISH_MONTH})\b)"
    rf"|(?<=\b(?:el|al) )(?P<b>{_DIA_SAID})\b(?! (?:pagos|cuotas|por|pesos|euros|dias|semanas|meses))"
    rf"|(?<=\bdia )(?P<c>{_DIA_SAID})\b"
)


def days_as_digits(text: str) -> str:
    """Write "april twenty first" as april 21th and "el quince de abril" as el 15 de abril, for the rules of dates."""
    return _SPOKEN_DIA.sub(lambda found: str(_DAY_WORDS[found[0]]), _SPOKEN_DAY.sub(_nth, text))


def _nth(found: re.Match[str]) -> str:
    if found["tens"]:
        return f"{({'twenty': 20, 'thirty': 30}[found['tens']]) + _ORDINALS[found['unit']]}th"
    lead = found["month"] or ""
    word = found["nth"] or found["of"] or found["few"] or found["on"] or found["m"]
    return f"{lead}{_ORDINALS[word]}th"


_SHARES = ("twice", "hundo", "tenner", "fiver", "thirds", "halves", "quarters", "half", "mitad", "year")
NUMBER_WORDS = frozenset({*_TENS, *_TIMES, *_SHARES, *(word for word in WORDS if WORDS[word] > 1)})
"""Words of English and Spanish that may count something."""
