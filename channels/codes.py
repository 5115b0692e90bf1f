"""What a provider's code can mean to us: kinds, the errors they raise, and the words receipts carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from channels import errors


class Kind(StrEnum):
    """What a code says about the attempt, the person and the lane."""

    OPT_OUT = "opt_out"
    BAD_NUMBER = "bad_number"
    BLOCKED = "blocked"
    NOT_SERVED = "not_served"
    MISCONFIGURED = "misconfigured"
    TRANSIENT = "transient"
    QUOTA = "quota"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One code. ``meaning`` is safe to show: it never quotes an address or a body.

    ``wait_seconds`` is how long the refusal is known to last, where the provider's documents say.
    """

    kind: Kind
    meaning: str
    source: str = ""
    wait_seconds: float | None = None


UNLISTED = Row(Kind.UNKNOWN, "a code that is not in the table")

RAISES: dict[Kind, type[errors.SendError]] = {
    Kind.OPT_OUT: errors.OptedOut,
    Kind.BAD_NUMBER: errors.BadAddress,
    Kind.BLOCKED: errors.ContentRefused,
    Kind.NOT_SERVED: errors.Unsupported,
    Kind.MISCONFIGURED: errors.Misconfigured,
    Kind.TRANSIENT: errors.Throttled,
    Kind.QUOTA: errors.Throttled,
    Kind.AMBIGUOUS: errors.OutcomeUnknown,
    Kind.UNKNOWN: errors.Rejected,
}
"""What a refusal of a create request becomes."""

NEWS: dict[Kind, str] = {kind: error.code for kind, error in RAISES.items()} | {
    # In a receipt the provider had taken it: a transient failure is not a request to slow down.
    Kind.TRANSIENT: errors.Unavailable.code,
}
"""The ``error_class`` of a receipt that brings this kind."""


def row_in(table: Mapping[str, Row], code: str) -> Row:
    """Return what a code means; a code that is not in the table is ``Kind.UNKNOWN``."""
    return table.get(code, UNLISTED)
