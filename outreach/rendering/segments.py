"""How many SMS segments a text costs, in GSM-7 or UCS-2 (3GPP TS 23.038, TS 23.040)."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import smsutil
from smsutil.codecs import GSM_CHARSET, GSM_EXT_CHARSET

from channels.signs import parts_of, sign_widths

GSM7_SINGLE, GSM7_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


class Encoding(StrEnum):
    """The alphabet a text travels in."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Segments:
    """``count`` segments in ``encoding``."""

    encoding: Encoding
    count: int


_GSM = frozenset(GSM_CHARSET) - {"\x1b"}  # ESC announces an extension character, it is not one
_OUTSIDE_GSM = re.compile(f"[^{re.escape(''.join(sorted(_GSM)))}]")
_EXTENSION = re.compile(f"[{re.escape(GSM_EXT_CHARSET)}]")


def is_gsm(text: str) -> bool:
    """Say whether every character of ``text`` is in the GSM 7-bit alphabet or its extension table."""
    return _OUTSIDE_GSM.search(text) is None


def count_segments(text: str) -> Segments:
    """Count the segments of ``text``.

    Plain cases are arithmetic. Where a character of the extension table may not be split over two segments, smsutil
    does the splitting; what people see as one sign (an emoji of several parts, a letter with its accent) is not split
    either.
    """
    length = len(text)
    if is_gsm(text):
        if not _EXTENSION.search(text):
            return Segments(Encoding.GSM7, 1 if length <= GSM7_SINGLE else -(-length // GSM7_PART))
        return Segments(Encoding.GSM7, len(smsutil.split(text).parts))
    widths = sign_widths(text)
    units = sum(widths)
    if units <= UCS2_SINGLE:
        return Segments(Encoding.UCS2, 1)
    plain = units == len(widths)
    return Segments(Encoding.UCS2, -(-units // UCS2_PART) if plain else parts_of(widths, UCS2_PART))


def fold_to_gsm(text: str) -> str:
    """Write letters outside GSM-7 without their accents where that leaves a GSM-7 letter; keep all else.

    Used only on a text that would otherwise be too long to send: an accent in a name should not cost a person the text.
    """
    return _OUTSIDE_GSM.sub(lambda match: _fold(match[0]), text)


@lru_cache(maxsize=1024)
def _fold(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in _GSM else character
