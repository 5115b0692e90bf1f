"""A book on disk: encodings, quotes, columns, every fault at its line."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.book import BookEntry
from outreach.flows.book_file import BOOK, LONGEST_LINE, BookFile, BookFileError, _records

AT = datetime(2027, 3, 1, 9, tzinfo=UTC)
Reader = Callable[..., list[Any]]
HEADER = "borrower_id,locale,country,account_id,product,creditor,currency,balance,amount_due,due_on,given_name"
ROW = "B-{n},en-US,US,A-{n},personal_loan,harbour,USD,10,10,2027-03-01,{name}"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def read(content: Any, name: str = "book.csv") -> list[Any]:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(BookFile(path, AT, BOOK).entries())

    return read


def rows(*names: str) -> str:
    return "\n".join([HEADER, *(ROW.format(n=number, name=name) for number, name in enumerate(names, 1)), ""])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_mark_and_line_ends_make_no_difference(read: Reader, end: str, mark: bytes) -> None:
    first, second = read(mark + rows("Ada", "José").replace("\n", end).encode())
    assert first.borrower.external_id == "B-1"
    assert second.borrower.given_name == "José"
    assert (first.line, second.line) == (2, 3)


def test_columns_may_stand_in_any_order_and_case(read: Reader) -> None:
    (entry,) = read(rows("Ada").replace("borrower_id,locale", "Locale, Borrower_ID ").replace("B-1,en-US", "en-US,B-1"))
    assert entry.borrower.external_id == "B-1"


def test_quoted_fields_hold_commas_quotes_and_line_breaks(read: Reader) -> None:
    one, two, three = read(rows('"Ada, the ""first"""', '"Ada\nBeatrix"', "Clara"))
    assert one.borrower.given_name == 'Ada, the "first"'
    assert two.borrower.given_name == "Ada Beatrix"
    assert three.line == 5


def test_a_quote_that_is_never_closed_costs_its_own_line_only(read: Reader) -> None:
    outcomes = read(rows("Ada", '"Bea', "Clara", *("Dale" for _ in range(40))))
    assert isinstance(outcomes[1], list)
    assert (outcomes[1][0].line, outcomes[1][0].reason) == (3, "opens a quote that is not closed")
    assert all(isinstance(outcome, BookEntry) for outcome in [outcomes[0], *outcomes[2:]])
    assert len(outcomes) == 43


def test_a_quote_in_the_wrong_place_costs_its_own_line_only(read: Reader) -> None:
    first, second, third = read(rows('"A"da', '"Bea', '"Clara"'))
    assert first[0].reason == "has a quote in the wrong place"
    assert isinstance(second, list)
    assert isinstance(third, BookEntry)


def test_a_row_with_too_many_or_too_few_fields_is_refused(read: Reader) -> None:
    first, second = read(f"{HEADER}\nB-1,en-US\n{ROW.format(n=2, name='Ada,Bea')}\n")
    assert "has 2 fields where the header has 11 columns" in first[0].reason
    assert "has 12 fields" in second[0].reason


def test_a_line_that_is_not_utf8_is_refused_with_its_place(read: Reader) -> None:
    first, second = read(rows("José", "Ada").encode("latin-1"))
    assert first[0].line == 2
    assert "is not UTF-8 from byte" in first[0].reason
    assert isinstance(second, BookEntry)


def test_a_nul_byte_is_refused(read: Reader) -> None:
    (outcome,) = read(rows("A\0da"))
    assert outcome[0].reason == "holds a NUL byte"


def test_an_endless_line_is_refused_without_being_kept(read: Reader) -> None:
    first, second = read(rows("A" * (3 * LONGEST_LINE), "Bea"))
    assert "is too long for a line" in first[0].reason
    assert isinstance(second, BookEntry)


def test_blank_lines_are_passed_over(read: Reader) -> None:
    assert len(read(rows("Ada", "Bea").replace("\nB-2", "\n\n  \nB-2"))) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n\n", "is empty"),
        (HEADER.encode() + b"\n", "has a header and no rows"),
        (rows("Ada").encode("utf-16"), "UTF-16"),
        (rows("Ada").encode("utf-16-le"), "UTF-16"),
        (rows("Ada").encode("utf-32"), "UTF-32"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\x1f\x8brest", "compressed"),
        (rows("Ada").replace(",", ";").encode(), "separated by ;"),
        (rows("Ada").replace(",", "\t").encode(), "separated by a tab"),
        (HEADER.replace("locale", "lócale").encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_book_is_refused_as_a_whole(read: Reader, content: Any, words: str) -> None:
    with pytest.raises(BookFileError, match=r"book\.csv:1: ") as refusal:
        read(content)
    assert words in str(refusal.value)


def test_columns_are_checked_all_at_once(read: Reader) -> None:
    header = HEADER.replace("locale", "local").replace("product", "country")
    with pytest.raises(BookFileError) as refusal:
        read(f"{header}\nx\n")
    text = str(refusal.value)
    assert "unknown column local; did you mean locale?" in text
    assert "column country is given 2 times" in text
    assert "column product is missing" in text
    assert "allowed columns: borrower_id, " in text


def test_a_file_without_a_header_does_not_show_its_first_row(read: Reader) -> None:
    with pytest.raises(BookFileError, match="the first line is not a header") as refusal:
        read(ROW.format(n=1, name="Wintermute") + "\n")
    assert "Wintermute" not in str(refusal.value)


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BookFileError, match=r"absent\.csv:1: cannot be read"):
        BookFile(tmp_path / "absent.csv", AT, BOOK)


def test_json_lines_are_known_by_their_first_character_or_name(read: Reader) -> None:
    line = '{"borrower_id":"B-1","locale":"en-US","country":"US","accounts":[]}'
    assert read(line, "book.txt")[0][0].field == "accounts"
    broken, listed, empty = read(f"{{broken\n[]\n\n{line}", "book.jsonl")
    assert broken[0].reason == "is not JSON from column 2 on"
    assert listed[0].reason == "is not an object"
    assert empty[0].line == 4


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(rows("Ada", "Bea"))
    file = BookFile(path, AT, BOOK)
    assert len(list(file.entries())) == 2
    assert file.done == file.size
    assert file.lines == 2


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=8)


@given(st.lists(st.lists(fields, min_size=2, max_size=4), min_size=1, max_size=5))
def test_what_a_csv_writer_writes_is_read_back(table: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    lines = iter(list(enumerate(out.getvalue().removesuffix("\n").split("\n"), 1)))
    expected = [row for row in table if any(field.strip() for field in row) or len(row) > 1]
    assert [row for _, row in _records(lines)] == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = tmp_path_factory.mktemp("book") / "book.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    try:
        outcomes = list(BookFile(path, AT, BOOK).entries())
    except BookFileError:
        return
    assert outcomes
