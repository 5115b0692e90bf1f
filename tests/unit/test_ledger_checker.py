# ruff: noqa: E501 - one case a line
"""The checker itself: it is silent about a clean book and names each kind of fault."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ledger_checker import Numbers, Seen, Written, check

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # Wednesday, 12:00 in New York
NEW_YORK, HONOLULU = "America/New_York", "Pacific/Honolulu"


def written(number: int = 1, at: datetime = NOON, **changes: object) -> Written:
    base = Written(f"a{number}", f"t{number}", "c1", "b1", "sms", at, "accepted", f"r{number}", (NEW_YORK,))
    return replace(base, **changes)  # type: ignore[arg-type]


def seen(entry: Written, **changes: object) -> Seen:
    base = Seen(
        entry.started_at + timedelta(seconds=1), entry.channel, "+12025550143", entry.provider_ref or "", entry.touch_id
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def kinds(log: list[Seen], ledger: list[Written]) -> set[str]:
    return {fault.what for fault in check(log, ledger)}


def test_a_clean_book_has_no_faults() -> None:
    ledger = [written(number, NOON + timedelta(days=2 * number)) for number in range(4)]
    assert check([seen(one) for one in ledger], ledger) == []
    assert check([], [written(state="released", provider_ref=None)]) == []


DAY = timedelta(days=1)
NIGHT = datetime(2026, 11, 19, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("log", "ledger", "fault"),
    [
        ([seen(written())], [], "sent_but_not_in_ledger"),
        ([], [written()], "accepted_but_never_sent"),
        ([seen(written(), channel="email")], [written()], "sent_on_another_channel"),
        ([seen(written(), at=NOON + timedelta(hours=1))], [written()], "sent_at_another_time"),
        ([seen(written()), seen(written())], [written()], "seen_twice"),
        ([], [written(1, state="unknown"), written(2, NOON + 2 * DAY, touch_id="t1", state="unknown")], "touch_left_twice"),
        ([], [written(state="unknown"), written(state="unknown")], "attempt_written_twice"),
        ([seen(written()), seen(written(2), body="t1")], [written(), written(2)], "same_words_twice"),
        ([], [written(1, NIGHT, state="unknown")], "out_of_hours"),
        ([], [written(state="unknown", zones=(NEW_YORK, HONOLULU))], "out_of_hours"),
        ([], [written(state="unknown", zones=())], "sent_without_a_zone"),
        ([], [written(1, datetime(2026, 11, 22, 18, tzinfo=UTC), channel="voice", state="unknown")], "out_of_hours"),
        ([], [written(n, NOON + n * DAY, state="unknown") for n in range(5)], "too_many_touches"),
        ([], [written(n, NOON + n * DAY, channel="ivr", state="unknown") for n in range(3)], "too_many_calls"),
        ([], [written(1, state="unknown"), written(2, NOON + timedelta(hours=5), state="unknown")], "too_many_in_a_day"),
        ([], [written(1, NIGHT - timedelta(hours=3), state="unknown"), written(2, NOON + 0.8 * DAY, state="unknown")], "too_soon"),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_named(log: list[Seen], ledger: list[Written], fault: str) -> None:
    assert fault in kinds(log, ledger)


def test_a_send_that_reached_the_carrier_after_close_is_found_though_it_started_before() -> None:
    entry = written(1, datetime(2026, 11, 20, 1, 58, tzinfo=UTC))
    assert kinds([seen(entry, at=entry.started_at + timedelta(minutes=4))], [entry]) == {"out_of_hours"}


def test_answers_in_the_borrowers_thread_use_no_slot_and_no_hours() -> None:
    ledger = [written(number, NIGHT + timedelta(minutes=number), answer=True) for number in range(6)]
    assert check([seen(one) for one in ledger], ledger) == []


def test_the_numbers_can_be_told() -> None:
    ledger = [written(1, NIGHT, state="unknown")]
    assert check([], ledger, Numbers(open="00:00", close="24:00")) == []
