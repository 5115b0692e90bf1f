"""Bare answers to what was asked: a key that is named with a verb, a figure that is a day, an ordinal that is none."""

import re

from outreach.replies.counts import bare_number, is_ordinal
from outreach.replies.matching import Lexicon, Words
from outreach.replies.reading import ALL_CHANNELS, PAUSING, Awaiting, Intent, Reading, ReplyContext

_PRESSED = re.compile(
    r"^(?:(?:i )?(?:press|pressed|pressing|reply|replying|send|sending|number|option|choose|"
    r"oprimo|marco|presiono|opcion|numero|tecla) |(?:按|回 复|回|选|选 择|发) )+(?=\S+$)"
)
_DAY = re.compile(r"3[01]|[12]\d|0?[1-9]")
_SPAN = re.compile(r"\s*\S+ (?:days?|weeks?|dias?|semanas?)\s*")


def token_of(core: str) -> str:
    """Return the bare token of those who write what they do: "press 1" is 1."""
    return _PRESSED.sub("", core)


def promised(words: Words, context: ReplyContext, lexicon: Lexicon) -> Reading | None:
    """Read a bare token as the last prompt promised it would be read."""
    token = token_of(words.core)
    for key, intent in context.keys.items():
        if token and token == lexicon.words(key).core:
            choice = bare_number(words.core) if intent is Intent.CHOOSE_OPTION else None
            stop = intent is Intent.STOP
            return Reading(
                intent, 0.99, choice=choice, must_stop=stop,
                must_pause=intent in PAUSING,
                stop_channels=ALL_CHANNELS if stop else (),
                explanation="the last prompt promised this key",
            )  # fmt: skip
    return None


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


_MONTH_FIRST = frozenset({"USD", "CNY", "JPY", "KRW", "TWD", "PHP"})


def day_first(lang: str, currency: str | None) -> bool | None:
    """Say whether 3/4 is 3 April here: by region, else by language, else by currency, else unknown."""
    language, _, region = lang.lower().partition("-")
    if region in ("us", "ph", "cn", "tw") or language == "zh":
        return False
    if region or language == "es":
        return True
    if currency is None:
        return None
    return currency not in _MONTH_FIRST
