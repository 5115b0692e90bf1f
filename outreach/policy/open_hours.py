"""The hours a policy leaves open in an ordinary week, for lint: which steps could never be sent."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.domain.places import place_of
from outreach.policy.policy import Policy
from outreach.policy.selecting import Kind

# A week of no holiday that any shipped calendar knows; lint asks about ordinary days.
_MONDAY = date(2027, 3, 8)


def open_minutes(policy: Policy, channel: str, purpose: str) -> dict[str, list[tuple[int, int, int]]]:
    """Return per jurisdiction of the policy its open spans as (weekday, first minute, minute after the last)."""
    return {place: _week(policy, channel, purpose, place) for place in sorted(policy.packs)}


def _week(policy: Policy, channel: str, purpose: str, place: str) -> list[tuple[int, int, int]]:
    country, _, _ = place.partition("-")
    zone = next(iter(place_of(country, place if "-" in place else None, None).zones), "UTC")
    kind = Kind(
        channel=channel,
        purpose=purpose,
        role="first_party",
        actor="prerecorded" if channel in {"voice", "ivr"} else "automated",
        product="",
        recipient="debtor",
        stage="early",
        label="mobile",
        point_type="mobile",
        jurisdictions=(place,),
        zones=(zone,),
    )
    picked = policy.pick(kind)
    found = []
    for weekday in range(7):
        day = _MONDAY + timedelta(days=weekday)
        begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        for opens, closes in picked.open_days(day.toordinal()):
            first = max(0, (opens - begins) // timedelta(minutes=1))
            last = min(24 * 60, (closes - begins) // timedelta(minutes=1))
            if first < last:
                found.append((weekday, first, last))
    return found
