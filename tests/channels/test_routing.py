"""The choice of a sender: country, weight, health, and that nobody changes senders without need."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.routing import (
    Ending,
    Health,
    Route,
    Rules,
    admits,
    begun,
    drifted,
    ended,
    in_order,
    number_for,
    rests_for,
    serving,
)

RULES = Rules()
A, B = Route("a", 3), Route("b", 1)
WELL = {"a": Health(), "b": Health(), "c": Health()}
PEOPLE = [f"person-{n}" for n in range(4_000)]
endings = st.lists(st.tuples(st.sampled_from(list(Ending)), st.floats(0.1, 100)), max_size=60)


def names(routes: list[Route]) -> list[str]:
    return [route.name for route in routes]


NEW = Health()


def lived(*steps: tuple[Ending, float], health: Health = NEW, start: float = 0.0) -> tuple[Health, float]:
    """Let a sender live through endings, each some seconds after the one before."""
    at = start
    for ending, seconds in steps:
        at += seconds
        health = drifted(health, at, RULES)
        if admits(health, at):
            health = ended(begun(health), ending, at, RULES)
    return health, at


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+8612905550312", ["cn"]), ("+85290000000", ["hk", "shared"]), ("+447700900123", ["uk", "any"]),
        ("+12025550143", ["any"]), ("ana@example.com", ["any"]),
    ],
)  # fmt: skip
def test_the_longest_prefix_decides_and_who_names_none_serves_the_rest(address: str, expected: list[str]) -> None:
    routes = [
        Route("cn", prefixes=("+86",)), Route("hk", prefixes=("+852",)), Route("shared", prefixes=("+852", "+853")),
        Route("any"), Route("uk", prefixes=("+44",)),
    ]  # fmt: skip
    if address.startswith("+44"):
        expected = ["uk"]
    assert names(serving(routes, address)) == expected


def test_without_a_sender_for_the_rest_other_countries_have_none() -> None:
    assert serving([Route("cn", prefixes=("+86",))], "+12025550143") == []
    assert names(serving([Route("cn", prefixes=("+86",)), Route("all", prefixes=("+",))], "+12025550143")) == ["all"]


def test_weights_are_kept_over_many_people_and_each_keeps_theirs() -> None:
    first = {person: in_order([A, B], WELL, person)[0].name for person in PEOPLE}
    assert 0.72 < Counter(first.values())["a"] / len(PEOPLE) < 0.78
    assert first == {person: in_order([B, A], WELL, person)[0].name for person in PEOPLE}


def test_a_shift_moves_only_people_of_the_sender_in_trouble() -> None:
    before = {person: in_order([A, B], WELL, person)[0].name for person in PEOPLE}
    after = {person: in_order([A, B], WELL | {"a": Health(share=0.5)}, person)[0].name for person in PEOPLE}
    assert all(after[person] == "b" for person in PEOPLE if before[person] == "b")
    assert 0.55 < Counter(after.values())["a"] / len(PEOPLE) < 0.65  # 1.5 of 2.5


def test_a_standby_carries_only_what_nobody_else_can() -> None:
    spare = Route("c", 0)
    assert {in_order([A, spare], WELL, person)[0].name for person in PEOPLE[:200]} == {"a"}
    assert names(in_order([spare], WELL, "x")) == ["c"]


def test_trouble_halves_the_share_once_a_window_and_never_below_the_floor() -> None:
    health, _ = lived(*[(Ending.TROUBLE, 0.1)] * 3)
    assert health.share == 0.5
    health, _ = lived(*[(Ending.TROUBLE, 0.1)] * 200)
    assert health.share == RULES.floor


def test_a_little_trouble_among_much_that_is_good_shifts_nothing() -> None:
    steps = ([(Ending.GOOD, 0.1)] * 19 + [(Ending.TROUBLE, 0.1)]) * 20
    assert lived(*steps)[0].share == 1.0


def test_refusals_of_numbers_say_nothing_against_a_sender() -> None:
    assert lived(*[(Ending.GOOD, 0.01)] * 500)[0].share == 1.0


def test_weight_comes_back_in_steps_after_a_hold() -> None:
    health, at = lived(*[(Ending.TROUBLE, 1.0)] * 3)
    shares = [round(drifted(health, at + seconds, RULES).share, 2) for seconds in (299, 300, 329, 330, 420, 450, 9999)]
    assert shares == [0.5, 0.6, 0.6, 0.7, 1.0, 1.0, 1.0]
    walked = health
    for second in range(420):
        walked = drifted(walked, at + second, RULES)
    assert round(walked.share, 2) == 0.9


def test_trouble_that_returns_before_the_sender_is_whole_is_held_twice_as_long() -> None:
    health, at = lived(*[(Ending.TROUBLE, 1.0)] * 3)
    assert health.hold == 300
    again, at = lived(*[(Ending.TROUBLE, 1.0)] * 3, health=drifted(health, at + 400, RULES), start=at + 400)
    assert again.hold == 600
    whole = drifted(drifted(again, at + 5_000, RULES), at + 9_000, RULES)
    assert (whole.share, whole.hold) == (1.0, 0.0)


@given(st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_a_sender_that_is_bad_whenever_it_has_weight_does_not_flap(hours: int) -> None:
    """Its share falls at most a few times an hour, however long it goes on."""
    health, at, falls = Health(), 0.0, []
    for _ in range(hours * 360):
        at += 10.0
        health = drifted(health, at, RULES)
        after = ended(health, Ending.TROUBLE if health.share > 0.5 else Ending.GOOD, at, RULES)
        if after.share < health.share:
            falls.append(at)
        health = after
    assert len(falls) <= 4 + 2 * hours
    assert all(later - earlier >= RULES.hold_seconds for earlier, later in pairwise(falls[1:]))


def test_failures_in_a_row_leave_a_sender_alone_then_one_attempt_tries_it() -> None:
    health, at = lived(*[(Ending.FAILED, 0.1)] * RULES.open_after)
    assert not admits(health, at)
    assert rests_for([health], at) == pytest.approx(RULES.open_seconds)
    due = at + RULES.open_seconds
    assert admits(health, due)
    trying = begun(health)
    assert not admits(trying, due)
    passed = ended(trying, Ending.GOOD, due, RULES)
    assert (admits(passed, due), passed.share) == (True, RULES.floor)
    failed = ended(trying, Ending.FAILED, due, RULES)
    assert failed.open_until - due == 2 * RULES.open_seconds


def test_a_success_in_between_keeps_a_sender_in_use() -> None:
    steps = ([(Ending.FAILED, 0.1)] * 4 + [(Ending.GOOD, 0.1)]) * 5
    health, at = lived(*steps)
    assert admits(health, at)


def test_wrong_credentials_leave_a_sender_alone_at_once() -> None:
    health, at = lived((Ending.MISCONFIGURED, 1.0))
    assert (admits(health, at), health.misconfigured) == (False, True)


@given(endings)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_health_stays_in_bounds_and_heals(steps: list[tuple[Ending, float]]) -> None:
    health, at = lived(*steps)
    assert RULES.floor <= health.share <= 1.0
    assert health.open_for <= RULES.longest_seconds
    assert health.open_until - at <= RULES.longest_seconds
    later = at + RULES.longest_seconds
    assert admits(health, later)
    well = ended(begun(health), Ending.GOOD, later, RULES)
    assert drifted(well, later + 20_000, RULES).share == 1.0


@given(st.lists(st.sampled_from(list(Ending)), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_trial_is_never_two(steps: list[Ending]) -> None:
    health = replace(lived(*[(Ending.FAILED, 0.1)] * 5)[0], open_until=0.0)
    for ending in steps:
        if admits(health, 1e6) and health.is_open:
            health = begun(health)
            assert not admits(health, 1e6)
        health = ended(health, ending, 1e6, RULES)


def test_a_person_keeps_their_number_and_a_new_one_takes_only_its_share() -> None:
    pool = tuple(f"+1202555{n:04d}" for n in range(100, 110))
    route, grown = Route("a", numbers=pool), Route("a", numbers=(*pool, "+12025550199"))
    before = {person: number_for(route, "+12025550143", person) for person in PEOPLE}
    after = {person: number_for(grown, "+12025550143", person) for person in PEOPLE}
    moved = [person for person in PEOPLE if before[person] != after[person]]
    assert {after[person] for person in moved} == {"+12025550199"}
    assert 0.05 < len(moved) / len(PEOPLE) < 0.14
    assert set(before.values()) == set(pool)
    assert number_for(Route("a"), "+12025550143", "x") is None


def test_local_presence_is_off_unless_asked_for() -> None:
    pool = ("+12025550101", "+13125550102", "+13125550103")
    plain, local = Route("a", numbers=pool), Route("a", numbers=pool, local_presence=True)
    assert {number_for(plain, "+13125550143", person) for person in PEOPLE[:200]} == set(pool)
    assert {number_for(local, "+13125550143", person) for person in PEOPLE[:200]} == set(pool[1:])
    assert {number_for(local, "+14155550143", person) for person in PEOPLE[:200]} == set(pool)
    assert {number_for(local, "+447700900123", person) for person in PEOPLE[:200]} == set(pool)
