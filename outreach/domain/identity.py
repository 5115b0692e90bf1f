"""How a caller proves to be the borrower: what is asked for, what the answer must be, whether it is."""

import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

YEAR_DIGITS = 4
REFERENCE_DIGITS = 4
FEWEST_DIGITS = 4
MOST_DIGITS = 5


class IdentityMethod(StrEnum):
    """What a creditor asks for on a call before anything about the account is said."""

    BIRTH_YEAR = "birth_year"
    POSTCODE = "postcode"
    REFERENCE_DIGITS = "reference_digits"


@dataclass(frozen=True, slots=True)
class Identity:
    """The question to one borrower. ``expected`` is secret: it is compared, and never shown, logged or stored again.

    None: the answer is not known, so nobody can give it.
    """

    method: IdentityMethod
    expected: str | None = field(default=None, repr=False)

    @property
    def digits(self) -> int:
        """How many digits are asked for."""
        return len(self.expected) if self.expected else FEWEST_DIGITS

    def matches(self, given: str) -> bool:
        """Tell whether these digits are the answer. Takes as long for a wrong one as for the right one."""
        return self.expected is not None and hmac.compare_digest(given.encode(), self.expected.encode())


def identity_of(method: IdentityMethod, *, birth_year: int | None, postcode: str | None, reference: str) -> Identity:
    """Return the question to a borrower, from what is known of them.

    A postcode is asked for by its first digits (five at most), a reference by its last four. What has fewer than four
    digits, such as a British postcode, cannot be asked for on a keypad: then nobody is known.
    """
    match method:
        case IdentityMethod.BIRTH_YEAR:
            answer = str(birth_year) if birth_year else ""
        case IdentityMethod.POSTCODE:
            answer = _digits(postcode or "")[:MOST_DIGITS]
        case IdentityMethod.REFERENCE_DIGITS:
            answer = _digits(reference)[-REFERENCE_DIGITS:]
    return Identity(method, answer if len(answer) >= FEWEST_DIGITS else None)


def _digits(text: str) -> str:
    return "".join(re.findall(r"[0-9]", text))
