"""Numbers as lenders write them: what is taken, what is refused, what a number hints at."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.phones import UnreadableNumber, read_phone
from outreach.domain.words import PointType


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("+12025550143", None, "+12025550143"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("202.555.0143", "US", "+12025550143"),
        ("1 202 555 0143", "US", "+12025550143"),
        ("07700 900123", "GB", "+447700900123"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+1 500 555 0006", None, "+15005550006"),
    ],
)
def test_one_number_has_one_spelling(text: str, country: str | None, e164: str) -> None:
    assert read_phone(text, country).e164 == e164


@pytest.mark.parametrize("text", ["+12025550143", "+447700900123", "+8612905550001", "+915000550001", "+525501000001"])
def test_reserved_and_unallotted_numbers_are_possible(text: str) -> None:
    assert read_phone(text, None).e164 == text


@pytest.mark.parametrize(
    ("text", "country", "reason"),
    [
        ("555-0143", "US", "lacks the area code"),
        ("+1 202 555 01434", None, "too long"),
        ("+1 202 55", None, "too short"),
        ("+999 123 4567", None, "country code"),
        ("2025550143", None, "country code"),
        ("1-800-FLOWERS", "US", "something else"),
        ("2025550143 x12", "US", "something else"),
        ("+1 900 555 0143", None, "premium"),
        ("٠١٢٣٤٥٦٧٨٩", "US", "something else"),
        ("", "US", "cannot be read"),
        ("1" * 40, "US", "longer than"),
    ],
)
def test_what_cannot_be_dialled_is_refused_without_quoting_it(text: str, country: str | None, reason: str) -> None:
    with pytest.raises(UnreadableNumber, match=reason) as refusal:
        read_phone(text, country)
    assert not text or text not in str(refusal.value)


def test_a_number_hints_at_every_zone_of_its_area_code() -> None:
    assert set(read_phone("+18505550143", None).zones) == {"America/New_York", "America/Chicago"}
    assert read_phone("+16025550143", None).zones == ("America/Phoenix",)
    assert read_phone("+16025550143", None).regions == ("US-AZ",)


def test_an_area_code_of_two_provinces_hints_at_both() -> None:
    assert set(read_phone("+19025550143", None).regions) == {"CA-NS", "CA-PE"}


@pytest.mark.parametrize("text", ["+18005550143", "+15005550006"])
def test_a_number_without_a_place_hints_at_none(text: str) -> None:
    phone = read_phone(text, None)
    assert (phone.regions, phone.zones) == ((), ())


def test_aliases_of_zones_become_one_name() -> None:
    assert read_phone("+915000550001", None).zones == ("Asia/Kolkata",)
    assert read_phone("+447700900123", None).zones == ("Europe/London",)


def test_the_lenders_label_counts_only_where_the_numbering_plan_has_no_answer() -> None:
    assert read_phone("+447700900123", None).type is PointType.UNKNOWN
    assert read_phone("+447700900123", None, mobile=True).type is PointType.MOBILE
    assert read_phone("+442079460018", None, mobile=True).type is PointType.FIXED_LINE
    assert read_phone("+18005550143", None, mobile=True).type is PointType.TOLL_FREE


@given(st.integers(2_000_000_000, 9_999_999_999))
def test_the_short_way_for_north_america_reads_what_the_parser_reads(national: int) -> None:
    text = f"+1{national}"
    parsed = phonenumbers.parse(text, None)
    try:
        phone = read_phone(text, "GB")
    except UnreadableNumber:
        return
    assert phone.e164 == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@given(st.text(max_size=40), st.sampled_from(["US", "GB", "IN", "CN", "MX", None]))
def test_any_text_is_either_read_or_refused(text: str, country: str | None) -> None:
    try:
        phone = read_phone(text, country)
    except UnreadableNumber:
        return
    assert phone.e164.startswith("+")
