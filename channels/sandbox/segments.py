"""How many SMS segments a text takes (3GPP TS 23.038 GSM-7, else UCS-2)."""

import re
from typing import Final

from channels.signs import parts_of, sign_widths

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_GSM: Final = _BASIC | _EXTENDED
_all_basic: Final = re.compile(f"[{re.escape(''.join(sorted(_BASIC)))}]*").fullmatch


def count_segments(body: str) -> int:
    """Return how many segments a text is sent in; an empty text takes one."""
    if _all_basic(body):
        return 1 if len(body) <= 160 else -(-len(body) // 153)
    if set(body) <= _GSM:
        return _packed([2 if letter in _EXTENDED else 1 for letter in body], 160, 153)
    return _packed(sign_widths(body), 70, 67)


def _packed(widths: list[int], alone: int, part: int) -> int:
    """Count parts when no sign may be split over two."""
    return 1 if sum(widths) <= alone else parts_of(widths, part)
