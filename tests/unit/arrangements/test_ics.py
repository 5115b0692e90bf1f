"""Calendar files: lines of RFC 5545, nothing a summary says can become a line of its own."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.ics import CalendarDay, calendar_text

AT = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)


def test_each_date_is_an_all_day_event() -> None:
    text = calendar_text([CalendarDay("a-1@example.com", date(2027, 12, 31), "Example Bank: $40.00")], AT)
    assert text.splitlines() == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Outreach//Installments//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        "UID:a-1@example.com",
        "DTSTAMP:20270301T150000Z",
        "DTSTART;VALUE=DATE:20271231",
        "DTEND;VALUE=DATE:20280101",
        "SUMMARY:Example Bank: $40.00",
        "TRANSP:TRANSPARENT",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("\r\n"), max_size=200))
def test_a_summary_stays_one_value_and_no_line_is_too_long(summary: str) -> None:
    text = calendar_text([CalendarDay("u", date(2027, 3, 1), summary)], AT)
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = text.replace("\r\n ", "").split("\r\n")
    assert "\n" not in "".join(unfolded)
    assert len(unfolded) == 15
    assert [line for line in unfolded if line.startswith("END:")] == ["END:VEVENT", "END:VCALENDAR"]
