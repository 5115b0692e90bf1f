"""From one line of a book (CSV fields or a JSON object) to a BookEntry, or to the defects that keep it out.

CSV: one line is one account with its borrower repeated. JSON Lines: one line is one borrower with a list of accounts.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from outreach.domain.book import AccountEntry, BookEntry, BorrowerEntry, ConsentEntry, Defect, PointEntry
from outreach.domain.book_checks import EARLIEST_BIRTH_YEAR, Checks
from outreach.domain.mailboxes import MAX_WRITTEN as LONGEST_MAILBOX
from outreach.domain.mailboxes import UnreadableMailbox, read_mailbox
from outreach.domain.phones import MAX_WRITTEN as LONGEST_NUMBER
from outreach.domain.phones import Phone, UnreadableNumber, read_phone
from outreach.domain.places import Place, countries, place_of
from outreach.domain.words import PointKind, PointLabel, PointType

REQUIRED_COLUMNS = (
    "borrower_id", "locale", "country", "account_id", "product", "creditor", "currency", "balance", "amount_due",
    "due_on",
)  # fmt: skip
OPTIONAL_COLUMNS = (
    "given_name", "family_name", "birth_year", "subdivision", "postcode", "city", "address_line", "time_zone",
    "phone_1", "phone_1_label", "phone_2", "phone_2_label", "email_1", "email_2", "consents",
    "charged_off", "time_barred", "accelerated", "creditor_kind",
)  # fmt: skip
COLUMNS = REQUIRED_COLUMNS + OPTIONAL_COLUMNS

BORROWER_KEYS = (
    "borrower_id", "given_name", "family_name", "birth_year", "locale", "country", "subdivision", "postcode", "city",
    "address_line", "time_zone",
)  # fmt: skip
ACCOUNT_KEYS = (
    "account_id", "product", "creditor", "currency", "balance", "amount_due", "due_on", "charged_off", "time_barred",
    "accelerated", "creditor_kind",
)  # fmt: skip
OBJECT_KEYS = (*BORROWER_KEYS, "accounts", "phones", "emails", "consents")
PHONE_KEYS = ("number", "label")
EMAIL_KEYS = ("address", "label")
CONSENT_KEYS = ("channel", "kind", "state", "on", "expires_on")

CONSENT_FORM = "channel:given|revoked:YYYY-MM-DD[:expires YYYY-MM-DD] or channel/kind:..., separated by ;"
_PHONE_COLUMNS = (("phone_1", "phone_1_label"), ("phone_2", "phone_2_label"))
_EMAIL_COLUMNS = ("email_1", "email_2")

MOST_OF_A_KIND = 20
"""Most accounts, numbers, mailboxes or consents on one line: more is a file gone wrong."""

_ID = 64
_NAME = 100
_ADDRESS = 200
_WORD = 40
_PHONE_FORM = "E.164 such as +12025550143, or a number as dialled inside the country of the address"


def read_columns(
    line: int, row: Mapping[str, str], at: datetime, *, printable: bool = False
) -> BookEntry | list[Defect]:
    """Read one CSV line whose columns were checked before.

    ``at`` is the instant of the import; ``printable``: the line was searched for control characters already.
    """
    checks = Checks(line, at, printable=printable)
    borrower, place = _borrower(checks, row)
    account = _account(checks, "", row)
    points = _Points(checks, _country_of(row))
    for number, number_label in _PHONE_COLUMNS:
        if row.get(number):
            points.phone(number, row[number], number_label, row.get(number_label))
        elif row.get(number_label):
            checks.label(number_label, row[number_label], PointLabel.HOME)
    for column in _EMAIL_COLUMNS:
        if row.get(column):
            points.email(column, row[column])
    consents = _written_consents(checks, row["consents"]) if row.get("consents") else ()
    if checks.defects or borrower is None or account is None:
        return checks.defects
    return BookEntry(line, borrower, (account,), tuple(points.found), consents, place.disputed)


def read_object(line: int, value: object, at: datetime) -> BookEntry | list[Defect]:
    """Read one JSON line. ``at`` is the instant of the import."""
    checks = Checks(line, at)
    if not isinstance(value, dict):
        checks.refuse("", value, "is not an object", "one JSON object a line")
        return checks.defects
    checks.known_keys("", value, OBJECT_KEYS)
    borrower, place = _borrower(checks, value)
    accounts = [
        _account(checks, f"{field}.", item) for field, item in _objects(checks, value, "accounts", ACCOUNT_KEYS)
    ]
    if not value.get("accounts"):
        checks.refuse("accounts", value.get("accounts"), "is missing", "a list of at least one account")
    points = _Points(checks, _country_of(value))
    for field, item in _objects(checks, value, "phones", PHONE_KEYS):
        points.phone(f"{field}.number", item.get("number"), f"{field}.label", item.get("label"), required=True)
    for field, item in _objects(checks, value, "emails", EMAIL_KEYS):
        points.email(f"{field}.address", item.get("address"), f"{field}.label", item.get("label"), required=True)
    consents = [_consent(checks, field, item) for field, item in _objects(checks, value, "consents", CONSENT_KEYS)]
    if checks.defects or borrower is None:
        return checks.defects
    kept = tuple(account for account in accounts if account)
    return BookEntry(
        line, borrower, kept, tuple(points.found), tuple(consent for consent in consents if consent), place.disputed
    )


def _borrower(checks: Checks, row: Mapping[str, Any]) -> tuple[BorrowerEntry | None, Place]:
    external_id = checks.text("borrower_id", row.get("borrower_id"), _ID, required=True)
    given_name = checks.text("given_name", row.get("given_name"), _NAME)
    family_name = checks.text("family_name", row.get("family_name"), _NAME)
    birth_year = checks.whole_number("birth_year", row.get("birth_year"), EARLIEST_BIRTH_YEAR, checks.at.year)
    locale = checks.locale("locale", row.get("locale"))
    country = checks.country("country", row.get("country"))
    subdivision = checks.subdivision("subdivision", row.get("subdivision"), country)
    postcode = checks.text("postcode", row.get("postcode"), 16)
    city = checks.text("city", row.get("city"), _NAME)
    address_line = checks.text("address_line", row.get("address_line"), _ADDRESS)
    time_zone = checks.time_zone("time_zone", row.get("time_zone"))
    if external_id is None or locale is None or country is None:
        return None, Place((), ())
    place = place_of(country, subdivision, postcode, time_zone)
    return BorrowerEntry(
        external_id, given_name, family_name, birth_year, locale, country, subdivision, postcode, city, address_line,
        place.jurisdictions, place.zones,
    ), place  # fmt: skip


def _country_of(row: Mapping[str, Any]) -> str | None:
    """Return the country of a line; None when it was refused."""
    text = str(row.get("country")).strip().upper()
    return text if text in countries() else None


def _account(checks: Checks, prefix: str, row: Mapping[str, Any]) -> AccountEntry | None:
    external_id = checks.text(f"{prefix}account_id", row.get("account_id"), _ID, required=True)
    product = checks.text(f"{prefix}product", row.get("product"), _WORD, required=True)
    creditor = checks.text(f"{prefix}creditor", row.get("creditor"), _ID, required=True)
    currency = checks.currency(f"{prefix}currency", row.get("currency"))
    balance = checks.amount(f"{prefix}balance", row.get("balance"), currency)
    amount_due = checks.amount(f"{prefix}amount_due", row.get("amount_due"), currency)
    due_on = checks.due_on(f"{prefix}due_on", row.get("due_on"))
    charged_off, time_barred, accelerated = (
        checks.truth(f"{prefix}{name}", row.get(name)) for name in ("charged_off", "time_barred", "accelerated")
    )
    creditor_kind = checks.text(f"{prefix}creditor_kind", row.get("creditor_kind"), _WORD)
    if external_id is None or product is None or creditor is None or currency is None:
        return None
    if balance is None or amount_due is None or due_on is None:
        return None
    return AccountEntry(
        external_id, creditor, product, currency, balance, amount_due, due_on, charged_off, time_barred, accelerated,
        creditor_kind or "",
    )  # fmt: skip


class _Points:
    """Contact points of one line in the lender's order; a value that is given twice counts once."""

    def __init__(self, checks: Checks, country: str | None) -> None:
        self.checks = checks
        self.country = country
        self.found: list[PointEntry] = []

    def phone(
        self, field: str, value: object, label_field: str, label_value: object, *, required: bool = False
    ) -> None:
        """Take one number, when there is one."""
        label = self.checks.label(label_field, label_value, PointLabel.HOME)
        text = self.checks.text(field, value, LONGEST_NUMBER, required=required)
        if text is None or (self.country is None and not text.startswith("+")):
            return  # without its country a number can be neither read nor called wrong; the country was refused
        mobile = label is PointLabel.MOBILE
        try:
            phone = read_phone(text, self.country, mobile=mobile)
        except UnreadableNumber as error:
            self.checks.refuse(field, value, str(error), _PHONE_FORM)
        else:
            self._add(PointKind.PHONE, phone.e164, phone, label)

    def email(
        self, field: str, value: object, label_field: str = "", label_value: object = None, *, required: bool = False
    ) -> None:
        """Take one mailbox, when there is one."""
        label = self.checks.label(label_field, label_value, PointLabel.HOME)
        text = self.checks.text(field, value, LONGEST_MAILBOX, required=required)
        if text is None:
            return
        try:
            mailbox = read_mailbox(text)
        except UnreadableMailbox as error:
            self.checks.refuse(field, value, str(error), "name@domain")
        else:
            self._add(PointKind.EMAIL, mailbox, None, label)

    def _add(self, kind: PointKind, value: str, phone: Phone | None, label: PointLabel) -> None:
        same_kind = [known.value for known in self.found if known.kind is kind]
        if value in same_kind:
            return
        line = PointType.MAILBOX if phone is None else phone.type
        regions, zones = ((), ()) if phone is None else (phone.regions, phone.zones)
        self.found.append(PointEntry(kind, value, line, label, regions, zones, len(same_kind)))


def _written_consents(checks: Checks, value: str) -> tuple[ConsentEntry, ...]:
    """Read the consents column: ``sms:given:2026-01-03;voice/written:given:2026-01-03:2027-01-03``."""
    known = _sound_consents(value, checks.at)
    return _consents_of(checks, value) if known is None else known


@lru_cache(maxsize=8192)
def _sound_consents(value: str, at: datetime) -> tuple[ConsentEntry, ...] | None:
    """Return the consents when there is nothing to refuse. Books say the same few things over and over."""
    checks = Checks(0, at)
    found = _consents_of(checks, value)
    return None if checks.defects else found


def _consents_of(checks: Checks, value: str) -> tuple[ConsentEntry, ...]:
    text = checks.text("consents", value, 500)
    found = []
    for part in filter(None, (part.strip() for part in (text or "").split(";"))):
        pieces = part.split(":")
        if not 3 <= len(pieces) <= 4:
            checks.refuse("consents", value, "is not a list of consents", CONSENT_FORM)
            return ()
        channel, _, kind = pieces[0].partition("/")
        expires_on = pieces[3] if len(pieces) == 4 else None
        found.append(
            checks.consent(
                "consents", channel=channel, kind=kind, state=pieces[1], given_on=pieces[2], expires_on=expires_on
            )
        )
    return tuple(consent for consent in found if consent)


def _consent(checks: Checks, field: str, item: Mapping[str, Any]) -> ConsentEntry | None:
    return checks.consent(
        field,
        channel=item.get("channel"),
        kind=item.get("kind"),
        state=item.get("state"),
        given_on=item.get("on"),
        expires_on=item.get("expires_on"),
    )


def _objects(
    checks: Checks, value: Mapping[str, Any], name: str, keys: Sequence[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of a list with the field name of each; refuse whatever is no such list."""
    items = value.get(name)
    if items is None:
        return []
    if not isinstance(items, list) or len(items) > MOST_OF_A_KIND:
        checks.refuse(name, items, "is not a list of this length", f"a list of at most {MOST_OF_A_KIND} objects")
        return []
    found: list[tuple[str, Mapping[str, Any]]] = []
    for index, item in enumerate(items):
        field = f"{name}[{index}]"
        if not isinstance(item, dict):
            checks.refuse(field, item, "is not an object", f"an object with {', '.join(keys)}")
            continue
        checks.known_keys(field, item, keys)
        found.append((field, item))
    return found
