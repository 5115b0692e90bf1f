"""The lender's side of the demo: it knows who pays when, and tells outreach by events, as a real system would."""

import hashlib
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import psycopg

from outreach.demo.cast import Manner

SOURCE = "/demo/lender"
BOOKED_AT = (9, 15)
"""Hours (UTC) at which the demo's lender books payments."""

AHEAD = timedelta(days=3)
"""How long after their first installment those who pay ahead pay the rest."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that will come in."""

    on: date
    hour: int
    account: str
    minor: int
    currency: str


def chance(seed: int, *what: object) -> float:
    """Return a number in [0, 1) that depends on nothing but its arguments, so that every run is the same."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass
class Lender:
    """Sends payment.missed the morning after a due date, and payments when people pay.

    Some pay by themselves; promises and installments are mostly kept. Everything follows from the seed, and of the
    accounts in ``manners`` from what is said there.
    """

    api: str
    key: str
    line: psycopg.Connection[Any]
    seed: int
    start_on: date
    manners: Mapping[str, Manner] = field(default_factory=dict)
    sent: int = 0
    _paid: set[tuple[str, str]] = field(default_factory=set)

    def moments(self, days: int) -> Iterator[datetime]:
        """Yield the instants at which the lender has something to say."""
        for ahead in range(days + 1):
            day = self.start_on + timedelta(days=ahead)
            for hour in (5, *BOOKED_AT):
                yield datetime(day.year, day.month, day.day, hour, tzinfo=UTC)

    def speak(self, at: datetime) -> int:
        """Send the events of one moment; returns how many."""
        events = list(self._missed(self.line, at)) if at.hour == 5 else list(self._payments(self.line, at))
        for first in range(0, len(events), 200):
            self._post(events[first : first + 200])
        self.sent += len(events)
        return len(events)

    def _post(self, events: list[dict[str, Any]]) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/cloudevents-batch+json"}
        request = urllib.request.Request(f"{self.api}/v1/events", orjson.dumps(events), headers)  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            answer.read()

    def _missed(self, connection: psycopg.Connection[Any], at: datetime) -> Iterator[dict[str, Any]]:
        """Yesterday's due dates that were not met."""
        rows = connection.execute(
            """select a.external_id, a.amount_due_minor, a.balance_minor, a.due_on
               from account a join cases c using (account_id)
               where c.state = 'open' and a.due_on = %s and a.amount_due_minor > 0 order by 1""",
            (at.date() - timedelta(days=1),),
        )
        for account, due, balance, due_on in rows:
            data = {"amount_due_minor": due, "balance_minor": balance, "due_on": due_on.isoformat()}
            yield self._event("payment.missed", account, f"missed-{account}-{due_on}", at, data)

    def _payments(self, connection: psycopg.Connection[Any], at: datetime) -> Iterator[dict[str, Any]]:
        for one in (
            *self._by_themselves(connection, at),
            *self._promised(connection, at),
            *self._installments(connection, at),
            *self._ahead(connection, at),
        ):
            key = (one.account, f"{one.on}")
            if one.minor <= 0 or key in self._paid:
                continue
            self._paid.add(key)
            payment_id = f"pay-{one.account}-{one.on}-{one.hour}"
            data = {"payment_id": payment_id, "amount_minor": one.minor, "currency": one.currency}
            yield self._event("payment.received", one.account, payment_id, at, data)

    def _by_themselves(self, connection: psycopg.Connection[Any], at: datetime) -> Iterator[Payment]:
        """Let some pay without being asked, more of them once they were reminded."""
        rows = connection.execute(
            """select a.external_id, a.amount_due_minor, a.currency, exists (
                 select from attempt t where t.case_id = c.case_id and t.state = 'accepted' and t.started_at > %s)
               from account a join cases c using (account_id)
               where c.state = 'open' and a.amount_due_minor > 0
                 and not exists (select from arrangement g where g.case_id = c.case_id and g.state = 'active')
                 and not exists (select from promise p where p.case_id = c.case_id and p.state = 'open') order by 1""",
            (at - timedelta(days=3),),
        )
        for account, due, currency, reminded in rows:
            if account in self.manners:
                continue
            if chance(self.seed, "pays", account, at.isoformat()) < (0.035 if reminded else 0.008):
                part = due if chance(self.seed, "all", account) < 0.85 else max(1, due // 2)
                yield Payment(at.date(), at.hour, account, part, currency)

    def _promised(self, connection: psycopg.Connection[Any], at: datetime) -> Iterator[Payment]:
        """Seven in ten promises are kept on the day."""
        rows = connection.execute(
            """select a.external_id, p.amount_minor - p.paid_minor, a.currency
               from promise p join cases c using (case_id)
               join account a using (account_id) where p.state = 'open' and p.due_on = %s order by 1""",
            (at.date(),),
        )
        for account, left, currency in rows:
            if at.hour == BOOKED_AT[0] and self._keeps(account, "promise", 0.7):
                yield Payment(at.date(), at.hour, account, left, currency)

    def _installments(self, connection: psycopg.Connection[Any], at: datetime) -> Iterator[Payment]:
        """Five in six arrangements are kept, installment by installment."""
        rows = connection.execute(
            """select a.external_id, i.amount_minor - i.paid_minor, a.currency from installment i
               join arrangement g using (arrangement_id) join cases c using (case_id) join account a using (account_id)
               where g.state = 'active' and i.due_on = %s order by 1""",
            (at.date(),),
        )
        for account, left, currency in rows:
            if at.hour == BOOKED_AT[0] and self._keeps(account, "arrangement", 5 / 6):
                yield Payment(at.date(), at.hour, account, left, currency)

    def _keeps(self, account: str, what: str, share: float) -> bool:
        manner = self.manners.get(account)
        return chance(self.seed, what, account) < share if manner is None else manner is not Manner.NEVER

    def _ahead(self, connection: psycopg.Connection[Any], at: datetime) -> Iterator[Payment]:
        """Let those who pay ahead pay all that is left, a few days after their first installment."""
        if at.hour != BOOKED_AT[0]:
            return
        rows = connection.execute(
            """select a.external_id, sum(i.amount_minor - i.paid_minor), a.currency from installment i
               join arrangement g using (arrangement_id) join cases c using (case_id) join account a using (account_id)
               where g.state = 'active' and a.external_id = any(%s) group by 1, 3
               having min(i.due_on) = %s order by 1""",
            ([account for account, manner in self.manners.items() if manner is Manner.AHEAD], at.date() - AHEAD),
        )
        for account, left, currency in rows:
            yield Payment(at.date(), at.hour, account, int(left), currency)

    def _event(self, kind: str, account: str, key: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": key,
            "source": SOURCE,
            "type": kind,
            "subject": f"account/{account}",
            "time": at.isoformat(),
            "data": data,
        }
