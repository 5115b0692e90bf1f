"""One line of a book: what goes in, what is refused and in which words."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.book import BookEntry, Defect, value_class
from outreach.domain.book_lines import COLUMNS, read_columns, read_object
from outreach.domain.words import ConsentState, PointLabel

AT = datetime(2027, 3, 1, 9, tzinfo=UTC)
ROW = {
    "borrower_id": "B-1",
    "given_name": "Ada",
    "family_name": "Barlow",
    "birth_year": "1980",
    "locale": "en-US",
    "country": "US",
    "subdivision": "NY",
    "postcode": "10007",
    "city": "New York",
    "address_line": "1 Juniper Street",
    "account_id": "A-1",
    "product": "personal_loan",
    "creditor": "harbour",
    "currency": "USD",
    "balance": "1200.00",
    "amount_due": "100.5",
    "due_on": "2027-03-01",
    "phone_1": "(202) 555-0143",
    "phone_1_label": "mobile",
    "email_1": "ada@EXAMPLE.com",
    "consents": "sms:given:2026-01-03",
}
OBJECT: dict[str, Any] = {
    **{key: ROW[key] for key in ("borrower_id", "given_name", "locale", "country", "subdivision")},
    "accounts": [{key: ROW[key] for key in ("account_id", "product", "creditor", "currency", "balance", "due_on")}],
    "phones": [{"number": "+12025550143", "label": "mobile"}],
    "emails": [{"address": "ada@example.com"}],
    "consents": [{"channel": "sms", "state": "given", "on": "2026-01-03", "kind": "written"}],
}
OBJECT["accounts"][0]["amount_due"] = 100


def entry_of(**changes: Any) -> BookEntry:
    outcome = read_columns(7, ROW | changes, AT)
    assert isinstance(outcome, BookEntry), outcome
    return outcome


def defects_of(**changes: Any) -> list[Defect]:
    outcome = read_columns(7, ROW | changes, AT)
    assert isinstance(outcome, list)
    return outcome


def test_a_sound_row_goes_in() -> None:
    entry = entry_of()
    assert entry.line == 7
    assert entry.borrower.subdivision == "US-NY"
    assert entry.borrower.zones == ("America/New_York",)
    assert (entry.accounts[0].balance_minor, entry.accounts[0].amount_due_minor) == (120_000, 10_050)
    assert entry.accounts[0].due_on == date(2027, 3, 1)
    assert [(point.value, point.label, point.priority) for point in entry.points] == [
        ("+12025550143", PointLabel.MOBILE, 0),
        ("ada@example.com", PointLabel.HOME, 0),
    ]


def test_address_and_number_that_disagree_are_both_kept() -> None:
    entry = entry_of(phone_1="+12135550143")
    assert entry.borrower.zones == ("America/New_York",)
    assert entry.points[0].zones == ("America/Los_Angeles",)
    assert entry.points[0].regions == ("US-CA",)


def test_a_number_given_twice_counts_once() -> None:
    assert len(entry_of(phone_2="+1 202 555 0143").points) == 2


def test_a_number_as_dialled_at_home_is_read_by_the_country_of_the_address() -> None:
    entry = entry_of(country="GB", subdivision="ENG", phone_1="07700 900123")
    assert entry.points[0].value == "+447700900123"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"borrower_id": ""}, "borrower_id", "is missing"),
        ({"borrower_id": "   "}, "borrower_id", "is blank"),
        ({"borrower_id": "x" * 65}, "borrower_id", "is too long"),
        ({"locale": "english"}, "locale", "is not a locale"),
        ({"locale": "en"}, "locale", "is not a locale"),
        ({"country": "UK"}, "country", "is not a country code"),
        ({"subdivision": "NX"}, "subdivision", "is not a subdivision of US"),
        ({"country": "GB", "subdivision": "England"}, "subdivision", "is not a subdivision code of GB"),
        ({"time_zone": "America/New York"}, "time_zone", "did you mean America/New_York?"),
        ({"time_zone": "EST"}, "time_zone", "is not a time zone"),
        ({"birth_year": "1880"}, "birth_year", "out of range"),
        ({"birth_year": "2028"}, "birth_year", "out of range"),
        ({"birth_year": "eighty"}, "birth_year", "out of range"),
        ({"currency": "usd"}, "currency", "did you mean USD?"),
        ({"currency": "DEM"}, "currency", "is not a currency in use"),
        ({"amount_due": "-5"}, "amount_due", "is negative"),
        ({"amount_due": "1,200"}, "amount_due", "is not an amount"),
        ({"amount_due": "NaN"}, "amount_due", "is not an amount"),
        ({"amount_due": "1e3"}, "amount_due", "is not an amount"),
        ({"amount_due": "9" * 16}, "amount_due", "is not an amount"),
        ({"amount_due": "٥"}, "amount_due", "is not an amount"),
        ({"balance": "1.005"}, "balance", "has more decimals than USD has"),
        ({"currency": "JPY", "balance": "1.5", "amount_due": "1"}, "balance", "has more decimals than JPY has"),
        ({"due_on": "2027-02-30"}, "due_on", "does not exist"),
        ({"due_on": "2027-02-29"}, "due_on", "does not exist"),
        ({"due_on": "03/01/2027"}, "due_on", "is not a date"),
        ({"due_on": "20270301"}, "due_on", "is not a date"),
        ({"due_on": "1889-01-01"}, "due_on", "is not a plausible due date"),
        ({"due_on": "2107-01-01"}, "due_on", "is not a plausible due date"),
        ({"phone_1": "555-0143"}, "phone_1", "lacks the area code"),
        ({"phone_1_label": "mobil"}, "phone_1_label", "did you mean mobile?"),
        ({"phone_2_label": "mobil"}, "phone_2_label", "did you mean mobile?"),
        ({"email_1": "ada(at)example.com"}, "email_1", "has no @"),
        ({"email_1": "a@" + "x" * 260}, "email_1", "is too long"),
        ({"email_1": "ada@example"}, "email_1", "is not of the form"),
        ({"consents": "sms"}, "consents", "is not a list of consents"),
        ({"consents": "smss:given:2026-01-03"}, "consents.channel", "did you mean sms?"),
        ({"consents": "sms:yes:2026-01-03"}, "consents.state", "is not a known word"),
        ({"consents": "sms/Written!:given:2026-01-03"}, "consents.kind", "is not a kind of consent"),
        ({"consents": "sms:given:2026-02-30"}, "consents.on", "does not exist"),
        ({"consents": "sms:given:2027-03-02"}, "consents.on", "is in the future"),
        ({"consents": "sms:given:2026-01-03:2026-01-03"}, "consents.expires_on", "is not after"),
        ({"city": "New\u202eYork"}, "city", "control character"),
        ({"address_line": "1\0Street"}, "address_line", "NUL byte"),
    ],
)
def test_a_fault_is_named_with_its_field_and_what_is_allowed(change: dict[str, Any], field: str, reason: str) -> None:
    (defect,) = defects_of(**change)
    assert defect.line == 7
    assert defect.field == field
    assert reason in defect.reason
    assert defect.allowed


def test_all_faults_of_a_row_are_named_at_once() -> None:
    assert {defect.field for defect in defects_of(locale="x", due_on="y", phone_1="z")} == {
        "locale",
        "due_on",
        "phone_1",
    }


def test_a_defect_never_shows_the_value() -> None:
    secret = "Wintermute"
    changes = {column: secret for column in COLUMNS if column not in {"given_name", "family_name", "city", "product"}}
    text = repr(defects_of(**changes))
    assert secret.lower() not in text.lower()
    assert "text of 10 characters" in text


def test_trailing_zeros_are_no_decimals() -> None:
    assert entry_of(currency="JPY", balance="100.00", amount_due="5.0").accounts[0].balance_minor == 100


def test_a_consent_ends_before_its_last_day_begins_anywhere() -> None:
    (consent,) = entry_of(consents="sms/written:given:2026-01-03:2027-03-05").consents
    assert consent.kind == "written"
    assert consent.expires_at == datetime(2027, 3, 4, 10, tzinfo=UTC)


def test_said_on_one_day_the_refusal_is_the_last_word() -> None:
    given, revoked = entry_of(consents="sms:given:2026-01-03; sms:revoked:2026-01-03").consents
    assert (given.state, revoked.state) == (ConsentState.GIVEN, ConsentState.REVOKED)
    assert revoked.at > given.at


def test_a_consent_given_today_east_of_greenwich_is_not_in_the_future() -> None:
    early = datetime(2027, 2, 28, 23, tzinfo=UTC)
    assert isinstance(read_columns(2, ROW | {"consents": "sms:given:2027-03-01"}, early), BookEntry)


def test_a_json_object_says_what_a_row_says() -> None:
    entry = read_object(3, OBJECT, AT)
    assert isinstance(entry, BookEntry)
    assert entry.accounts[0].amount_due_minor == 10_000
    assert entry.consents[0].kind == "written"
    assert [point.value for point in entry.points] == ["+12025550143", "ada@example.com"]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"accounts": []}, "accounts", "is missing"),
        ({"accounts": {}}, "accounts", "is not a list"),
        ({"accounts": [OBJECT["accounts"][0] | {"balance": 10.5}]}, "accounts[0].balance", "floating-point"),
        ({"accounts": [OBJECT["accounts"][0] | {"due": "x"}]}, "accounts[0].due", "is not a known key"),
        ({"phone": "x"}, "phone", "did you mean phones?"),
        ({"phones": ["+12025550143"]}, "phones[0]", "is not an object"),
        ({"phones": [{"label": "home"}]}, "phones[0].number", "is missing"),
        ({"phones": [{}] * 21}, "phones", "is not a list of this length"),
        ({"given_name": 5}, "given_name", "is not text"),
        ({"birth_year": True}, "birth_year", "out of range"),
        ({"consents": [{"channel": "sms", "state": "given"}]}, "consents[0].on", "is missing"),
    ],
)
def test_a_fault_in_an_object_is_named_by_its_path(change: dict[str, Any], field: str, reason: str) -> None:
    outcome = read_object(3, OBJECT | change, AT)
    assert isinstance(outcome, list)
    assert any(defect.field == field and reason in defect.reason for defect in outcome), outcome


def test_a_key_that_may_be_somebodys_number_is_not_shown() -> None:
    outcome = read_object(3, OBJECT | {"+12025550143": "x"}, AT)
    assert isinstance(outcome, list)
    assert "2025550143" not in repr(outcome)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(OBJECT)), json_values))
def test_any_json_is_either_taken_or_refused(changes: Any) -> None:
    outcome = read_object(1, OBJECT | changes, AT)
    assert isinstance(outcome, BookEntry) or outcome


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=40)))
def test_any_row_is_either_taken_or_refused(changes: Any) -> None:
    outcome = read_columns(1, dict.fromkeys(COLUMNS, "") | ROW | changes, AT)
    assert isinstance(outcome, BookEntry) or outcome


@given(json_values)
def test_value_classes_are_few(value: object) -> None:
    words = "empty|text of|whole number|decimal number|true or false|list of|object"
    assert any(value_class(value).startswith(word) for word in words.split("|"))
