"""Puts borrowers, accounts, cases and contact points straight into a test's database."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import psycopg

START = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)  # Monday, 10:00 in New York


@dataclass
class Someone:
    """One borrower with one open case."""

    ref: str = "B1"
    given_name: str = "Ada"
    family_name: str = "Example"
    birth_year: int | None = 1980
    country: str = "US"
    subdivision: str | None = "US-NY"
    locale: str = "en-US"
    jurisdictions: list[str] = field(default_factory=lambda: ["US-NY"])
    zones: list[str] = field(default_factory=lambda: ["America/New_York"])
    creditor: str = "harbour"
    product: str = "credit_card"
    currency: str = "USD"
    amount_due_minor: int = 12_000
    balance_minor: int = 50_000
    due_on: date = date(2027, 2, 20)
    phone: str | None = "+12125550101"
    phone_type: str = "mobile"
    email: str | None = "ada@example.com"
    consents: tuple[str, ...] = ("sms", "email", "voice", "ivr")
    borrower_id: UUID = field(default_factory=uuid4)
    account_id: UUID = field(default_factory=uuid4)
    case_id: UUID = field(default_factory=uuid4)
    phone_id: UUID = field(default_factory=uuid4)
    email_id: UUID = field(default_factory=uuid4)


def put(dsn: str, *people: Someone, at: datetime = START) -> None:
    """Insert people."""
    with psycopg.connect(dsn) as connection:
        for one in people:
            _put(connection, one, at)


def _put(connection: psycopg.Connection[tuple[object, ...]], one: Someone, at: datetime) -> None:
    connection.execute(
        """insert into borrower (borrower_id, external_id, given_name, family_name, birth_year, country, subdivision,
             locale, jurisdictions, zones, created_at, updated_at) values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (one.borrower_id, one.ref, one.given_name, one.family_name, one.birth_year, one.country, one.subdivision,
         one.locale, one.jurisdictions, one.zones, at, at),
    )  # fmt: skip
    add_account(connection, one, one.ref + "-A1", one.account_id, one.case_id, at)
    for kind, value, type_, key in (
        ("phone", one.phone, one.phone_type, one.phone_id),
        ("email", one.email, "mailbox", one.email_id),
    ):
        if value:
            connection.execute(
                """insert into contact_point (contact_point_id, borrower_id, kind, value, type, regions, zones,
                     created_at, updated_at) values (%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
                (key, one.borrower_id, kind, value, type_, one.jurisdictions if kind == "phone" else [],
                 one.zones if kind == "phone" else [], at, at),
            )  # fmt: skip
    for channel in one.consents:
        connection.execute(
            """insert into consent (consent_id, borrower_id, kind, channel, state, at, source)
               values (%s,%s,'contact',%s,'given',%s,'import')""",
            (uuid4(), one.borrower_id, channel, at.replace(year=at.year - 1)),
        )


def add_account(
    connection: psycopg.Connection[tuple[object, ...]],
    one: Someone,
    ref: str,
    account_id: UUID,
    case_id: UUID,
    at: datetime,
) -> None:
    """Insert one more account with its open case for somebody."""
    connection.execute(
        """insert into account (account_id, external_id, borrower_id, creditor_id, product, currency, balance_minor,
             amount_due_minor, due_on, updated_at) values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (account_id, ref, one.borrower_id, one.creditor, one.product, one.currency, one.balance_minor,
         one.amount_due_minor, one.due_on, at),
    )  # fmt: skip
    connection.execute(
        """insert into cases (case_id, account_id, borrower_id, creditor_id, state, opened_at)
           values (%s,%s,%s,%s,'open',%s)""",
        (case_id, account_id, one.borrower_id, one.creditor, at),
    )
