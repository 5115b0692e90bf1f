"""The gate: facts, rules and an instant make Send, Defer or Block, with every reason kept. Pure and deterministic.

Every rule is asked; none can permit on its own; the strictest reading of what is unknown is taken. A refusal that ends
by itself defers, and then ``until`` is the first instant at which all rules pass, found exactly by moving from each
rule's next permitted instant to the next until none objects. A refusal without a known end, or beyond the horizon,
blocks.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from outreach.policy import floor, localtime, windows
from outreach.policy.counting import marked
from outreach.policy.decision import Decision, Reason, Verdict
from outreach.policy.facts import Facts
from outreach.policy.finding import HOUSE, Finding, View, lifts, text_of
from outreach.policy.hours import personal_schedule, window_code
from outreach.policy.policy import Picked, Policy, TimedCheck, WindowCheck
from outreach.policy.selecting import kind_of
from outreach.policy.windows import DaySpans

HORIZON = timedelta(days=35)
"""How far ahead a permitted instant is looked for. What is not permitted within it is refused."""
PAUSE_RECHECK = timedelta(minutes=15)
"""A kill switch has no known end: what it stops is decided again after this long."""
_NO_POINT = "\0none"


class _Asked(NamedTuple):
    """Everything the rules said. ``findings`` bind at some instants; ``days`` are the hours every window permits.

    ``silent`` are the rules that are not in force at the instant asked for.
    """

    view: View
    picked: Picked
    findings: list[Finding]
    windows: tuple[tuple[WindowCheck, DaySpans], ...]
    personal: DaySpans | None
    days: DaySpans
    lifted: list[tuple[str, str]]
    silent: set[str]


def decide(facts: Facts, policy: Policy, at: datetime) -> Decision:
    """Decide one candidate contact at an instant.

    Raises ValueError when ``at`` is not aware; everything else that is wrong with the facts is a Block with a reason.
    """
    asked = _ask(facts, policy, _utc(at))
    reasons = _reasons(asked)
    if not reasons:
        return _send(asked, policy)
    return _refuse(asked, policy, reasons)


def next_permitted(facts: Facts, policy: Policy, at: datetime) -> datetime | None:
    """Return the first instant from ``at`` on at which every rule passes, or None within the horizon.

    Kill switches and the touch's own expiry are left aside: this answers "when could this person be reached".
    """
    view_at = _utc(at)
    asked = _ask(facts, policy, view_at)
    findings = [finding for finding in asked.findings if finding.rule_id != "core.expiry"]
    return _earliest(findings, asked.days, view_at, view_at + HORIZON)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("the instant to decide at must be aware (carry a UTC offset)")
    return at.astimezone(UTC)


def _ask(facts: Facts, policy: Policy, at: datetime) -> _Asked:
    zones = floor.candidate_zones(facts)
    if any(localtime.zone(name) is None for name in zones):
        zones = ()
    point_id = facts.point.id if facts.point is not None else _NO_POINT
    places = floor.candidate_jurisdictions(facts)
    picked = policy.pick(kind_of(facts, zones, places, policy.days_alike(facts.days_past_due)))
    view = View(facts, at, point_id, marked(facts, point_id), zones, picked.hold_lifts, {})
    lifted: list[tuple[str, str]] = []
    findings = [found for check in floor.FLOOR if (found := check(view)) is not None]
    silent: set[str] = set()
    for rule in picked.checks:
        if rule.begun > at or rule.ended <= at:
            silent.add(rule.head.id)
            if rule.ended <= at:
                continue
        found = rule.check(view)
        if found is not None:
            findings.append(_in_its_dates(found, rule, view, lifted))
    silent.update([rule.head.id for rule in picked.windows if rule.begun > at or rule.ended <= at])
    return _with_hours(view, picked, findings, lifted, silent)


def _in_its_dates(found: Finding, rule: TimedCheck, view: View, lifted: list[tuple[str, str]]) -> Finding:
    """Leave out the times a rule is not in force, and those for which an override lifts it."""
    if rule.begun > view.at or rule.ended != localtime.LAST:
        found = found._replace(spans=localtime.union(found.spans, rule.free))
    if view.facts.overrides and rule.head.lifted_by:
        lift, name = lifts(view.facts, rule.head.lifted_by)
        wider = found._replace(spans=localtime.union(found.spans, lift))
        if _refuses(found, view.at) and not _refuses(wider, view.at):
            lifted.append((rule.head.id, name))
        return wider
    return found


def _with_hours(
    view: View, picked: Picked, findings: list[Finding], lifted: list[tuple[str, str]], silent: set[str]
) -> _Asked:
    """Add the windows: merged ahead of time, unless an override of this borrower's widens one of them."""
    facts = view.facts
    shown: tuple[tuple[WindowCheck, DaySpans], ...] = tuple((window, window.days) for window in picked.windows)
    days: DaySpans = picked.open_days
    if facts.overrides and any(window.head.lifted_by for window in picked.windows):
        shown = tuple((window, _lift_window(window, view, lifted)) for window in picked.windows)
        days = windows.all_of(days_of for _, days_of in shown)
    personal = personal_schedule(facts, view.zones)
    if personal is not None:
        days = windows.all_of((days, personal))
    return _Asked(view, picked, findings, shown, personal, days, lifted, silent)


def _lift_window(window: WindowCheck, view: View, lifted: list[tuple[str, str]]) -> DaySpans:
    lift, name = lifts(view.facts, window.head.lifted_by)
    if not lift:
        return window.days
    if not _open(window.days, view.at) and localtime.next_in(lift, view.at) == view.at:
        lifted.append((window.head.id, name))
    return windows.widened(window.days, lift)


def _open(days: DaySpans, at: datetime) -> bool:
    return localtime.next_in(days(at.toordinal()), at) == at


def _refuses(finding: Finding, at: datetime) -> bool:
    return localtime.next_in(finding.spans, at) != at


def _reasons(asked: _Asked) -> list[Reason]:
    """Return what speaks against the contact now."""
    at, effects = asked.view.at, asked.picked.effects
    reasons = [
        Reason(
            rule_id,
            code,
            _verdict(until, at),
            citation,
            until,
            channel_only,
            values,
            effects.get(rule_id, "must"),
        )
        for rule_id, code, citation, spans, channel_only, values in asked.findings
        if (until := localtime.next_in(spans, at)) != at
    ]
    if not _open(asked.days, at):
        reasons += [_hours_reason(window, days, asked) for window, days in asked.windows if not _open(days, at)]
        if asked.personal is not None and not _open(asked.personal, at):
            reasons.append(_personal_reason(asked.personal, at))
    if asked.view.facts.paused:
        reasons.append(_pause_reason(asked.view.facts))
    return reasons


def _verdict(until: datetime | None, at: datetime) -> Verdict:
    return Verdict.DEFER if until is not None and until <= at + HORIZON else Verdict.BLOCK


def _hours_reason(window: WindowCheck, days: DaySpans, asked: _Asked) -> Reason:
    at = asked.view.at
    until = windows.next_open(days, at, at + HORIZON)
    code, values = window_code(window, at)
    if until is None and code != "quiet_hours.no_calendar":
        code = "quiet_hours.no_common_hours"
    narrow = bool(window.head.select.channels)
    head = window.head
    return Reason(head.id, code, _verdict(until, at), head.citation, until, narrow, values, head.effect.value)


def _personal_reason(personal: DaySpans, at: datetime) -> Reason:
    until = windows.next_open(personal, at, at + HORIZON)
    return Reason("core.personal_window", "personal_window.closed", _verdict(until, at), HOUSE, until)


def _pause_reason(facts: Facts) -> Reason:
    named = {facts.channel, f"channel:{facts.channel}"}
    values = tuple(("switch", name) for name in facts.paused)
    return Reason("core.pause", "paused.switch", Verdict.DEFER, HOUSE, None, set(facts.paused) <= named, values)


def _earliest(findings: list[Finding], days: DaySpans, start: datetime, limit: datetime) -> datetime | None:
    """Move from next permitted instant to next permitted instant until nobody objects. Exact."""
    at = start
    while True:
        step = at
        for finding in findings:
            moved = localtime.next_in(finding.spans, step)
            if moved is None or moved > limit:
                return None
            step = moved
        opened = windows.next_open(days, step, limit)
        if opened is None or opened == at:
            return opened
        at = opened


def _passed(asked: _Asked, reasons: list[Reason]) -> tuple[str, ...]:
    against = asked.silent.union([reason.rule_id for reason in reasons])
    return (
        asked.picked.all_ids
        if not against
        else tuple([rule_id for rule_id in asked.picked.all_ids if rule_id not in against])
    )


def _send(asked: _Asked, policy: Policy) -> Decision:
    at, facts = asked.view.at, asked.view.facts
    shuts = [localtime.holds_until(finding.spans, at) for finding in asked.findings]
    shuts.append(windows.closes(asked.days, at) or localtime.LAST)
    shuts.append(facts.expires_at or localtime.LAST)
    first = min(shuts)
    return Decision(
        Verdict.SEND,
        at,
        policy.version,
        passed=_passed(asked, []),
        send_before=None if first == localtime.LAST else first,
        lifted=tuple(asked.lifted),
    )


def _refuse(asked: _Asked, policy: Policy, reasons: list[Reason]) -> Decision:
    at, facts = asked.view.at, asked.view.facts
    until = None
    if all(reason.verdict is Verdict.DEFER for reason in reasons):
        start = at + PAUSE_RECHECK if facts.paused else at
        until = _earliest(asked.findings, asked.days, start, at + HORIZON)
        if until is None:
            reasons.append(_no_instant(asked))
        elif facts.expires_at is not None and until >= facts.expires_at:
            values = (("permitted_at", text_of(until)),)
            reasons.append(Reason("core.expiry", "expiry.before_permitted", Verdict.BLOCK, HOUSE, facts=values))
            until = None
    verdict = Verdict.DEFER if until is not None else Verdict.BLOCK
    passed, lifted = _passed(asked, reasons), tuple(asked.lifted)
    return Decision(verdict, at, policy.version, tuple(reasons), passed, until, lifted=lifted)


def _no_instant(asked: _Asked) -> Reason:
    """Say why no instant will do: the candidate places share no hours, or the refusals never end together."""
    at = asked.view.at
    shared = windows.next_open(asked.days, at, at + HORIZON)
    code = "quiet_hours.no_common_hours" if shared is None else "horizon.no_instant"
    return Reason("core.horizon", code, Verdict.BLOCK, HOUSE)
