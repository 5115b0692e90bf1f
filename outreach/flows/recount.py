"""Counts hours and caps of what was sent over again, with a pencil: from the ledger and the rules as they are stored.

A second opinion that shares no code with the gate: rules are read as plain JSON, every past contact is looked at for
every limit, and only which rules may reach a place is remembered. Slow and simple on purpose.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from outreach.domain.places import memberships
from outreach.flows.sentences import length_words

Json = Mapping[str, Any]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPOKEN: Final = frozenset({"voice", "ivr"})
_WRITTEN: Final = frozenset({"sms", "email", "mail", "whatsapp"})
_CHANNELS: Final = _SPOKEN | _WRITTEN | {"visit", "other"}
_NOT_KNOWN: Final = frozenset({"", "unknown"})
_ASKED_FOR: Final = frozenset({"reply", "confirmation", "requested_callback"})
_NEVER_RANG: Final = frozenset({"released", "rejected", "failed", "bounced", "busy", "not_connected"})
_SERVES: Final = {
    "requested_callback": frozenset({"requested_callback"}),
    "reply_in_thread": frozenset({"reply", "confirmation", "arrangement"}),
}
_PERSONAL: Final = ("reply_in_thread", "requested_callback")

# What each raw outcome of a call counts as, beside a touch. What is not listed counts as everything.
_CALLS: Final = {
    "busy": "",
    "not_connected": "",
    "no_answer": "attempts attempts_unanswered",
    "voicemail_possible": "attempts attempts_unanswered attempts_with_connection_or_message initiated_communications",
    "wrong_party": "attempts attempts_with_connection_or_message initiated_communications",
    "limited_content_left": "attempts attempts_with_connection_or_message initiated_communications communications",
    "voicemail_left": (
        "attempts attempts_with_connection_or_message initiated_communications communications successful_contacts"
    ),
}
_EVERY_CALL: Final = (
    "attempts attempts_unanswered attempts_with_connection_or_message initiated_communications communications "
    "successful_contacts conversations"
)
_TALKED: Final = frozenset(_EVERY_CALL.split()) - {"attempts_unanswered"}
_EVERY_TEXT: Final = "attempts communications initiated_communications messages_sent successful_contacts"


@dataclass(frozen=True, slots=True)
class Past:
    """One contact before the send that is looked at, as the ledger has it (or, of another system, the facts)."""

    at: datetime
    channel: str
    outcome: str
    case_ids: tuple[str, ...] = ()
    creditor_id: str = ""
    point_id: str = ""
    direction: str = "out"
    purpose: str = "reminder"
    same_borrower: bool = True


@dataclass(frozen=True, slots=True)
class Send:
    """One send of the ledger. ``facts`` tell who the borrower was then, and what they had said."""

    attempt_id: str
    at: datetime
    channel: str
    purpose: str
    case_id: str
    creditor_id: str
    point_id: str
    facts: Json


@dataclass(frozen=True, slots=True)
class Violation:
    """One send that a rule did not permit. ``kind``: hours, cap, channels, gap, wish or place."""

    rule_id: str
    kind: str
    attempt_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Asked:
    rule: Json
    clocks: tuple[str, ...]
    places: tuple[str, ...]


class Recount:
    """The rules of one policy version, from the JSON it is stored as."""

    def __init__(self, body: bytes | str) -> None:
        content = orjson.loads(body)
        self._rules: list[Json] = [
            rule for rule in content["rules"] if rule["shape"] in _SHAPES and rule.get("status", "in_force") != "draft"
        ]
        self._calendars: Json = content["calendars"]
        self._packs = frozenset(content["packs"])
        self.rule_ids = frozenset(str(rule["id"]) for rule in self._rules)
        self._reaching: dict[tuple[str, ...], list[tuple[Json, tuple[str, ...]]]] = {}

    def violations(self, send: Send, past: Sequence[Past]) -> list[Violation]:
        """Return everything about hours and caps that spoke against a send. ``past`` is all that went before it."""
        zones = _zones(send.facts)
        if not zones:
            return [Violation("core.zone", "place", send.attempt_id, "no time zone was known")]
        places = _places(send.facts)
        found = _named_times(send, zones, past)
        for rule, there in self._of(places):
            if not _about(rule, send):
                continue
            clocks = _clocks(rule, send.facts, zones)
            if not _in_force(rule, clocks, send.at) or _lifted(rule.get("lifted_by", ()), send, past):
                continue
            asked = _Asked(rule, clocks, there)
            found += [
                Violation(str(rule["id"]), kind, send.attempt_id, detail)
                for kind, detail in _SHAPES[rule["shape"]](self, asked, send, past)
            ]
        return found

    def used(self, rule_id: str, limit: tuple[int, str], send: Send, past: Sequence[Past]) -> list[Past]:
        """Return the past contacts that one limit (how many, per what) of a cap counts against a send, oldest first."""
        rule = next((one for one in self._rules if one["id"] == rule_id and one["shape"] == "cap"), None)
        zones = _zones(send.facts)
        if rule is None or not zones:
            return []
        places = tuple(one for one in _places(send.facts) if _reaches(rule, (one,), self._packs))
        asked = _Asked(rule, _clocks(rule, send.facts, zones), places)
        alive = [
            one
            for each in rule["limits"]
            if (each["most"], each["per"]) == limit
            for one in self._alive(asked, each, send, past)
        ]
        return sorted(set(alive), key=lambda one: one.at)

    def _of(self, places: tuple[str, ...]) -> list[tuple[Json, tuple[str, ...]]]:
        """Return the rules that may reach somebody of these places, each with the places that it reaches."""
        if places not in self._reaching:
            self._reaching[places] = [
                (rule, tuple(one for one in places if _reaches(rule, (one,), self._packs)))
                for rule in self._rules
                if _reaches(rule, places, self._packs)
            ]
        return self._reaching[places]

    def _hours(self, asked: _Asked, send: Send, _past: Sequence[Past]) -> Iterable[tuple[str, str]]:
        for zone in asked.clocks:
            wall = send.at.astimezone(ZoneInfo(zone))
            if not self._inside(asked, wall):
                yield "hours", f"{wall:%a %Y-%m-%d %H:%M} in {zone}"

    def _inside(self, asked: _Asked, wall: datetime) -> bool:
        rule, clock, today = asked.rule, f"{wall:%H:%M}", _DAYS[wall.weekday()]
        usual, festive = _stretches(rule, today), _stretches(rule, "public_holiday")
        if rule.get("holidays") == "like_any_day" or usual == festive:
            return any(start <= clock < end for start, end in usual)
        holiday = self._holiday(asked.places, wall.date())
        return holiday is not None and any(start <= clock < end for start, end in (festive if holiday else usual))

    def _holiday(self, places: tuple[str, ...], day: date) -> bool | None:
        """Tell whether a date is a public holiday in any of the places; None when one of them is not known."""
        answers = []
        for place in places:
            years = [self._calendars.get(name, {}).get(str(day.year)) for name in memberships(place)]
            listed = [days for days in years if days is not None]
            if not listed:
                return None
            answers.append(any(day.isoformat() in days for days in listed))
        return any(answers) if answers else None

    def _caps(self, asked: _Asked, send: Send, past: Sequence[Past]) -> Iterable[tuple[str, str]]:
        for limit in asked.rule["limits"]:
            used = sum(1 for _ in self._alive(asked, limit, send, past))
            if used >= limit["most"]:
                yield "cap", f"{used} before it where {limit['most']} may be ({_period(limit)})"

    def _rest(self, asked: _Asked, send: Send, past: Sequence[Past]) -> Iterable[tuple[str, str]]:
        latest = max((one.at for one in self._alive(asked, asked.rule["wait"], send, past)), default=None)
        if latest is not None:
            yield "gap", f"{send.at - latest} after the last ({_period(asked.rule['wait'])})"

    def _channels(self, asked: _Asked, send: Send, past: Sequence[Past]) -> Iterable[tuple[str, str]]:
        limit = asked.rule["limit"]
        others = {one.channel for one in self._alive(asked, limit, send, past)} - {send.channel}
        if len(others) >= limit["most"]:
            yield "channels", f"{len(others)} other channels before it, {limit['most']} permitted"

    def _alive(self, asked: _Asked, limit: Json, send: Send, past: Sequence[Past]) -> Iterable[Past]:
        """Yield the contacts that a rule counts and that still count when the send left, on any of its clocks."""
        rule = asked.rule
        named = rule.get("counted_channels") or (() if rule["shape"] == "distinct_channels" else rule.get("channels"))
        for one in past:
            if _counts(rule, one, send, named or ()) and any(
                self._counts_still(asked, limit, one.at, send.at, zone) for zone in asked.clocks
            ):
                yield one

    def _counts_still(self, asked: _Asked, limit: Json, then: datetime, at: datetime, zone: str) -> bool:
        length, place = _length(limit.get("length")), ZoneInfo(zone)
        if limit["per"] == "rolling":
            return at - then < length
        first, today = then.astimezone(place).date(), at.astimezone(place).date()
        match limit["per"]:
            case "day":
                return today <= first
            case "week":
                return today - timedelta(days=today.weekday()) <= first - timedelta(days=first.weekday())
            case "month":
                return (today.year, today.month) <= (first.year, first.month)
            case "rolling_days":
                return today - first < length
            case "full_days":
                return today - first <= length
            case _:
                return self._few_business_days(asked.places, first, today, length.days)

    def _few_business_days(self, places: tuple[str, ...], first: date, today: date, wanted: int) -> bool:
        """Tell whether fewer than ``wanted`` business days lie wholly between two dates, or that is not known."""
        worked = 0
        for number in range(1, (today - first).days):
            day = first + timedelta(days=number)
            if day.weekday() < 5:
                holiday = self._holiday(places, day)
                if holiday is None:
                    return True
                worked += not holiday
        return worked < wanted


_SHAPES: Final[dict[str, Callable[[Recount, _Asked, Send, Sequence[Past]], Iterable[tuple[str, str]]]]] = {
    "window": Recount._hours,  # noqa: SLF001 - the table of the class's own shapes
    "cap": Recount._caps,  # noqa: SLF001
    "gap": Recount._rest,  # noqa: SLF001
    "distinct_channels": Recount._channels,  # noqa: SLF001
}


def _counts(rule: Json, one: Past, send: Send, channels: Sequence[str]) -> bool:
    """Tell whether a rule counts a past contact. What is not known of the contact counts."""
    if one.direction not in rule.get("directions", ("out",)) or rule["counts"] not in counters(one):
        return False
    if channels and one.channel in _CHANNELS and one.channel not in channels:
        return False
    if one.purpose in rule.get("except_counted_purposes", ()):
        return False
    if rule.get("counted_purposes") and one.purpose not in rule["counted_purposes"]:
        return False
    match rule["scope"]:
        case "case":
            return one.same_borrower and (not one.case_ids or send.case_id in one.case_ids)
        case "creditor":
            return one.same_borrower and one.creditor_id in {"", send.creditor_id}
        case "number":
            return one.point_id == send.point_id or (one.same_borrower and not one.point_id)
        case _:
            return one.same_borrower


def counters(one: Past) -> frozenset[str]:
    """Return what a past contact counts as."""
    if one.outcome in {"released", "rejected"}:
        return frozenset()
    kinds = _kinds(one) | {"touches"}
    if one.direction == "in" or one.purpose in _ASKED_FOR:
        kinds -= {"initiated_communications"}
    return kinds


def _kinds(one: Past) -> frozenset[str]:
    if one.outcome in {"failed", "bounced"}:
        return frozenset()
    if one.channel in _WRITTEN:
        return frozenset(_EVERY_TEXT.split())
    if one.outcome in {"conversation", "answered_unverified"}:
        called = _TALKED
    else:
        called = frozenset(_CALLS.get(one.outcome, _EVERY_CALL).split())
    if one.channel in _SPOKEN:
        return called
    if one.channel == "visit":
        return (called - {"attempts_unanswered"}) | {"visits"}
    return frozenset(f"{_EVERY_CALL} messages_sent visits".split())


def _about(rule: Json, send: Send) -> bool:
    """Tell whether a rule's selectors pick a send; what is not known about it does not excuse."""
    facts = send.facts
    point = facts.get("point") or {}
    given = (
        ("channels", send.channel),
        ("purposes", send.purpose),
        ("actors", facts.get("actor")),
        ("products", facts.get("product")),
        ("recipients", facts.get("recipient", "debtor")),
        ("stages", facts.get("stage", "early")),
        ("creditor_kinds", facts.get("creditor_kind")),
        ("labels", point.get("label")),
        ("point_types", point.get("type")),
    )
    for name, value in given:
        if rule.get(name) and (value or "") not in _NOT_KNOWN and value not in rule[name]:
            return False
    states = rule.get("debt_states")
    days, late = rule.get("days_past_due") or {}, facts.get("days_past_due", 0)
    return (
        send.purpose not in rule.get("except_purposes", ())
        and _binds(rule.get("binds", "both"), str(facts.get("role")))
        and (not states or any(_may_be(state, facts) for state in states))
        and (days.get("from") is None or days["from"] <= late)
        and (days.get("until") is None or late < days["until"])
    )


def _binds(whom: str, role: str) -> bool:
    if whom == "both":
        return True
    return role != "first_party" if whom == "third_party" else role not in {"agency", "debt_buyer"}


def _may_be(state: str, facts: Json) -> bool:
    return facts.get("accelerated") is not True if state == "not_accelerated" else facts.get(state) is not False


def _reaches(rule: Json, places: tuple[str, ...], packs: frozenset[str]) -> bool:
    """Tell whether the law of a rule's place may reach somebody of these candidate places."""
    where = rule["jurisdiction"]
    if where == "any":
        return True
    if where == "unlisted":
        return not places or any(not (packs & set(memberships(place))) - {"EU"} for place in places)
    if any(where in memberships(place) for place in places):
        return True
    whole = [
        place
        for place in places
        if "-" not in place and not any(place in memberships(other) for other in places if other != place)
    ]
    return any(place in memberships(where) for place in whole)


def _places(facts: Json) -> tuple[str, ...]:
    point = facts.get("point") or {}
    return tuple(sorted({*facts.get("jurisdictions", ()), *point.get("regions", ())}))


def _zones(facts: Json) -> tuple[str, ...]:
    point = facts.get("point") or {}
    return tuple(sorted({*facts.get("zones", ()), *facts.get("located_zones", ()), *point.get("zones", ())}))


def _clocks(rule: Json, facts: Json, zones: tuple[str, ...]) -> tuple[str, ...]:
    """Return whose clocks a rule goes by."""
    clock = rule.get("clock")
    if clock not in {"number", "landline_number"}:
        return (clock,) if clock else zones
    if facts.get("located_zones"):
        return tuple(facts["located_zones"])
    point = facts.get("point") or {}
    home, hinted, line = facts.get("zones", ()), point.get("zones", ()), point.get("type", "")
    if clock == "number" or line == "fixed_line":
        return tuple(hinted) or zones
    return tuple({*home, *hinted} if line in {"", "unknown", "fixed_line_or_mobile"} else home) or zones


def _in_force(rule: Json, clocks: tuple[str, ...], at: datetime) -> bool:
    dates = [at.astimezone(ZoneInfo(zone)).date() for zone in clocks]
    ends = rule.get("in_force_until")
    begun = max(dates) >= date.fromisoformat(rule["in_force_from"])
    return begun and (ends is None or min(dates) < date.fromisoformat(ends))


def _lifted(kinds: Iterable[str], send: Send, past: Sequence[Past]) -> bool:
    """Tell whether a recorded wish of the person lifted a rule at the instant of the send."""
    return any(
        one["kind"] in kinds
        and one.get("evidence")
        and not one.get("used")
        and one.get("until")
        and _instant(one["since"]) <= send.at < _instant(one["until"])
        and one.get("channel", "any") in {"any", send.channel}
        and send.purpose in _SERVES.get(one["kind"], {send.purpose})
        and not (one["kind"] == "requested_callback" and _called_back(one, past))
        for one in send.facts.get("overrides", ())
    )


def _called_back(wish: Json, past: Sequence[Past]) -> bool:
    return any(
        one.purpose == "requested_callback"
        and one.at >= _instant(wish["since"])
        and one.direction == "out"
        and one.same_borrower
        and one.outcome not in _NEVER_RANG
        and wish.get("channel", "any") in {"any", one.channel}
        for one in past
    )


def _named_times(send: Send, zones: tuple[str, ...], past: Sequence[Past]) -> list[Violation]:
    """Return whether a send fell into a time the person had barred, or outside all those they had allowed."""
    named = [
        one for one in send.facts.get("personal_windows", ()) if one.get("channel", "any") in {"any", send.channel}
    ]
    named = [one for one in named if not one.get("until") or _instant(one["until"]) > send.at]
    if not named or _lifted(_PERSONAL, send, past):
        return []
    barred = [one for one in named if one["effect"] != "allow"]
    allowed = [one for one in named if one["effect"] == "allow"]
    hit = any(_named(one, send.at, zone) for one in barred for zone in zones)
    missed = bool(allowed) and not any(all(_named(one, send.at, zone) for zone in zones) for one in allowed)
    if not hit and not missed:
        return []
    detail = "at a time the person had barred" if hit else "outside the times the person had allowed"
    return [Violation("core.personal_window", "wish", send.attempt_id, detail)]


def _named(one: Json, at: datetime, zone: str) -> bool:
    """Tell whether a named time covers an instant on a clock; past midnight it belongs to the day it began."""
    wall = at.astimezone(ZoneInfo(zone))
    clock, start, end = f"{wall:%H:%M}", one["start"], one["end"]
    days = [day.lower() for day in one.get("days", ())] or list(_DAYS)
    today, yesterday = _DAYS[wall.weekday()] in days, _DAYS[wall.weekday() - 1] in days
    if start < end:
        return today and start <= clock < end
    return (today and clock >= start) or (yesterday and clock < end)


def _stretches(rule: Json, day: str) -> list[tuple[str, str]]:
    return [(part["start"], part["end"]) for part in rule["hours"] if day in part["days"]]


def _length(text: str | None) -> timedelta:
    if not text:
        return timedelta()
    unit = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}[text[-1]]
    return int(text[:-1]) * unit


def _period(limit: Json) -> str:
    return " ".join(
        part for part in (str(limit["per"]).replace("_", " "), length_words(limit.get("length") or "")) if part
    )


_instant: Final = datetime.fromisoformat
