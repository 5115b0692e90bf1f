"""A slow second opinion on the gate: rules as plain dicts, judged instant by instant, sharing no code with it.

It answers one question, "may this contact leave at this instant", in the most literal way it can, and finds the first
permitted instant by walking there in steps. Facts are read by attribute only.
"""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=5)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TEXT_COUNTS = {"touches", "attempts", "communications"}
CALL_COUNTS = {
    "busy": {"touches"},
    "not_connected": {"touches"},
    "no_answer": {"touches", "attempts", "attempts_unanswered"},
    "voicemail_possible": {"touches", "attempts", "attempts_unanswered"},
    "voicemail_left": {"touches", "attempts", "communications"},
    "limited_content_left": {"touches", "attempts", "communications"},
    "answered_unverified": {"touches", "attempts", "communications", "conversations"},
    "conversation": {"touches", "attempts", "communications", "conversations"},
    "wrong_party": {"touches", "attempts"},
}
EVERYTHING = {"touches", "attempts", "attempts_unanswered", "communications", "conversations"}
NOT_SENT = {"released", "rejected"}
LEFT_IN_VAIN = {"failed", "bounced"}


def permitted(rules: list[dict[str, Any]], facts: Any, at: datetime) -> bool:
    """May this contact leave now?"""
    zones = sorted(set(facts.zones) | set(facts.point.zones))
    if not zones:
        return False
    return (
        all(passes(rule, facts, zones, at) for rule in rules)
        and not any(suppressed(one, facts, at) for one in facts.suppressions)
        and not any(held(one, facts, at) for one in facts.holds)
        and personal(facts, zones, at)
    )


def first_permitted(rules: list[dict[str, Any]], facts: Any, at: datetime, days: int) -> datetime | None:
    """Walk from ``at`` in steps until it may leave; None after so many days."""
    now = at
    while now <= at + timedelta(days=days):
        if permitted(rules, facts, now):
            return now
        now += STEP
    return None


def passes(rule: dict[str, Any], facts: Any, zones: list[str], at: datetime) -> bool:
    if rule.get("channels") and facts.channel not in rule["channels"]:
        return True
    clocks = [rule["clock"]] if rule.get("clock") else zones
    if not in_force(rule, clocks, at):
        return True
    match rule["shape"]:
        case "window":
            return all(inside(rule["hours"], name, at) for name in clocks)
        case "cap":
            return all(counted(rule, limit, facts, clocks, at) < limit["most"] for limit in rule["limits"])
        case "gap":
            return counted(rule, rule["wait"], facts, clocks, at) == 0
        case "consent":
            return consented(facts, at)
    raise AssertionError(rule["shape"])


def in_force(rule: dict[str, Any], zones: list[str], at: datetime) -> bool:
    begins = date.fromisoformat(rule["in_force_from"])
    ends = date.fromisoformat(rule["in_force_until"]) if rule.get("in_force_until") else date.max
    dates = [local(at, name).date() for name in zones]
    return max(dates) >= begins and min(dates) < ends


def inside(hours: list[dict[str, Any]], zone: str, at: datetime) -> bool:
    wall = local(at, zone)
    clock = wall.strftime("%H:%M")
    return any(DAYS[wall.weekday()] in part["days"] and part["start"] <= clock < part["end"] for part in hours)


def counted(rule: dict[str, Any], limit: dict[str, Any], facts: Any, clocks: list[str], at: datetime) -> int:
    return sum(
        1
        for contact in facts.history
        if fits(rule, contact, facts) and any(alive(limit, contact.at, name, at) for name in clocks)
    )


def fits(rule: dict[str, Any], contact: Any, facts: Any) -> bool:
    if contact.outcome in NOT_SENT or contact.direction not in rule.get("directions", ["out"]):
        return False
    if rule.get("channels") and contact.channel not in rule["channels"]:
        return False
    kinds = CALL_COUNTS.get(contact.outcome, EVERYTHING) if contact.channel in {"voice", "ivr"} else TEXT_COUNTS
    if contact.outcome in LEFT_IN_VAIN:
        kinds = {"touches"}
    if rule["counts"] not in kinds:
        return False
    return {
        "case": contact.same_borrower and facts.case_id in contact.case_ids,
        "creditor": contact.same_borrower and contact.creditor_id == facts.creditor_id,
        "borrower": contact.same_borrower,
        "number": contact.point_id == facts.point.id,
    }[rule["scope"]]


def alive(limit: dict[str, Any], then: datetime, zone: str, at: datetime) -> bool:
    today, day = local(at, zone).date(), local(then, zone).date()
    length = limit.get("length", "0d")
    number = int(length[:-1])
    match limit["per"]:
        case "rolling":
            return at - then < (timedelta(days=number) if length[-1] == "d" else timedelta(hours=number))
        case "rolling_days":
            return (today - day).days < number
        case "full_days":
            return (today - day).days <= number
        case "day":
            return today <= day
        case "week":
            return today.isocalendar()[:2] <= day.isocalendar()[:2]
        case "month":
            return (today.year, today.month) <= (day.year, day.month)
    raise AssertionError(limit["per"])


def consented(facts: Any, at: datetime) -> bool:
    about = [c for c in facts.consents if c.channel in {"any", facts.channel} and c.point_id in {None, facts.point.id}]
    if not about:
        return False
    last = max(about, key=lambda c: c.at)
    return last.state == "given" and last.at <= at and (last.expires_at is None or at < last.expires_at)


def suppressed(one: Any, facts: Any, at: datetime) -> bool:
    about = one.channel in {"any", facts.channel} and one.point_id in {None, facts.point.id}
    return about and one.case_id in {None, facts.case_id} and (one.until is None or at < one.until)


def held(one: Any, facts: Any, at: datetime) -> bool:
    return one.case_id in {None, facts.case_id} and (one.until is None or at < one.until)


def personal(facts: Any, zones: list[str], at: datetime) -> bool:
    live = [
        one
        for one in facts.personal_windows
        if one.channel in {"any", facts.channel} and (one.until is None or at < one.until)
    ]
    allows = [one for one in live if one.effect == "allow"]
    for name in zones:
        if any(named(one, local(at, name)) for one in live if one.effect != "allow"):
            return False
    return not allows or any(all(named(one, local(at, name)) for name in zones) for one in allows)


def named(one: Any, wall: datetime) -> bool:
    clock, days = wall.strftime("%H:%M"), list(one.days) or DAYS
    if one.start < one.end:
        return DAYS[wall.weekday()] in days and one.start <= clock < one.end
    evening = DAYS[wall.weekday()] in days and clock >= one.start
    return evening or (DAYS[wall.weekday() - 1] in days and clock < one.end)


def local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))
