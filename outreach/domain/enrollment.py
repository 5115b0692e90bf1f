"""A case on a plan version: the rows the scheduler works with."""

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

from outreach.domain.calendar import first_zone
from outreach.domain.condition_facts import (
    NEVER_TOUCHED,
    BorrowerFacts,
    CaseFacts,
    ConditionFacts,
    InstallmentFacts,
    PlanFacts,
    TriggerFacts,
    stage_of,
)
from outreach.domain.money import Money

_NO_TRIGGER = TriggerFacts(type="", amount=Decimal(0), reason="")
_NO_INSTALLMENT = InstallmentFacts()


@dataclass(frozen=True, slots=True)
class DueEnrollment:
    """An enrollment whose next step is due, as claimed."""

    enrollment_id: UUID
    case_id: UUID
    borrower_id: UUID
    plan: str
    plan_version: str
    campaign_id: UUID | None
    trigger_key: str
    anchor_on: date | None
    anchor_at: datetime | None
    context: dict[str, Any]
    next_step: int
    next_due_at: datetime
    priority: int

    @property
    def anchor(self) -> date | datetime:
        """What the plan's offsets count from. Raises ValueError when the row has neither."""
        anchor = self.anchor_at or self.anchor_on
        if anchor is None:
            raise ValueError("an enrollment without an anchor")
        return anchor


@dataclass(frozen=True, slots=True)
class NewEnrollment:
    """An enrollment to be inserted; field names are the columns of table ``enrollment``."""

    enrollment_id: UUID
    case_id: UUID
    borrower_id: UUID
    plan: str
    plan_version: str
    trigger_key: str
    state: str
    next_step: int
    next_due_at: datetime | None
    created_at: datetime
    campaign_id: UUID | None = None
    anchor_on: date | None = None
    anchor_at: datetime | None = None
    context: dict[str, Any] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """The facts of one case that conditions and scheduling need, as stored."""

    case_id: UUID
    borrower_id: UUID
    creditor_id: str
    product: str
    currency: str
    amount_due_minor: int
    due_on: date
    locale: str
    country: str
    subdivision: str | None
    zones: list[str]
    accounts: int
    touches_sent: int
    last_touch_at: datetime | None
    last_reply_intent: str | None

    @property
    def zone(self) -> tzinfo:
        """The clock steps are planned by: the first candidate zone. The gate protects the hours in all of them."""
        return first_zone(self.zones)

    def facts(
        self,
        now: datetime,
        *,
        plan: PlanFacts = PlanFacts(),  # noqa: B008 - frozen
        context: dict[str, Any] | None = None,
    ) -> ConditionFacts:
        """Return the closed set of facts a condition may ask, at ``now``."""
        days = (now.astimezone(self.zone).date() - self.due_on).days
        since = NEVER_TOUCHED if self.last_touch_at is None else (now - self.last_touch_at).days
        return ConditionFacts(
            CaseFacts(
                creditor=self.creditor_id,
                product=self.product,
                stage=stage_of(days),
                currency=self.currency,
                days_past_due=days,
                amount_due=Money(self.amount_due_minor, self.currency).decimal,
                touches_sent=self.touches_sent,
                days_since_touch=since,
                last_reply_intent=self.last_reply_intent or "",
            ),
            BorrowerFacts(
                locale=self.locale, country=self.country, subdivision=self.subdivision or "", accounts=self.accounts
            ),
            plan,
            _trigger(context or {}),
            _installment(context or {}, self.currency),
        )


@dataclass(frozen=True, slots=True)
class AudienceRow:
    """One open case as a campaign sees it, with what would exclude it."""

    row: ConditionRow
    on_hold: bool
    opted_out: bool
    has_arrangement: bool
    has_promise: bool
    reachable: bool


def _trigger(context: dict[str, Any]) -> TriggerFacts:
    trigger = context.get("trigger") or {}
    if not trigger:
        return _NO_TRIGGER
    return TriggerFacts(
        type=str(trigger.get("type", "")),
        amount=Decimal(str(trigger.get("amount", 0))),
        reason=str(trigger.get("reason", "")),
    )


def _installment(context: dict[str, Any], currency: str) -> InstallmentFacts:
    one = context.get("installment") or {}
    if not one:
        return _NO_INSTALLMENT
    left = int(one.get("amount_minor", 0)) - int(one.get("paid_minor", 0))
    return InstallmentFacts(
        number=int(one.get("no", 0)),
        count=int(one.get("count", 0)),
        amount_due=Money(max(left, 0), currency).decimal,
        paid=left <= 0,
    )
