"""Which UTF-16 units of a text belong to one sign, as people see it: Twilio's calculator never splits those either."""

import unicodedata

_JOINER = "\u200d"
_CONTINUES = frozenset("\u200c\u200d")


def sign_widths(text: str) -> list[int]:
    """Return how many units each sign takes: a base with its accents, selectors, and what joiners tie to it."""
    widths: list[int] = []
    before, half_flag = "\n", False
    for character in text:
        width = 2 if character > "\uffff" else 1
        flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        if before not in "\r\n" and (_continues(character, before) or (flag and half_flag)):
            widths[-1] += width
            half_flag = False
        else:
            widths.append(width)
            half_flag = flag
        before = character
    return widths


def _continues(character: str, before: str) -> bool:
    if character < "\u0300":
        return False
    kind = unicodedata.category(character)
    skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    return kind[0] == "M" or skin_tone or character in _CONTINUES or (before == _JOINER and kind == "So")


def parts_of(widths: list[int], part: int) -> int:
    """Count the parts of ``part`` units that signs take when none is split unless it is longer than a part."""
    parts, room = 1, part
    for width in widths:
        if width <= room:
            room -= width
        elif width <= part:
            parts, room = parts + 1, part - width
        else:
            more, rest = divmod(width - room, part)
            parts, room = parts + more + (rest > 0), (part - rest) % part
    return parts
