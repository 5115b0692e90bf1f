"""Contactability: what nothing reaches is given up; a number or mailbox that answers or is reached comes back."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

import structlog

from outreach.domain.protection import PointNews, given_up
from outreach.domain.timeline import Entry
from outreach.domain.words import SPOKEN, Channel, PointState
from outreach.flows.house import House
from outreach.flows.ports import Tx

BAD_ADDRESS = "provider.bad_address"

_WRITTEN = tuple(str(channel) for channel in Channel if channel not in SPOKEN)
_BY_MACHINES = (BAD_ADDRESS, *(f"silent.{why}" for why in PointNews))
"""Reasons that a later arrival or answer proves wrong. What a person said of a number stays."""

# While one of these is open for a lane, what fails there says something about the lane and nothing about a number.
_LANE_IN_DOUBT = frozenset(
    {"channel.error_surge", "channel.down", "channel.misconfigured", "receipts.late", "receipts.missing"}
)

_log = structlog.get_logger(__name__)


async def give_up_worn(tx: Tx, house: House, points: Collection[UUID], now: datetime) -> int:
    """Demote those of ``points`` to which nothing has got through for long enough; returns how many.

    Channels whose lane is in doubt are left aside: a broken provider must not cost anybody their number.
    """
    if not points:
        return 0
    in_doubt = {subject for kind, subject, *_ in await tx.open_alerts() if kind in _LANE_IN_DOUBT}
    trusted = [channel for channel in _WRITTEN if channel not in in_doubt]
    runs = await tx.worn_points(sorted(points), trusted) if trusted else []
    worn = [(run, why) for run in runs if (why := given_up(run, house.protection)) is not None]
    state = PointState.SILENT
    await tx.mark_points(
        [{"contact_point_id": run.point_id, "state": state, "reason": f"silent.{why}"} for run, why in worn], now
    )
    await tx.append(
        [
            Entry(run.case_id, now, "contact_point.demoted",
                  {"contact_point_id": run.point_id, "state": state, "reasons": [f"silent.{why}"]})
            for run, why in worn
        ]
    )  # fmt: skip
    if worn:
        _log.info("contact points given up", points=len(worn))
    return len(worn)


async def put_back_reached(tx: Tx, attempts: Iterable[UUID], now: datetime) -> None:
    """Put back into use what machines had given up and where these attempts arrived."""
    for point, case in await tx.promote_reached(attempts, _BY_MACHINES, now):
        told = {"contact_point_id": point, "reasons": ["reached.delivered"]}
        await tx.append([Entry(case, now, "contact_point.promoted", told)])


async def put_back_heard(tx: Tx, point: UUID, case_id: UUID, now: datetime) -> None:
    """Put back into use what machines had given up and from where its owner wrote."""
    if await tx.promote_heard(point, _BY_MACHINES, now):
        told = {"contact_point_id": point, "reasons": ["reached.replied"]}
        await tx.append([Entry(case_id, now, "contact_point.promoted", told)])


def demoted(case_id: UUID, point: UUID, now: datetime) -> Entry:
    """Return the entry of a number or mailbox that a provider says does not exist."""
    told = {"contact_point_id": point, "state": PointState.INVALID, "reasons": [BAD_ADDRESS]}
    return Entry(case_id, now, "contact_point.demoted", told)
