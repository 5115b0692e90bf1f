"""The words that the templates ask borrowers to answer with are words that the reader of replies understands."""

import pytest

from outreach.rendering.catalog import Catalog
from outreach.replies.reader import read
from outreach.replies.reading import Awaiting, Intent, ReplyContext

MEANT = {
    "stop": Intent.STOP,
    "start": Intent.START,
    "help": Intent.HELP,
    "plan": Intent.INSTALLMENTS,
    "paid": Intent.ALREADY_PAID,
}
CONFIRMED = {"yes": Intent.CONFIRM_YES, "no": Intent.CONFIRM_NO}


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "es-US", "es-MX", "zh-CN"])
def test_every_answer_word_is_understood(catalog: Catalog, locale: str) -> None:
    keys = catalog.locales.by_code[locale].keys
    read_as = {name: read(keys[name], lang=locale).intent for name in MEANT}
    assert read_as == MEANT
    assert read(keys["stop"], lang=locale).must_stop


@pytest.mark.parametrize("locale", ["en-US", "es-MX", "zh-CN"])
def test_yes_and_no_are_understood_when_asked_for(catalog: Catalog, locale: str) -> None:
    keys = catalog.locales.by_code[locale].keys
    asked = ReplyContext(awaiting=Awaiting.CONFIRMATION)
    assert {name: read(keys[name], lang=locale, context=asked).intent for name in CONFIRMED} == CONFIRMED


def test_the_stop_word_of_chinese_mail_is_understood() -> None:
    assert read("退订", lang="zh-CN", channel="email").must_stop
