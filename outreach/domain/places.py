"""Where a borrower may be: jurisdictions and candidate time zones of an address, and clocks that tell the same time.

A place is a set of candidates, never a guess. Fewer facts give more candidates, and more candidates give fewer
permitted hours. Data: ``data/subdivision_zones.yaml`` and ``data/memberships.yaml`` (their sources stand in them), and
the IANA database of ``tzdata``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.domain.located_yaml import parse_located

_NEW_YORK, _NEW_YORK_CITY = "US-NY", "US-NY-NYC"
# Two clocks are the same when they agree at every change of season of these years (a sample, one a month).
_SAMPLE = tuple(datetime(year, month, 15, 12, tzinfo=UTC) for year in range(2025, 2035) for month in range(1, 13))


@dataclass(frozen=True, slots=True)
class Place:
    """What an address says. ``zones`` are canonical IANA names, every candidate kept.

    ``disputed`` is true when the file names a zone that the address does not have; both are then among ``zones``.
    """

    jurisdictions: tuple[str, ...]
    zones: tuple[str, ...]
    disputed: bool = False


@lru_cache(maxsize=8192)
def place_of(country: str, subdivision: str | None, postcode: str | None, time_zone: str | None = None) -> Place:
    """Return the candidates of one address.

    ``country`` is ISO 3166-1 alpha-2; ``subdivision`` ISO 3166-2 with its country (``US-NY``); ``time_zone`` a zone
    that somebody stated, canonical: it narrows to one when the address has a zone with that clock, else it is added.
    """
    zones = _zones_of(country, subdivision, postcode)
    jurisdictions = _jurisdictions(country, subdivision, postcode)
    if time_zone is None:
        return Place(jurisdictions, zones)
    if not zones or clock_of(time_zone) in {clock_of(zone) for zone in zones}:
        return Place(jurisdictions, (time_zone,))
    return Place(jurisdictions, tuple(dict.fromkeys((*zones, time_zone))), disputed=True)


def _jurisdictions(country: str, subdivision: str | None, postcode: str | None) -> tuple[str, ...]:
    """Return the candidates of an address; without a postcode somebody in New York may be in the city."""
    if subdivision != _NEW_YORK:
        return (subdivision or country,)
    inside = not postcode or postcode.startswith(tuple(_members()[_NEW_YORK_CITY]))
    return (_NEW_YORK, _NEW_YORK_CITY) if inside else (_NEW_YORK,)


@lru_cache(maxsize=4096)
def memberships(jurisdiction: str) -> tuple[str, ...]:
    """Return a jurisdiction and those it lies in, nearest first.

    ``US-NY-NYC`` lies in ``US-NY`` and ``US``; ``DE-BY`` in ``DE`` and ``EU``; ``GB-ENG`` in ``GB-EAW`` and ``GB``.
    """
    parts = jurisdiction.split("-")
    above = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    country = parts[0]
    above[-1:-1] = _nations(parts[1]) if country == "GB" and len(parts) > 1 else ()
    above += [union for union in ("EU", "US") if country in _members()[union]]
    return tuple(dict.fromkeys(above))


def _nations(part: str) -> tuple[str, ...]:
    """Return the nations a part of the United Kingdom may lie in, and England and Wales, which share their law."""
    if part in {"SCT", "NIR"}:
        return ()
    if part in {"GBN", "UKM"}:  # which nation is not said
        return ("GB-SCT", "GB-NIR", "GB-EAW")
    nation = next((name for name in ("GB-SCT", "GB-WLS", "GB-NIR") if part in _members()[name]), "GB-ENG")
    if nation in {"GB-SCT", "GB-NIR"}:
        return (nation,)
    return ("GB-EAW",) if part in {"EAW", "ENG", "WLS"} else (nation, "GB-EAW")


@cache
def _members() -> Mapping[str, list[str]]:
    text = files("outreach.domain").joinpath("data", "memberships.yaml").read_text("utf-8")
    data: Mapping[str, list[str]] = parse_located(text, "memberships.yaml").data
    return data


def _zones_of(country: str, subdivision: str | None, postcode: str | None) -> tuple[str, ...]:
    listed = _zone_data()["zones"].get(country)
    if listed is None:
        return _zones_by_country().get(country, ())
    here = listed.get(subdivision.partition("-")[2]) if subdivision else None
    if here is None:
        return tuple(dict.fromkeys(canonical_zone(zone) or zone for zones in listed.values() for zone in zones))
    near = _zone_of_postcode(subdivision or "", postcode)
    return tuple(canonical_zone(zone) or zone for zone in (here if near is None else [near]))


def _zone_of_postcode(subdivision: str, postcode: str | None) -> str | None:
    """Return the one zone that this postcode surely lies in, or None."""
    prefixes = _postcode_zones().get(subdivision)
    if not prefixes or not postcode:
        return None
    return next((prefixes[postcode[:size]] for size in (5, 4, 3) if postcode[:size] in prefixes), None)


@cache
def _postcode_zones() -> dict[str, dict[str, str]]:
    return {
        subdivision: {prefix: zone for zone, prefixes in zones.items() for prefix in prefixes}
        for subdivision, zones in _zone_data()["postcodes"].items()
    }


def subdivisions_of(country: str) -> frozenset[str] | None:
    """Return the subdivision codes known for ``country`` (without the country), or None when none are listed."""
    listed = _zone_data()["zones"].get(country)
    return None if listed is None else frozenset(listed)


@cache
def countries() -> frozenset[str]:
    """Return the ISO 3166-1 alpha-2 codes (iso3166.tab of the IANA database)."""
    return frozenset(line.split("\t")[0] for line in _tzdata("iso3166.tab"))


@lru_cache(maxsize=1024)
def canonical_zone(name: str) -> str | None:
    """Return the zone that ``name`` is or links to (``Asia/Calcutta`` is ``Asia/Kolkata``); None when there is none."""
    if name in _links():
        return _links()[name]
    return name if name in _named_zones() else None


@cache
def zone_names() -> frozenset[str]:
    """Return every place-based zone name, links included: what a person may write."""
    return frozenset(name for name in (*_named_zones(), *_links()) if "/" in name and not name.startswith("Etc/"))


@lru_cache(maxsize=1024)
def clock_of(zone: str) -> tuple[timedelta | None, ...]:
    """Return what makes two zones one clock: their offsets from UTC over the years that matter here."""
    try:
        info = ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return (None,)
    return tuple(instant.astimezone(info).utcoffset() for instant in _SAMPLE)


def one_clock_each(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Drop zones that only repeat the clock of an earlier one."""
    kept: dict[tuple[timedelta | None, ...], str] = {}
    for zone in zones:
        kept.setdefault(clock_of(zone), zone)
    return tuple(kept.values())


@cache
def _zone_data() -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    text = files("outreach.domain").joinpath("data", "subdivision_zones.yaml").read_text("utf-8")
    data: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = parse_located(text, "subdivision_zones.yaml").data
    return data


@cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for line in _tzdata("zone.tab"):
        country, _, zone, *_ = line.split("\t")
        found.setdefault(country, {})[canonical_zone(zone) or zone] = None
    return {country: one_clock_each(tuple(zones)) for country, zones in found.items()}


@cache
def _links() -> dict[str, str]:
    pairs = (line.split() for line in _tzdata("tzdata.zi") if line.startswith("L "))
    return {name: target for _, target, name in pairs}


@cache
def _named_zones() -> frozenset[str]:
    return frozenset(line.split()[1] for line in _tzdata("tzdata.zi") if line.startswith("Z "))


def _tzdata(name: str) -> list[str]:
    text = files("tzdata").joinpath("zoneinfo", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
