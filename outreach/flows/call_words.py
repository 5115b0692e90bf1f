"""What of a call's words may be kept for the person who gets a task. Pure."""

import html
import re

from outreach.flows.call_steps import Heard
from outreach.replies.dialogue_spec import DialogueState

MOST = 2_000
"""Characters of one answer that are kept."""

_MARKS = re.compile(r"<[^>]*>")
_LONG_NUMBER = re.compile(r"[0-9](?:[ .\-]?[0-9]){8,}")
_GAP = re.compile(r" ([,.;:!?，。；])")
_HIDDEN = "[number]"


def words_kept(so_far: DialogueState, heard: Heard) -> str | None:
    """Return what the person said, if it may be kept: never keys, nothing before the person was known.

    An answer to the question of identity is a secret, and whatever else is said before may hold one. Long numbers, such
    as those of cards and accounts, are taken out.
    """
    if not so_far.identified or so_far.awaiting == "identity" or not heard.text:
        return None
    return _LONG_NUMBER.sub(_HIDDEN, heard.text.strip()[:MOST]) or None


def plain_words(said: str) -> str:
    """Return what we said without its marks of speech."""
    plain = " ".join(html.unescape(_MARKS.sub(" ", said)).split())
    return _GAP.sub(r"\1", plain)
