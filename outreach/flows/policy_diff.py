"""What changes from one policy to another: rule by rule, and decision by decision over what was decided lately."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.policy.codec import FieldError, facts_from_json
from outreach.policy.decision import Decision, Verdict
from outreach.policy.facts import Facts
from outreach.policy.gate import decide
from outreach.policy.policy import Policy

SAMPLES: Final = 10
"""Touches that are named for each kind of change."""
_CONSEQUENCES: Final = frozenset({"core.expiry", "core.horizon"})
_BEFORE_ALL: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that is ``added``, ``removed`` or ``changed``; ``fields`` are (name, old, new) as files write them."""

    rule_id: str
    kind: str
    summary: str
    fields: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """Public holidays that are known in one policy and not in the other."""

    jurisdiction: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(slots=True)
class Shift:
    """What the other policy would have decided otherwise. A change reads ``send to block`` or ``defer, later``.

    Each decision is taken by itself, with the past as it was: what would not have left still counts for those after it.
    """

    decided: int = 0
    unreadable: int = 0
    since: datetime | None = None
    until: datetime | None = None
    changes: Counter[str] = field(default_factory=Counter)
    by_rule: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # rule -> changes
    by_jurisdiction: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    samples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # change -> touch ids


def diff_rules(old: Policy, new: Policy) -> list[RuleChange]:
    """Return what differs between the rules of two policies, drafts included, in order of their ids."""
    before, after = _entries(old), _entries(new)
    found = []
    for rule_id in sorted(before.keys() | after.keys()):
        was, now = before.get(rule_id), after.get(rule_id)
        if was == now:
            continue
        kind = "added" if was is None else "removed" if now is None else "changed"
        names = sorted(was.keys() | now.keys()) if was and now else ()
        fields = tuple((name, (was or {}).get(name), (now or {}).get(name)) for name in names)
        changed = tuple(each for each in fields if each[1] != each[2])
        found.append(RuleChange(rule_id, kind, str((now or was or {}).get("summary", "")), changed))
    return found


def diff_calendars(old: Policy, new: Policy) -> list[CalendarChange]:
    """Return the public holidays that only one of two policies knows."""
    before, after = (_days(orjson.loads(policy.content)["calendars"]) for policy in (old, new))
    found = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, set()), after.get(name, set())
        if was != now:
            found.append(CalendarChange(name, tuple(sorted(now - was)), tuple(sorted(was - now))))
    return found


def _entries(policy: Policy) -> dict[str, Mapping[str, Any]]:
    return {entry["id"]: entry for entry in orjson.loads(policy.content)["rules"]}


def _days(calendars: Mapping[str, Mapping[str, list[str]]]) -> dict[str, set[str]]:
    return {name: {day for days in years.values() for day in days} for name, years in calendars.items()}


async def shift(
    house: House, old: Policy, new: Policy, days: int, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Shift:
    """Decide the stored decisions of the last ``days`` days (up to the newest) under both policies, and compare.

    Reads only, in constant memory. ``progress`` is told how many of how many are done.
    """
    found = Shift()
    async with house.store.transaction() as tx:
        found.until = await tx.newest_decision()
        if found.until is None:
            return found
        found.since = max(found.until - timedelta(days=days), _BEFORE_ALL)
        await _compare_all(tx, old, new, found, progress)
    return found


async def _compare_all(tx: Tx, old: Policy, new: Policy, found: Shift, progress: Callable[[int, int], None]) -> None:
    assert found.since is not None  # noqa: S101 - set by the only caller
    changed = frozenset(one.rule_id for one in diff_rules(old, new))
    total = await tx.count_decisions(found.since)
    async for touch_id, at, _verdict, _version, text in tx.decisions(found.since):
        found.decided += 1
        if found.decided % 200 == 0 or found.decided == total:
            progress(found.decided, total)
        try:
            facts = facts_from_json(text.encode())
        except FieldError:
            found.unreadable += 1
            continue
        _compare(found, str(touch_id), facts, decide(facts, old, at), decide(facts, new, at), changed)


def _compare(found: Shift, touch_id: str, facts: Facts, was: Decision, now: Decision, changed: frozenset[str]) -> None:
    change = _change(was, now)
    if not change:
        return
    found.changes[change] += 1
    for place in facts.jurisdictions or ("not known",):
        found.by_jurisdiction[place][change] += 1
    for rule_id in _causes(was, now, changed):
        found.by_rule[rule_id][change] += 1
    if len(found.samples[change]) < SAMPLES:
        found.samples[change].append(touch_id)


def _causes(was: Decision, now: Decision, changed: frozenset[str]) -> list[str]:
    """Return the rules a change comes from: that speak against it in one policy only, else those that were changed."""
    before, after = ({one.rule_id for one in each.reasons} - _CONSEQUENCES for each in (was, now))
    return sorted(before ^ after) or sorted(before & after & changed) or sorted(before | after)


def _change(was: Decision, now: Decision) -> str:
    if was.verdict is not now.verdict:
        return f"{was.verdict} to {now.verdict}"
    if was.verdict is Verdict.DEFER and was.until is not None and now.until is not None and was.until != now.until:
        return "defer, later" if now.until > was.until else "defer, earlier"
    return ""
