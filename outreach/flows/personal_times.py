"""Times at which a borrower is not to be reached: whether they may be barred, and recording them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from outreach.domain.case import Case
from outreach.domain.ids import new_id
from outreach.domain.timeline import Entry
from outreach.domain.words import Channel, Purpose
from outreach.flows.house import House
from outreach.flows.ports import Tx
from outreach.flows.speaker import Speaker
from outreach.policy.dossier import Dossier, facts_for
from outreach.policy.facts import PersonalWindow
from outreach.policy.personal import hours_barred, may_name
from outreach.policy.windows import WEEKDAYS
from outreach.rendering.formats import weekdays
from outreach.replies.day_times import Times
from outreach.replies.reading import Reading

MOST_TIMES = 20
"""Times that one borrower may have named at once."""

HOURS_OF_A_WEEK = 7 * 24
WHOLE_DAY = "24:00"
"""Where a day ends that is named whole."""


def may_bar(house: House, dossier: Dossier, case: Case, windows: Sequence[PersonalWindow], now: datetime) -> bool:
    """Ask the policy whether a person may bar more times, on the channels they are about: all alike."""
    if len(dossier.windows) + len(windows) > MOST_TIMES:
        return False
    channel = windows[0].channel
    channels = [Channel(channel)] if channel != "any" else [Channel.SMS, Channel.IVR]
    return all(
        may_name(
            facts_for(
                dossier, case, touch_id=case.case_id, channel=channel, purpose=Purpose.REMINDER,
                role=house.creditor(case.creditor_id).role, actor="automated", at=now, expires_at=None, point=None,
            ),
            house.policy, now, *windows,
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
    """Return a reading without times that a person may not bar by themselves, or that leave none: somebody reads it."""
    windows = windows_of(reading.times)
    if not windows:
        return reading
    named = [one for one in speaker.dossier.windows if one.channel == "any" and (one.until is None or one.until > now)]
    leaves_some = hours_barred([*named, *windows]) < HOURS_OF_A_WEEK
    if leaves_some and may_bar(house, speaker.dossier, speaker.case, windows, now):
        return reading
    return replace(reading, times=None)


_BY_NAME = {"00:00": "midnight", "12:00": "noon"}


def told_times(times: Times, locale: str) -> dict[str, Any]:
    """Return the hours and days of a reply as a template prints them in a locale; of whole days there are no hours."""
    hours = {"at": times.at} if times.end == WHOLE_DAY else {"at": times.at, "start": times.start, "end": times.end}
    told: dict[str, Any] = {name: _told(clock, locale) for name, clock in hours.items() if clock}
    if times.days:
        told["days"] = weekdays(times.days, locale.replace("-", "_"))
    return told | {"only": True} if times.only else told


def _told(clock: str, locale: str) -> str:
    """Write ``17:00`` as it is, and as ``5:00 pm`` in American English."""
    if locale != "en-US":
        return clock
    if clock in _BY_NAME:
        return _BY_NAME[clock]
    hour, _, minute = clock.partition(":")
    return f"{(int(hour) + 11) % 12 + 1}:{minute} {'am' if int(hour) < 12 else 'pm'}"


def windows_of(times: Times | None) -> tuple[PersonalWindow, ...]:
    """Return the windows that the times of a reply bar, on every channel: where they say "only", all the others.

    Barred times add up, permitted ones would widen each other: who says "only on weekends" and then "only after 6" is
    reached when both hold.
    """
    if times is None or times.start is None or times.end is None:
        return ()
    start, end, days = times.start, times.end, times.days
    if not times.only:
        return (PersonalWindow("bar", start, end, days),)
    others = tuple(day for day in WEEKDAYS if day not in days) if days else ()
    around = [PersonalWindow("bar", "00:00", start, days)] if start != "00:00" else []
    around += [PersonalWindow("bar", end, WHOLE_DAY, days)] if end not in ("00:00", WHOLE_DAY) else []
    around += [PersonalWindow("bar", "00:00", WHOLE_DAY, others)] if others else []
    return tuple(around)
