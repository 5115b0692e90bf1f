"""Made-up but complete fields for lint, previews and tests: every optional part is there, every name is fictional."""

from dataclasses import replace
from datetime import date
from functools import cache

from outreach.domain.money import Money
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

_TODAY = date(2026, 12, 1)
_DUE = (date(2026, 12, 15), date(2026, 12, 29), date(2027, 1, 12))
DUE_ON = _DUE[0]
"""When the first installment of the samples is due."""
_PEOPLE = {
    "en": (Borrower("Maria", "Lopez"), "Northwind Credit", "Alex Reed", "Monday to Friday, 9 am to 6 pm"),
    "es": (Borrower("María", "López"), "Northwind Credit", "Ana Reyes", "de lunes a viernes, de 9 a 18 h"),
    "zh": (Borrower("伟", "张"), "北风金融", "李宁", "周一至周五9:00-18:00"),
}
_MONEY = {
    "en-US": ("USD", "+12025550143"),
    "en-GB": ("GBP", "+447700900123"),
    "es-US": ("USD", "+12025550143"),
    "es-MX": ("MXN", "+12025550143"),
    "zh-CN": ("CNY", "+12025550143"),
}


@cache
def sample_fields(locale: str) -> TouchFields:
    """Return complete fields for a locale; one that is not known gets the ones of en-US."""
    borrower, name, agent, hours = _PEOPLE.get(locale.split("-", 1)[0], _PEOPLE["en"])
    currency, phone = _MONEY.get(locale, _MONEY["en-US"])

    def amount(major: int) -> Money:
        return Money(major * 100, currency)

    installments = tuple(InstallmentFields(no, 3, amount(150), due) for no, due in enumerate(_DUE, start=1))
    return TouchFields(
        borrower=borrower,
        creditor=Creditor(
            name=name,
            phone=phone,
            email="care@northwind.example.com",
            address="100 Example Street",
            pay_url="https://pay.example.com/k3f9",
            help_hours=hours,
            agent_name=agent,
        ),
        case=CaseFields(
            reference="4821",
            product="card",
            amount_due=amount(450),
            balance=amount(1980),
            due_on=date(2026, 12, 4),
            days_past_due=-3,
        ),
        ref="K3F9",
        today=_TODAY,
        promise=PromiseFields(amount(450), date(2026, 12, 11)),
        arrangement=ArrangementFields(
            count=3,
            frequency="biweekly",
            total=amount(450),
            first_on=_DUE[0],
            last_on=_DUE[-1],
            amount=amount(150),
            last_amount=amount(150),
            left=amount(450),
            down_payment=amount(150),
            fee=amount(5),
            installments=installments,
        ),
        installment=installments[0],
        extension=ExtensionFields(date(2026, 12, 18), date(2026, 12, 22)),
        times=TimesFields("5:00 pm", "9:00 am", "5:00 pm"),
        offers=(
            OfferFields(1, 2, "biweekly", amount(225), _DUE[0], amount(225)),
            OfferFields(2, 3, "biweekly", amount(150), _DUE[0], amount(150)),
            OfferFields(3, 3, "monthly", amount(150), _DUE[0], amount(150)),
        ),
        other_language="For English, press star and then the pound key.",
        links=LinkFields("https://pay.example.com/p/" + "k3f9" * 11),
    )


@cache
def bare_fields(locale: str) -> TouchFields:
    """Return the same with everything optional left out: no names, no pay link, no dialogue."""
    full = sample_fields(locale)
    creditor = Creditor(name=full.creditor.name, phone=full.creditor.phone)
    return replace(
        full,
        borrower=Borrower(),
        creditor=creditor,
        promise=None,
        arrangement=None,
        installment=None,
        extension=None,
        times=None,
        other_language="",
        offers=(),
        links=LinkFields(),
    )


def past_due(fields: TouchFields, days: int) -> TouchFields:
    """Return the fields as they stand ``days`` after the due date."""
    return replace(fields, case=replace(fields.case, days_past_due=days))
