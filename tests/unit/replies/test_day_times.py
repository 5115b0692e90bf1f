"""Hours that a reply names are taken where they are plain, and only there."""

import pytest

from outreach.replies.day_times import Times
from outreach.replies.reader import read
from outreach.replies.reading import Intent

CALLS = [
    ("call me at 5", "17:00"),
    ("please call me at 9:30 am", "09:30"),
    ("Call me around 6pm", "18:00"),
    ("can you call me at noon", "12:00"),
    ("llámeme a las 5 de la tarde", "17:00"),
    ("请下午3点给我打电话", "15:00"),
    ("call me", None),
    ("call me at 5 or at 7", None),
    ("call me at 555 0143", None),
]
BARRED = [
    ("I work nights, please don't text me before noon", Times(start="00:00", end="12:00")),
    ("don't call me before 10am", Times(start="00:00", end="10:00")),
    ("don't call me at work hours 9-5", Times(start="09:00", end="17:00")),
    ("don't text me after 8pm", Times(start="20:00", end="00:00")),
    ("no me llamen antes de las 10", Times(start="00:00", end="10:00")),
    ("only text me after 6pm", None),
    ("don't call me on sundays before noon", None),
    ("not a good time", None),
]


@pytest.mark.parametrize(("text", "hour"), CALLS)
def test_the_hour_for_a_call_is_taken_where_it_is_one(text: str, hour: str | None) -> None:
    reading = read(text)
    assert reading.intent is Intent.CALLBACK_REQUEST, reading
    assert (reading.times.at if reading.times else None) == hour


@pytest.mark.parametrize(("text", "times"), BARRED)
def test_hours_not_to_be_reached_are_taken_where_they_are_plain(text: str, times: Times | None) -> None:
    reading = read(text)
    assert reading.intent is Intent.INCONVENIENT_TIME, reading
    assert reading.times == times
