"""What a condition may ask about: the closed set of facts, each with its kind and meaning."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

NEVER_TOUCHED = 9999
"""``case.days_since_touch`` of a case that was never contacted."""

STAGES = ("pre_due", "early", "late")


def stage_of(days_past_due: int) -> str:
    """Return the stage of a case: ``pre_due`` up to the due date, ``early`` for 30 days after it, then ``late``."""
    if days_past_due <= 0:
        return "pre_due"
    return "early" if days_past_due <= 30 else "late"


class Kind(StrEnum):
    """The kind of a fact, as complaints name it."""

    YES_NO = "yes or no"
    COUNT = "a whole number"
    FRACTION = "a decimal number"
    AMOUNT = "an amount"
    TEXT = "text"


def _fact(kind: Kind, about: str, *, values: tuple[str, ...] = (), least: int | None = None) -> Mapping[str, object]:
    return {"kind": kind, "about": about, "values": values, "least": least}


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The case as it stands when the condition is asked."""

    creditor: str = field(metadata=_fact(Kind.TEXT, "the creditor's id"))
    product: str = field(metadata=_fact(Kind.TEXT, "the product of the account, as the lender names it"))
    stage: str = field(metadata=_fact(Kind.TEXT, "where in its life the case is", values=STAGES))
    currency: str = field(metadata=_fact(Kind.TEXT, "ISO 4217 code of the amounts"))
    days_past_due: int = field(metadata=_fact(Kind.COUNT, "days since the due date; negative before it"))
    amount_due: Decimal = field(metadata=_fact(Kind.AMOUNT, "what is due now, in major units (12.50)", least=0))
    touches_sent: int = field(metadata=_fact(Kind.COUNT, "contacts that left for this case so far", least=0))
    days_since_touch: int = field(
        metadata=_fact(Kind.COUNT, f"whole days since the last of them; {NEVER_TOUCHED} when there was none", least=0)
    )
    last_reply_intent: str = field(
        default="", metadata=_fact(Kind.TEXT, "intent of the borrower's last reply; '' when there was none")
    )


@dataclass(frozen=True, slots=True)
class BorrowerFacts:
    """The borrower. No name, number or address: those decide nothing here."""

    locale: str = field(metadata=_fact(Kind.TEXT, "locale such as es-US"))
    country: str = field(metadata=_fact(Kind.TEXT, "ISO 3166-1 country of residence, '' when unknown"))
    subdivision: str = field(default="", metadata=_fact(Kind.TEXT, "ISO 3166-2 code such as US-CA, '' when unknown"))
    accounts: int = field(default=1, metadata=_fact(Kind.COUNT, "accounts with open cases", least=1))
    language: str = field(default="", metadata=_fact(Kind.TEXT, "language of the locale: es for es-US"))

    def __post_init__(self) -> None:
        if not self.language:
            object.__setattr__(self, "language", self.locale.partition("-")[0])


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The place in the plan."""

    name: str = field(default="", metadata=_fact(Kind.TEXT, "the plan's name"))
    step: str = field(default="", metadata=_fact(Kind.TEXT, "id of the step in question"))
    number: int = field(default=0, metadata=_fact(Kind.COUNT, "its place in the plan, from 1", least=1))


@dataclass(frozen=True, slots=True)
class TriggerFacts:
    """The event that started the plan; empty for a plan that a campaign started."""

    type: str = field(default="", metadata=_fact(Kind.TEXT, "type of the event"))
    amount: Decimal = field(default=Decimal(0), metadata=_fact(Kind.AMOUNT, "amount the event named, else 0", least=0))
    reason: str = field(default="", metadata=_fact(Kind.TEXT, "reason the event named, else ''"))


@dataclass(frozen=True, slots=True)
class InstallmentFacts:
    """The installment a plan of installments is about."""

    number: int = field(default=0, metadata=_fact(Kind.COUNT, "its number in the arrangement, from 1", least=1))
    count: int = field(default=0, metadata=_fact(Kind.COUNT, "installments in the arrangement", least=1))
    amount_due: Decimal = field(default=Decimal(0), metadata=_fact(Kind.AMOUNT, "what is still due of it", least=0))
    paid: bool = field(default=False, metadata=_fact(Kind.YES_NO, "whether it is paid in full"))


@dataclass(frozen=True, slots=True)
class ConditionFacts:
    """Everything a condition may ask about. A name that is not here is an error when the file is read."""

    case: CaseFacts
    borrower: BorrowerFacts
    plan: PlanFacts = PlanFacts()
    trigger: TriggerFacts = TriggerFacts()
    installment: InstallmentFacts = InstallmentFacts()


@dataclass(frozen=True, slots=True)
class Fact:
    """One name a condition may use: ``values`` is its closed set ('' for none), ``least`` its smallest number."""

    name: str
    kind: Kind
    about: str
    values: tuple[str, ...] = ()
    least: int | None = None


GROUPS: Mapping[str, type] = {
    "case": CaseFacts,
    "borrower": BorrowerFacts,
    "plan": PlanFacts,
    "trigger": TriggerFacts,
    "installment": InstallmentFacts,
}
FACTS: Mapping[str, Fact] = {
    f"{group}.{each.name}": Fact(f"{group}.{each.name}", **each.metadata)
    for group, facts in GROUPS.items()
    for each in dataclasses.fields(facts)
}
AUDIENCE_FACTS = frozenset(name for name in FACTS if name.startswith(("case.", "borrower.")))
"""What a campaign's audience may ask: at that point there is no plan, trigger or installment yet."""


class ConditionError(ValueError):
    """A condition that cannot be used. The text says what is wrong and what would be right."""
