"""The demo's cast: the same people whatever the size of the book, each fit for their part, paying as it asks."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from outreach.demo.book import cut_book, people_of, read_book
from outreach.demo.cast import CAST, Manner, Seen, choose_cast, manners, tempers
from outreach.demo.view import cast_table
from outreach.demo.world import SENDER, START
from outreach.settings import ROOT

LINES = read_book(ROOT / "examples" / "portfolio.csv")
PLAYED = choose_cast(LINES, START.date(), SENDER)


def test_every_part_is_played_and_nobody_plays_two() -> None:
    assert {actor.role.name for actor in PLAYED} == {role.name for role in CAST}
    assert len({actor.borrower for actor in PLAYED}) == len(PLAYED)
    addresses = [address for actor in PLAYED for address in actor.addresses]
    assert len(set(addresses)) == len(addresses)
    assert SENDER not in addresses


@pytest.mark.parametrize("size", [150, 200, 601, 1_999, 5_000])
def test_the_cast_is_in_every_cut_of_the_book(tmp_path: Path, size: int) -> None:
    kept = cut_book(LINES, tmp_path / "book.csv", size, [actor.borrower for actor in PLAYED])
    borrowers = {line["borrower_id"] for line in kept}
    assert {actor.borrower for actor in PLAYED} <= borrowers
    assert len(borrowers) == min(size, len({line["borrower_id"] for line in LINES}))
    assert read_book(tmp_path / "book.csv") == kept


def test_a_book_in_which_nobody_fits_has_no_cast() -> None:
    assert choose_cast([line for line in LINES if line["country"] == "IN"], START.date(), SENDER) == ()


def test_the_carrier_knows_the_cast_by_their_part_and_everyone_by_their_language() -> None:
    people = people_of(LINES)
    told = tempers(PLAYED, people)
    stopper = next(actor for actor in PLAYED if actor.role.name == "stop")
    for address in stopper.addresses:
        assert told[address] == {**people[address], "answers_on": 1, **stopper.role.temper}
    others = set(people) - {address for actor in PLAYED for address in actor.addresses}
    assert all("temperament" not in people[each] and told[each] == people[each] for each in others)


def test_only_the_broken_arrangement_is_never_paid_and_one_is_paid_ahead() -> None:
    paid = {actor.role.name: manners(PLAYED)[actor.account] for actor in PLAYED}
    assert paid["arrangement_broken"] is Manner.NEVER
    assert paid["arrangement_kept"] is Manner.AHEAD
    assert paid["installments_in_portal"] is Manner.KEEPS


def test_what_came_about_is_told_with_its_command_and_what_did_not_is_said() -> None:
    screen = Console(width=200, record=True, file=StringIO())
    screen.print(
        cast_table(
            [Seen(CAST[0], "US-00001-1"), Seen(CAST[-1], None)], "outreach case show", "outreach exchange show 0190f3"
        )
    )
    shown = screen.export_text()
    assert "outreach case show US-00001-1" in shown
    assert "what went over the wire for one attempt:\n  outreach exchange show 0190f3\n" in shown.replace(" \n", "\n")
    assert f"Did not come about in this run: {CAST[-1].told} (by the end of day {CAST[-1].by_day})." in shown
