"""Days, amounts and numbers of installments as people write them, and what is left alone."""

from datetime import date

import pytest

from outreach.replies.amounts import find_amount
from outreach.replies.counts import find_count
from outreach.replies.date_words import When
from outreach.replies.dates import find_date, may_name_date

_TODAY = date(2026, 11, 18)  # a Wednesday
_HERE = When(_TODAY, past=False, day_first=False)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("i can pay 50 on 2026-12-13", date(2026, 12, 13)),
        ("the day after thanksgiving", date(2026, 11, 27)),
        ("by xmas", date(2026, 12, 25)),
        ("christmas eve", date(2026, 12, 24)),
        ("new year's eve", date(2026, 12, 31)),
        ("el sabado 28", date(2026, 11, 28)),
        ("friday 27", date(2026, 11, 27)),
        ("phone died on me today but ill pay on the 27th", date(2026, 11, 27)),
        ("move it from friday to monday the 23rd", date(2026, 11, 23)),
        ("115 by 11-24", date(2026, 11, 24)),
        ("dos de diciembre", date(2026, 12, 2)),
        ("三日后", date(2026, 11, 21)),
        ("再给十天", date(2026, 11, 28)),
        ("下个月十五", date(2026, 12, 15)),
        ("due date能改到dec 1吗", date(2026, 12, 1)),
        ("元旦那天", date(2027, 1, 1)),
    ],
)
def test_a_day_is_found(text: str, day: date) -> None:
    assert may_name_date(text)
    assert find_date(text, _HERE) == (day, True)


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", "after christmas", "around thanksgiving", "new years", "两三天后", "til weds or so",
     "today or friday", "entre hoy y manana", "after the 10th", "下个月三百"],
)  # fmt: skip
def test_no_day_is_guessed(text: str) -> None:
    assert find_date(text, _HERE)[0] is None


def test_thanksgiving_is_american() -> None:
    assert find_date("on thanksgiving", When(_TODAY, past=False, day_first=True))[0] is None


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("80 on friday", 8000),
        ("i can send 50 this friday", 5000),
        ("a hundred and forty. tuesday.", 14000),
        ("will send one fifty on the first", 15000),
        ("thirty two fifty on the 28th", 3250),
        ("a hundred sixty dollars and twenty cents", 16020),
        ("ten dollars a week", 1000),
        ("fifty a fortnight", 5000),
        ("half a hundred a month", 5000),
        ("de a quinientos por mes", 50000),
        ("quinientos el viernes", 50000),
        ("周五一百五", 15000),
        ("一千一个月", 100000),
        ("五百五百地还", 50000),
    ],
)
def test_an_amount_is_found(text: str, minor: int) -> None:
    found = find_amount(text, "USD")
    assert found is not None
    assert found.minor == minor


@pytest.mark.parametrize(
    "text",
    ["friday 10", "25 fri", "after 9 is fine", "电话555-0128", "我今年七十三了", "凌晨三点四十", "四五百块",
     "要2028先解除", "call me friday at 10", "一百个放心", "千万别"],
)  # fmt: skip
def test_no_amount_is_guessed(text: str) -> None:
    assert find_amount(text, "USD") is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("30 x 7?", 7),
        ("50 six times", 6),
        ("in thirds", 3),
        ("half now half later", 2),
        ("en cuatro partes", 4),
        ("partirlo en cuatro", 4),
        ("50 por mes cuatro meses", 4),
        ("拆成四次", 4),
        ("十个月 每月九十", 10),
        ("现在一半以后一半", 2),
    ],
)
def test_a_number_of_installments_is_found(text: str, count: int) -> None:
    assert find_count(text) == count
