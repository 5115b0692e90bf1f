"""Fills a database with fictional borrowers, their cases, and touches or enrollments that fall due at an instant."""

from datetime import datetime, timedelta

import psycopg

PLAN, STEP, TEMPLATE, CREDITOR = "early_stage", "friendly_reminder", "early_friendly", "harbour"
NUMBERS = 79_900
"""How many numbers of the fictional range +1 NPA 555-01xx there are: no more people with a telephone at once."""

# Ids are shaped as the house makes them (UUIDv7): in order of their creation, with random-looking ends.
_ID = "(lpad(to_hex(i), 12, '0') || '7{kind}8' || substr(md5('{kind}' || i), 1, 15))::uuid"


def _id(kind: int) -> str:
    return _ID.format(kind=f"{kind:03x}")


_BORROWER, _ACCOUNT, _CASE, _PHONE, _EMAIL, _CONSENT, _TOUCH, _ENROLLMENT = (_id(kind) for kind in range(8))

_SERIES = "from generate_series(%(first)s::bigint, %(last)s::bigint) i"

_PEOPLE = (
    f"""insert into borrower (borrower_id, external_id, given_name, family_name, birth_year, country, subdivision,
          locale, jurisdictions, zones, created_at, updated_at)
        select {_BORROWER}, 'B' || i, 'Ada', 'Example', 1980, 'US', 'US-NY', 'en-US', '{{US-NY}}',
          '{{America/New_York}}', %(at)s, %(at)s {_SERIES}""",
    f"""insert into account (account_id, external_id, borrower_id, creditor_id, product, currency, balance_minor,
          amount_due_minor, due_on, updated_at)
        select {_ACCOUNT}, 'B' || i || '-1', {_BORROWER}, '{CREDITOR}', 'credit_card', 'USD', 50000, 12000,
          %(at)s::date - 5, %(at)s {_SERIES}""",
    f"""insert into cases (case_id, account_id, borrower_id, creditor_id, state, opened_at)
        select {_CASE}, {_ACCOUNT}, {_BORROWER}, '{CREDITOR}', 'open', %(at)s {_SERIES}""",
)

_REACHABLE = (
    f"""insert into contact_point (contact_point_id, borrower_id, kind, value, type, regions, zones,
          created_at, updated_at)
        select {_PHONE}, {_BORROWER}, 'phone', '+1' || (201 + i / 100 %% 799)
          || '55501' || lpad((i %% 100)::text, 2, '0'),
          'mobile', '{{US-NY}}', '{{America/New_York}}', %(at)s, %(at)s {_SERIES}""",
    f"""insert into contact_point (contact_point_id, borrower_id, kind, value, type, created_at, updated_at)
        select {_EMAIL}, {_BORROWER}, 'email', 'b' || i || '@example.com', 'mailbox', %(at)s, %(at)s {_SERIES}""",
    f"""insert into consent (consent_id, borrower_id, kind, channel, state, at, source)
        select {_CONSENT}, {_BORROWER}, 'contact', 'any', 'given',
          %(at)s::timestamptz - interval '100 days', 'import' {_SERIES}""",
)

_DUE = "%(due)s::timestamptz + (i - %(first)s) * %(apart)s::interval"

_TOUCHES = f"""insert into touch (touch_id, case_id, borrower_id, channel, template, purpose, state, due_at, not_before,
          expires_at, created_at, plan, step_id)
        select {_TOUCH}, {_CASE}, {_BORROWER}, %(channel)s, '{TEMPLATE}', 'reminder', 'planned', {_DUE}, {_DUE},
          %(due)s::timestamptz + interval '1 day', %(at)s, '{PLAN}', '{STEP}' {_SERIES}"""

_ENROLLMENTS = f"""insert into enrollment (enrollment_id, case_id, borrower_id, plan, plan_version, trigger_key,
          anchor_on, state, next_step, next_due_at, created_at)
        select {_ENROLLMENT}, {_CASE}, {_BORROWER}, '{PLAN}', %(version)s, 'bench', %(anchor)s, 'active', 0,
          case when i < %(due)s then %(at)s::timestamptz
               else %(at)s::timestamptz + (1 + i %% 2000) * interval '10 minutes' end, %(at)s {_SERIES}"""


def number_of(person: int) -> str:
    """Return the telephone number of a person."""
    return f"+1{201 + person // 100 % 799}55501{person % 100:02d}"


class People:
    """Adds people to one database; each batch follows the numbers of the one before."""

    def __init__(self, dsn: str) -> None:
        self._line = psycopg.connect(dsn, autocommit=True)
        self.count = 0

    def add(self, many: int, at: datetime, *, reachable: bool = True) -> range:
        """Add ``many`` people with one open case each; returns their numbers."""
        if reachable and self.count + many > NUMBERS:
            raise ValueError(f"there are only {NUMBERS} fictional numbers")
        mine = range(self.count, self.count + many)
        for statement in (*_PEOPLE, *(_REACHABLE if reachable else ())):
            self._line.execute(statement.encode(), {"first": mine.start, "last": mine.stop - 1, "at": at})
        self.count += many
        return mine

    def plan_touches(
        self, who: range, channel: str, at: datetime, due: datetime, apart: timedelta = timedelta(0)
    ) -> None:
        """Plan one touch for each: the first due at ``due``, the next ``apart`` after it, and so on."""
        values = {"first": who.start, "last": who.stop - 1, "at": at, "channel": channel, "due": due, "apart": apart}
        self._line.execute(_TOUCHES.encode(), values)

    def enroll(self, who: range, version: str, at: datetime, due: int) -> None:
        """Enrol each on the plan; those numbered below ``due`` have their first step due at ``at``, the rest later."""
        anchor = (at - timedelta(days=1)).date()
        values = {"first": who.start, "last": who.stop - 1, "at": at, "version": version, "anchor": anchor, "due": due}
        self._line.execute(_ENROLLMENTS.encode(), values)

    def settle_down(self) -> None:
        """Do what a database that has stood for a while has behind it: statistics, clean pages, an empty log."""
        self._line.execute("vacuum analyze")
        self._line.execute("checkpoint")

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()
