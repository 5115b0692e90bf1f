"""`outreach exchange`: what went over the wire for an attempt or a case, redacted."""

from typing import Annotated

import typer
from rich.text import Text

from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.flows.exchange_words import PARTS, fields_of_part, headline
from outreach.flows.exchanges import Exchanged, load_exchanges
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What went over the wire, redacted: evidence for an attempt or a case.")

Name = Annotated[str, typer.Argument(help="An attempt id, a provider's reference, or a case, account or borrower.")]


@app.callback()
def exchange() -> None:
    """Read the exchange log."""


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show every request, answer and callback that is still kept."""
    found = run(_load(settings_or_fail(), name))
    if not found:
        fail(f"no attempt, case, account or borrower {name!r}", 1)
    if as_json:
        print_json(found)
        return
    for one in found:
        _print(one)


async def _load(settings: Settings, name: str) -> list[Exchanged]:
    async with a_house(settings) as house:
        return await load_exchanges(house, name)


def _print(one: Exchanged) -> None:
    head = f"Attempt {one.attempt_id}, {one.channel}, {one.started_at:%Y-%m-%d %H:%M:%S} UTC: {one.outcome}"
    console.print(head, style="bold", highlight=False, soft_wrap=True)
    if not one.lines:
        console.print("  nothing went over the wire, or it is no longer kept", style="dim")
    for line in one.lines:
        arrow = "->" if line["way"] == "out" else "<-"
        for trip in line["trips"]:
            ended = f"  ended as {line['ended']}" if line["ended"] and trip is line["trips"][-1] else ""
            console.print(Text(f"  {arrow} {line['at']:%H:%M:%S} {headline(trip)}{ended}"), soft_wrap=True)
            for part in PARTS:
                for name, value in fields_of_part(trip, part):
                    console.print(Text(f"       {part} {name}: {value}", style="dim"), soft_wrap=True)
