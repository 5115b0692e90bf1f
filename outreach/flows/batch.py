"""Batch: what one dispatch transaction is going to write, and what each answer of the gate puts into it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.domain.case import Case, ContactPoint
from outreach.domain.timeline import Entry
from outreach.domain.touch import NewAttempt, Touch, TouchMove
from outreach.domain.words import TouchState
from outreach.flows.approvals import ASK_AGAIN
from outreach.flows.lookout import SWITCHED_OFF
from outreach.flows.outage import WayRound
from outreach.flows.priority import GAVE_WAY, LETS_GO_FIRST, SUPERSEDED, Coming, Contest
from outreach.flows.settle import Sent
from outreach.policy.decision import Decision, Verdict
from outreach.policy.dossier import Dossier


@dataclass(slots=True)
class Batch:
    """What one dispatch transaction is going to write, and who else wants the same borrowers' slots."""

    rivals: dict[UUID, list[Touch]] = field(default_factory=dict)
    coming: dict[UUID, list[Coming]] = field(default_factory=dict)
    cases: dict[UUID, Case] = field(default_factory=dict)
    contests: list[Contest] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[NewAttempt] = field(default_factory=list)
    moves: list[TouchMove] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    sends: list[Sent] = field(default_factory=list)
    tally: dict[str, int] = field(default_factory=dict)
    blind_rules: set[str] = field(default_factory=set)
    outages: set[str] = field(default_factory=set)
    at_address: dict[str, list[tuple[Dossier, ContactPoint]]] = field(default_factory=dict)

    def share(self, people: Iterable[Dossier]) -> None:
        """Find out who of a batch shares a number or mailbox: they share its caps within the batch, too."""
        for dossier in people:
            for point in dossier.points:
                self.at_address.setdefault(point.value, []).append((dossier, point))

    def count(self, what: str) -> None:
        """Count one outcome for the canonical log line."""
        self.tally[what] = self.tally.get(what, 0) + 1

    def end(self, touch: Touch, state: TouchState, told: dict[str, Any], now: datetime) -> None:
        """Settle a touch for good; the first of the reasons told is the one it keeps."""
        self.moves.append(TouchMove(touch.touch_id, state, told["reasons"][0], settled_at=now))
        self.entries.append(Entry(touch.case_id, now, f"touch.{state}", told))
        self.count(str(state))


def codes_of(decision: Decision) -> list[str]:
    """Return the codes of what speaks against a touch, each once, as they are told; the decision keeps every rule."""
    return list(dict.fromkeys(reason.code for reason in decision.reasons))


def go_round(
    batch: Batch, touch: Touch, way: WayRound, switches: Sequence[str], decision_id: UUID, now: datetime
) -> None:
    """Go on to the next channel that may carry it, or wait for an outage to end."""
    more = {"next": way.channel} if way.channel else {"switches": switches}
    batch.moves.append(way.move(touch, tuple(switches), now))
    what = "fell_back" if way.channel else "paused"
    told = about(touch, decision_id) | {"reasons": way.reasons} | more
    batch.entries.append(Entry(touch.case_id, now, f"touch.{what}", told))
    batch.count(what)


def give_way(batch: Batch, touch: Touch, rival: Coming, now: datetime) -> None:
    """Let a higher touch go first; what would be too late after it has lost its slot to it."""
    until = rival.at + LETS_GO_FIRST
    winner = {"winner": rival.touch.touch_id} if rival.stored else {}
    if until >= touch.expires_at:
        batch.end(touch, TouchState.SUPERSEDED, about(touch, None) | {"reasons": [SUPERSEDED]} | winner, now)
        return
    batch.moves.append(TouchMove(touch.touch_id, TouchState.PLANNED, GAVE_WAY, not_before=until))
    told = about(touch, None) | {"reasons": [GAVE_WAY], "until": until} | winner
    batch.entries.append(Entry(touch.case_id, now, "touch.gave_way", told))
    batch.count("gave_way")


def lose(batch: Batch, contest: Contest, winner: UUID | None, now: datetime) -> None:
    """Say of what counts refused for good which touch won the slot; without one it is blocked like anything else."""
    if winner is None:
        block(batch, contest.touch, contest.decision, contest.decision_id, now)
        return
    codes = [SUPERSEDED, *codes_of(contest.decision)]
    told = about(contest.touch, contest.decision_id) | {"reasons": codes, "winner": winner}
    batch.end(contest.touch, TouchState.SUPERSEDED, told, now)


def defer(
    batch: Batch, touch: Touch, decision: Decision, switches: tuple[str, ...], decision_id: UUID, now: datetime
) -> None:
    """Put a touch off to when the gate permits it, or hold it for as long as a switch is off."""
    codes = codes_of(decision)
    if switches:
        batch.moves.append(TouchMove(touch.touch_id, TouchState.PAUSED, SWITCHED_OFF, paused_by=switches))
        told = about(touch, decision_id) | {"reasons": codes, "switches": switches}
        batch.entries.append(Entry(touch.case_id, now, "touch.paused", told))
        batch.count("paused")
        return
    _put_off(batch, touch, decision.until or now + ASK_AGAIN, codes, decision_id, now)


def wait(batch: Batch, touch: Touch, reason: str, decision_id: UUID, now: datetime) -> None:
    """Put off what the gate permits and the house is not ready for: it is decided anew when it is."""
    _put_off(batch, touch, now + ASK_AGAIN, [reason], decision_id, now)


def _put_off(
    batch: Batch, touch: Touch, until: datetime, codes: Sequence[str], decision_id: UUID, now: datetime
) -> None:
    batch.moves.append(TouchMove(touch.touch_id, TouchState.DEFERRED, codes[0], not_before=until))
    told = about(touch, decision_id) | {"until": until, "reasons": codes}
    batch.entries.append(Entry(touch.case_id, now, "touch.deferred", told))
    batch.count("deferred")


def block(batch: Batch, touch: Touch, decision: Decision, decision_id: UUID, now: datetime) -> None:
    """End what may not leave, or go on to the next channel of its plan where only this one is refused."""
    told = about(touch, decision_id) | {"reasons": codes_of(decision) or ["blocked"]}
    if not falls_back(touch, decision):
        batch.end(touch, TouchState.BLOCKED, told, now)
        return
    following, rest = touch.fallback[0], touch.fallback[1:]
    batch.moves.append(
        TouchMove(
            touch.touch_id,
            TouchState.PLANNED,
            told["reasons"][0],
            not_before=now,
            channel=following,
            fallback=rest,
        )
    )
    batch.entries.append(Entry(touch.case_id, now, "touch.fell_back", told | {"next": following}))
    batch.count("fell_back")


def falls_back(touch: Touch, decision: Decision) -> bool:
    """Tell whether all that refuses a touch for good speaks of this channel alone, and its plan names another."""
    against = [reason for reason in decision.reasons if reason.verdict is Verdict.BLOCK]
    return bool(touch.fallback) and all(reason.channel_only for reason in against)


def close(
    batch: Batch, touch: Touch, state: TouchState, reason: str, now: datetime, decision_id: UUID | None = None
) -> None:
    """Settle a touch for a reason that is not the gate's."""
    batch.end(touch, state, about(touch, decision_id) | {"reasons": [reason]}, now)


def about(touch: Touch, decision_id: UUID | None) -> dict[str, Any]:
    """Return what every entry about a touch tells of it."""
    return {
        "touch_id": touch.touch_id,
        "channel": touch.channel,
        "step": touch.step_id,
        "template": touch.template,
        "decision_id": decision_id,
    }
