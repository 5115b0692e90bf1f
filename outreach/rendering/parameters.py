"""The values of a touch by name, as its words show them, for providers that send only templates they approved."""

from collections.abc import Iterator
from datetime import date

from outreach.domain.money import Money
from outreach.rendering import formats
from outreach.rendering.fields import TouchFields
from outreach.rendering.locales import Locale

_PARTS = {
    "borrower": ("given_name", "family_name"),
    "creditor": ("name", "phone", "pay_url", "help_hours"),
    "case": ("reference", "product", "amount_due", "balance", "due_on", "days_past_due"),
    "promise": ("amount", "due_on"),
    "installment": ("no", "count", "amount", "due_on"),
    "arrangement": ("count", "frequency", "total", "first_on"),
}
NAMES = frozenset({f"{part}.{name}" for part, names in _PARTS.items() for name in names} | {"ref"})
"""Every name there can be; a touch has those that it has a value for."""


def parameters_of(fields: TouchFields, locale: Locale) -> dict[str, str]:
    """Return every value that ``fields`` holds, written for ``locale``."""
    return dict(_named(fields, locale))


def _named(fields: TouchFields, locale: Locale) -> Iterator[tuple[str, str]]:
    if fields.ref:
        yield "ref", fields.ref
    for part, names in _PARTS.items():
        holder = getattr(fields, part)
        for name in names if holder is not None else ():
            value = getattr(holder, name)
            if value is not None:
                yield f"{part}.{name}", _written(f"{part}.{name}", value, locale)


def _written(name: str, value: object, locale: Locale) -> str:
    if name == "creditor.phone":
        return formats.phone(str(value), locale.region)
    if name == "case.product":
        return locale.products.get(str(value)) or locale.products["other"]
    if name == "arrangement.frequency":
        return locale.frequencies.get(str(value)) or str(value)
    if isinstance(value, Money):
        return formats.money(value, locale.babel)
    if isinstance(value, date):
        return formats.day(value, locale.babel)
    return formats.number(value, locale.babel) if isinstance(value, int) else str(value)
