"""What one check found: the instants at which it has nothing against the contact."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from outreach.domain.words import Purpose
from outreach.policy import localtime
from outreach.policy.facts import Facts, Override
from outreach.policy.localtime import NEVER, Spans

HOUSE = "house policy"
"""The citation of what the lender asks of itself, beyond any law."""

Values = tuple[tuple[str, str], ...]


class Finding(NamedTuple):
    """One check's answer when it does not simply pass from now on. ``spans`` are the instants it permits."""

    rule_id: str
    code: str
    citation: str
    spans: Spans
    channel_only: bool = False
    facts: Values = ()


class View(NamedTuple):
    """One candidate contact as the checks see it.

    ``events`` are the instants of past contacts by their bits; ``hold_lifts`` as in Picked. ``counted`` remembers for
    this one decision what rules that count alike have counted.
    """

    facts: Facts
    at: datetime
    point_id: str
    events: dict[int, list[datetime]]
    zones: tuple[str, ...]
    hold_lifts: Mapping[str, frozenset[str]]
    counted: dict[object, list[datetime]]


def from_on(instant: datetime) -> Spans:
    """Return every instant from one on."""
    return ((instant, localtime.LAST),)


def text_of(instant: datetime) -> str:
    """Write an instant for an explanation."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


# An override answers for the one kind of contact it was given for: a requested callback does not excuse a reminder.
_SERVES = {
    "requested_callback": frozenset({Purpose.REQUESTED_CALLBACK}),
    "reply_in_thread": frozenset({Purpose.REPLY, Purpose.CONFIRMATION, Purpose.ARRANGEMENT}),
}
# Who asked for a call was called back once it rang; what never reached a line has not used the wish up.
_NOT_A_CALL = frozenset({"released", "rejected", "failed", "bounced", "busy", "not_connected"})


def lifts(facts: Facts, kinds: Iterable[str]) -> tuple[Spans, str]:
    """Return when a live override of one of ``kinds`` lifts a rule, and its kind.

    An override without evidence, without an end, already used, or for another channel lifts nothing.
    """
    spans, name = NEVER, ""
    for override in facts.overrides:
        if override.kind in kinds and override.until is not None and _serves(override, facts):
            spans = localtime.union(spans, ((override.since, override.until),))
            name = override.kind
    return spans, name


def _serves(override: Override, facts: Facts) -> bool:
    return (
        not override.used
        and bool(override.evidence)
        and override.channel in {"any", facts.channel}
        and facts.purpose in _SERVES.get(override.kind, frozenset({facts.purpose}))
        and not _called_back(override, facts)
    )


def _called_back(override: Override, facts: Facts) -> bool:
    return override.kind == "requested_callback" and any(
        contact.purpose == Purpose.REQUESTED_CALLBACK
        and contact.at >= override.since
        and contact.direction == "out"
        and contact.same_borrower
        and contact.outcome not in _NOT_A_CALL
        and override.channel in {"any", contact.channel}
        for contact in facts.history
    )
