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
    "fifty": 50, "forty": 40, "sixty": 60, "hundred": 100, "cincuenta": 50, "cuarenta": 40,
}  # fmt: skip

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
HAN = "零〇一二三四五六七八九十百千万两俩"
_HAN_ONLY = re.compile(f"[{HAN}]+\\Z")


def number(word: str) -> int | None:
    """Return the value of digits, a number word or Chinese numerals; None when it is none of them."""
    if word.isdecimal():
        return int(word) if len(word) < 10 else None
    if word in WORDS:
        return WORDS[word]
    return han_number(word) if _HAN_ONLY.match(word) else None


def han_number(text: str) -> int | None:
    """Read ``三百五`` as 350, ``两千`` as 2000, ``一万二`` as 12000. None when the signs make no number."""
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
