"""Protection as a file: config/protection.yaml becomes values, or problems with places."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator, model_validator

from outreach.domain.config_edge import Shape, read_shape, word
from outreach.domain.located_yaml import ConfigError, Located, Problem, load_located
from outreach.domain.plan import parse_duration
from outreach.domain.protection import Band, Protection, Streak, Threshold
from outreach.domain.words import Channel


def _read_length(value: object) -> timedelta:
    length = parse_duration(value)
    if length <= timedelta(0):
        raise ValueError(f"{value!r} must be longer than nothing")
    return length


LENGTH = Annotated[timedelta, PlainValidator(_read_length)]
CHANNEL = Annotated[Channel, word(Channel, "channel")]
COUNT = Annotated[int, Field(ge=1, le=100_000)]
SHARE = Annotated[float, Field(gt=0, le=1)]
_USUAL = Protection()


class BandShape(Shape):
    """How long final news takes."""

    usual: LENGTH
    overdue: LENGTH

    @model_validator(mode="after")
    def _in_order(self) -> "BandShape":
        if self.usual >= self.overdue:
            raise ValueError("usual must be shorter than overdue")
        return self


class ThresholdShape(Shape):
    """Too many: a count and a share within a window."""

    window: LENGTH
    at_least: COUNT
    share: SHARE

    def value(self) -> Threshold:
        """Return it as a plain value."""
        return Threshold(self.window, self.at_least, self.share)


class ReceiptsShape(Shape):
    """The block ``receipts``."""

    late: ThresholdShape
    missing: ThresholdShape
    channels: dict[CHANNEL, BandShape]


class SurgeShape(ThresholdShape):
    """The block ``surge``."""

    pause_for: LENGTH
    longest: LENGTH

    @model_validator(mode="after")
    def _in_order(self) -> "SurgeShape":
        if self.pause_for > self.longest:
            raise ValueError("pause_for must not be longer than longest")
        return self


class OutageShape(Shape):
    """The block ``outage``."""

    patience: LENGTH
    at_least: COUNT
    pause_for: LENGTH


class StreakShape(Shape):
    """One entry of ``contact_points``."""

    attempts: Annotated[int, Field(ge=2, le=40)]
    days: Annotated[int, Field(ge=1, le=365)]

    def value(self) -> Streak:
        """Return it as a plain value."""
        return Streak(self.attempts, self.days)


class PointsShape(Shape):
    """The block ``contact_points``."""

    silent: StreakShape
    undelivered: StreakShape


class ProtectionShape(Shape):
    """The file as it is written; a block that is left out is as shipped."""

    receipts: ReceiptsShape | None = None
    surge: SurgeShape | None = None
    outage: OutageShape | None = None
    hygiene: ThresholdShape | None = None
    contact_points: PointsShape | None = None

    @model_validator(mode="after")
    def _fits(self) -> "ProtectionShape":
        window = self.surge.window if self.surge else _USUAL.surge.window
        patience = self.outage.patience if self.outage else _USUAL.patience
        if patience >= window:
            raise ValueError("outage.patience must be shorter than surge.window, over which it is looked for")
        return self

    def value(self) -> Protection:
        """Return it as plain values."""
        receipts, surge, outage, points = self.receipts, self.surge, self.outage, self.contact_points
        return Protection(
            bands={str(name): Band(band.usual, band.overdue) for name, band in receipts.channels.items()}
            if receipts
            else _USUAL.bands,
            late=receipts.late.value() if receipts else _USUAL.late,
            missing=receipts.missing.value() if receipts else _USUAL.missing,
            surge=surge.value() if surge else _USUAL.surge,
            pause_for=surge.pause_for if surge else _USUAL.pause_for,
            longest=surge.longest if surge else _USUAL.longest,
            patience=outage.patience if outage else _USUAL.patience,
            down_at_least=outage.at_least if outage else _USUAL.down_at_least,
            down_pause=outage.pause_for if outage else _USUAL.down_pause,
            hygiene=self.hygiene.value() if self.hygiene else _USUAL.hygiene,
            silent=points.silent.value() if points else _USUAL.silent,
            undelivered=points.undelivered.value() if points else _USUAL.undelivered,
        )


def load_protection(path: Path) -> Protection:
    """Return the rules of a file; the usual ones where there is none. Raises ConfigError with every problem."""
    if not path.exists():
        return Protection()
    rules, problems = read_protection(load_located(path))
    if problems:
        raise ConfigError(problems)
    return rules


def read_protection(located: Located) -> tuple[Protection, list[Problem]]:
    """Read the rules from a parsed file, with the problems found."""
    problems = list(located.problems)
    if located.data is None:
        return Protection(), problems
    shape, found = read_shape(ProtectionShape, located)
    return (shape.value() if shape else Protection()), [*problems, *found]
