"""Amounts, dates, telephone numbers and SMS segments, against Babel, smsutil and known values."""

from datetime import date

import pytest
import smsutil
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.money import Money
from outreach.rendering import formats
from outreach.rendering.segments import Encoding, count_segments, fold_to_gsm, is_gsm

LOCALES = ["en_US", "en_GB", "en_IN", "es_US", "es_MX", "es_ES", "zh_CN", "de_DE", "fr_FR"]
CURRENCIES = ["USD", "GBP", "MXN", "CNY", "INR", "EUR", "JPY", "KWD"]


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "shown"),
    [
        (123450, "USD", "en_US", "$1,234.50"),
        (123450, "GBP", "en_GB", "£1,234.50"),
        (123450, "MXN", "es_MX", "$1,234.50"),
        (123450, "MXN", "es_US", "MXN\u00a01,234.50"),
        (123450, "CNY", "zh_CN", "¥1,234.50"),
        (1234, "JPY", "en_US", "¥1,234"),
        (1234567, "KWD", "en_US", "KWD\u00a01,234.567"),
        (12345678, "INR", "en_IN", "₹1,23,456.78"),
        (5, "USD", "en_US", "$0.05"),
        (-12345, "USD", "en_US", "-$123.45"),
        (123450, "EUR", "de_DE", "1.234,50\u00a0€"),
    ],
)
def test_money_is_written_as_its_locale_writes_it(minor: int, currency: str, locale: str, shown: str) -> None:
    assert formats.money(Money(minor, currency), locale) == shown


@given(
    minor=st.integers(min_value=-(10**12), max_value=10**12),
    currency=st.sampled_from(CURRENCIES),
    locale=st.sampled_from(LOCALES),
)
def test_money_agrees_with_babel_but_for_the_space_after_a_code(minor: int, currency: str, locale: str) -> None:
    amount = Money(minor, currency)
    expected = format_currency(amount.decimal, currency, locale=locale)
    assert formats.money(amount, locale).replace("\u00a0", "") == expected.replace("\u00a0", "")


@given(
    minor=st.integers(min_value=0, max_value=10**10),
    currency=st.sampled_from(CURRENCIES),
    locale=st.sampled_from(["en_US", "en_GB", "es_US", "es_MX"]),
)
def test_money_in_a_text_never_leaves_gsm7(minor: int, currency: str, locale: str) -> None:
    assert is_gsm(formats.money(Money(minor, currency), locale, plain=True))


def test_rupees_in_a_text_are_written_with_their_code() -> None:
    assert formats.money(Money(123450, "INR"), "en_GB", plain=True) == "INR 1,234.50"


@pytest.mark.parametrize(
    ("locale", "medium", "long"),
    [
        ("en_US", "Dec 1, 2026", "December 1, 2026"),
        ("en_GB", "1 Dec 2026", "1 December 2026"),
        ("es_US", "1 dic 2026", "1 de diciembre de 2026"),
        ("es_MX", "1 dic 2026", "1 de diciembre de 2026"),
        ("zh_CN", "2026年12月1日", "2026年12月1日"),
    ],
)
def test_dates_cannot_be_misread(locale: str, medium: str, long: str) -> None:
    assert formats.day(date(2026, 12, 1), locale) == medium
    assert formats.day(date(2026, 12, 1), locale, "long") == long


@pytest.mark.parametrize(
    ("e164", "region", "shown", "spoken"),
    [
        ("+12025550143", "US", "(202) 555-0143", "2 0 2, 5 5 5, 0 1 4 3"),
        ("+12025550143", "MX", "+1 202-555-0143", "1, 2 0 2, 5 5 5, 0 1 4 3"),
        ("+447700900143", "GB", "07700 900143", "0 7 7 0 0, 9 0 0 1 4 3"),
        ("help desk", "US", "help desk", ""),
    ],
)
def test_phone_is_written_and_said_as_people_dial_it(e164: str, region: str, shown: str, spoken: str) -> None:
    assert formats.phone(e164, region) == shown
    assert formats.spoken_phone(e164, region) == spoken


@pytest.mark.parametrize(
    ("amount", "locale", "names", "said"),
    [
        (Money(45000, "USD"), "en_US", (("USD.one", "dollar"), ("USD.other", "dollars")), "450 dollars"),
        (Money(100, "USD"), "en_US", (("USD.one", "dollar"), ("USD.other", "dollars")), "1 dollar"),
        (Money(12550, "USD"), "en_US", (), "125.50 US dollars"),
        (Money(123456700, "MXN"), "es_MX", (), "1234567 pesos mexicanos"),
        (Money(12550, "CNY"), "zh_CN", (("CNY.other", "元"),), "125.50元"),
        (Money(1234, "JPY"), "en_US", (), "1234 Japanese yen"),
        (Money(1500, "KWD"), "en_US", (), "1.500 Kuwaiti dinars"),
    ],
)
def test_money_is_said_in_words(amount: Money, locale: str, names: tuple[tuple[str, str], ...], said: str) -> None:
    assert formats.spoken_money(amount, locale, names) == said


def test_spoken_length_counts_words_or_characters_but_no_markup() -> None:
    assert formats.spoken_seconds('one two <break time="500ms"/> three four', 120, "word") == 2
    assert formats.spoken_seconds("您好，再见。", 240, "character") == 1


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("a" * 160, Encoding.GSM7, 1),
        ("a" * 161, Encoding.GSM7, 2),
        ("a" * 306, Encoding.GSM7, 2),
        ("a" * 307, Encoding.GSM7, 3),
        ("a" * 459, Encoding.GSM7, 3),
        ("a" * 158 + "€", Encoding.GSM7, 1),
        ("a" * 159 + "€", Encoding.GSM7, 2),
        ("a" * 152 + "€" + "a" * 153, Encoding.GSM7, 3),  # the two septets of € may not be parted
        ("{" * 80, Encoding.GSM7, 1),
        ("{" * 81, Encoding.GSM7, 2),
        ("é" * 160, Encoding.GSM7, 1),
        ("á", Encoding.UCS2, 1),
        ("ç", Encoding.UCS2, 1),
        ("a" * 69 + "`", Encoding.UCS2, 1),
        ("a" * 70 + "’", Encoding.UCS2, 2),
        ("中" * 70, Encoding.UCS2, 1),
        ("中" * 71, Encoding.UCS2, 2),
        ("中" * 134, Encoding.UCS2, 2),
        ("中" * 135, Encoding.UCS2, 3),
        ("😀" * 35, Encoding.UCS2, 1),
        ("😀" * 36, Encoding.UCS2, 2),
        ("中" * 66 + "😀" + "中" * 66, Encoding.UCS2, 3),  # a surrogate pair may not be parted
        ("a" * 160 + "…", Encoding.UCS2, 3),
    ],
)
def test_segments_of_known_texts(text: str, encoding: Encoding, count: int) -> None:
    counted = count_segments(text)
    assert (counted.encoding, counted.count) == (encoding, count)


_ALPHABET = st.sampled_from("abcXYZ 0123?!éèùìòñàü€{}[]\\~|^$£¥áíóú中文，。`’…😀")


@given(st.text(_ALPHABET, min_size=1, max_size=400))
def test_segments_agree_with_smsutil(text: str) -> None:
    expected = smsutil.split(text)
    counted = count_segments(text)
    assert counted.count == len(expected.parts)
    assert (counted.encoding is Encoding.GSM7) == (expected.encoding == "gsm0338")


@pytest.mark.parametrize(
    ("text", "folded"), [("María Núñez", "Maria Nuñez"), ("Çağ", "Çag"), ("José", "José"), ("张伟", "张伟")]
)
def test_folding_drops_only_accents_that_gsm7_lacks(text: str, folded: str) -> None:
    assert fold_to_gsm(text) == folded
