"""Addresses and clocks: candidates are kept, never guessed away."""

from zoneinfo import ZoneInfo

import pytest

from outreach.domain.located_yaml import parse_located
from outreach.domain.places import _zone_data as zone_data
from outreach.domain.places import (
    canonical_zone,
    clock_of,
    countries,
    memberships,
    one_clock_each,
    place_of,
    zone_names,
)


@pytest.mark.parametrize(
    ("country", "subdivision", "postcode", "zones"),
    [
        ("US", "US-NY", "10007", ("America/New_York",)),
        ("US", "US-AZ", "85004", ("America/Phoenix",)),
        ("US", "US-AZ", "86045", ("America/Phoenix", "America/Denver")),
        ("US", "US-HI", None, ("Pacific/Honolulu",)),
        ("US", "US-IN", "46204", ("America/Indiana/Indianapolis",)),
        ("US", "US-IN", "47708", ("America/Chicago",)),
        ("US", "US-IN", None, ("America/Indiana/Indianapolis", "America/Chicago")),
        ("US", "US-FL", "32502-1234", ("America/Chicago",)),
        ("US", "US-FL", "32456", ("America/New_York", "America/Chicago")),
        ("CN", "CN-GD", None, ("Asia/Shanghai",)),
        ("CN", "CN-XJ", None, ("Asia/Shanghai", "Asia/Urumqi")),
        ("IN", "IN-MH", None, ("Asia/Kolkata",)),
        ("GB", None, None, ("Europe/London",)),
        ("MX", "MX-BCN", None, ("America/Tijuana",)),
    ],
)
def test_an_address_has_the_zones_it_may_be_in(
    country: str | None, subdivision: str | None, postcode: str | None, zones: tuple[str, ...]
) -> None:
    assert place_of(country, subdivision, postcode).zones == zones


def test_a_missing_state_keeps_every_zone_of_the_country() -> None:
    zones = place_of("US", None, None).zones
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "America/Phoenix"} <= set(zones)
    assert place_of("US", None, None).jurisdictions == ("US",)


def test_a_state_is_the_jurisdiction() -> None:
    assert place_of("US", "US-CA", None).jurisdictions == ("US-CA",)


@pytest.mark.parametrize(
    ("postcode", "inside"),
    [
        ("10007", True), ("10451-2210", True), ("11368", True), ("11691", True), ("11004", True), (None, True),
        ("12207", False), ("11550", False), ("11101", True), ("10501", False), ("11530", False), ("11735", False),
        ("", True),
    ],
)  # fmt: skip
def test_new_york_city_is_a_candidate_where_the_postcode_may_lie_in_it(postcode: str | None, inside: bool) -> None:
    city = ("US-NY-NYC",) if inside else ()
    assert place_of("US", "US-NY", postcode).jurisdictions == ("US-NY", *city)
    assert place_of("US", "US-NJ", "10007").jurisdictions == ("US-NJ",)


@pytest.mark.parametrize(
    ("place", "lies_in"),
    [
        ("US-NY-NYC", ("US-NY-NYC", "US-NY", "US")),
        ("DE", ("DE", "EU")),
        ("FR-IDF", ("FR-IDF", "FR", "EU")),
        ("CH", ("CH",)),
        ("GB", ("GB",)),
        ("GB-ENG", ("GB-ENG", "GB-EAW", "GB")),
        ("GB-WLS", ("GB-WLS", "GB-EAW", "GB")),
        ("GB-EAW", ("GB-EAW", "GB")),
        ("GB-SCT", ("GB-SCT", "GB")),
        ("GB-GLG", ("GB-GLG", "GB-SCT", "GB")),
        ("GB-CRF", ("GB-CRF", "GB-WLS", "GB-EAW", "GB")),
        ("GB-KEN", ("GB-KEN", "GB-ENG", "GB-EAW", "GB")),
        ("GB-BFS", ("GB-BFS", "GB-NIR", "GB")),
        ("GB-UKM", ("GB-UKM", "GB-SCT", "GB-NIR", "GB-EAW", "GB")),
        ("BR-SP", ("BR-SP", "BR")),
        ("PR", ("PR", "US")),
    ],
)
def test_what_a_place_lies_in(place: str, lies_in: tuple[str, ...]) -> None:
    assert memberships(place) == lies_in


def test_a_stated_zone_of_the_address_narrows_to_itself() -> None:
    place = place_of("US", "US-TN", None, "America/Chicago")
    assert (place.zones, place.disputed) == (("America/Chicago",), False)


def test_a_stated_zone_with_the_same_clock_under_another_name_is_no_dispute() -> None:
    assert not place_of("US", "US-MI", "48226", "America/New_York").disputed


def test_a_stated_zone_the_address_does_not_have_is_kept_beside_it() -> None:
    place = place_of("US", "US-NY", None, "America/Los_Angeles")
    assert (place.zones, place.disputed) == (("America/New_York", "America/Los_Angeles"), True)


def test_links_lead_to_one_name() -> None:
    assert canonical_zone("Asia/Calcutta") == "Asia/Kolkata"
    assert canonical_zone("Europe/Guernsey") == "Europe/London"
    assert canonical_zone("Mars/Phobos") is None


def test_abbreviations_and_fixed_offsets_are_no_places() -> None:
    assert not {"EST", "UTC", "Etc/GMT+5"} & zone_names()


def test_phoenix_and_denver_are_two_clocks_though_they_agree_in_winter() -> None:
    assert clock_of("America/Phoenix") != clock_of("America/Denver")
    assert one_clock_each(("America/New_York", "America/Detroit")) == ("America/New_York",)


def test_every_zone_in_the_data_exists_and_every_postcode_zone_is_one_of_its_subdivision() -> None:
    data = zone_data()
    for country, listed in data["zones"].items():
        assert country in countries()
        for zone in (zone for zones in listed.values() for zone in zones):
            assert ZoneInfo(zone)
    for subdivision, zones in data["postcodes"].items():
        country, _, code = subdivision.partition("-")
        assert set(zones) <= set(data["zones"][country][code])
        prefixes = [prefix for listed in zones.values() for prefix in listed]
        assert len(prefixes) == len(set(prefixes))


def test_the_data_files_have_no_faults(pytestconfig: pytest.Config) -> None:
    folder = pytestconfig.rootpath / "outreach" / "domain" / "data"
    for file in ("subdivision_zones.yaml", "area_codes.yaml"):
        assert parse_located((folder / file).read_text("utf-8"), file).problems == ()
