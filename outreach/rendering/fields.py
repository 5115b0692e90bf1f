"""The closed set of facts that a template may print: frozen values, cleaned once when they are built."""

import re
import unicodedata
from dataclasses import dataclass, fields
from datetime import date

from outreach.domain.money import Money

MAX_TEXT = 120
"""Longest single text field, in characters. A longer name or address is a data error, not something to send."""

_PAY_URL = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/?&=%#-]*)?\Z")
_PORTAL_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?/[A-Za-z0-9._~/-]*\Z")

_LINK = re.compile(r"://|www\.|[@/\\]|\.(?:com|net|org|io|cn|mx|uk)\b", re.IGNORECASE)


def clean(text: str) -> str:
    """Return ``text`` on one line: control, format and odd space characters become single spaces or vanish.

    This is what keeps a line break in a name out of a mail header, and invisible or text-reversing characters out of
    everything that a person reads.
    """
    if text.isprintable():
        return text.strip() if "  " not in text else " ".join(text.split())
    kept = (
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Zs"} else c for c in text if c.isprintable() or _space(c)
    )
    return " ".join("".join(kept).split())


def _space(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Zl", "Zp", "Zs"}


class _Clean:
    """Cleans every text field when the value is built, so that rendering need not."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name in _names(type(self)):
            value = getattr(self, name)
            if isinstance(value, str):
                if len(value) > MAX_TEXT:
                    raise ValueError(f"{type(self).__name__.lower()}.{name} is longer than {MAX_TEXT} characters")
                object.__setattr__(self, name, clean(value) or None)


_known_names: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    if kind not in _known_names:
        _known_names[kind] = tuple(one.name for one in fields(kind))  # only dataclasses clean themselves
    return _known_names[kind]


@dataclass(frozen=True, slots=True)
class Borrower(_Clean):
    """The person who is written or spoken to.

    A "name" that carries a link or an address is dropped: whoever typed it may not use the lender's texts to send it.
    """

    given_name: str | None = None
    family_name: str | None = None

    def __post_init__(self) -> None:
        _Clean.__post_init__(self)
        for name in ("given_name", "family_name"):
            if _LINK.search(getattr(self, name) or ""):
                object.__setattr__(self, name, None)


@dataclass(frozen=True, slots=True)
class Creditor(_Clean):
    """Who writes, and how to reach a person there.

    ``phone`` is E.164. ``agent_name`` is a natural person who can be asked for (a limited-content voicemail must name
    one, 12 CFR 1006.2(j)(1)(iii)); without it no voicemail is left. ``pay_url`` is https and holds no personal data.
    """

    name: str
    phone: str
    email: str | None = None
    address: str | None = None
    pay_url: str | None = None
    help_hours: str | None = None
    agent_name: str | None = None

    def __post_init__(self) -> None:
        _Clean.__post_init__(self)
        if not self.name or not self.phone:
            raise ValueError("creditor.name and creditor.phone must not be empty")
        if self.pay_url is not None and not _PAY_URL.match(self.pay_url):
            raise ValueError("creditor.pay_url must be a plain https:// address")


@dataclass(frozen=True, slots=True)
class CaseFields(_Clean):
    """The work on one account.

    ``reference`` is only the last characters of the account's number (``4821``). ``product`` is a key of ``products``
    in templates/locales.yaml. ``amount_due`` is what is asked for now, ``balance`` everything still owed.
    ``days_past_due`` is negative before the due date.
    """

    reference: str
    product: str
    amount_due: Money
    balance: Money
    due_on: date
    days_past_due: int


@dataclass(frozen=True, slots=True)
class PromiseFields:
    """A promise to pay: how much and by which local date."""

    amount: Money
    due_on: date


@dataclass(frozen=True, slots=True)
class InstallmentFields:
    """One installment, the ``no``-th of ``count``."""

    no: int
    count: int
    amount: Money
    due_on: date


@dataclass(frozen=True, slots=True)
class ArrangementFields:
    """An installment plan. ``frequency``: weekly, biweekly, semimonthly or monthly; ``total`` is all installments.

    ``amount`` is the largest regular installment, ``last_amount`` the last. ``first_on`` is the next date that is not
    paid. ``down_payment`` and ``fee`` (part of the total) are None when there is none; ``left`` is still to be paid.
    """

    count: int
    frequency: str
    total: Money
    first_on: date
    last_on: date
    amount: Money
    last_amount: Money
    left: Money
    down_payment: Money | None = None
    fee: Money | None = None
    installments: tuple[InstallmentFields, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtensionFields:
    """More time to pay: the new due date ``to_on``, and the latest one that may be asked for."""

    to_on: date
    latest_on: date


@dataclass(frozen=True, slots=True)
class TimesFields:
    """Hours on the borrower's clock, as printed: to be called ``at``; not to be reached from ``start`` to ``end``.

    ``days`` are the names of those it is about, whole ones where no hours are; ``only``: to be reached then alone.
    """

    at: str | None = None
    start: str | None = None
    end: str | None = None
    days: str | None = None
    only: bool = False


@dataclass(frozen=True, slots=True)
class OfferFields:
    """One way to pay in installments that a borrower may choose by answering with ``option``.

    ``fee`` is part of the installments; ``down_payment`` is the first of them when it differs.
    """

    option: int
    count: int
    frequency: str
    amount: Money
    first_on: date
    last_amount: Money
    down_payment: Money | None = None
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class LinkFields(_Clean):
    """Pages of the borrower's own. ``portal`` is the case's page; None where the portal is not configured."""

    portal: str | None = None

    def __post_init__(self) -> None:
        _Clean.__post_init__(self)
        if self.portal is not None and not _PORTAL_URL.match(self.portal):
            raise ValueError("links.portal must be a plain http(s) address")


@dataclass(frozen=True, slots=True)
class TouchFields(_Clean):
    """Everything a template may print for one touch.

    ``ref`` is the short word by which a text is found again at the provider; every SMS holds it. ``notices`` are codes
    of required statements (``notices`` in templates/locales.yaml) that the caller's policy asks for: a text that does
    not hold every one of them is refused. ``identity`` is what a call asks for to know the person (a method of
    domain/identity.py), and ``identity_digits`` of how many digits.
    """

    borrower: Borrower
    creditor: Creditor
    case: CaseFields
    ref: str
    today: date
    promise: PromiseFields | None = None
    arrangement: ArrangementFields | None = None
    installment: InstallmentFields | None = None
    extension: ExtensionFields | None = None
    times: TimesFields | None = None
    offers: tuple[OfferFields, ...] = ()
    notices: tuple[str, ...] = ()
    other_language: str = ""
    identity: str = "birth_year"
    identity_digits: int = 4
    links: LinkFields = LinkFields()
