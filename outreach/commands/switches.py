"""`outreach pause` and `outreach resume`: the kill switches, in force at the next decision on every process."""

import re
from typing import Annotated

import typer

from outreach.commands.common import a_house, console, fail, run, settings_or_fail
from outreach.domain.words import Channel
from outreach.flows.house import House

_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*")

What = Annotated[
    str, typer.Argument(help="everything, channel:<name>, plan:<name> or jurisdiction:<code>, such as channel:sms.")
]


def pause(
    what: What, reason: Annotated[str, typer.Option(help="Why, for whoever reads doctor. No personal data.")]
) -> None:
    """Stop contact at once: the gate defers what it is asked about. What a provider already took is not called back."""
    scope, key = run(_pause(what, reason))
    console.print(f"paused: {scope} {key}")


def resume(what: What) -> None:
    """Let contact go on: everything is decided anew. Closes the alerts about it."""
    lifted, closed = run(_resume(what))
    if not lifted:
        fail(f"{what} was not paused; outreach doctor lists what is", 1)
    console.print(f"resumed: {what}" + (f"; {closed} alert{'s' if closed > 1 else ''} closed" if closed else ""))


async def _pause(what: str, reason: str) -> tuple[str, str]:
    async with a_house(settings_or_fail()) as house:
        scope, key = _read(house, what)
        async with house.store.transaction() as tx:
            await tx.set_switch(scope, key, reason, house.clock.now())
    return scope, key


async def _resume(what: str) -> tuple[int, int]:
    async with a_house(settings_or_fail()) as house:
        scope, key = _read(house, what)
        async with house.store.transaction() as tx:
            lifted = await tx.clear_switch(scope, key)
            closed = await tx.close_alerts(key, house.clock.now()) if lifted else 0
            await tx.notify_due()
    return lifted, closed


def _read(house: House, what: str) -> tuple[str, str]:
    """Read ``scope:key``; a word that would never match anything is refused."""
    scope, _, key = what.partition(":")
    match scope:
        case "everything" if not key:
            return scope, scope
        case "channel":
            _known(key, [str(channel) for channel in Channel], what)
        case "plan":
            _known(key, sorted(house.plans), what)
        case "jurisdiction" if _PLACE.fullmatch(key):
            pass
        case _:
            fail(f"{what!r}: expected everything, channel:<name>, plan:<name> or jurisdiction:<code> such as US-TX")
    return scope, key


def _known(key: str, allowed: list[str], what: str) -> None:
    if key not in allowed:
        fail(f"{what!r}: there is no {key or 'empty name'!r}; there are {', '.join(allowed)}")


def acknowledge(subject: Annotated[str, typer.Argument(help="What doctor names in brackets, such as sms.")]) -> None:
    """Close the alerts about a subject, once somebody has seen to them."""
    closed = run(_acknowledge(subject))
    if not closed:
        fail(f"no alert about {subject!r} is open; outreach doctor lists those that are", 1)
    console.print(f"{closed} alert{'s' if closed > 1 else ''} about {subject} closed")


async def _acknowledge(subject: str) -> int:
    async with a_house(settings_or_fail()) as house, house.store.transaction() as tx:
        return await tx.close_alerts(subject, house.clock.now())
