"""Receipts of one attempt end the same in every order and however often they come: the pure merge, exhaustively."""

from dataclasses import replace
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import ReceiptStatus
from outreach.domain.intake import KnownAttempt
from outreach.domain.words import SPOKEN
from outreach.flows.receipts import _merge

News = tuple[str, str | None, int | None]
"""Status, who answered, seconds."""

STATUSES = [str(status) for status in ReceiptStatus]
TEXT = st.tuples(st.sampled_from(STATUSES), st.none(), st.none())
CALL = st.tuples(
    st.sampled_from(STATUSES),
    st.sampled_from([None, "human", "machine", "fax", "unknown"]),
    st.sampled_from([None, 0, 7, 31]),
)


EVERY = ["sms", "email", *sorted(SPOKEN)]


def fresh(channel: str, outcome: str = "accepted", rank: int = 10) -> KnownAttempt:
    key = UUID(int=1)
    return KnownAttempt(key, key, key, key, key, channel, "accepted", outcome, rank, "t", None, None, None, None)


def pending(channel: str) -> KnownAttempt:
    """An attempt whose settlement has not been committed: its news came first."""
    return replace(fresh(channel, "pending", 0), state="started")


def ends(channel: str, news: tuple[News, ...], attempt: KnownAttempt | None = None) -> tuple[Any, ...]:
    """Merge receipts one after the other, as one batch does, and return the state they leave."""
    attempt, so_far = attempt or fresh(channel), None
    for status, by, seconds in news:
        payload = {"status": status, "answered_by": by, "duration_seconds": seconds}
        so_far = _merge(so_far, attempt, payload) or so_far
    if so_far is None:
        return (attempt.outcome, attempt.rank, attempt.anomaly, attempt.answered_by, None)
    return tuple(so_far[name] for name in ("outcome", "rank", "anomaly", "answered_by", "duration_seconds"))


def in_batches(channel: str, batches: list[tuple[News, ...]], attempt: KnownAttempt) -> tuple[Any, ...]:
    """Merge receipts batch by batch: between two, the attempt is as the store has it."""
    for batch in batches:
        outcome, rank, anomaly, by, _ = ends(channel, batch, attempt)
        if (outcome, anomaly, by) != (attempt.outcome, attempt.anomaly, attempt.answered_by):
            attempt = replace(
                attempt, state="accepted", outcome=outcome, rank=rank, anomaly=anomaly or attempt.anomaly,
                answered_by=by,
            )  # fmt: skip
    return (attempt.outcome, attempt.anomaly, attempt.answered_by)


def all_orders(channel: str, news: list[News]) -> set[tuple[Any, ...]]:
    return {ends(channel, order) for order in set(permutations(news))}


@pytest.mark.parametrize("channel", ["sms", "email"])
@settings(max_examples=60, deadline=None)
@given(news=st.lists(TEXT, min_size=1, max_size=6))
def test_receipts_of_a_text_or_an_email_end_the_same_in_every_order(channel: str, news: list[News]) -> None:
    assert len(all_orders(channel, news)) == 1


@settings(max_examples=100, deadline=None)
@given(channel=st.sampled_from(sorted(SPOKEN)), news=st.lists(CALL, min_size=1, max_size=6))
def test_receipts_of_a_call_end_the_same_in_every_order(channel: str, news: list[News]) -> None:
    assert len(all_orders(channel, news)) == 1


@pytest.mark.parametrize("channel", EVERY)
@given(news=st.lists(CALL, min_size=1, max_size=6), data=st.data())
def test_duplicates_change_nothing(channel: str, news: list[News], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(news), max_size=6))
    assert ends(channel, tuple(news)) == ends(channel, tuple(news + again))


@pytest.mark.parametrize("channel", EVERY)
@settings(max_examples=40, deadline=None)
@given(news=st.lists(CALL, min_size=1, max_size=5))
def test_news_that_outran_the_attempts_own_commit_ends_the_same_in_every_order(channel: str, news: list[News]) -> None:
    orders = {ends(channel, order, pending(channel)) for order in set(permutations(news))}
    assert len(orders) == 1


@pytest.mark.parametrize("channel", EVERY)
@settings(max_examples=40, deadline=None)
@given(news=st.lists(CALL, min_size=2, max_size=6), data=st.data())
def test_news_that_comes_in_several_batches_ends_as_in_one(channel: str, news: list[News], data: st.DataObject) -> None:
    order = tuple(data.draw(st.permutations(news)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1))))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    for attempt in (fresh(channel), pending(channel)):
        assert in_batches(channel, batches, attempt) == in_batches(channel, [tuple(news)], attempt)


USUAL: list[tuple[str, list[News], tuple[str, str | None]]] = [
    ("sms", [("sent", None, None), ("undelivered", None, None), ("delivered", None, None)],
     ("delivered", "delivered_and_failed")),
    ("sms", [("accepted", None, None), ("sending", None, None), ("sent", None, None), ("delivered", None, None),
             ("delivered", None, None), ("read", None, None)], ("read", None)),
    ("email", [("sent", None, None), ("failed", None, None), ("delivered", None, None)],
     ("delivered", "delivered_and_failed")),
    ("voice", [("ringing", None, None), ("answered", None, None), ("completed", "machine", 12)],
     ("voicemail_possible", None)),
    ("voice", [("ringing", None, None), ("answered", "human", None), ("completed", "machine", 12)],
     ("answered_unverified", None)),
    ("ivr", [("ringing", None, None), ("no_answer", None, None), ("busy", None, None)], ("no_answer", None)),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "news", "wanted"), USUAL, ids=[f"{n}-{row[0]}" for n, row in enumerate(USUAL)])
def test_the_usual_sequences_end_as_they_should(channel: str, news: list[News], wanted: tuple[str, str | None]) -> None:
    (end,) = all_orders(channel, news)
    assert (end[0], end[2]) == wanted
