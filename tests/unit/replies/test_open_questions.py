"""Replies to an open question: the option they take, the yes and no they say, and the terms that undo a yes."""

# ruff: noqa: E501 - replies stand in rows

import pytest

from outreach.replies.reader import read
from outreach.replies.reading import Awaiting, Intent, OpenOffer, ReplyContext

OFFERS = tuple(
    OpenOffer(place, count, minor, "USD") for place, (count, minor) in enumerate(((3, 12000), (6, 6500), (12, 3500)), 1)
)


def chosen(text: str) -> int | None:
    context = ReplyContext(awaiting=Awaiting.OFFER_CHOICE, offers=OFFERS)
    return read(text, context=context, default_currency="USD").choice


def answer(text: str, awaiting: Awaiting = Awaiting.CONFIRMATION) -> Intent:
    return read(text, context=ReplyContext(awaiting=awaiting, offers=OFFERS), default_currency="USD").intent


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("the longest", 3), ("cheapest a month please", 3), ("six payments", 2), ("the 65 one", 2), ("la de en medio", 2),
        ("la más corta", 1), ("中间那个", 2), ("最少的那个", 3), ("option b", 2), ("1, no wait 2", 2), ("a year it is", 3),
        ("not the first, not the last", 2), ("六十五的那个", 2), ("la de treinta y cinco", 3), ("120 is too much, the 65", 2),
    ],
)  # fmt: skip
def test_an_option_is_taken_in_the_words_people_use(text: str, option: int) -> None:
    assert chosen(text) == option


@pytest.mark.parametrize(
    "text",
    [
        "1 or 2", "even the 35 is too much", "does the 12 month one cost more", "make the last one 30", "none of these",
        "pick one yourself", "ni la de 35 puedo", "2? 3? idk", "can you do 8 payments", "第一个太重",
    ],
)  # fmt: skip
def test_no_option_is_taken_where_none_is_meant(text: str) -> None:
    assert chosen(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "yes but only if the fee comes off", "yes, if it starts in may", "sí pero que empiece el cinco", "ok, make it 40",
        "yes, 50 a month", "可以,但得从五号开始", "let me think about it", "don't set that up", "cancel that plan",
        "siempre no", "再想想", "取消这个方案",
    ],
)  # fmt: skip
def test_a_no_a_hedge_or_terms_of_ones_own_confirm_nothing(text: str) -> None:
    assert answer(text) is not Intent.CONFIRM_YES


@pytest.mark.parametrize("text", ["yes but please email me a copy", "ok mate", "就照你说的办", "yes, 65 a month"])
def test_a_yes_that_changes_no_terms_confirms(text: str) -> None:
    assert answer(text) is Intent.CONFIRM_YES


@pytest.mark.parametrize(
    "text",
    [
        "no, stop texting me",
        "Stop. cancel the plan",
        "STOP",
        "不要了,别再发短信了",
        "none of them, and don't text me again",
    ],
)
def test_a_stop_in_the_middle_of_a_dialogue_is_heard(text: str) -> None:
    for awaiting in (Awaiting.CONFIRMATION, Awaiting.OFFER_CHOICE):
        assert read(text, context=ReplyContext(awaiting=awaiting, offers=OFFERS)).must_stop


def test_calling_off_the_plan_that_was_read_back_refuses_no_contact() -> None:
    reading = read("cancel it", context=ReplyContext(awaiting=Awaiting.CONFIRMATION))
    assert (reading.intent, reading.must_stop) == (Intent.CONFIRM_NO, False)


def test_an_opt_in_takes_a_yes_without_a_but() -> None:
    assert answer("yes please resume", Awaiting.OPT_IN) is Intent.START
    assert answer("ok but no calls", Awaiting.OPT_IN) is not Intent.START
    assert answer("not at this time", Awaiting.OPT_IN) is Intent.CONFIRM_NO
