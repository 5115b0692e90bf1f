"""A book of cases as a lender hands it over: what one line says of borrower, accounts, contact points, consents."""

from dataclasses import dataclass
from datetime import date, datetime

from outreach.domain.words import ConsentState, PointKind, PointLabel, PointType

SOURCE = "book"
"""Where facts that came with a book say they came from (``consent.source``)."""

REVOKED_IN_BOOK = "consent.revoked_in_book"
"""Reason of the suppression that a revoked consent in a book puts in force."""


@dataclass(frozen=True, slots=True)
class BorrowerEntry:
    """Who owes, and where they may be. Names, birth year and address are personal and may be missing."""

    external_id: str
    given_name: str | None
    family_name: str | None
    birth_year: int | None
    locale: str
    country: str
    subdivision: str | None
    postcode: str | None
    city: str | None
    address_line: str | None
    jurisdictions: tuple[str, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """What is owed: amounts in minor units of ``currency``.

    None, and an empty ``creditor_kind``: the line does not say.
    """

    external_id: str
    creditor_id: str
    product: str
    currency: str
    balance_minor: int
    amount_due_minor: int
    due_on: date
    charged_off: bool | None = None
    time_barred: bool | None = None
    accelerated: bool | None = None
    creditor_kind: str = ""


@dataclass(frozen=True, slots=True)
class PointEntry:
    """One number or mailbox. ``priority`` counts from 0, the lender's first choice."""

    kind: PointKind
    value: str
    type: PointType
    label: PointLabel
    regions: tuple[str, ...]
    zones: tuple[str, ...]
    priority: int


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One entry of the consent ledger; ``channel`` may be ``any``."""

    kind: str
    channel: str
    state: ConsentState
    at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One accepted line. ``zone_disputed``: the stated time zone is not one of the address."""

    line: int
    borrower: BorrowerEntry
    accounts: tuple[AccountEntry, ...]
    points: tuple[PointEntry, ...]
    consents: tuple[ConsentEntry, ...]
    zone_disputed: bool = False


@dataclass(frozen=True, slots=True)
class Defect:
    """Why a line was not taken. ``value`` is a class of value (``text of 14 characters``), never the value itself."""

    line: int
    field: str
    value: str
    reason: str
    allowed: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line that is sound alone but not beside another line, or beside what is stored.

    ``code`` is ``differs`` (from ``other_line``, same borrower), ``repeated`` (account of ``other_line``),
    ``other_borrower`` (the account is stored under somebody else) or ``erased`` (the borrower's data was erased).
    """

    line: int
    field: str
    code: str
    other_line: int | None


@dataclass(slots=True)
class Tally:
    """How many facts of one kind were new, changed what was stored, or were stored already."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def add(self, other: "Tally") -> None:
        """Count ``other`` in."""
        self.new += other.new
        self.updated += other.updated
        self.unchanged += other.unchanged


FACTS = ("borrowers", "accounts", "points", "consents")
"""The kinds of facts that are tallied."""

Tallies = dict[str, Tally]
"""One tally for each of FACTS."""


def value_class(value: object) -> str:
    """Describe a value without showing it."""
    match value:
        case None | "":
            return "empty"
        case str():
            return f"text of {len(value)} character{'s' if len(value) != 1 else ''}"
        case bool():
            return "true or false"
        case int():
            return "whole number"
        case float():
            return "decimal number"
        case list():
            return f"list of {len(value)}"
        case dict():
            return "object"
        case _:
            return "value of another kind"
