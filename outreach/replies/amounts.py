"""Amounts of money in a reply: value in minor units and currency, or nothing when it is vague."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision

from outreach.replies.loose_amounts import loose_figures
from outreach.replies.numerals import HAN, WORDS, number, spoken_as_digits

_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "MXN", "HKD", "SGD", "TWD", "COP", "CLP", "ARS", "JMD", "BSD"})
_PESOS = frozenset({"MXN", "COP", "CLP", "ARS", "PHP", "DOP", "UYU"})
_YEN_YUAN = frozenset({"CNY", "JPY", "TWD", "HKD", "MOP"})
_WRITTEN = {
    "£": "GBP", "€": "EUR", "₹": "INR", "₩": "KRW", "₱": "PHP", "us$": "USD", "mx$": "MXN", "c$": "CAD", "a$": "AUD",
    "hk$": "HKD", "nt$": "TWD", "usd": "USD", "mxn": "MXN", "eur": "EUR", "gbp": "GBP", "inr": "INR", "cny": "CNY",
    "rmb": "CNY", "cad": "CAD", "aud": "AUD", "jpy": "JPY", "kwd": "KWD", "hkd": "HKD", "twd": "TWD", "cop": "COP",
    "clp": "CLP", "ars": "ARS", "pen": "PEN", "bhd": "BHD", "quid": "GBP", "pound": "GBP", "pounds": "GBP",
    "euro": "EUR", "euros": "EUR", "rupee": "INR", "rupees": "INR", "rs": "INR", "rs.": "INR", "yen": "JPY",
    "yuan": "CNY", "人民币": "CNY", "美元": "USD", "美金": "USD", "港币": "HKD", "欧元": "EUR", "英镑": "GBP",
    "日元": "JPY", "台币": "TWD", "dinar": "KWD", "dinars": "KWD", "kd": "KWD",
}  # fmt: skip
_LOCAL = {
    "$": _DOLLARS, "dollar": _DOLLARS, "dollars": _DOLLARS, "bucks": _DOLLARS, "bux": _DOLLARS, "dolares": _DOLLARS,
    "dlls": _DOLLARS, "peso": _PESOS, "pesos": _PESOS, "¥": _YEN_YUAN, "元": _YEN_YUAN, "块": _YEN_YUAN,
    "块钱": _YEN_YUAN, "円": _YEN_YUAN, "圆": _YEN_YUAN, "大洋": _YEN_YUAN,
}  # fmt: skip
_FALLBACK = {"$": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD", "bux": "USD", "dolares": "USD",
             "dlls": "USD", "peso": "MXN", "pesos": "MXN", "円": "JPY"}  # fmt: skip

_BEFORE = r"us\$|mx\$|hk\$|nt\$|c\$|a\$|\$|£|€|¥|₹|₩|₱|usd|mxn|eur|gbp|inr|cny|rmb|cad|aud|jpy|kwd|hkd|twd|cop|clp|ars|pen|bhd|rs\.?|人民币"
_AFTER = (
    r"us dollars|dollars?|bucks|bux|dolares|dlls|pesos?|euros?|quid|pounds?|rupees?|yen|yuan|dinars?|usd|mxn|eur|gbp|inr|cny|rmb|"
    r"cad|aud|jpy|kwd|hkd|twd|cop|clp|ars|pen|bhd|kd|块钱|块|元|圆|円|大洋|人民币|美元|美金|港币|欧元|英镑|日元|台币|\$|£|€|¥|₹"
)
_FIGURE = r"\d{1,3}(?:[ \u00a0.,'’]\d{3})+(?:[.,]\d{1,3})?|\d+(?:[.,]\d+)?"
_SIGNED = re.compile(
    rf"(?:(?<![a-z])(?P<before>{_BEFORE})\s?(?P<a>{_FIGURE})(?P<ka>k|千|万)?(?![\d])(?:\s?(?P<both>usd|mxn|cad|aud|hkd)\b)?"
    rf"|(?<![\d.,/])(?P<b>{_FIGURE}|[{HAN}]+)\s?(?P<kb>k|mil|千|万)?\s?(?P<after>{_AFTER})(?![a-z]))"
)
_EVERY = (
    r"a week|per week|weekly|each week|every week|a month|per month|monthly|each month|every month|a wk|a mo|/\s?(?:wk|week|mo|month)|biweekly|"
    r"every (?:two|2|other) weeks?|a fortnight|fortnightly|every fortnight|every paycheck|each paycheck|a paycheck|per paycheck|every payday|(?:every|each|per) (?:check|cheque|pay)|"
    r"por semana|a la semana|cada semana|semanal(?:es)?|al mes|por mes|cada mes|mensual(?:es)?|quincenal(?:es)?|por quincena|cada quincena|cada (?:15|quince) dias|"
    r"每月|一个月|每周|一周|每个月|一月"
)
_BARE = re.compile(
    rf"(?<![\d.,/:#$-])(?P<value>{_FIGURE}|(?<![a-z])(?:twenty|thirty|forty|fifty|sixty|cincuenta|cuarenta|treinta|veinte|cien)(?![a-z]))\s?(?P<k>k|mil)?\s*(?:{_EVERY})(?![a-z])"
)
_VERB = re.compile(
    rf"(?:\b(?:drop(?:p?ing?)?|bring(?:ing)?|hit you with|hit you w|consigno|consignar|pay|put|do|swing|scrape together|come up with|spare|have|got|payin|paying|send|sending|afford|sent|paid|manage|offer|give|gave|abonar|abono|entrego|entregar|entregarle|pagar|pagarles|pago|pague|deposito|depositar|deposite|ingreso|ingresar|ingresaros|transfiero|transferir|giro|dar|doy|darles)"
    rf"(?: (?:yesterday|today|ayer|hoy|you|u|about|only|around|like|at least|just|solo|les|le|unos|como|de|another|off))*\s+"
    rf"|(?:每个?月|每周|一个月|每个星期|还|付|转|转你|缴|交|汇|给|给你|打|每期|每次|每笔|拿出|出|先还|只能还|能还|可以还)(?:你|你们|个|大概|只能|先|能|可以|我|还|付|了)*\s*)"
    rf"(?P<value>{_FIGURE}|[{HAN}]{{1,6}})(?:\s(?=mil\b))?(?P<k>k|mil|千|万)?(?![a-z\d])(?!(?:st|nd|rd|th)\b)(?!\s*(?::|/|%|-\d|days?|weeks?|months?|years?|payments?|installments?|times|am\b|pm\b|parts|"
    rf"kids|children|jobs|bills|loans|accounts|hours?|minutes?|mins?|more|of|other|or\b|and\b|equal|smaller|monthly|weekly|dias|semanas|meses|cuotas|pagos|plazos|partes|veces|quincenas|hijos|ninos|horas|部|半|些|下|起|定|直|会|样|切|号|日|天|期|次|月|周|个|点|年|笔|成|分))"
)
_OWED = re.compile(
    r"(?:owe|balance|due|debo|saldo|adeudo|欠|余额|total of|says|late fee of|fee of|interest of)\s*(?:is|of|es|de|you|me|about|了|款)?\s*$"
)
_LARGEST = 10**15
_EACH = re.compile(
    rf"\b(?:payments?|installments?|instalments?|cuotas|pagos|abonos|plazos|mensualidades|parcialidades|partes|quincenas|exhibiciones|letras) (?:of|at|de) (?P<value>{_FIGURE})(?P<k>k)?(?![a-z\d])"
)
_APIECE = re.compile(
    rf"(?<![\d.,/:#$-])(?P<value>{_FIGURE})(?P<k>k)? (?:each(?! (?:of|and|day|person))|apiece|cada un[oa]|c/u)\b"
)
_ON = re.compile(
    rf"(?:^|[.!?,;] )\s*(?P<value>{_FIGURE})(?P<k>k)? (?=(?:on|by|this|next|tomorrow|today|tonight|friday|monday|el|manana|hoy|para el|este)\b)"
)
_SHORT_HAN = re.compile(r"(?<!\d)(\d)([千万])([1-9])(?![\d千百])")
_SLANG = (
    (re.compile(r"\ba (?:tenner|ten spot)\b"), "10 dollars"),
    (re.compile(r"\ba (?:fiver|five spot)\b"), "5 dollars"),
    (re.compile(r"\bhalf (?:a |of )?(?:1000|rack|stack)\b"), "500 dollars"),
    (re.compile(r"\bhalf (?:a |of )?100\b"), "50 dollars"),
    (re.compile(r"\b(?:a |1 |one )?(?:hundo|c-note)\b"), "100 dollars"),
    (re.compile(r"(?<=\d )(?:bones|smackers|clams|smackeroos)\b"), "dollars"),
    (re.compile(r"\b(?:pesitos|varos|bolas|bolitas|pavos|dolaritos|lanas|morlacos|mangos)\b"), "pesos"),
    (re.compile(r"\bdollars and (\d{1,2}) cents\b"), r"dollars \1 cents"),
    (re.compile(r"(?<=\d)/-"), " dollars"),
    (re.compile(r"(\d)[嚿旧]水"), r"\g<1>00块"),
    (re.compile(r"(?<=[\d百千万十])[.]?个半(?!月|小时)"), ".5块"),
)
"""Ways to say an amount that are no figure, and how the rules below read them. The unit is always the lender's own."""
_FEW = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez)"
    r"(?=[ -](?:dollars|bucks|pounds|quid|euros|pesos|dolares|rupees)\b)"
)
_TWICE = re.compile(r"([一二两三四五六七八九][百千万])\1+")
"""五百五百地还: five hundred at a time."""
_CENTS = re.compile(r"(\d+) dollars (\d{1,2}) cents")
_HAN_WATER = re.compile(rf"([{HAN}])(?=[嚿旧]水)")
_HOTLINE = re.compile(r"(?<!\d)(?:12378|12315|12363|12321|12345|110)(?!\d)")
"""Numbers one calls to complain: never an amount."""


def _written_out(found: re.Match[str]) -> str:
    """Write 1万2 as 12000 and 3千5 as 3500."""
    unit = {"千": 1000, "万": 10_000}[found[2]]
    return str(int(found[1]) * unit + int(found[3]) * unit // 10)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount found: ``minor`` units of ``currency``; ``span`` is where it stood in the cleaned text."""

    minor: int
    currency: str
    span: tuple[int, int]


def find_amount(text: str, default_currency: str | None) -> Amount | None:
    """Return the one amount ``text`` offers or states, None when there is none or more than one could be meant.

    ``text`` is cleaned, without accents. An amount the person says they owe gives way to one they say they can pay.
    """
    text = _HOTLINE.sub(" ", _SHORT_HAN.sub(_written_out, spoken_as_digits(text)))
    text = _plainly(text, default_currency)
    found = (
        list(_signed(text, default_currency))
        or list(_bare(text, default_currency))
        or list(_loose(text, default_currency))
    )
    offered = [amount for amount in found if not _OWED.search(text[: amount.span[0]])]
    candidates = offered or found
    if len({(amount.minor, amount.currency) for amount in candidates}) > 1:
        return None
    return candidates[0] if candidates else None


def _plainly(text: str, default: str | None) -> str:
    """Write slang for money as figures with a unit the lender's currency has."""
    if not text.isascii():
        text = _HAN_WATER.sub(lambda found: str(number(found[1]) or ""), text)
    own = {
        "dollars": "dollars" if default in _DOLLARS else (default or "").lower(),
        "pesos": "pesos" if default in _PESOS else (default or "").lower(),
    }
    text = _TWICE.sub(r"\1", text)
    text = _FEW.sub(lambda found: str(WORDS[found[1]]), text)
    for pattern, plain in _SLANG:
        if pattern.search(text):
            unit = next((name for name in own if name in plain), None)
            text = pattern.sub(plain.replace(unit, own[unit]) if unit else plain, text)
    return _CENTS.sub(lambda found: f"{found[1]}.{found[2]:0>2} dollars", text)


def bare_amount(text: str, default_currency: str | None) -> Amount | None:
    """Read a reply that is nothing but a figure ("40", "$40", "150.00") as an amount of the default currency."""
    match = re.fullmatch(rf"\s*(?:about|around|like|only|just|solo)?\s*({_FIGURE})\s*", text)
    if not match or not default_currency:
        return None
    minor = to_minor(match[1], default_currency)
    return Amount(minor, default_currency, match.span(1)) if minor else None


def _signed(text: str, default: str | None) -> Iterator[Amount]:
    for match in _SIGNED.finditer(text):
        currency = _currency(match["both"] or match["before"] or match["after"], default)
        minor = to_minor(match["a"] or match["b"], currency, match["ka"] or match["kb"]) if currency else None
        if currency and minor:
            yield Amount(minor, currency, match.span())


def _bare(text: str, default: str | None) -> Iterator[Amount]:
    if not default:
        return
    spans: set[int] = set()
    for pattern in (_BARE, _VERB, _EACH, _APIECE, _ON):
        for match in pattern.finditer(text):
            minor = to_minor(match["value"], default, match["k"])
            if minor and match.start("value") not in spans:
                spans.add(match.start("value"))
                yield Amount(minor, default, match.span("value"))


def _loose(text: str, default: str | None) -> Iterator[Amount]:
    seen: set[int] = set()
    for figure, scale, span in loose_figures(text) if default else ():
        minor = to_minor(figure, default, scale) if default else None
        if minor and default and span[0] not in seen:
            seen.add(span[0])
            yield Amount(minor, default, span)


def _currency(sign: str, default: str | None) -> str | None:
    if sign in _WRITTEN:
        return _WRITTEN[sign]
    key = "dollars" if sign == "us dollars" else sign
    if default in _LOCAL.get(key, frozenset()):
        return default
    return _FALLBACK.get(key, "CNY")


def to_minor(figure: str, currency: str, scale: str | None = None) -> int | None:
    """Read ``1.200,50`` or ``1,200.50`` as minor units. None when it is not an exact amount of the currency."""
    exponent = get_currency_precision(currency)
    value = _decimal(figure, exponent)
    if value is None:
        return None
    value *= {"k": 1000, "mil": 1000, "百": 100, "千": 1000, "万": 10_000}.get(scale or "", 1)
    minor = value.scaleb(exponent)
    whole = minor == minor.to_integral_value() and 0 < minor < _LARGEST
    return int(minor) if whole else None


def _decimal(figure: str, exponent: int) -> Decimal | None:
    if figure in WORDS or figure[0] in HAN:
        value = number(figure)
        return None if value is None else Decimal(value)
    plain = re.sub(r"[ \u00a0'’]", "", figure)
    marks = [sign for sign in plain if sign in ".,"]
    if not marks:
        return Decimal(plain)
    last = plain.rindex(marks[-1])
    decimals = len(plain) - last - 1
    several = len(set(marks)) == 1 and len(marks) > 1
    thousands = several or (decimals == 3 and len(marks) == 1 and exponent != 3 and plain[0] != "0")
    if thousands:
        return Decimal(re.sub(r"[.,]", "", plain))
    whole = re.sub(r"[.,]", "", plain[:last])
    return Decimal(f"{whole or 0}.{plain[last + 1 :]}")
