"""Bare answers to what was asked: a key that is named with a verb, a figure that is a day, an ordinal that is none."""

import re

from outreach.replies.counts import is_ordinal
from outreach.replies.reading import Awaiting

_PRESSED = re.compile(
    r"^(?:(?:i )?(?:press|pressed|pressing|reply|replying|send|sending|number|option|choose|"
    r"oprimo|marco|presiono|opcion|numero|tecla) |(?:按|回 复|回|选|选 择|发) )+(?=\S+$)"
)
_DAY = re.compile(r"3[01]|[12]\d|0?[1-9]")
_SPAN = re.compile(r"\s*\S+ (?:days?|weeks?|dias?|semanas?)\s*")


def token_of(core: str) -> str:
    """Return the bare token of those who write what they do: "press 1" is 1."""
    return _PRESSED.sub("", core)


def is_day(core: str) -> bool:
    """Say whether an answer is nothing but a figure that could be a day of the month."""
    return _DAY.fullmatch(core) is not None


def dated_answer(text: str, core: str, awaiting: Awaiting | None) -> str:
    """Return ``text`` as the rules of dates should see it.

    "15" is the 15th and "10 days" means in 10 days when a day was asked for; "2nd" is no day when an option was.
    """
    if awaiting is Awaiting.PROMISE_DATE and is_day(core):
        return f"{core}th"
    if awaiting is Awaiting.PROMISE_DATE and _SPAN.fullmatch(text):
        return f"in {text.strip()}"
    if awaiting is Awaiting.OFFER_CHOICE and is_ordinal(core):
        return ""
    return text
