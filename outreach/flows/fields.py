"""What a template may print about one touch, gathered from the case under lock."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from outreach.domain import creditor as lenders
from outreach.domain.calendar import first_zone
from outreach.domain.case import Case
from outreach.domain.identity import identity_of
from outreach.domain.money import Money
from outreach.domain.touch import Touch
from outreach.flows.house import House
from outreach.policy.dossier import Dossier
from outreach.rendering.fields import (
    ArrangementFields,
    Borrower,
    CaseFields,
    Creditor,
    ExtensionFields,
    InstallmentFields,
    LinkFields,
    OfferFields,
    PromiseFields,
    TimesFields,
    TouchFields,
)

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Base 32 (RFC 4648): no letter is mistaken for a digit."""

_creditors: dict[tuple[str, str], Creditor] = {}


def short_ref(attempt_id: UUID) -> str:
    """Return the short word that finds a text again at the provider: six letters from the attempt's random half."""
    bits = attempt_id.int & 0xFFFF_FFFF
    return "".join([_LETTERS[bits >> place & 31] for place in (27, 22, 17, 12, 7, 2)])


def touch_fields(house: House, touch: Touch, dossier: Dossier, case: Case, ref: str, now: datetime) -> TouchFields:
    """Gather what a template may print. Raises ValueError when a stored value cannot be printed."""
    return fields_of(house, dossier, case, touch.context, ref, now)


def fields_of(
    house: House, dossier: Dossier, case: Case, context: dict[str, Any], ref: str, now: datetime
) -> TouchFields:
    """Gather what may be printed about a case, with ``context`` (plain JSON) for what a dialogue is about.

    Raises ValueError when a stored value cannot be printed.
    """
    borrower = dossier.borrower
    today, lender = _today(dossier, now), house.creditor(case.creditor_id)
    asked = identity_of(
        lender.identity, birth_year=borrower.birth_year, postcode=borrower.postcode, reference=case.account_ref
    )
    other = house.renderer.catalog.locales.other_for(borrower.locale, borrower.country)
    return TouchFields(
        borrower=Borrower(borrower.given_name, borrower.family_name),
        creditor=creditor_fields(lender, borrower.locale),
        case=CaseFields(
            reference=last_characters(case.account_ref),
            product=case.product,
            amount_due=case.amount_due,
            balance=case.balance,
            due_on=case.due_on,
            days_past_due=(today - case.due_on).days,
        ),
        ref=ref,
        today=today,
        other_language=other.told if other else "",
        identity=str(lender.identity),
        identity_digits=asked.digits,
        links=LinkFields(house.portal.link(case.case_id, now) if house.portal else None),
        **context_fields(context, case.currency),
    )


def last_characters(reference: str) -> str:
    """Return the last four letters or digits of an account reference: enough for its owner, nothing for anyone else."""
    return "".join(each for each in reference if each.isalnum())[-4:]


def creditor_fields(creditor: lenders.Creditor, locale: str) -> Creditor:
    """Return a creditor as borrowers of ``locale`` know it. Remembered: it is the same for every touch."""
    key = (creditor.id, locale)
    if key not in _creditors:
        _creditors[key] = Creditor(
            name=creditor.name_for(locale),
            phone=creditor.phone,
            email=creditor.email,
            address=creditor.address,
            pay_url=creditor.pay_url,
            help_hours=creditor.help_hours.told(locale),
            agent_name=creditor.agent_name,
        )
    return _creditors[key]


def context_fields(context: dict[str, Any], currency: str) -> dict[str, Any]:
    """Turn a touch's stored context (plain JSON) into the optional fields of templates."""
    found: dict[str, Any] = {}
    if promise := context.get("promise"):
        found["promise"] = PromiseFields(Money(promise["amount_minor"], currency), _day(promise["due_on"]))
    if one := context.get("installment"):
        found["installment"] = _installment(one, one["count"], currency)
    if plan := context.get("arrangement"):
        found["arrangement"] = _arrangement(plan, currency)
    if extension := context.get("extension"):
        found["extension"] = ExtensionFields(_day(extension["to_on"]), _day(extension["latest_on"]))
    if times := context.get("times"):
        found["times"] = TimesFields(**times)
    if offers := context.get("offers"):
        found["offers"] = tuple(
            OfferFields(
                option=each["option"],
                count=each["count"],
                frequency=each["frequency"],
                amount=Money(each["amount_minor"], currency),
                first_on=_day(each["first_on"]),
                last_amount=Money(each["last_minor"], currency),
                down_payment=_some(each.get("down_minor"), currency),
                fee=_some(each.get("fee_minor"), currency),
            )
            for each in offers
        )
    return found


def _arrangement(plan: dict[str, Any], currency: str) -> ArrangementFields:
    """Read a plan; one that was stored before plans were read back in full has its total in place of the parts."""
    rows = tuple(_installment(each, plan["count"], currency) for each in plan.get("installments", ()))
    total = plan["total_minor"]
    return ArrangementFields(
        count=plan["count"],
        frequency=plan["frequency"],
        total=Money(total, currency),
        first_on=_day(plan["first_on"]),
        last_on=_day(plan.get("last_on", plan["first_on"])),
        amount=Money(plan.get("amount_minor", total), currency),
        last_amount=Money(plan.get("last_minor", total), currency),
        left=Money(plan.get("left_minor", total), currency),
        down_payment=_some(plan.get("down_minor"), currency),
        fee=_some(plan.get("fee_minor"), currency),
        installments=rows,
    )


def _some(minor: int | None, currency: str) -> Money | None:
    return Money(minor, currency) if minor else None


def _installment(one: dict[str, Any], count: int, currency: str) -> InstallmentFields:
    return InstallmentFields(one["no"], count, Money(one["amount_minor"], currency), _day(one["due_on"]))


def _today(dossier: Dossier, now: datetime) -> date:
    return now.astimezone(first_zone(dossier.borrower.zones)).date()


def _day(text: str) -> date:
    return date.fromisoformat(text)
