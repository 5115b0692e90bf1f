"""How a person goes on with a written exchange: what they say next to the words they were sent. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from channels.sandbox.people import TALKERS

_OPTION: Final = re.compile(r"(?:^|[\s,;(（，；。])([1-9])\s?(?:[).:、）：.]|\s[-–=]\s)")
_REPLY_DIGIT: Final = re.compile(
    r"(?:reply|text|press|send|responda|responde|env[ií]e|回复|发送|回)\s*(?:with|con)?\s*[\"“「']?([1-9])(?![\d.,]*\d)",
    re.IGNORECASE,
)
_CONFIRM: Final = re.compile(r"\b(?:YES|SÍ|SI)\b|(?:回复|回|发送)\s*[\"“「'【]?\s*(?:是|确认|同意|好)")
_MAX_TURNS: Final = 6


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where a person is: ``opened`` once they said what they want, then what they settled."""

    opened: bool = False
    chose: bool = False
    confirmed: bool = False
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What they say: a key of ``wording.WORDS``, or the literal text of an option number."""

    intent: str | None
    literal: str | None
    after: Exchange


def options_in(text: str) -> list[str]:
    """Find the numbers of the choices a text offers, like ``1)`` or ``Reply 2``; none unless it starts at 1."""
    found = sorted(set(_OPTION.findall(text)) | set(_REPLY_DIGIT.findall(text)))
    return found if found[:1] == ["1"] else []


def asks_to_confirm(text: str) -> bool:
    """Say whether a text asks for a YES."""
    return _CONFIRM.search(text) is not None


def react(temper: str, exchange: Exchange, text: str, *, ready: bool, chooses: int | None = None) -> Turn | None:
    """Decide what a person says to a text, if anything. ``ready`` is whether this touch moves them to open.

    ``chooses`` is the option they take when it is offered, else the second, else the first.
    """
    if temper not in TALKERS or exchange.confirmed or exchange.turns >= _MAX_TURNS:
        return None
    if not exchange.opened:
        return Turn(temper, None, _next(exchange, opened=True)) if ready else None
    if temper not in {"installments", "promise", "paid", "help"}:
        return None
    options = options_in(text)
    if asks_to_confirm(text) and (exchange.chose or not options):
        return Turn("yes", None, _next(exchange, confirmed=True))
    if options and temper == "installments":
        choice = str(chooses or 2) if str(chooses or 2) in options else options[0]
        return Turn(None, choice, _next(exchange, chose=True))
    return None


def _next(exchange: Exchange, *, opened: bool = False, chose: bool = False, confirmed: bool = False) -> Exchange:
    return Exchange(
        opened=exchange.opened or opened,
        chose=exchange.chose or chose,
        confirmed=exchange.confirmed or confirmed,
        turns=exchange.turns + 1,
    )
