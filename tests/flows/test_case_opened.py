"""A case.opened event may bring the borrower and the account with it."""

from datetime import datetime
from typing import Any

from outreach.domain.events import Event, read_event
from outreach.flows.events import take_events
from tests.support.house import START, a_house, rows

ROW = {
    "borrower_id": "N1",
    "given_name": "Ada",
    "locale": "en-US",
    "country": "US",
    "subdivision": "NY",
    "postcode": "10001",
    "accounts": [
        {"account_id": "N1-1", "product": "credit_card", "creditor": "harbour", "currency": "USD",
         "balance": "100.00", "amount_due": "50.00", "due_on": "2027-02-25"}
    ],
    "phones": [{"number": "+12125550155", "label": "mobile"}],
    "consents": [{"channel": "sms", "state": "given", "on": "2027-01-01"}],
}  # fmt: skip


def opened(
    key: str = "1", row: dict[str, Any] | None = ROW, subject: str = "account/N1-1", at: datetime = START
) -> Any:
    raw = {"specversion": "1.0", "id": key, "source": "/lender", "type": "case.opened", "subject": subject}
    return read_event(raw | {"data": {} if row is None else {"row": row}}, at)


async def test_an_unknown_account_comes_in_with_its_event(database: str) -> None:
    event = opened()
    assert isinstance(event, Event)
    async with a_house(database) as house:
        assert [each.result for each in await take_events(house, [event])] == ["applied"]
        assert [each.result for each in await take_events(house, [event])] == ["known"]
    assert rows(database, "select external_id, amount_due_minor from account") == [("N1-1", 5000)]
    assert rows(database, "select count(*) from contact_point") == [(1,)]
    assert rows(database, "select state from cases") == [("open",)]


async def test_an_unknown_account_without_a_row_is_told_apart(database: str) -> None:
    async with a_house(database) as house:
        assert [each.result for each in await take_events(house, [opened(row=None)])] == ["unknown_subject"]
    assert rows(database, "select count(*) from event_in") == [(0,)]


def test_a_bad_row_is_explained_field_by_field() -> None:
    problems = opened(row=ROW | {"locale": "xx", "accounts": []})
    assert {problem.field for problem in problems} == {"data.row.locale", "data.row.accounts"}


def test_a_row_about_another_account_is_refused() -> None:
    assert [problem.field for problem in opened(subject="account/other")] == ["data.row.accounts"]
