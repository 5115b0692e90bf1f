"""A wish for a language is heard in any of the three, and not where a language is only named."""

import pytest

from outreach.flows.languages import only_asks_language
from outreach.replies.reader import read
from outreach.replies.reading import Intent

WISHES = [
    ("en español por favor", "es"),
    ("EN ESPANOL", "es"),
    ("Spanish please", "es"),
    ("can you write me in spanish?", "es"),
    ("no hablo inglés", "es"),
    ("¿hablan español?", "es"),
    ("请用西班牙语", "es"),
    ("in English please", "en"),
    ("English", "en"),
    ("en inglés por favor", "en"),
    ("I don't speak Spanish", "en"),
    ("请用英文回复", "en"),
    ("请用中文", "zh"),
    ("中文", "zh"),
    ("可以说中文吗", "zh"),
    ("我看不懂英文", "zh"),
    ("請用中文", "zh"),
    ("in Chinese please", "zh"),
    ("en chino por favor", "zh"),
]
NONE = [
    "not in spanish",
    "I teach english at the school",
    "english or spanish, whatever",
    "YES",
    "I paid in english pounds",
    "no en español",
    "不要用中文",
    "fui a clases de español",
]


@pytest.mark.parametrize(("text", "language"), WISHES)
def test_a_wish_for_a_language_is_heard(text: str, language: str) -> None:
    reading = read(text)
    assert reading.language == language
    assert only_asks_language(reading), reading


@pytest.mark.parametrize("text", NONE)
def test_a_language_that_is_only_named_is_no_wish(text: str) -> None:
    assert read(text).language is None


def test_a_wish_beside_others_leaves_them_as_they_are() -> None:
    reading = read("quiero pagar a plazos, en español por favor")
    assert (reading.intent, reading.language) == (Intent.INSTALLMENTS, "es")
    stop = read("STOP texting me in Spanish")
    assert stop.must_stop
    assert not only_asks_language(reading)
    assert not only_asks_language(stop)
