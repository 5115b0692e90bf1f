"""A running enrollment stays on the plan version it started with, wherever that version now lives."""

from outreach.domain.plan import Plan
from outreach.domain.plan_config import plan_from_content
from outreach.flows.house import House
from outreach.flows.ports import Tx

_old: dict[str, Plan] = {}


async def plan_of_version(house: House, tx: Tx, name: str, version: str) -> Plan:
    """Return a plan in the version asked for: the current one, or a stored one. Raises KeyError when neither exists."""
    current = house.plans.get(name)
    if current is not None and current.version == version:
        return current
    if version not in _old:
        bodies = await tx.plan_bodies([version])
        _old[version] = plan_from_content(bodies[version][1])
    return _old[version]
