"""What no policy file can switch off: the checks every candidate contact must pass before any rule is asked.

They cite ``house policy`` because they are the lender's own promise; rules in the packs add the law on top.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from outreach.domain.words import POINT_KIND, SPOKEN, CaseState, Channel, PointState, PointType, Purpose
from outreach.policy import localtime
from outreach.policy.facts import Facts, Suppression
from outreach.policy.finding import HOUSE, Finding, Values, View, from_on, lifts
from outreach.policy.localtime import ALWAYS, NEVER, Spans

_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*\Z")
_CONFIRM_WITHIN = timedelta(minutes=5)
_CONFIRM_LAW = "house policy; 47 CFR 64.1200(a)(12)"
_CHANNELS = frozenset(str(channel) for channel in Channel)
_PURPOSES = frozenset(str(purpose) for purpose in Purpose)
_KIND_FOR = {str(channel): str(kind) for channel, kind in POINT_KIND.items()}
_TEXTLESS = frozenset({PointType.FIXED_LINE, PointType.TOLL_FREE})
_ANSWERS = frozenset({Purpose.REPLY, Purpose.CONFIRMATION})
# After these the person may still be answered once in the thread they opened; after the others silence is the answer.
ANSWERABLE_HOLDS = frozenset({"dispute", "hardship", "complaint", "review"})

_ANSWER = frozenset({"reply_in_thread"})

FloorCheck = Callable[[View], Finding | None]


def _never(rule_id: str, code: str, *, channel_only: bool = False, values: Values = ()) -> Finding:
    return Finding(rule_id, code, HOUSE, NEVER, channel_only, values)


def channel_known(view: View) -> Finding | None:
    """Refuse a channel or purpose outside the closed sets."""
    if view.facts.channel not in _CHANNELS:
        return _never("core.channel", "channel.unknown", values=(("channel", view.facts.channel),))
    if view.facts.purpose not in _PURPOSES:
        return _never("core.channel", "purpose.unknown", values=(("purpose", view.facts.purpose),))
    return None


def zones_known(view: View) -> Finding | None:
    """Refuse when not one candidate zone is known, or one of them cannot be read."""
    if view.zones:  # left empty when one of them cannot be read
        return None
    strange = [name for name in candidate_zones(view.facts) if localtime.zone(name) is None]
    return _never("core.zone", "place.unknown_zone", values=tuple(("zone", name) for name in strange))


def jurisdictions_known(view: View) -> Finding | None:
    """Refuse when not one candidate jurisdiction is known, or one of them is not an ISO 3166 code."""
    candidates = candidate_jurisdictions(view.facts)
    strange = _strange_places(candidates)
    if candidates and not strange:
        return None
    values = tuple(("jurisdiction", place) for place in strange)
    return _never("core.jurisdiction", "place.unknown_jurisdiction", values=values)


@lru_cache(maxsize=4096)
def _strange_places(places: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(place for place in places if not _CODE.match(place))


def point_usable(view: View) -> Finding | None:
    """Refuse without a contact point, or with one that is bad or does not fit the channel."""
    facts, point = view.facts, view.facts.point
    if point is None:
        return _never("core.point", "point.none", channel_only=True)
    if point.state != PointState.ACTIVE:
        code = f"point.{point.state}" if point.state in set(PointState) else "point.not_active"
        return Finding("core.point", code, HOUSE, _goodbye(view), channel_only=True)
    wanted = _KIND_FOR.get(facts.channel)
    if wanted is not None and point.kind != wanted:
        values = (("channel", facts.channel), ("kind", point.kind))
        return _never("core.point", "point.kind_mismatch", channel_only=True, values=values)
    if facts.channel == Channel.SMS and point.type in _TEXTLESS:
        return _never("core.point", "point.takes_no_texts", channel_only=True, values=(("type", point.type),))
    if facts.channel in SPOKEN and point.type == PointType.TOLL_FREE:
        return _never("core.point", "point.toll_free", channel_only=True)
    return None


def _goodbye(view: View) -> Spans:
    """Return when a stranger who wrote from a number may be told, once, that it will not be used again."""
    facts, point = view.facts, view.facts.point
    if point is None or point.state != PointState.WRONG_PARTY or facts.purpose != Purpose.CONFIRMATION:
        return NEVER
    told = any(
        contact.purpose == Purpose.CONFIRMATION and contact.direction == "out" and contact.point_id == view.point_id
        and contact.outcome not in {"released", "rejected"}
        for contact in facts.history
    )  # fmt: skip
    return NEVER if told else lifts(facts, _ANSWER)[0]


def case_open(view: View) -> Finding | None:
    """Refuse to start a contact on a case that is not open; a borrower's own words may still be answered."""
    if view.facts.case_state == CaseState.OPEN or view.facts.purpose in _ANSWERS:
        return None
    return _never("core.case", "case.closed")


def something_due(view: View) -> Finding | None:
    """Refuse a reminder when nothing is owed."""
    if view.facts.purpose != Purpose.REMINDER or view.facts.amount_due_minor > 0:
        return None
    return _never("core.due", "case.nothing_due")


def not_expired(view: View) -> Finding | None:
    """Refuse what is late."""
    expires_at = view.facts.expires_at
    if expires_at is None or view.at < expires_at:
        return None
    return _never("core.expiry", "expiry.passed")


def not_suppressed(view: View) -> Finding | None:
    """Refuse what the person refused, on this channel or point or everywhere, from the instant it was said."""
    facts = view.facts
    if not facts.suppressions:
        return None
    spans: Spans = ALWAYS
    alone = True
    for entry in facts.suppressions:
        if not _speaks_of(entry, facts, view.point_id):
            continue
        free = confirmation(view, entry.since) if entry.reason.startswith("opt_out") else NEVER
        if entry.until is not None:
            free = localtime.union(free, from_on(entry.until))
        spans = localtime.intersection(spans, free)
        in_force = localtime.next_in(free, view.at) != view.at
        alone = alone and (not in_force or entry.channel != "any" or entry.point_id is not None)
    if spans == ALWAYS:
        return None
    return Finding("core.suppression", "suppression.in_force", _CONFIRM_LAW, spans, alone)


def _speaks_of(entry: Suppression, facts: Facts, point_id: str) -> bool:
    return (
        entry.channel in {"any", facts.channel}
        and entry.point_id in {None, point_id}
        and entry.case_id in {None, facts.case_id}
    )


def not_revoked(view: View) -> Finding | None:
    """Refuse when the newest word of any kind of consent for this channel and point is a revocation."""
    if all(entry.state == "given" for entry in view.facts.consents):
        return None
    newest: dict[str, tuple[datetime, bool, bool]] = {}
    for entry in view.facts.consents:
        if entry.channel in {"any", view.facts.channel} and entry.point_id in {None, view.point_id}:
            narrow = entry.channel != "any" or entry.point_id is not None
            word = (entry.at, entry.state != "given", narrow)
            newest[entry.kind] = max(newest.get(entry.kind, word), word)
    revoked = [(at, narrow) for at, refused, narrow in newest.values() if refused]
    if not revoked:
        return None
    spans = confirmation(view, max(at for at, _ in revoked))
    alone = all(narrow for _, narrow in revoked)
    return Finding("core.consent", "consent.revoked", _CONFIRM_LAW, spans, alone)


def confirmation(view: View, since: datetime) -> Spans:
    """Return the five minutes in which one confirmation of an opt-out may leave, if none has."""
    if view.facts.purpose != Purpose.CONFIRMATION:
        return NEVER
    sent = any(
        contact.purpose == Purpose.CONFIRMATION and contact.direction == "out" and contact.at >= since
        and contact.outcome not in {"released", "rejected"}
        for contact in view.facts.history
    )  # fmt: skip
    return NEVER if sent else ((since, since + _CONFIRM_WITHIN),)


def not_on_hold(view: View) -> Finding | None:
    """Refuse while any hold is in force on the case or the borrower, of whatever kind.

    What lifts every rule that speaks of a hold also lifts this: a lawyer's silence, where the law lets it.
    """
    if not view.facts.holds:
        return None
    spans: Spans = ALWAYS
    resting: list[str] = []
    let_go: list[str] = []
    for hold in view.facts.holds:
        if hold.case_id not in {None, view.facts.case_id}:
            continue
        free = from_on(hold.until) if hold.until is not None else NEVER
        lifted_by = _lifts_hold(hold.kind, view)
        if view.facts.overrides and lifted_by:
            free = localtime.union(free, lifts(view.facts, lifted_by)[0])
        spans = localtime.intersection(spans, free)
        (resting if localtime.next_in(free, view.at) != view.at else let_go).append(hold.kind)
    if spans == ALWAYS:
        return None
    kinds = resting or let_go  # what an override lifts now still ends the permitted stretch with it
    return Finding("core.hold", f"hold.{kinds[0]}", HOUSE, spans, False, tuple(("kind", kind) for kind in kinds))


def _lifts_hold(kind: str, view: View) -> frozenset[str]:
    answer = _ANSWER if kind in ANSWERABLE_HOLDS else frozenset[str]()
    return answer | view.hold_lifts.get(kind, frozenset())


FLOOR: tuple[FloorCheck, ...] = (
    channel_known,
    jurisdictions_known,
    zones_known,
    point_usable,
    case_open,
    something_due,
    not_expired,
    not_suppressed,
    not_revoked,
    not_on_hold,
)
FLOOR_IDS = (
    "core.channel",
    "core.jurisdiction",
    "core.zone",
    "core.point",
    "core.case",
    "core.due",
    "core.expiry",
    "core.suppression",
    "core.consent",
    "core.hold",
    "core.personal_window",
    "core.pause",
)


def candidate_zones(facts: Facts) -> tuple[str, ...]:
    """Return every zone the borrower may be in, each once, in order."""
    point = facts.point.zones if facts.point is not None else ()
    if not facts.located_zones and (not point or point == facts.zones):
        return facts.zones if len(facts.zones) < 2 else tuple(sorted(set(facts.zones)))
    return tuple(sorted({*facts.zones, *point, *facts.located_zones}))


def candidate_jurisdictions(facts: Facts) -> tuple[str, ...]:
    """Return every jurisdiction that may apply, each once, in order."""
    point = facts.point.regions if facts.point is not None else ()
    if not point or point == facts.jurisdictions:
        return facts.jurisdictions if len(facts.jurisdictions) < 2 else tuple(sorted(set(facts.jurisdictions)))
    return tuple(sorted({*facts.jurisdictions, *point}))
