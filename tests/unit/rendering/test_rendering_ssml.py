"""Figures in a call are marked as what they are, in the order of the language, and pass as markup to the provider."""

from datetime import date
from xml.etree import ElementTree as ET

import pytest

from channels.contract import Prompt
from channels.twiml import spoken
from outreach.domain.money import Money
from outreach.domain.words import Channel
from outreach.rendering import ssml
from outreach.rendering.render import Renderer
from outreach.rendering.sample import sample_fields

MARCH = date(2027, 3, 5)


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en_US", '<say-as interpret-as="date" format="mdy">3/5/2027</say-as>'),
        ("en_GB", '<say-as interpret-as="date" format="dmy">5/3/2027</say-as>'),
        ("es_MX", '<say-as interpret-as="date" format="dmy">5/3/2027</say-as>'),
        ("zh_CN", '<say-as interpret-as="date" format="ymd">2027/3/5</say-as>'),
    ],
)
def test_a_date_is_marked_with_the_order_of_its_figures(locale: str, said: str) -> None:
    assert ssml.day(MARCH, locale) == said


def test_an_amount_and_a_number_are_marked() -> None:
    names = (("USD.other", "dollars"),)
    assert (
        ssml.money(Money(125_050, "USD"), "en_US", names) == '<say-as interpret-as="cardinal">1250.50</say-as> dollars'
    )
    assert ssml.money(Money(12_000, "CNY"), "zh_CN", (("CNY.other", "元"),)).endswith("120</say-as>元")
    digits = [f'<say-as interpret-as="digits">{group}</say-as>' for group in ("202", "555", "0143")]
    assert ssml.phone("+12025550143", "US") == ", ".join(digits)


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "es-US", "es-MX", "zh-CN"])
def test_every_part_of_a_call_passes_as_markup_and_leaves_no_bare_tag(renderer: Renderer, locale: str) -> None:
    parts = renderer.render("missed_payment", Channel.IVR, locale, sample_fields(locale)).spoken
    marked = set()
    for words in parts.values():
        say = ET.fromstring(spoken(Prompt(words, locale), "http://outreach.test").body)[0]  # noqa: S314 - our own
        assert "<" not in "".join(say.itertext())
        marked |= {child.attrib.get("interpret-as") for child in say}
    assert marked >= {"cardinal", "date", "digits"}
