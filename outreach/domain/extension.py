"""Extensions: a new due date for what is owed, within a bound, not too often."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class ExtensionRefusal(StrEnum):
    """Why a new due date cannot be given as it was asked for. A person takes over."""

    NOTHING = "extension.nothing_is_due"
    NOT_OFFERED = "extension.not_offered"
    TOO_SOON = "extension.one_was_granted"
    NO_DATE = "extension.no_date"
    PAST = "extension.date_not_ahead"
    TOO_FAR = "extension.date_too_far"


@dataclass(frozen=True, slots=True)
class Extension:
    """The due date moves from ``from_on`` to ``to_on``; both are local days of the borrower."""

    from_on: date
    to_on: date


def latest_day(due_on: date, today: date, max_days: int) -> date:
    """Return the last day an extension may reach: counted from the due date, or from today once that has passed."""
    return max(due_on, today) + timedelta(days=max_days)


def may_extend(due_minor: int, today: date, max_days: int, every_days: int, last_on: date | None) -> bool:
    """Tell whether an extension may be granted at all. ``last_on`` is the day the case's latest was granted."""
    return due_minor > 0 and max_days > 0 and (last_on is None or (today - last_on).days >= every_days)


def decide_extension(
    on: date | None, *, due_minor: int, due_on: date, today: date, max_days: int, every_days: int, last_on: date | None
) -> Extension | ExtensionRefusal:
    """Return the extension as it may be granted, or why not."""
    if due_minor <= 0:
        return ExtensionRefusal.NOTHING
    if max_days <= 0:
        return ExtensionRefusal.NOT_OFFERED
    if not may_extend(due_minor, today, max_days, every_days, last_on):
        return ExtensionRefusal.TOO_SOON
    if on is None:
        return ExtensionRefusal.NO_DATE
    if on <= max(today, due_on):
        return ExtensionRefusal.PAST
    if on > latest_day(due_on, today, max_days):
        return ExtensionRefusal.TOO_FAR
    return Extension(due_on, on)
