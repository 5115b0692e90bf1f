"""Times at which a borrower is not to be reached: whether they may be barred, and recording them."""

from dataclasses import replace
from datetime import datetime

from outreach.domain.case import Case
from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry
from outreach.domain.words import Channel, Purpose
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import Speaker
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import PersonalWindow
from outreach.policy.personal import may_name
from outreach.replies.day_times import Times
from outreach.replies.reading import Reading

MOST_TIMES = 20
"""Times that one borrower may have named at once."""


def may_bar(house: House, dossier: Dossier, case: Case, window: PersonalWindow, now: datetime) -> bool:
    """Ask the policy whether a person may bar one more time, on the channels it is about."""
    if len(dossier.windows) >= MOST_TIMES:
        return False
    channels = [Channel(window.channel)] if window.channel != "any" else [Channel.SMS, Channel.IVR]
    return all(
        may_name(
            facts_for(
                dossier, case, touch_id=case.case_id, channel=channel, purpose=Purpose.REMINDER,
                role=house.creditor(case.creditor_id).role, actor="automated", at=now, expires_at=None, point=None,
            ),
            house.policy, now, window,
        ).permitted
        for channel in channels
    )  # fmt: skip


async def record_times(tx: Tx, case: Case, window: PersonalWindow, evidence: str, now: datetime) -> None:
    """Record a time at which a borrower is not to be reached; from now on the gate heeds it."""
    await tx.insert_personal_window(
        {
            "personal_window_id": new_id(now),
            "borrower_id": case.borrower_id,
            "effect": window.effect,
            "opens": window.start,
            "closes": window.end,
            "days": list(window.days),
            "channel": window.channel,
            "since_at": now,
            "until_at": None,
        }
    )
    told = {"from": window.start, "to": window.end, "days": window.days, "channel": window.channel}
    await tx.append([Entry(case.case_id, now, "times.named", told | {"evidence": evidence})])


def within_bounds(house: House, speaker: Speaker, reading: Reading, now: datetime) -> Reading:
    """Return a reading without times that a person may not bar by themselves: then somebody reads it."""
    window = window_of(reading.times)
    if window is None or may_bar(house, speaker.dossier, speaker.case, window, now):
        return reading
    return replace(reading, times=None)


_BY_NAME = {"00:00": "midnight", "12:00": "noon"}


def told_times(times: Times, locale: str) -> dict[str, str]:
    """Return the hours of a reply as a template prints them in a locale."""
    told = {"at": times.at, "start": times.start, "end": times.end}
    return {name: _told(clock, locale) for name, clock in told.items() if clock}


def _told(clock: str, locale: str) -> str:
    """Write ``17:00`` as it is, and as ``5:00 pm`` in American English."""
    if locale != "en-US":
        return clock
    if clock in _BY_NAME:
        return _BY_NAME[clock]
    hour, _, minute = clock.partition(":")
    return f"{(int(hour) + 11) % 12 + 1}:{minute} {'am' if int(hour) < 12 else 'pm'}"


def window_of(times: Times | None) -> PersonalWindow | None:
    """Return the window that the hours of a reply bar, every day and on every channel."""
    if times is None or times.start is None or times.end is None:
        return None
    return PersonalWindow("bar", times.start, times.end, ())
