"""Ways round: what becomes of a touch whose channel cannot be used in time, when its plan names another one."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from outreach.domain.touch import Touch, TouchMove
from outreach.domain.words import TouchState
from outreach.flows.house import House
from outreach.flows.lookout import SWITCHED_OFF
from outreach.flows.settle import MAX_TRIES
from outreach.policy.decision import Decision, Verdict

OUT_OF_ORDER = "channel.out_of_order"
GAVE_UP = "provider.gave_up"
TOO_LATE = frozenset({"expiry.before_permitted", "horizon.no_instant"})
"""Reasons that do not refuse a channel themselves: what the others refuse for a time ends too late."""


@dataclass(frozen=True, slots=True)
class WayRound:
    """How a touch goes on: at once on ``channel``, or it waits and may be asked about again at ``ask_again``."""

    reasons: tuple[str, ...]
    channel: str | None = None
    ask_again: datetime | None = None

    def move(self, touch: Touch, switches: tuple[str, ...], now: datetime) -> TouchMove:
        """Return the move that follows. What is left of a touch's channels are those behind the one it goes on to."""
        if self.channel is None:
            return TouchMove(
                touch.touch_id, TouchState.PAUSED, SWITCHED_OFF, paused_by=switches, reconsider_at=self.ask_again
            )
        rest = touch.fallback[touch.fallback.index(self.channel) + 1 :]
        reason = self.reasons[-1]
        return TouchMove(
            touch.touch_id, TouchState.PLANNED, reason, not_before=now, channel=self.channel, fallback=rest, tries=0
        )


def is_held_by_outage(touch: Touch, paused: Collection[str], outages: Collection[str]) -> bool:
    """Tell whether nothing but an outage of its own channel holds a touch back."""
    return touch.channel in outages and set(paused) == {f"channel:{touch.channel}"}


def is_too_late(decision: Decision) -> bool:
    """Tell whether a touch is refused only because what refuses its channel for a time ends too late for it."""
    against = [reason.code for reason in decision.reasons if reason.verdict is Verdict.BLOCK]
    return bool(against) and TOO_LATE.issuperset(against)


def find_way(
    touch: Touch,
    decision: Decision,
    paused: Collection[str],
    outages: Collection[str],
    ask: Callable[[str], Decision],
) -> WayRound | None:
    """Return how a touch goes on whose channel is out of order, has been tried often enough or opens too late.

    None for any other.

    Only a channel that its plan names behind this one is taken, and only if the gate permits a send there now: consent,
    hours and caps are asked as for any touch. Otherwise it stays where it is, within its validity.
    """
    if is_too_late(decision):
        codes = tuple(dict.fromkeys(reason.code for reason in decision.reasons))
        in_time = (channel for channel in touch.fallback if ask(channel).verdict is not Verdict.BLOCK)
        return next((WayRound(codes, channel) for channel in in_time), None)
    if decision.verdict is Verdict.SEND and touch.tries >= MAX_TRIES and touch.fallback:
        reasons: tuple[str, ...] = (GAVE_UP,)
    elif decision.verdict is Verdict.DEFER and is_held_by_outage(touch, paused, outages):
        reasons = (SWITCHED_OFF, OUT_OF_ORDER)
        if any(reason.code != SWITCHED_OFF for reason in decision.reasons):
            # It could not have left now in any case: it is asked about again when its own hours permit it.
            return WayRound(reasons, ask_again=decision.until if touch.fallback else None)
    else:
        return None
    times = []
    for channel in touch.fallback:
        answer = ask(channel)
        if answer.verdict is Verdict.SEND:
            return WayRound(reasons, channel)
        if answer.until is not None:
            times.append(answer.until)
    return WayRound(reasons, ask_again=min(times, default=None))


async def reconsider(house: House, limit: int = 500) -> int:
    """Decide again what an outage holds and another channel may carry by now; returns how many were put back."""
    async with house.store.transaction() as tx:
        count = await tx.claim_reconsidered(house.clock.now(), limit)
        if count:
            await tx.notify_due()
    return count
