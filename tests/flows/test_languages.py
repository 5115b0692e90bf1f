"""A borrower's wish for a language is heeded at once, in any dialogue and outside of one, and remembered."""

import pytest

from outreach.flows.house import House
from tests.support.book import Someone, put
from tests.support.house import a_house, rows
from tests.support.touching import fake, say, told


def body(house: House) -> str:
    return str(fake(house).sent[-1].content.body)  # type: ignore[union-attr]


async def test_the_question_of_a_dialogue_comes_again_in_the_language_that_was_asked_for(database: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, "PLAN", key="1")
        await say(house, one, "en español por favor", key="2")
        assert "Puede pagar" in body(house)
        await say(house, one, "2", key="3")
        assert "Responda SI" in body(house).replace("Í", "I")
        await say(house, one, "in English please", key="4")
        assert "Reply YES" in body(house)
        await say(house, one, "YES", key="5")
    assert rows(database, "select count(*) from arrangement") == [(1,)]
    assert rows(database, "select locale from borrower") == [("en-US",)]
    assert [entry["locale"] for entry in told(database, "language.chosen")] == ["es-US", "en-US"]


@pytest.mark.parametrize(("words", "locale", "answer"), [
    ("请用中文", "zh-CN", "如想与工作人员沟通"),
    ("Spanish please", "es-US", "Para hablar con una persona"),
])  # fmt: skip
async def test_alone_it_is_answered_in_that_language(database: str, words: str, locale: str, answer: str) -> None:
    one = Someone()
    async with a_house(database) as house:
        put(database, one)
        await say(house, one, words, key="1")
        assert answer in body(house)
        await say(house, one, words, key="2")
    assert rows(database, "select locale from borrower") == [(locale,)]
    assert len(told(database, "language.chosen")) == 1, "what was chosen already is not chosen again"
