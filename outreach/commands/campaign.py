"""`outreach campaign`: preview, start, list, show, pause, resume, cancel."""

from typing import Annotated

import typer
from rich.table import Table

from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.campaign import Campaign, Preview
from outreach.domain.campaign_config import load_campaigns
from outreach.flows import campaigns
from outreach.flows.ports import Row
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Campaigns: preview, start, list, show, pause, resume, cancel.")

Name = Annotated[str, typer.Argument(help="The campaign's name (a file in config/campaigns) or id.")]


@app.command()
def preview(name: Name, as_json: Json = False) -> None:
    """Count who would enter now, and who would not and why. Changes nothing."""
    settings = settings_or_fail()
    show_preview(run(_preview(settings, _find(settings, name))), as_json=as_json)


@app.command()
def start(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Show the preview, ask, and start: the campaign runs when its schedule says."""
    settings = settings_or_fail()
    campaign = _find(settings, name)
    if not yes:
        show_preview(run(_preview(settings, campaign)), as_json=False)
        typer.confirm(f"Start {campaign.name}?", abort=True)
    key = run(_start(settings, campaign))
    if as_json:
        print_json({"campaign_id": key, "name": campaign.name})
    else:
        console.print(f"{campaign.name} is running (id {key})")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List campaigns with what came of them so far."""
    rows = run(_list(settings_or_fail(), None))
    if as_json:
        print_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
        return
    table = Table()
    for heading in ("name", "plan", "state", "next run", "enrolled", "held out", "sent", "waiting"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row[1], row[2], row[3], f"{row[4]:%Y-%m-%d %H:%M} UTC" if row[4] else "", *map(str, row[7:]))
    console.print(table)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show one campaign: its touches by channel, state and reason."""
    row, outcomes = run(_show(settings_or_fail(), name))
    if as_json:
        print_json(dict(zip(_COLUMNS, row, strict=True)) | {"touches": outcomes})
        return
    console.print(f"{row[1]}: {row[3]}, plan {row[2]}, {row[7]} enrolled, {row[8]} held out")
    table = Table()
    for heading in ("channel", "state", "reason", "touches"):
        table.add_column(heading)
    for channel, state, reason, count in outcomes:
        table.add_row(channel, state, reason, str(count))
    console.print(table)


@app.command()
def pause(name: Name) -> None:
    """Pause: nothing of it leaves any more, queued or not."""
    console.print(f"{run(_act(settings_or_fail(), 'pause', name))} touches wait until the campaign is resumed")


@app.command()
def resume(name: Name) -> None:
    """Resume: what is not too late by now is decided anew."""
    console.print(f"{run(_act(settings_or_fail(), 'resume', name))} touches go on")


@app.command()
def cancel(name: Name) -> None:
    """Cancel the campaign and everything of it that has not started."""
    console.print(f"{run(_act(settings_or_fail(), 'cancel', name))} touches cancelled")


_COLUMNS = (
    "campaign_id", "name", "plan", "state", "next_run_at", "last_run_at", "created_at", "enrolled", "held_out",
    "sent", "waiting",
)  # fmt: skip


def show_preview(counts: Preview, *, as_json: bool) -> None:
    """Print what a start would do."""
    if as_json:
        print_json({"considered": counts.considered, "matched": counts.matched, "entering": counts.entering,
                    "errors": counts.errors, "exclusions": dict(counts.exclusions)})  # fmt: skip
        return
    table = Table(title="If it ran now")
    table.add_column("cases")
    table.add_column("", justify="right")
    table.add_row("considered", str(counts.considered))
    table.add_row("in the audience", str(counts.matched))
    for reason, count in counts.exclusions.items():
        table.add_row(f"  left out: {reason}", str(count))
    if counts.errors:
        table.add_row(f"  could not be asked ({counts.first_error})", str(counts.errors))
    table.add_row("entering", str(counts.entering), style="bold")
    console.print(table)


def _find(settings: Settings, name: str) -> Campaign:
    known = load_campaigns(settings.config / "campaigns")
    if name not in known:
        fail(f"no campaign {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


async def _preview(settings: Settings, campaign: Campaign) -> Preview:
    async with a_house(settings) as house:
        return await campaigns.preview(house, campaign)


async def _start(settings: Settings, campaign: Campaign) -> str:
    async with a_house(settings) as house:
        return str(await campaigns.start(house, campaign))


async def _list(settings: Settings, name: str | None) -> list[Row]:
    async with a_house(settings) as house, house.store.transaction() as tx:
        return await tx.campaigns(name)


async def _show(settings: Settings, name: str) -> tuple[Row, list[Row]]:
    async with a_house(settings) as house, house.store.transaction() as tx:
        rows = await tx.campaigns(name)
        if not rows:
            fail(f"no campaign {name!r} was ever started")
        return rows[-1], await tx.campaign_outcomes(rows[-1][0])


async def _act(settings: Settings, what: str, name: str) -> int:
    async with a_house(settings) as house:
        return int(await getattr(campaigns, what)(house, name))
