"""Protection around the lanes: what is too many errors, too long a silence, too many failures of one address. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from outreach.domain.words import Channel


@dataclass(frozen=True, slots=True)
class Band:
    """How long final news of a touch takes: as a rule, and until nobody expects it any more."""

    usual: timedelta
    overdue: timedelta


@dataclass(frozen=True, slots=True)
class Threshold:
    """Too many: at least so many of the attempts of a window, and at least such a share of them (0 to 1)."""

    window: timedelta
    at_least: int
    share: float

    def is_passed(self, bad: int, of: int) -> bool:
        """Tell whether ``bad`` out of ``of`` is too many."""
        return bad >= self.at_least and bad >= self.share * of


@dataclass(frozen=True, slots=True)
class Streak:
    """A contact point is given up after so many attempts in a row, the first and the last so many days apart."""

    attempts: int
    days: int


_MINUTES = timedelta(minutes=1)
_HOURS = timedelta(hours=1)
_BANDS: Mapping[str, Band] = MappingProxyType(
    {
        str(Channel.SMS): Band(10 * _MINUTES, 24 * _HOURS),
        str(Channel.VOICE): Band(10 * _MINUTES, 2 * _HOURS),
        str(Channel.IVR): Band(10 * _MINUTES, 2 * _HOURS),
    }
)


@dataclass(frozen=True, slots=True)
class Protection:
    """What ``config/protection.yaml`` says. Without a band nobody waits for news of a channel.

    A lane or campaign with a ``surge`` is paused for ``pause_for``, each time within a day for twice as long, up to
    ``longest``. A lane whose provider answers nothing for ``patience``, in at least ``down_at_least`` attempts, is
    paused for ``down_pause``.
    """

    bands: Mapping[str, Band] = field(default_factory=lambda: _BANDS)
    late: Threshold = Threshold(2 * _HOURS, 20, 0.5)
    missing: Threshold = Threshold(24 * _HOURS, 20, 0.2)
    surge: Threshold = Threshold(30 * _MINUTES, 20, 0.5)
    pause_for: timedelta = _HOURS
    longest: timedelta = 8 * _HOURS
    patience: timedelta = 10 * _MINUTES
    down_at_least: int = 10
    down_pause: timedelta = 15 * _MINUTES
    hygiene: Threshold = Threshold(24 * _HOURS, 20, 0.3)
    silent: Streak = Streak(5, 14)
    undelivered: Streak = Streak(4, 7)


@dataclass(frozen=True, slots=True)
class Tally:
    """The latest attempts of one campaign (or of none) in one lane.

    ``settled`` are all that ended, ``bad`` those refused, failed or of unknown outcome for reasons that are not the
    borrower's; both since the lane was last resumed. ``own_settled`` and ``own_bad`` are the same since the campaign
    was. ``down`` did not reach the provider since it last answered anything, the first of them at ``down_since``.
    """

    channel: str
    campaign_id: UUID | None
    campaign: str | None
    settled: int
    bad: int
    own_settled: int
    own_bad: int
    down: int
    down_since: datetime | None


class Trouble(StrEnum):
    """What is wrong with a lane or a campaign."""

    SURGE = "surge"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to pause: ``scope`` and ``key`` as a kill switch names it, ``name`` as people do."""

    trouble: Trouble
    scope: str
    key: str
    name: str
    bad: int
    of: int


def find_troubles(tallies: Iterable[Tally], rules: Protection, now: datetime) -> list[Finding]:
    """Return what has to be paused, the narrowest thing that explains the errors first.

    A campaign is named alone when its lane is well without it, and there is enough of the rest to say so. Otherwise
    the lane is named, and its campaigns are left alone: they would have to be resumed one by one.
    """
    lanes: dict[str, list[Tally]] = {}
    for tally in tallies:
        lanes.setdefault(tally.channel, []).append(tally)
    found: dict[tuple[str, str], Finding] = {}
    for channel, members in sorted(lanes.items()):
        for finding in _of_lane(channel, members, rules, now):
            found.setdefault((finding.scope, finding.key), finding)
    return list(found.values())


def _of_lane(channel: str, members: Sequence[Tally], rules: Protection, now: datetime) -> list[Finding]:
    down, since = sum(each.down for each in members), [each.down_since for each in members if each.down_since]
    if down >= rules.down_at_least and since and now - min(since) >= rules.patience:
        return [Finding(Trouble.DOWN, "channel", channel, channel, down, down)]
    ill = [each for each in members if each.campaign_id and rules.surge.is_passed(each.own_bad, each.own_settled)]
    well = [each for each in members if each not in ill]
    bad, of = _sums(members)
    rest_bad, rest_of = _sums(well)
    if rules.surge.is_passed(bad, of) and (rest_of < rules.surge.at_least or rest_bad >= rules.surge.share * rest_of):
        return [Finding(Trouble.SURGE, "channel", channel, channel, bad, of)]
    return [
        Finding(Trouble.SURGE, "campaign", str(each.campaign_id), each.campaign or "", each.own_bad, each.own_settled)
        for each in ill
    ]


def _sums(members: Iterable[Tally]) -> tuple[int, int]:
    listed = list(members)
    return sum(each.bad for each in listed), sum(each.settled for each in listed)


def pause_length(rules: Protection, trouble: Trouble, before: int) -> timedelta:
    """Return how long to pause what was paused ``before`` times within a day: trouble that returns rests longer."""
    first = rules.pause_for if trouble is Trouble.SURGE else rules.down_pause
    return min(first * int(2 ** min(before, 10)), max(rules.longest, first))


class PointNews(StrEnum):
    """Why a contact point is given up."""

    NO_RECEIPT = "no_receipt"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class Run:
    """What has gone to one contact point since something last arrived there or came from it.

    Counts and the first and last instant of attempts that were not delivered, and of those nobody sent news of.
    """

    point_id: UUID
    case_id: UUID
    undelivered: int
    undelivered_span: timedelta
    silent: int
    silent_span: timedelta


def given_up(run: Run, rules: Protection) -> PointNews | None:
    """Return why a contact point is to be used no more; None while it may be."""
    if run.undelivered >= rules.undelivered.attempts and run.undelivered_span >= timedelta(days=rules.undelivered.days):
        return PointNews.UNDELIVERED
    if run.silent >= rules.silent.attempts and run.silent_span >= timedelta(days=rules.silent.days):
        return PointNews.NO_RECEIPT
    return None
