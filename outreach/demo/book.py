"""The demo's book: read, cut to a size, and told to the carrier, which has to know who is at the other end."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from outreach.demo.cast import Row


def read_book(book: Path) -> list[dict[str, str]]:
    """Read every line of a book as the file has it."""
    with book.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def cut_book(lines: Sequence[Row], into: Path, borrowers: int, always: Iterable[str] = ()) -> list[Row]:
    """Write the lines of so many borrowers to a smaller book, spread over the whole one; ``always`` are among them."""
    people = list(dict.fromkeys(line["borrower_id"] for line in lines))
    every = max(1, len(people) // borrowers)
    wanted = [*dict.fromkeys(always), *people[::every]]
    chosen = set(list(dict.fromkeys(wanted))[:borrowers])
    kept = [line for line in lines if line["borrower_id"] in chosen]
    with into.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(kept)
    return kept


def people_of(lines: Iterable[Row]) -> dict[str, dict[str, object]]:
    """Tell who is at each number and mailbox: their language and what they answer when asked who they are.

    Never their temper: that is the carrier's, by its seed.
    """
    found: dict[str, dict[str, object]] = {}
    for line in lines:
        profile: dict[str, object] = {"locale": line["locale"], "postcode": line["postcode"]}
        if line["birth_year"].isdigit():
            profile["birth_year"] = int(line["birth_year"])
        for column in ("phone_1", "phone_2", "email_1", "email_2"):
            if line[column]:
                found[line[column]] = profile
    return found
