"""Hours that a reply names are taken where they are plain, and only there."""

from datetime import date

import pytest

from outreach.replies.day_times import Times
from outreach.replies.reader import read
from outreach.replies.reading import Awaiting, Intent, ReplyContext

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
    ("no me llamen después de las 8 de la noche", Times(start="20:00", end="00:00")),
    ("don't call me at work on mondays", None),
    ("only text me after 9", None),
    ("周一至周五上班时间不要打电话", None),
    ("not a good time", None),
]
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
NO_STOP = [
    ("do not text me between 1 and 3 pm", Times(start="13:00", end="15:00")),
    ("Stop texting me between 1 and 3 pm, I'm at work", Times(start="13:00", end="15:00")),
    ("don't text between 10pm and 7am", Times(start="22:00", end="07:00")),
    ("no calls before 10am or after 6pm", Times(start="10:00", end="18:00", only=True)),
    ("don't text me on Mondays", Times(start="00:00", end="24:00", days=("mon",))),
    ("no me llamen los lunes, martes y jueves", Times(start="00:00", end="24:00", days=("mon", "tue", "thu"))),
    ("no me manden mensajes entre la 1 y las 3 pm", Times(start="13:00", end="15:00")),
    ("dejen de llamarme entre las 9 y las 5", Times(start="09:00", end="17:00")),
    ("no me contacten de lunes a viernes de 9 a 5", Times(start="09:00", end="17:00", days=WORKDAYS)),
    ("不要在下午1点到3点之间发短信", Times(start="13:00", end="15:00")),
    ("請不要在下午一點到三點傳簡訊", Times(start="13:00", end="15:00")),
    ("周一到周五不要打", Times(start="00:00", end="24:00", days=WORKDAYS)),
    ("星期六、星期日不要打電話", Times(start="00:00", end="24:00", days=("sat", "sun"))),
    ("not on Mondays", Times(start="00:00", end="24:00", days=("mon",))),
    ("only on weekends", Times(start="00:00", end="24:00", days=("sat", "sun"), only=True)),
    ("after 6 on weekdays", Times(start="00:00", end="18:00", days=WORKDAYS)),
    ("text me only after 6 pm on weekdays", Times(start="18:00", end="00:00", days=WORKDAYS, only=True)),
    ("los lunes no", Times(start="00:00", end="24:00", days=("mon",))),
    ("solo los fines de semana", Times(start="00:00", end="24:00", days=("sat", "sun"), only=True)),
    ("entre semana después de las 6", Times(start="00:00", end="18:00", days=WORKDAYS)),
    ("周末不要打", Times(start="00:00", end="24:00", days=("sat", "sun"))),
    ("平日晚上七點後", Times(start="00:00", end="19:00", days=WORKDAYS)),
    ("只有周末可以联系", Times(start="00:00", end="24:00", days=("sat", "sun"), only=True)),
]
STOPS = [
    "STOP. do not text me between 1 and 3 pm",
    "do not text me between 1 and 3 pm or ever again",
    "stop, don't text me on Mondays",
    "don't text me, on Mondays I work",
    "please stop. only text me after 6",
    "don't ever text me again monday to sunday",
    "dejen de escribirme, los lunes trabajo",
    "no me llamen nunca más, ni los lunes",
    "不要再给我发短信，周末也是",
    "周一到周日都不要打",
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


@pytest.mark.parametrize(("text", "times"), NO_STOP)
def test_refusing_some_hours_or_days_is_no_stop(text: str, times: Times) -> None:
    reading = read(text)
    assert (reading.intent, reading.must_stop, reading.must_pause) == (Intent.INCONVENIENT_TIME, False, False)
    assert reading.times == times


@pytest.mark.parametrize("text", STOPS)
def test_a_stop_beside_times_stays_a_stop(text: str) -> None:
    assert read(text).must_stop


def test_what_is_said_beside_times_is_kept() -> None:
    both = read("I lost my job. Don't call me between 9 and 5")
    assert (both.intent, both.also) == (Intent.HARDSHIP, (Intent.INCONVENIENT_TIME,))
    assert both.times == Times(start="09:00", end="17:00")
    paid = read("I can pay 50 friday. Only text me on weekends", ref_date=date(2026, 3, 11))
    assert paid.intents == (Intent.INCONVENIENT_TIME, Intent.PROMISE_TO_PAY)
    assert paid.on == date(2026, 3, 13)


@pytest.mark.parametrize("text", ["not on Mondays", "después de las 6 entre semana", "周末"])
def test_bare_times_answer_the_question_that_was_asked(text: str) -> None:
    reading = read(text, context=ReplyContext(awaiting=Awaiting.PROMISE_DATE), ref_date=date(2026, 3, 11))
    assert reading.times is None


def test_paying_on_a_weekday_is_no_wish_for_times() -> None:
    for text in ("i can pay after 6 on friday", "not on Monday, I get paid Friday", "pago los lunes", "周末还"):
        assert read(text).times is None, text
