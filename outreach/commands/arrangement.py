"""`outreach arrangement`: what was agreed on a case, part by part, and its end."""

import getpass
from typing import Annotated, Any

import typer
from rich.table import Table

from outreach.commands.common import Json, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import a_house, run
from outreach.domain.arrangement_life import ArrangementError
from outreach.flows.arrangement_desk import Agreed, cancel_on, load_agreed
from outreach.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Installment plans agreed on a case: show them, or cancel one.")

Ref = Annotated[str, typer.Argument(help="A case id, or the lender's account or borrower reference.")]


@app.command()
def show(ref: Ref, as_json: Json = False) -> None:
    """Show every arrangement of a case, with what has been paid of each installment."""
    found = run(_load(settings_or_fail(), ref))
    if found is None:
        fail(f"no case, account or borrower {ref!r}", 1)
    if as_json:
        print_json(found)
    elif not found:
        console.print("No arrangement was ever agreed on this case.")
    else:
        for one in found:
            _print(one)


@app.command()
def cancel(
    ref: Ref,
    reason: Annotated[str, typer.Option(help="Why, in a few words without personal data; kept on the timeline.")],
    by: Annotated[str | None, typer.Option(help="Who does it (default: the user of this machine).")] = None,
) -> None:
    """Cancel the arrangement that stands on a case. Its reminders stop; the borrower is told by a person, not by us."""
    if not reason.strip():
        fail("--reason must say why")
    try:
        done = run(_cancel(settings_or_fail(), ref, by or getpass.getuser(), reason.strip()))
    except ArrangementError as error:
        fail(str(error), 1)
    if done is None:
        fail(f"no case, account or borrower {ref!r}", 1)
    if not done:
        fail("no arrangement stands on this case", 1)
    console.print("Cancelled. What was left is due as before the arrangement; ordinary plans go on from here.")


async def _load(settings: Settings, ref: str) -> list[Agreed] | None:
    async with a_house(settings) as house:
        return await load_agreed(house, ref)


async def _cancel(settings: Settings, ref: str, by: str, reason: str) -> bool | None:
    async with a_house(settings) as house:
        return await cancel_on(house, ref, by, reason)


def _print(one: Agreed) -> None:
    ended = f", ended {one.ended_at:%Y-%m-%d}" if one.ended_at else ""
    by = f" by {one.ended_by}" if one.ended_by else ""
    console.print(
        f"[bold]{one.state}[/bold]: {one.total} in {len(one.parts)} {one.frequency} parts"
        f"{f', fee {one.fee}' if one.fee else ''}, {one.left} left; agreed {one.agreed_at:%Y-%m-%d} by"
        f" {one.source}{ended}{by}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("No", "Due on", "Amount", "Paid"):
        table.add_column(column)
    for part in one.parts:
        table.add_row(*_cells(part))
    console.print(table)


def _cells(part: Any) -> tuple[str, ...]:  # noqa: ANN401 - one part
    return str(part.no), part.due_on.isoformat(), part.amount, part.paid
