"""Facts and policies for tests: a plain permitted case, to be spoiled one fact at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from outreach.policy.facts import Consent, Contact, Facts, Point
from outreach.policy.load import from_json, load_policy
from outreach.policy.policy import Policy

PACKS = Path(__file__).parents[3] / "config" / "policies"
ALL_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EVERY_DAY = [*ALL_DAYS, "public_holiday"]
NEW_YORK, LOS_ANGELES, PHOENIX = "America/New_York", "America/Los_Angeles", "America/Phoenix"
NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # Wednesday, 12:00 in New York

POINT = Point("p1", "phone", "mobile", "mobile", "active")
FACTS = Facts(
    touch_id="t1",
    channel="sms",
    purpose="reminder",
    role="first_party",
    actor="automated",
    borrower_id="b1",
    case_id="c1",
    creditor_id="k1",
    product="card",
    case_state="open",
    amount_due_minor=12_000,
    currency="USD",
    days_past_due=3,
    due_on=None,
    jurisdictions=("US-NY",),
    zones=(NEW_YORK,),
    point=POINT,
    consents=(Consent("contact", "any", "given", datetime(2026, 1, 1, tzinfo=UTC)),),
)
"""A text to a borrower in New York, to which nobody objects at noon."""


def facts(**changes: Any) -> Facts:
    return replace(FACTS, **changes)


def call(**changes: Any) -> Facts:
    return facts(channel="voice", **changes)


def past(ago: timedelta, channel: str = "sms", outcome: str = "delivered", at: datetime = NOON, **more: Any) -> Contact:
    return Contact(at - ago, channel, outcome, **{"case_ids": ("c1",), "creditor_id": "k1", "point_id": "p1"} | more)


def rule(shape: str, **fields: Any) -> dict[str, Any]:
    """One entry as it would stand in a file, valid unless the fields say otherwise."""
    head = {
        "id": f"test.{shape}",
        "shape": shape,
        "jurisdiction": "US",
        "citation": "Test Act s 1",
        "source": "test",
        "confidence": "high",
        "summary": "A rule for a test.",
        "in_force_from": "2020-01-01",
    }
    return head | fields


def policy(*rules: dict[str, Any], calendars: dict[str, Any] | None = None, packs: tuple[str, ...] = ("US",)) -> Policy:
    return from_json(orjson.dumps({"rules": rules, "calendars": calendars or {}, "packs": packs}))


def hours(start: str, end: str, days: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    return rule("window", hours=[{"days": days or EVERY_DAY, "start": start, "end": end}], **fields)


def pack(*names: str) -> Policy:
    """The shipped packs of these names and no others, without the house's own rules."""
    whole = orjson.loads(SHIPPED.to_json())
    places = {name.upper() for name in names}
    rules = [one for one in whole["rules"] if one["jurisdiction"] in places]
    return policy(*rules, calendars=whole["calendars"], packs=tuple(sorted(places)))


SHIPPED = load_policy(PACKS)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
