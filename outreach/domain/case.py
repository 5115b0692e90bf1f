"""A borrower, an account and the case that is worked on: what is owed, by whom, and where they can be reached."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from outreach.domain.money import Money


@dataclass(frozen=True, slots=True)
class Borrower:
    """A person who owes. Names, birth year and postcode are personal and may be None once erased.

    ``jurisdictions`` and ``zones`` come from the address, the located ones from where the person last said to be.
    """

    borrower_id: UUID
    given_name: str | None
    family_name: str | None
    birth_year: int | None
    postcode: str | None
    country: str
    subdivision: str | None
    locale: str
    jurisdictions: tuple[str, ...]
    zones: tuple[str, ...]
    located_jurisdictions: tuple[str, ...] = ()
    located_zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One phone number or mailbox of one borrower."""

    contact_point_id: UUID
    borrower_id: UUID
    kind: str
    value: str
    type: str
    label: str
    state: str
    regions: tuple[str, ...]
    zones: tuple[str, ...]
    priority: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Work on one account: amounts in minor units of ``currency``, ``due_on`` the date the amount fell due.

    None for a state of the debt, and an empty ``creditor_kind``, mean that it is not known.
    """

    case_id: UUID
    account_id: UUID
    account_ref: str
    borrower_id: UUID
    creditor_id: str
    state: str
    stage: str
    product: str
    currency: str
    balance_minor: int
    amount_due_minor: int
    due_on: date
    timeline_seq: int
    timeline_hash: str
    charged_off: bool | None = None
    time_barred: bool | None = None
    accelerated: bool | None = None
    creditor_kind: str = ""

    @property
    def amount_due(self) -> Money:
        """What must be paid now."""
        return Money(self.amount_due_minor, self.currency)

    @property
    def balance(self) -> Money:
        """What is owed in all."""
        return Money(self.balance_minor, self.currency)

    def days_past_due(self, today: date) -> int:
        """Days since the due date on the borrower's own calendar; negative before it."""
        return (today - self.due_on).days
