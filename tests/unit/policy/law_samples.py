"""Candidate contacts for the cases of contact law, judged under the law of the shipped packs, without the house's own.

``refusing`` names what objects, so that a case can say "this rule and no other"; ``HOUSE`` says what the lender's own
rules would add.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from policy_samples import SHIPPED, policy

from outreach.policy.facts import Consent, Contact, Content, Facts, Hold, Override, Point, Suppression
from outreach.policy.gate import decide, next_permitted
from outreach.policy.policy import Policy

EASTERN, CENTRAL, PACIFIC = "America/New_York", "America/Chicago", "America/Los_Angeles"
HAWAII, SHANGHAI, LONDON = "Pacific/Honolulu", "Asia/Shanghai", "Europe/London"
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)

_WHOLE = orjson.loads(SHIPPED.to_json())
_LAW = [one for one in _WHOLE["rules"] if one["jurisdiction"] not in {"any", "unlisted"}]


def law_and(*more: dict[str, Any]) -> Policy:
    """Return the law with further rules beside it."""
    return policy(*_LAW, *more, calendars=_WHOLE["calendars"], packs=tuple(_WHOLE["packs"]))


LAW = law_and()
"""The shipped packs without house.yaml and default.yaml."""


def on(text: str, zone: str) -> datetime:
    """Return an instant from a local wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def given(*kinds: str, at: datetime = datetime(2021, 1, 1, tzinfo=UTC), channel: str = "any") -> tuple[Consent, ...]:
    return tuple(Consent(kind, channel, "given", at) for kind in kinds)


AGREED = given("contact", "express", "written")


def phone(key: str = "p1", **changes: Any) -> Point:
    fields: dict[str, Any] = {
        "kind": "phone",
        "type": "mobile",
        "label": "mobile",
        "state": "active",
        "confirmed": True,
    }
    return Point(key, **fields | changes)


def mailbox(key: str = "m1", **changes: Any) -> Point:
    fields: dict[str, Any] = {
        "kind": "email",
        "type": "mailbox",
        "label": "other",
        "state": "active",
        "confirmed": True,
    }
    return Point(key, **fields | changes)


def touch(place: str, zone: str | tuple[str, ...], channel: str = "sms", **changes: Any) -> Facts:
    """Return a lender's reminder to somebody who agreed to everything, ten days late, at one candidate place."""
    fields: dict[str, Any] = {
        "touch_id": "t1",
        "channel": channel,
        "purpose": "reminder",
        "role": "first_party",
        "actor": "human",
        "borrower_id": "b1",
        "case_id": "c1",
        "creditor_id": "k1",
        "product": "personal_loan",
        "case_state": "open",
        "amount_due_minor": 12_000,
        "currency": "USD",
        "days_past_due": 10,
        "due_on": None,
        "charged_off": False,
        "time_barred": False,
        "accelerated": False,
        "creditor_kind": "consumer_finance",
        "jurisdictions": (place,),
        "zones": (zone,) if isinstance(zone, str) else zone,
        "point": mailbox() if channel == "email" else phone(),
        "consents": AGREED,
    }
    return Facts(**fields | changes)


def agency(place: str, zone: str | tuple[str, ...], channel: str = "sms", **changes: Any) -> Facts:
    """Return the same by an agency, which is bound by more."""
    return touch(place, zone, channel, **{"role": "agency"} | changes)


def past(at: datetime, channel: str = "sms", outcome: str = "delivered", **changes: Any) -> Contact:
    """Return a past contact about c1 at p1."""
    return Contact(at, channel, outcome, **{"case_ids": ("c1",), "creditor_id": "k1", "point_id": "p1"} | changes)


def calls(at: datetime, number: int, outcome: str = "no_answer", **changes: Any) -> tuple[Contact, ...]:
    """Return calls an hour apart, the first of them ``at``."""
    return tuple(past(at + index * HOUR, "voice", outcome, **changes) for index in range(number))


def notice(at: datetime, name: str, **changes: Any) -> Contact:
    """Return a letter that gave notice."""
    fields = {"purpose": "statutory_notice", "notice": name, "point_id": ""}
    return past(at, "mail", "sent", **fields | changes)


def word(kind: str, at: datetime, until: datetime, channel: str = "any", *, used: bool = False) -> Override:
    """Return what somebody said that lifts a rule."""
    return Override(kind, at, until, channel, "call note 7", used)


def held(*kinds: str, since: datetime, until: datetime | None = None, case_id: str | None = None) -> tuple[Hold, ...]:
    return tuple(Hold(kind, since, case_id, until) for kind in kinds)


def stopped(since: datetime, channel: str = "sms", **changes: Any) -> tuple[Suppression, ...]:
    return (Suppression(channel, "opt_out.said", since, **changes),)


def said(*statements: str, found: Iterable[str] = (), medium: str = "sms") -> Content:
    return Content(tuple(statements), tuple(found), medium)


def refusing(facts: Facts, at: datetime) -> set[str]:
    """Return the rules of law, and the checks of the floor, that object."""
    return {reason.rule_id for reason in decide(facts, LAW, at).reasons}


def alone(facts: Facts, at: datetime, rule_id: str) -> datetime | None:
    """Return when one rule that objects would let go by itself."""
    return max(reason.until for reason in decide(facts, LAW, at).reasons if reason.rule_id == rule_id and reason.until)


def opens(facts: Facts, at: datetime) -> datetime | None:
    """Return the first instant from ``at`` on at which all law passes."""
    return next_permitted(facts, LAW, at)


def missing(facts: Facts, at: datetime) -> dict[str, str]:
    """Return what each rule about words misses or found."""
    reasons = [one for one in decide(facts, LAW, at).reasons if one.code.startswith("content.")]
    return {one.rule_id: ", ".join(text for name, text in one.facts if name in {"missing", "found"}) for one in reasons}


def house_refusing(facts: Facts, at: datetime) -> set[str]:
    """Return the lender's own rules that object."""
    return {one.rule_id for one in decide(facts, SHIPPED, at).reasons if one.rule_id.startswith("house.")}
