"""A file of records on disk (a book, contacts): CSV or JSON Lines, read as a stream, every fault placed at its line."""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Generic, Protocol, TypeVar

import orjson

from outreach.domain import book_lines, contacts
from outreach.domain.book import BookEntry, Defect, value_class
from outreach.domain.book_checks import column_name, is_printable
from outreach.domain.contacts import ContactEntry
from outreach.domain.near import did_you_mean

LONGEST_LINE = 65_536
"""Longest physical line (bytes). A longer one is a file without line ends."""

LONGEST_RECORD = 20
"""Most physical lines one quoted CSV record may run over."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ReadsColumns(Protocol[T_co]):
    """Reads one CSV line whose columns were checked before."""

    def __call__(self, line: int, row: dict[str, str], at: datetime, *, printable: bool = False) -> T_co | list[Defect]:
        """Return what the line says, or its defects."""
        ...


class ReadsObject(Protocol[T_co]):
    """Reads one JSON line."""

    def __call__(self, line: int, value: object, at: datetime) -> T_co | list[Defect]:
        """Return what the line says, or its defects."""
        ...


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """What a kind of file holds: its columns, and how one record is read."""

    columns: tuple[str, ...]
    required: tuple[str, ...]
    read_columns: ReadsColumns[T]
    read_object: ReadsObject[T]


BOOK: Form[BookEntry] = Form(
    book_lines.COLUMNS, book_lines.REQUIRED_COLUMNS, book_lines.read_columns, book_lines.read_object
)
CONTACTS: Form[ContactEntry] = Form(
    contacts.COLUMNS, contacts.REQUIRED_COLUMNS, contacts.read_contact, contacts.read_contact_object
)

_BOM = b"\xef\xbb\xbf"
_FOREIGN = (
    (b"\xff\xfe\x00\x00", "is UTF-32 text"),
    (b"\x00\x00\xfe\xff", "is UTF-32 text"),
    (b"\xff\xfe", "is UTF-16 text"),
    (b"\xfe\xff", "is UTF-16 text"),
    (b"PK\x03\x04", "is a spreadsheet or an archive"),
    (b"\x1f\x8b", "is compressed"),
    (b"%PDF", "is a PDF"),
)
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
_COLUMN_OF_ERROR = re.compile(r"column (\d+)")


class BookFileError(ValueError):
    """The file as a whole cannot be read. Its text is ``file:line: what is wrong; what is allowed``."""

    def __init__(self, path: Path, line: int, text: str) -> None:
        self.line = line
        super().__init__(f"{path}:{line}: {text}")


class BookFile(Generic[T]):
    """One file, read once. ``size`` and ``done`` are bytes, for progress; ``lines`` counts records read so far."""

    def __init__(self, path: Path, at: datetime, form: Form[T]) -> None:
        self.path = path
        self.form = form
        self.at = at
        self.done = 0
        self.lines = 0
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise BookFileError(path, 1, f"cannot be read: {error.strerror}") from None

    def entries(self) -> Iterator[T | list[Defect]]:
        """Yield what each record says, or its defects. Raises BookFileError when no record can be read at all."""
        try:
            with self.path.open("rb") as file:
                start = file.read(4096)
                self._refuse_foreign(start)
                file.seek(len(_BOM) if start.startswith(_BOM) else 0)
                text = start.removeprefix(_BOM).lstrip()
                json = text.startswith(b"{") or self.path.suffix.lower() in _JSON_SUFFIXES
                yield from self._objects(file) if json else self._rows(file)
        except OSError as error:
            raise BookFileError(self.path, 1, f"cannot be read: {error.strerror}") from None

    def _refuse_foreign(self, start: bytes) -> None:
        if not start.removeprefix(_BOM).strip():
            raise BookFileError(self.path, 1, "is empty; expected a header line or JSON objects")
        for mark, text in _FOREIGN:
            if start.startswith(mark):
                raise BookFileError(self.path, 1, f"{text}; export it as CSV in UTF-8")
        if b"\0" in start[:4]:
            raise BookFileError(self.path, 1, "looks like UTF-16 text; export it as CSV in UTF-8")

    def _physical(self, file: BinaryIO) -> Iterator[tuple[int, str | Defect]]:
        """Yield numbered lines as text without their ends, or the defect of a line that is no text."""
        number = 0
        while raw := file.readline(LONGEST_LINE + 1):
            number += 1
            self.done += len(raw)
            if len(raw) > LONGEST_LINE:
                self._skip_line(file, raw)
                allowed = f"at most {LONGEST_LINE} bytes, lines ended by LF or CRLF"
                yield (
                    number,
                    Defect(number, "", f"line of over {LONGEST_LINE} bytes", "is too long for a line", allowed),
                )
                continue
            try:
                yield number, raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                reason = f"is not UTF-8 from byte {error.start + 1} on, probably Latin-1, Windows-1252 or GB 18030"
                yield number, Defect(number, "", f"line of {len(raw)} bytes", reason, "save the file as UTF-8")

    def _skip_line(self, file: BinaryIO, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(LONGEST_LINE)
            self.done += len(raw)

    def _objects(self, file: BinaryIO) -> Iterator[T | list[Defect]]:
        for number, text in self._physical(file):
            if isinstance(text, Defect):
                self.lines += 1
                yield [text]
            elif text.strip():
                self.lines += 1
                yield self._object(number, text)

    def _object(self, number: int, text: str) -> T | list[Defect]:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            # The library's words may quote the text, so only the place is taken from them.
            place = _COLUMN_OF_ERROR.search(str(error))
            reason = f"is not JSON from column {place[1]} on" if place else "is not JSON"
            return [Defect(number, "", value_class(text), reason, "one JSON object a line")]
        return self.form.read_object(number, value, self.at)

    def _rows(self, file: BinaryIO) -> Iterator[T | list[Defect]]:
        records = _records(self._physical(file))
        header = self._header(records)
        for number, fields in records:
            self.lines += 1
            if isinstance(fields, Defect):
                yield [fields]
            elif len(fields) != len(header):
                reason = f"has {len(fields)} fields where the header has {len(header)} columns"
                yield [Defect(number, "", f"row of {len(fields)} fields", reason, "quote fields that hold a comma")]
            else:
                row = dict(zip(header, fields, strict=True))
                yield self.form.read_columns(number, row, self.at, printable=is_printable("".join(fields)))
        if not self.lines:
            raise BookFileError(self.path, 1, "has a header and no rows")

    def _header(self, records: Iterator[tuple[int, list[str] | Defect]]) -> list[str]:
        number, fields = next(records, (1, Defect(1, "", "empty", "is empty")))
        if isinstance(fields, Defect):
            raise BookFileError(self.path, number, f"the header {fields.reason}; {fields.allowed}".rstrip("; "))
        header = [field.strip().lower() for field in fields]
        if problem := _header_problem(header, self.form):
            raise BookFileError(self.path, number, problem)
        return header


def _header_problem(header: list[str], form: Form[T]) -> str | None:
    """Say everything that is wrong with the columns, or None."""
    allowed = f"allowed columns: {', '.join(form.columns)}"
    if not set(header) & set(form.required):
        other = next((mark for mark in ";\t|" if any(mark in field for field in header)), None)
        if other is not None:
            name = "a tab" if other == "\t" else other
            return f"the columns are separated by {name}; separate them by commas"
        return f"the first line is not a header; {allowed}"
    problems = [
        f"unknown column {column_name(name, place)}{did_you_mean(name, form.columns)}"
        for place, name in enumerate(header, 1)
        if name not in form.columns
    ]
    problems += [f"column {name} is given {count} times" for name, count in Counter(header).items() if count > 1]
    problems += [f"column {name} is missing" for name in form.required if name not in header]
    return f"{'. '.join(problems)}. {allowed}" if problems else None


def _records(lines: Iterator[tuple[int, str | Defect]]) -> Iterator[tuple[int, list[str] | Defect]]:
    """Yield CSV records with the number of their first line.

    A quote that is never closed costs its own line only: the lines it would swallow are read again by themselves.
    """
    waiting: deque[tuple[int, str | Defect]] = deque()
    while True:
        number, text = waiting.popleft() if waiting else next(lines, (0, ""))
        if not number:
            return
        if isinstance(text, Defect):
            yield number, text
        elif '"' not in text:
            if text.strip():
                yield number, text.split(",")
        else:
            fields, taken = _quoted(number, text, waiting, lines)
            waiting.extendleft(reversed(taken))
            yield number, fields


def _quoted(
    number: int, text: str, waiting: deque[tuple[int, str | Defect]], lines: Iterator[tuple[int, str | Defect]]
) -> tuple[list[str] | Defect, list[tuple[int, str | Defect]]]:
    """Return the fields of a record with quotes; with a defect, the later lines that are to be read again."""
    taken: list[tuple[int, str | Defect]] = []
    record = [text]
    while True:
        try:
            fields = next(csv.reader([f"{part}\n" for part in record[:-1]] + record[-1:], strict=True))
        except csv.Error as error:
            reason = "has a quote in the wrong place"
            if "unexpected end" in str(error):
                following = waiting.popleft() if waiting else next(lines, None)
                if following is not None:
                    taken.append(following)
                if following is not None and isinstance(following[1], str) and len(record) < LONGEST_RECORD:
                    record.append(following[1])
                    continue
                reason = "opens a quote that is not closed"
            return Defect(number, "", value_class(text), reason, 'a quote inside quotes is written ""'), taken
        # A line break in an address is a matter of layout.
        return [re.sub(r"\s*\n\s*", " ", field) for field in fields] if taken else fields, []
