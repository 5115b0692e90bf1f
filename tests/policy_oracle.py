"""A slow second opinion on the gate: rules as plain dicts, judged instant by instant, sharing no code with it.

It answers one question, "may this contact leave at this instant", in the most literal way it can, and finds the first
permitted instant by walking there minute by minute. Facts are read by attribute only.
"""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TEXT_COUNTS = {
    "touches",
    "attempts",
    "communications",
    "initiated_communications",
    "messages_sent",
    "successful_contacts",
}
SPOKE_TO_SOMEBODY = ["attempts_with_connection_or_message", "initiated_communications"]
CALL_COUNTS = {
    "busy": [],
    "not_connected": [],
    "no_answer": ["attempts", "attempts_unanswered"],
    "voicemail_possible": ["attempts", "attempts_unanswered", *SPOKE_TO_SOMEBODY],
    "voicemail_left": ["attempts", "communications", "successful_contacts", *SPOKE_TO_SOMEBODY],
    "limited_content_left": ["attempts", "communications", *SPOKE_TO_SOMEBODY],
    "answered_unverified": [
        "attempts", "communications", "conversations", "successful_contacts", *SPOKE_TO_SOMEBODY
    ],
    "conversation": ["attempts", "communications", "conversations", "successful_contacts", *SPOKE_TO_SOMEBODY],
    "wrong_party": ["attempts", *SPOKE_TO_SOMEBODY],
}  # fmt: skip
ANY_CALL = {
    "touches",
    "attempts",
    "attempts_unanswered",
    "communications",
    "conversations",
    "successful_contacts",
    *SPOKE_TO_SOMEBODY,
}
EVERYTHING = ANY_CALL | {"messages_sent", "visits"}
SURELY_LEFT = {"accepted", "sent", "delivered", "read", "conversation"}
KNOWN_CHANNELS = {"sms", "email", "voice", "ivr", "mail", "visit", "whatsapp", "other"}
KNOWN_PURPOSES = {
    "reminder", "reply", "confirmation", "requested_callback", "statutory_notice", "consent_request", "arrangement",
}  # fmt: skip
SERVES = {"requested_callback": {"requested_callback"}, "reply_in_thread": {"reply", "confirmation", "arrangement"}}


def permitted(rules: list[dict[str, Any]], facts: Any, at: datetime, holidays: set[date] | None = None) -> bool:
    """May this contact leave now? ``holidays`` None: no calendar is known."""
    zones = sorted(set(facts.zones) | set(facts.point.zones) | set(facts.located_zones))
    if not zones:
        return False
    return (
        all(passes(rule, facts, zones, at, holidays) for rule in rules)
        and not any(suppressed(one, facts, at) for one in facts.suppressions)
        and not any(held(one, rules, facts, at) for one in facts.holds)
        and (personal(facts, zones, at) or lifted({"lifted_by": ["reply_in_thread", "requested_callback"]}, facts, at))
    )


def first_permitted(
    rules: list[dict[str, Any]], facts: Any, at: datetime, within: timedelta, holidays: set[date] | None = None
) -> datetime | None:
    """Walk from ``at`` minute by minute until it may leave; None when it may not within so long."""
    now = at
    while now <= at + within:
        if permitted(rules, facts, now, holidays):
            return now
        now += MINUTE
    return None


def passes(rule: dict[str, Any], facts: Any, zones: list[str], at: datetime, holidays: set[date] | None) -> bool:
    clocks = whose_clocks(rule, facts, zones)
    if not concerns(rule, facts) or not in_force(rule, clocks, at):
        return True
    return lifted(rule, facts, at) or shape_passes(rule, facts, clocks, at, holidays)


def shape_passes(rule: dict[str, Any], facts: Any, clocks: list[str], at: datetime, holidays: set[date] | None) -> bool:
    match rule["shape"]:
        case "window":
            return all(inside(rule, name, at, holidays) for name in clocks)
        case "cap":
            return all(counted(rule, limit, facts, clocks, at, holidays) < limit["most"] for limit in rule["limits"])
        case "gap":
            return counted(rule, rule["wait"], facts, clocks, at, holidays) == 0
        case "distinct_channels":
            others = other_channels(rule, facts, clocks, at, holidays)
            return len(others) < rule["limit"]["most"]
        case "prerequisite":
            return preceded(rule, facts, clocks, at, holidays)
        case "hold":
            return not any(rests(rule, one, facts, at) for one in facts.holds)
        case "consent":
            return consented(rule, facts, at)
        case "bar":
            return bool(rule.get("unless_confirmed")) and facts.point.confirmed
        case "refusal":
            return not refused(rule, facts, at)
        case "content":
            return says_right(rule, facts.content)
    raise AssertionError(rule["shape"])


def concerns(rule: dict[str, Any], facts: Any) -> bool:
    """Is the rule about this contact at all? What is not known does not excuse."""
    plain = [
        ("channels", facts.channel),
        ("products", facts.product),
        ("creditor_kinds", facts.creditor_kind),
        ("labels", facts.point.label),
        ("purposes", facts.purpose),
    ]
    if any(rule.get(name) and value and value not in rule[name] for name, value in plain):
        return False
    if facts.purpose in rule.get("except_purposes", []):
        return False
    if rule["shape"] == "content" and facts.content is None:
        return False
    days = rule.get("days_past_due") or {}
    if facts.days_past_due < days.get("from", -(10**9)) or facts.days_past_due >= days.get("until", 10**9):
        return False
    states = rule.get("debt_states")
    return not states or any(may_be(state, facts) for state in states)


def may_be(state: str, facts: Any) -> bool:
    if state == "not_accelerated":
        return facts.accelerated is not True
    return getattr(facts, state) is not False


def whose_clocks(rule: dict[str, Any], facts: Any, zones: list[str]) -> list[str]:
    clock = rule.get("clock")
    if clock not in {"number", "landline_number"}:
        return [clock] if clock else zones
    if facts.located_zones:
        return list(facts.located_zones)
    line = facts.point.type
    if clock == "number" or line == "fixed_line":
        found = list(facts.point.zones)
    elif line in {"unknown", "fixed_line_or_mobile"}:
        found = [*facts.point.zones, *facts.zones]
    else:
        found = list(facts.zones)
    return found or zones


def in_force(rule: dict[str, Any], zones: list[str], at: datetime) -> bool:
    begins = date.fromisoformat(rule["in_force_from"])
    ends = date.fromisoformat(rule["in_force_until"]) if rule.get("in_force_until") else date.max
    dates = [local(at, name).date() for name in zones]
    return max(dates) >= begins and min(dates) < ends


def lifted(rule: dict[str, Any], facts: Any, at: datetime) -> bool:
    return any(
        one.kind in rule.get("lifted_by", [])
        and one.evidence
        and not one.used
        and one.until is not None
        and one.since <= at < one.until
        and one.channel in {"any", facts.channel}
        and facts.purpose in SERVES.get(one.kind, {facts.purpose})
        for one in facts.overrides
    )


def inside(rule: dict[str, Any], zone: str, at: datetime, holidays: set[date] | None) -> bool:
    wall = local(at, zone)
    clock, today = wall.strftime("%H:%M"), DAYS[wall.weekday()]
    usual = any(today in part["days"] and part["start"] <= clock < part["end"] for part in rule["hours"])
    if rule.get("holidays") == "like_any_day":
        return usual
    festive = any("public_holiday" in part["days"] and part["start"] <= clock < part["end"] for part in rule["hours"])
    if holidays is None:
        alike = stretches(rule, today) == stretches(rule, "public_holiday")
        return usual and alike
    return festive if wall.date() in holidays else usual


def stretches(rule: dict[str, Any], day: str) -> list[tuple[str, str]]:
    return [(part["start"], part["end"]) for part in rule["hours"] if day in part["days"]]


def counted(
    rule: dict[str, Any], limit: dict[str, Any], facts: Any, clocks: list[str], at: datetime, holidays: set[date] | None
) -> int:
    return sum(
        1
        for contact in facts.history
        if fits(rule, contact, facts) and any(alive(limit, contact.at, name, at, holidays) for name in clocks)
    )


def other_channels(
    rule: dict[str, Any], facts: Any, clocks: list[str], at: datetime, holidays: set[date] | None
) -> set[str]:
    return {
        contact.channel
        for contact in facts.history
        if contact.channel != facts.channel
        and fits(rule | {"channels": []}, contact, facts)
        and any(alive(rule["limit"], contact.at, name, at, holidays) for name in clocks)
    }


def fits(rule: dict[str, Any], contact: Any, facts: Any) -> bool:
    if contact.direction not in rule.get("directions", ["out"]) or rule["counts"] not in counters(contact):
        return False
    channels = rule.get("counted_channels") or rule.get("channels")
    if channels and contact.channel in KNOWN_CHANNELS and contact.channel not in channels:
        return False
    if contact.purpose in KNOWN_PURPOSES:
        if contact.purpose in rule.get("except_counted_purposes", []):
            return False
        if rule.get("counted_purposes") and contact.purpose not in rule["counted_purposes"]:
            return False
    return {
        "case": contact.same_borrower and (not contact.case_ids or facts.case_id in contact.case_ids),
        "creditor": contact.same_borrower and contact.creditor_id in {"", facts.creditor_id},
        "borrower": contact.same_borrower,
        "number": contact.point_id == facts.point.id or (contact.same_borrower and not contact.point_id),
    }[rule["scope"]]


def counters(contact: Any) -> set[str]:
    if contact.outcome in {"released", "rejected"}:
        return set()
    kinds = raw_counters(contact)
    begun_by_them = contact.direction == "in" or contact.purpose in {"reply", "confirmation", "requested_callback"}
    return kinds - {"initiated_communications"} if begun_by_them else kinds


def raw_counters(contact: Any) -> set[str]:
    if contact.outcome in {"failed", "bounced"}:
        return {"touches"}
    called = {"touches", *CALL_COUNTS[contact.outcome]} if contact.outcome in CALL_COUNTS else ANY_CALL
    if contact.channel in {"voice", "ivr"}:
        return called
    if contact.channel == "visit":
        return (called | {"visits"}) - {"attempts_unanswered"}
    return TEXT_COUNTS if contact.channel in {"sms", "email", "mail", "whatsapp"} else EVERYTHING


def alive(limit: dict[str, Any], then: datetime, zone: str, at: datetime, holidays: set[date] | None) -> bool:
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
        case "business_days":
            return holidays is None or worked_days(day, today, holidays) < number or today <= day
        case "day":
            return today <= day
        case "week":
            return today.isocalendar()[:2] <= day.isocalendar()[:2]
        case "month":
            return (today.year, today.month) <= (day.year, day.month)
    raise AssertionError(limit["per"])


def worked_days(after: date, before: date, holidays: set[date]) -> int:
    """How many business days lie wholly between two dates."""
    between = [after + timedelta(days=n) for n in range(1, (before - after).days)]
    return sum(1 for day in between if day.weekday() < 5 and day not in holidays)


def preceded(rule: dict[str, Any], facts: Any, clocks: list[str], at: datetime, holidays: set[date] | None) -> bool:
    gone = [
        contact.at
        for contact in facts.history
        if contact.direction == "out"
        and contact.same_borrower
        and contact.outcome in SURELY_LEFT
        and rule.get("counts", "communications") in raw_counters(contact)
        and (not rule.get("notices") or contact.notice in rule["notices"])
        and (not rule.get("counted_purposes") or contact.purpose in rule["counted_purposes"])
        and (not rule.get("counted_channels") or contact.channel in rule["counted_channels"])
        and facts.case_id in contact.case_ids
    ]
    return bool(gone) and not any(alive(rule["wait"], min(gone), name, at, holidays) for name in clocks)


def rests(rule: dict[str, Any], one: Any, facts: Any, at: datetime) -> bool:
    if one.kind not in rule["kinds"] or one.case_id not in {None, facts.case_id}:
        return False
    least = timedelta(days=int(rule["at_least"][:-1])) if rule.get("at_least") else timedelta()
    return one.until is None or at < max(one.until, one.since + least)


def consented(rule: dict[str, Any], facts: Any, at: datetime) -> bool:
    kinds = rule.get("kinds", [])
    about = [
        one
        for one in facts.consents
        if one.channel in {"any", facts.channel}
        and one.point_id in {None, facts.point.id}
        and (not kinds or one.kind in kinds)
    ]
    if not about:
        return False
    last = max(about, key=lambda c: c.at)
    return last.state == "given" and last.at <= at and (last.expires_at is None or at < last.expires_at)


def refused(rule: dict[str, Any], facts: Any, at: datetime) -> bool:
    """Does something refused elsewhere reach this channel? (Nothing but an opt-out does.)"""
    covers, heard_on = rule.get("covers", []), rule.get("heard_on", [])
    if covers and facts.channel not in covers:
        return False
    return any(
        one.reason.startswith("opt_out")
        and (not heard_on or one.channel in {*heard_on, "any"})
        and one.case_id in {None, facts.case_id}
        and (one.until is None or at < one.until)
        for one in facts.suppressions
    )


def says_right(rule: dict[str, Any], content: Any) -> bool:
    if rule.get("media") and content.media and content.media not in rule["media"]:
        return True
    lacking = [word for word in rule.get("requires", []) if word not in content.disclosures]
    found = [word for word in rule.get("forbids", []) if word in content.families]
    return not lacking and not found


def suppressed(one: Any, facts: Any, at: datetime) -> bool:
    about = one.channel in {"any", facts.channel} and one.point_id in {None, facts.point.id}
    return about and one.case_id in {None, facts.case_id} and (one.until is None or at < one.until)


def held(one: Any, rules: list[dict[str, Any]], facts: Any, at: datetime) -> bool:
    """Does a hold rest whatever the rules say? It lets go where a rule that speaks of it does."""
    if one.case_id not in {None, facts.case_id} or (one.until is not None and at >= one.until):
        return False
    letting_go = {"reply_in_thread"} if one.kind in {"dispute", "hardship", "complaint", "review"} else set()
    for rule in rules:
        if rule["shape"] == "hold" and one.kind in rule["kinds"] and concerns(rule, facts):
            letting_go |= set(rule.get("lifted_by", []))
    return not lifted({"lifted_by": letting_go}, facts, at)


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
