"""What the gate answers: Send, Defer or Block, with every reason, never just the first."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """The three answers. There is no fourth."""

    SEND = "send"
    DEFER = "defer"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule's finding.

    ``code`` reads ``quiet_hours.before_open``; ``verdict`` is what this rule alone would answer; ``until`` is when this
    rule alone would pass (None: no time is known); ``channel_only`` is true when another channel or contact point could
    still pass. ``facts`` holds the few values that decided, as text: never a name, an address or a body. ``effect`` is
    how strongly the source speaks (a value of rules.Effect); all refuse alike.
    """

    rule_id: str
    code: str
    verdict: Verdict
    citation: str = ""
    until: datetime | None = None
    channel_only: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    effect: str = "must"


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's whole answer for one candidate contact at one instant under one policy version.

    ``until`` is set for Defer only: the earliest instant at which every rule passes. ``reasons`` holds all reasons that
    speak against; ``passed`` the ids of the rules that were asked and had nothing against it; ``lifted`` the rules that
    would have refused but for a recorded override, each with the kind of override.
    """

    verdict: Verdict
    at: datetime
    policy_version: str
    reasons: tuple[Reason, ...] = ()
    passed: tuple[str, ...] = ()
    until: datetime | None = None
    send_before: datetime | None = None  # the permitted window closes; a send must have left by then
    lifted: tuple[tuple[str, str], ...] = ()
