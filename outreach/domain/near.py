"""What a misspelt word was probably meant to be: the closing words of every complaint about settings."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return ``; did you mean sms?`` when a known word is near ``word``, else nothing."""
    folded = {name.casefold(): name for name in known}
    wrong = str(word).casefold()
    near = get_close_matches(wrong, list(folded), n=1, cutoff=0.6)
    near = near or [name for name in folded if len(wrong) >= 3 and (name.startswith(wrong) or wrong.startswith(name))]
    return f"; did you mean {folded[near[0]]}?" if near else ""


def unknown_word(kind: str, word: object, known: Iterable[str]) -> str:
    """Return a whole complaint: what is unknown, what was probably meant, what is allowed."""
    names = list(known)
    return f"unknown {kind} {word!r}{did_you_mean(word, names)} (allowed: {', '.join(names)})"
