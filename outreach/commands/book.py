"""`outreach import`: bring in a book of borrowers, accounts, points and consents, or contacts that others made."""

from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from outreach.bootstrap import make_clock
from outreach.commands.common import Json, complaints, console, fail, print_json, settings_or_fail
from outreach.commands.indoors import reachable, run
from outreach.flows import import_book as books
from outreach.flows.book_file import BookFileError
from outreach.flows.import_book import Summary, import_book
from outreach.flows.import_contacts import import_contacts
from outreach.settings import Settings
from outreach.store.book import Books
from outreach.store.contacts import Contacts


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines; docs/import.md has the columns.")],
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected lines are explained (default: FILE.rejects.jsonl).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and compare, write nothing.")] = False,
    contacts: Annotated[
        bool, typer.Option("--contacts", help="The file holds contacts that other systems or agencies made.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import a book or contacts. Good lines go in, bad lines go to a reject file; importing again changes nothing."""
    settings = settings_or_fail()
    out = rejects or file.with_name(file.name + ".rejects.jsonl")
    summary = run(bring_in(settings, file, out, dry_run=dry_run, quiet=as_json, contacts=contacts))
    if not summary.rejected:
        out.unlink(missing_ok=True)
    if as_json:
        print_json({"dry_run": summary.dry_run, "lines": summary.lines, "rejected": summary.rejected,
                    "facts": summary.facts, "reasons": summary.reasons,
                    "disputed_zones": summary.disputed_zones})  # fmt: skip
    else:
        show(summary, out)
    raise typer.Exit(1 if summary.rejected else 0)


async def bring_in(
    settings: Settings,
    file: Path,
    rejects: Path,
    *,
    dry_run: bool = False,
    quiet: bool = False,
    contacts: bool = False,
) -> Summary:
    """Import with a progress bar on standard error."""
    at = make_clock(settings).now()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=complaints, disable=quiet
    )
    with reachable(settings) as ready, bar:
        task = bar.add_task("reading", total=None)

        def progress(step: books.Progress) -> None:
            bar.update(task, description=step.phase, completed=step.done, total=step.total)

        async with await psycopg.AsyncConnection.connect(ready.database_url, autocommit=True) as connection:
            try:
                if contacts:
                    return await import_contacts(
                        file, Contacts(connection, at), at, rejects=rejects, dry_run=dry_run, progress=progress
                    )
                return await import_book(
                    file, Books(connection, at), at, rejects=rejects, dry_run=dry_run, progress=progress
                )
            except BookFileError as error:
                fail(str(error))


def show(summary: Summary, rejects: Path) -> None:
    """Print what an import did."""
    table = Table(title="Import" + (" (dry run: nothing written)" if summary.dry_run else ""))
    for heading in ("", "new", "updated", "unchanged"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, tally in summary.facts.items():
        table.add_row(name, str(tally.new), str(tally.updated), str(tally.unchanged))
    console.print(table)
    console.print(f"{summary.lines} lines, {summary.rejected} rejected")
    for reason, count in summary.reasons.most_common(20):
        console.print(f"  {count:>6}  {reason}", highlight=False, markup=False)
    if summary.disputed_zones:
        console.print(
            f"{summary.disputed_zones} lines state a time zone that is not one of the address: both were kept"
        )
    if summary.rejected:
        console.print(f"Rejected lines are explained in {rejects}")
