"""Calendar files: the dates of an installment plan as iCalendar text (RFC 5545), one all-day event each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_LONGEST = 75
"""Octets of one line before it must be folded (RFC 5545 section 3.1)."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One date to remember. ``uid`` is the same whenever the same date is written again."""

    uid: str
    on: date
    summary: str


def calendar_text(days: Sequence[CalendarDay], at: datetime) -> str:
    """Return the file with CRLF line ends. ``at`` (aware) stamps when it was made."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Outreach//Installments//EN", "METHOD:PUBLISH"]
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for day in days:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_escaped(day.uid)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{day.on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day.on + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(day.summary)}",
            "TRANSP:TRANSPARENT",
            "CLASS:PRIVATE",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _escaped(text: str) -> str:
    """Write a text value (RFC 5545 section 3.3.11); a line break in it stays inside the value."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> str:
    """Fold on characters, never inside one."""
    folded, width = "", 0
    for sign in line:
        size = len(sign.encode())
        if width + size > _LONGEST:
            folded, width = f"{folded}\r\n ", 1
        folded, width = folded + sign, width + size
    return folded
