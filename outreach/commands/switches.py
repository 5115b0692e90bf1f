"""`outreach pause`, `resume`, `switches`, `acknowledge`: the kill switches, in force within a second everywhere."""

import getpass
import re
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from outreach.commands.common import Json, console, fail, print_json, read_instant, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.words import Channel
from outreach.flows import switches
from outreach.flows.house import House
from outreach.flows.lookout import Scope
from outreach.flows.ports import Row
from outreach.flows.switches import CatchUp, Preview

_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*")
_FORMS = "everything, channel <name>, plan <name>, campaign <name> or jurisdiction <code> such as US-TX"

What = Annotated[
    str, typer.Argument(metavar="SCOPE", help="everything, channel, plan, campaign, jurisdiction.", show_default=False)
]
Key = Annotated[
    str | None, typer.Argument(metavar="KEY", help="Which one: sms, early_stage, US-TX ...", show_default=False)
]
By = Annotated[str | None, typer.Option(help="Who does it; your login name unless given.", show_default=False)]


def pause(
    scope: What,
    key: Key = None,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever reads doctor. No personal data.")] = None,
    until: Annotated[str | None, typer.Option(help="End by itself at this instant, with its offset from UTC.")] = None,
    by: By = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only count what would stop.")] = False,
    as_json: Json = False,
) -> None:
    """Stop contact within a second, everywhere. Answers to borrowers stop, too; stops are recorded all the same."""
    if preview:
        found, counts = run(_preview(scope, key))
        _show(found, counts, as_json=as_json)
        return
    if not (reason or "").strip():
        fail("--reason says why; whoever reads doctor needs it (or use --preview)")
    done = run(_pause(scope, key, str(reason).strip(), by or _me(), read_instant(until)))
    if as_json:
        print_json(told(done))
    else:
        console.print(f"paused: {in_words(told(done))}", highlight=False, soft_wrap=True)


def resume(
    scope: What,
    key: Key = None,
    catch_up: Annotated[
        CatchUp | None,
        typer.Option(
            help="What fell due meanwhile: drop cancels it, re-decide asks the gate again.", show_default=False
        ),
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Let contact go on, with a choice for what fell due meanwhile. Closes the alerts about it."""
    found, done = run(_resume(scope, key, catch_up, by or _me()))
    name = " ".join(found) if found[0] != "everything" else "everything"
    if done is None:
        fail(f"{name} was not paused; outreach switches lists what is", 1)
    planned, dropped = done["planned"] + done["paused"], done["cancelled"]
    if as_json:
        print_json({"scope": found[0], "key": found[1], "re_decided": planned, "dropped": dropped})
    else:
        console.print(f"resumed: {name}; {planned} decided anew, {dropped} dropped", highlight=False)


def list_switches(
    log: Annotated[int, typer.Option(help="Also show the latest so many entries of the record.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """List what is paused: since when, by whom, why, until when, and how much it holds back."""
    paused, entries = run(_list(log))
    if as_json:
        print_json({"paused": [told(row) for row in paused], "log": [_entry(row) for row in entries]})
        return
    if not paused:
        console.print("nothing is paused")
    for row in paused:
        console.print(f"paused: {in_words(told(row))}", highlight=False, soft_wrap=True)
    for row in entries:
        entry = _entry(row)
        more = f", {entry['catch_up']}" if entry["catch_up"] else f": {entry['reason']}"
        console.print(
            f"{entry['at']:%Y-%m-%d %H:%M} {entry['action']} {entry['name']} by {entry['by']}{more}",
            highlight=False,
            soft_wrap=True,
        )


async def _preview(scope: str, key: str | None) -> tuple[Scope, Preview]:
    async with a_house(settings_or_fail()) as house:
        found = await _read(house, scope, key)
        return found, await switches.preview(house, found)


async def _pause(scope: str, key: str | None, reason: str, by: str, until: datetime | None) -> Row:
    async with a_house(settings_or_fail()) as house:
        found = await _read(house, scope, key)
        if until is not None and until <= house.clock.now():
            fail("--until is over already; nothing was paused")
        await switches.pause(house, found, reason, by, until)
        async with house.store.transaction() as tx:
            return next(row for row in await tx.list_switches(house.clock.now()) if (row[0], row[1]) == found)


async def _resume(scope: str, key: str | None, catch_up: CatchUp | None, by: str) -> tuple[Scope, Any]:
    async with a_house(settings_or_fail()) as house:
        found = await _read(house, scope, key)
        if catch_up is None:
            async with house.store.transaction() as tx:
                held = [row[7] for row in await tx.list_switches(house.clock.now()) if (row[0], row[1]) == found]
            if any(held):
                fail(f"{held[0]} touches are held back: say --catch-up drop (cancel them) or re-decide (ask again)")
        return found, await switches.resume(house, found, catch_up or CatchUp.RE_DECIDE, by)


async def _list(log: int) -> tuple[list[Row], list[Row]]:
    async with a_house(settings_or_fail()) as house, house.store.transaction() as tx:
        return await tx.list_switches(house.clock.now()), await tx.switch_log(log)


async def _read(house: House, scope: str, key: str | None) -> Scope:
    """Read ``scope key`` or ``scope:key``; a word that would never match anything is refused."""
    if key is None:
        scope, _, key = scope.partition(":")
    said = f"{scope} {key}".strip()
    match scope:
        case "everything" if key in {"", "everything"}:
            return scope, scope
        case "channel":
            _known(key, [str(channel) for channel in Channel], said)
        case "plan":
            _known(key, sorted(house.plans), said)
        case "campaign":
            return scope, await _campaign(house, key, said)
        case "jurisdiction" if _PLACE.fullmatch(key):
            pass
        case _:
            fail(f"{said!r}: expected {_FORMS}")
    return scope, key


async def _campaign(house: House, key: str, said: str) -> str:
    """Return the id of the campaign of a name (the one that is live, else the latest), or of an id."""
    async with house.store.transaction() as tx:
        rows = await tx.campaigns()
    named = [row for row in rows if key in {row[1], str(row[0])}]
    if not named:
        _known(key, sorted({row[1] for row in rows}), said)
    live = [row for row in named if row[3] in {"running", "paused"}]
    return str((live or named)[-1][0])


def _known(key: str, allowed: list[str], said: str) -> None:
    if key not in allowed:
        fail(f"{said!r}: there is no {key or 'empty name'!r}; there are {', '.join(allowed) or 'none'}")


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def told(row: Row) -> dict[str, Any]:
    """Return one switch of the store as JSON shows it."""
    scope, key, since, reason, by, until, campaign, held = row
    return {"scope": scope, "key": key, "name": _name(scope, key, campaign), "since": since, "until": until,
            "by": by, "reason": reason, "held_back": held}  # fmt: skip


def _entry(row: Row) -> dict[str, Any]:
    at, action, scope, key, by, reason, until, catch_up, campaign = row
    return {"at": at, "action": action, "scope": scope, "key": key, "name": _name(scope, key, campaign), "by": by,
            "reason": reason, "until": until, "catch_up": catch_up}  # fmt: skip


def _name(scope: str, key: str, campaign: str | None) -> str:
    return scope if scope == "everything" else f"{scope} {campaign or key}"


def in_words(switch: dict[str, Any]) -> str:
    """Return one switch as a line for people."""
    until = f" until {switch['until']:%Y-%m-%d %H:%M}" if switch["until"] else ""
    return (
        f"{switch['name']} since {switch['since']:%Y-%m-%d %H:%M}{until} UTC by {switch['by']}: {switch['reason']}"
        f" ({switch['held_back']} touches held back)"
    )


def way_back(switch: dict[str, Any]) -> str:
    """Return the command that lifts a switch."""
    return f"outreach resume {switch['name']} --catch-up re-decide (or drop)"


def _show(scope: Scope, counts: Preview, *, as_json: bool) -> None:
    if as_json:
        print_json({"scope": scope[0], "key": scope[1], **_counted(counts.total),
                    "by": {name: {value: _counted(found) for value, found in sorted(values.items())}
                           for name, values in sorted(counts.by.items())}})  # fmt: skip
        return
    table = Table(title="What would stop")
    table.add_column("")
    for heading in ("queued", "due within 24 h", "calls in progress"):
        table.add_column(heading, justify="right")
    table.add_row("all", *map(str, _counted(counts.total).values()), style="bold")
    for dimension, values in sorted(counts.by.items()):
        for value, found in sorted(values.items()):
            table.add_row(f"{dimension} {value}", *map(str, _counted(found).values()))
    console.print(table)
    console.print("Calls that somebody has answered are not broken off.")


def _counted(found: Any) -> dict[str, int]:  # noqa: ANN401 - a Counter of strings
    return {"queued": found["queued"], "due_24h": found["due"], "calls": found["calls"]}


def acknowledge(subject: Annotated[str, typer.Argument(help="What doctor names in brackets, such as sms.")]) -> None:
    """Close the alerts about a subject, once somebody has seen to them."""
    closed = run(_acknowledge(subject))
    if not closed:
        fail(f"no alert about {subject!r} is open; outreach doctor lists those that are", 1)
    console.print(f"{closed} alert{'s' if closed > 1 else ''} about {subject} closed")


async def _acknowledge(subject: str) -> int:
    async with a_house(settings_or_fail()) as house, house.store.transaction() as tx:
        return await tx.close_alerts(subject, house.clock.now())
